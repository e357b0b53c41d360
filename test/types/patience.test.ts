import { expect, test } from 'vitest';
import { endsSoon, type WaitReason } from '../../src/types/job.ts';
import { Patience } from '../../src/types/patience.ts';

const minute = 60_000;
const now = 1_000_000;

test.each<[WaitReason, number | undefined, boolean]>([
  ['rate_limit', now + minute, true],
  ['rate_limit', now + 2 * minute, true],
  ['rate_limit', now + 2 * minute + 1, false],
  ['quota', now + minute, true],
  ['quota', now + 60 * minute, false],
  ['breaker', now + 30_000, true],
  ['budget', now + minute, true],
  ['quota', undefined, false],
  // It is only looked at again then.
  ['agent_unavailable', now + 30_000, false],
  ['auth', now + minute, false],
  ['paused', undefined, false],
  ['approval', undefined, false],
])('%s until %s ends soon: %s', (reason, notBefore, isSoon) => {
  expect(endsSoon({ reason, notBefore }, now)).toBe(isSoon);
});

test('ten minutes of waiting, whatever goes on in between, unless something comes of it', () => {
  const patience = new Patience();
  let at = 0;
  for (let n = 0; n < 10; n += 1) {
    patience.waits(at);
    patience.waits(at + 10);
    at += minute;
    expect(patience.isOver(at), `${n}`).toBe(false);
    patience.goesOn(at);
    // An attempt takes its time.
    at += 60 * minute;
    expect(patience.isOver(at)).toBe(false);
  }
  patience.waits(at);
  expect(patience.isOver(at + 1)).toBe(true);
  patience.renew();
  expect(patience.isOver(at + 1)).toBe(false);
  patience.waits(at);
  expect([patience.isOver(at + 10 * minute), patience.isOver(at + 10 * minute + 1)]).toEqual([false, true]);
});
