import { expect, test } from 'vitest';
import {
  type BatchEnd,
  firstBatchSize,
  nextBatchSize,
  parseBatchSize,
} from '../../src/coordinator/batch-size.ts';

test.each<[string, number, BatchEnd, number]>([
  ['a full batch that succeeded', 8, { files: 8, succeeded: 8 }, 16],
  ['one that was not full', 8, { files: 7, succeeded: 7 }, 8],
  ['one with a file that failed by itself', 8, { files: 8, succeeded: 7 }, 8],
  ['the most', 256, { files: 256, succeeded: 256 }, 256],
  ['not in time', 64, { files: 64, succeeded: 0, reason: 'timeout' }, 32],
  ['silent', 64, { files: 64, succeeded: 0, reason: 'stalled' }, 32],
  ['too expensive', 64, { files: 64, succeeded: 3, reason: 'limit_exceeded' }, 32],
  ['exit code', 64, { files: 40, succeeded: 0, reason: 'exit_code' }, 32],
  ['a small one that failed', 64, { files: 3, succeeded: 0, reason: 'exit_code' }, 64],
  ['a half of a failed one', 64, { files: 64, succeeded: 0, reason: 'exit_code', isHalf: true }, 64],
  ['a half of a failed one that went well', 8, { files: 8, succeeded: 8, isHalf: true }, 8],
  ['a failure that has nothing to do with size', 64, { files: 64, succeeded: 0, reason: 'auth' }, 64],
  ['odd', 5, { files: 5, succeeded: 0, reason: 'timeout' }, 2],
  ['the least', 1, { files: 1, succeeded: 0, reason: 'timeout' }, 1],
])('%s: %i, %j → %i', (_what, size, end, next) => {
  expect(nextBatchSize(size, end)).toBe(next);
});

test.each([undefined, null, 'x', 0, 1.5, 257, Number.NaN, {}])('%s is no size', (kept) => {
  expect(parseBatchSize(kept)).toBe(firstBatchSize);
});

test('it comes to rest near what the agent manages', () => {
  let size = firstBatchSize;
  const seen: number[] = [];
  for (let i = 0; i < 40; i++) {
    seen.push(size);
    size = nextBatchSize(
      size,
      size > 100 ? { files: size, succeeded: 0, reason: 'timeout' } : { files: size, succeeded: size },
    );
  }
  expect(new Set(seen.slice(10))).toEqual(new Set([64, 128]));
});
