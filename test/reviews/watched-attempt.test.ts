/** What an attempt has said while it ran, and whether somebody is to look at it before its work counts. */
import { expect, test } from 'vitest';
import type { LiveTrigger } from '../../src/reviews/live.ts';
import { WatchedAttempt } from '../../src/reviews/watched-attempt.ts';
import type { AgentCall, AgentEvent } from '../../src/types/agent.ts';
import type { JobRecord } from '../../src/types/job.ts';
import { reviewsConfig } from './agents.ts';

/** @returns an attempt, and the reviews that it wants. */
function watch(facts: Parameters<typeof reviewsConfig>[0] = {}): {
  one: WatchedAttempt;
  wanted: LiveTrigger[];
} {
  const wanted: LiveTrigger[] = [];
  const one = new WatchedAttempt({
    ...{ job: {} as JobRecord, call: {} as AgentCall, config: reviewsConfig(facts), now: Date.now },
    review: (_, trigger) => wanted.push(trigger),
  });
  return { one, wanted };
}

const event = (type: AgentEvent['type'], text: unknown): AgentEvent => ({ type, payload: { text } });

test('the latest of what it said is kept, and of each the beginning', () => {
  const { one } = watch();
  using _ = one;
  for (let n = 0; n < 150; n += 1) one.hear(event('status', `${n} ${'x'.repeat(9_000)}`));
  one.hear(event('status', 7));
  one.hear(event('status', ''));
  expect(one.said).toHaveLength(100);
  expect(one.said[0]).toMatch(/^status: 50 x+…$/);
  expect(Math.max(...one.said.map((text) => text.length))).toBeLessThan(4_100);
});

test('its work waits for what it has asked for, begun or not, and for a decision that is to end it', () => {
  const { one, wanted } = watch();
  using _ = one;
  expect([one.isAsking, one.isUnderReview]).toEqual([false, false]);
  one.hear(event('milestone', 'a'));
  expect(wanted).toEqual([{ trigger: 'milestone', text: 'a' }]);
  expect([one.isAsking, one.isUnderReview]).toEqual([false, true]);
  one.hear(event('milestone', 'b'));
  expect([one.isAsking, one.isUnderReview]).toEqual([true, true]);
  one.ends();
  // The next one comes a minute after the first.
  expect([wanted.length, one.isUnderReview]).toEqual([1, true]);
  const other = watch().one;
  using __ = other;
  other.begins('manual');
  other.stop();
  other.ends();
  expect(other.isUnderReview).toBe(true);
});

test('silence wants a review, which its work does not wait for; once it is over nothing does', async () => {
  const { promise, resolve } = Promise.withResolvers<LiveTrigger>();
  using quiet = new WatchedAttempt({
    ...{ job: {} as JobRecord, call: {} as AgentCall, now: Date.now },
    config: reviewsConfig({ on: new Set(['quiet']), quietMs: 1 }),
    review: (_, trigger) => resolve(trigger),
  });
  expect(await promise).toEqual({ trigger: 'quiet', text: '' });
  expect(quiet.isUnderReview).toBe(false);
  const { one, wanted } = watch();
  one.hear(event('blocker', 'a'));
  one.hear(event('blocker', 'b'));
  one[Symbol.dispose]();
  one.ends();
  expect(wanted.map(({ text }) => text)).toEqual(['a']);
});
