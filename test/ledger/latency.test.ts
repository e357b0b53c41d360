import fc from 'fast-check';
import { expect, test } from 'vitest';
import { latencyBucket, latencyPercentile } from '../../src/ledger/latency.ts';

const histogram = (lengths: readonly number[]): Map<number, number> => {
  const counts = new Map<number, number>();
  for (const ms of lengths) counts.set(latencyBucket(ms), (counts.get(latencyBucket(ms)) ?? 0) + 1);
  return counts;
};

test.each([
  [-5, 0],
  [Number.NaN, 0],
  [0, 0],
  [1, 0],
  [1.01, 1],
  [2, 8],
  [2.01, 9],
  [1_024, 80],
  [Number.POSITIVE_INFINITY, 256],
])('%d ms are in bucket %d', (ms, bucket) => {
  expect(latencyBucket(ms)).toBe(bucket);
});

test('nothing has no percentile', () => {
  expect(latencyPercentile(new Map(), 0.5)).toBeUndefined();
});

test('a percentile is off by 4.5 % at most, however many lengths there are', () => {
  const length = fc.oneof(
    fc.integer({ min: 1, max: 2_000 }),
    fc.double({ min: 1, max: 4_000_000_000, noNaN: true }),
  );
  fc.assert(
    fc.property(
      fc.array(length, { minLength: 1, maxLength: 200 }),
      fc.double({ min: 0, max: 1, noNaN: true }),
      (lengths, share) => {
        const exact = lengths.toSorted((a, b) => a - b)[Math.max(0, Math.ceil(lengths.length * share) - 1)];
        const told = latencyPercentile(histogram(lengths), share) as number;
        expect(Math.abs(told / (exact as number) - 1)).toBeLessThanOrEqual(0.045);
      },
    ),
    { numRuns: 2_000 },
  );
});
