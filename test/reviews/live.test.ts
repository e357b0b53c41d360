/** When running work is reviewed: what it says, what it does not say, and never too often. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { ReviewsConfig } from '../../src/config/config.ts';
import { createLiveReviews, type LiveReviews, type LiveTrigger, triggerOf } from '../../src/reviews/live.ts';
import type { AgentEvent } from '../../src/types/agent.ts';

const all: ReviewsConfig['on'] = new Set(['result', 'milestone', 'blocker', 'request', 'quiet']);
const minute = 60_000;

const event = (type: AgentEvent['type'], text = '', payload: object = {}): AgentEvent => ({
  type,
  payload: { text, ...payload },
});

const live = (on: ReviewsConfig['on'] = all, maxReviews = 20): LiveReviews =>
  createLiveReviews({ on, quietMs: 15 * minute, maxReviews }, 0);

test.each<readonly [AgentEvent, LiveTrigger['trigger'] | undefined]>([
  [event('milestone', 'Half.'), 'milestone'],
  [event('milestone', 'Done.', { final: true }), undefined],
  [event('blocker', 'No access.'), 'blocker'],
  [event('blocker', 'No access.', { permission: true }), undefined],
  [event('blocker', 'Look!', { review_requested: true }), 'blocker'],
  [event('review', 'Please look.'), 'request'],
  [event('review', 'May I?', { permission: true }), undefined],
  [event('status', 'x', { review_requested: true }), 'request'],
  [event('progress', 'x', { review_requested: 'true' }), undefined],
  [event('finding', 'x'), undefined],
  [event('error', 'x'), undefined],
  [{ type: 'milestone', payload: { text: 7 } }, 'milestone'],
])('%j → %s', (one, trigger) => {
  expect(triggerOf(one)?.trigger).toBe(trigger);
});

describe('events', () => {
  test('a milestone is reviewed at once, the next one a minute later at the earliest, none is lost', () => {
    const one = live();
    expect(one.event(event('milestone', 'a'), 10)).toEqual({ trigger: 'milestone', text: 'a' });
    expect(one.nextAt).toBeUndefined();
    expect(one.event(event('milestone', 'b'), 20)).toBeUndefined();
    expect(one.ended(5_000)).toBeUndefined();
    expect(one.nextAt).toBe(10 + minute);
    expect(one.tick(9 + minute)).toBeUndefined();
    expect(one.tick(10 + minute)).toEqual({ trigger: 'milestone', text: 'b' });
  });

  test('one review at a time: what comes meanwhile is one review after it, the most urgent', () => {
    const one = live();
    one.event(event('milestone', 'a'), 0);
    for (const [at, type] of (['milestone', 'review', 'milestone'] as const).entries())
      expect(one.event(event(type, `m${at}`), at)).toBeUndefined();
    expect(one.ended(2 * minute)).toEqual({ trigger: 'request', text: 'm1' });
    expect(one.ended(4 * minute)).toBeUndefined();
  });

  test('of several as urgent the latest; only the beginning of a long text', () => {
    const one = live();
    one.event(event('milestone', 'a'), 0);
    for (const text of ['b', 'c', `d${'x'.repeat(9_000)}`]) one.event(event('milestone', text), 1);
    const next = one.ended(2 * minute);
    expect(next?.text).toMatch(/^dx+$/);
    expect(next?.text).toHaveLength(4_000);
  });

  test('a blocker does not wait for the minute, but for the review under way', () => {
    const one = live();
    one.event(event('milestone', 'a'), 0);
    expect(one.event(event('blocker', 'b'), 10)).toBeUndefined();
    expect(one.ended(20)).toEqual({ trigger: 'blocker', text: 'b' });
    one.ended(30);
    expect(one.event(event('blocker', 'c'), 40)).toEqual({ trigger: 'blocker', text: 'c' });
  });

  test('the same words again are no news, whatever their spaces and case', () => {
    const one = live();
    one.event(event('blocker', 'No  access\n'), 0);
    one.ended(1);
    expect(one.event(event('blocker', 'no access'), 2)).toBeUndefined();
    expect(one.event(event('milestone', 'no access'), 3 * minute)).toEqual({
      trigger: 'milestone',
      text: 'no access',
    });
  });

  test('a thousand milestones hide no blocker', () => {
    const one = live();
    one.event(event('milestone', 'a'), 0);
    for (let n = 0; n < 1_000; n += 1) one.event(event('milestone', `m${n}`), n);
    one.event(event('blocker', 'No access.'), 1_000);
    expect(one.ended(2 * minute)).toEqual({ trigger: 'blocker', text: 'No access.' });
    // What was said before all of that is news again.
    one.ended(3 * minute);
    expect(one.event(event('milestone', 'a'), 4 * minute)).toEqual({ trigger: 'milestone', text: 'a' });
  });

  test('what is switched off triggers nothing', () => {
    const one = live(new Set(['result', 'blocker']));
    expect(one.event(event('milestone', 'a'), 0)).toBeUndefined();
    expect(one.event(event('review', 'a'), 0)).toBeUndefined();
    expect(one.nextAt).toBeUndefined();
    expect(one.tick(99 * minute)).toBeUndefined();
    expect(one.event(event('blocker', 'a'), 99 * minute)).toMatchObject({ trigger: 'blocker' });
  });

  test('so many reviews, and no more, however much it says', () => {
    const one = live(all, 3);
    let begun = 0;
    for (let n = 0; n < 50; n += 1) {
      if (one.event(event('blocker', `b${n}`), n * minute)) begun += 1;
      one.ended(n * minute + 1);
    }
    expect(begun).toBe(3);
    expect(one.nextAt).toBeUndefined();
    // Nobody will look any more: nothing waits for it.
    one.event(event('blocker', 'the last'), 99 * minute);
    expect(one.pending).toBeUndefined();
  });

  test('a review that it did not begin may end, too', () => {
    const one = live();
    expect(one.ended(5)).toBeUndefined();
    expect(one.event(event('milestone', 'a'), 10)).toMatchObject({ trigger: 'milestone' });
  });
});

describe('silence', () => {
  test('15 minutes without an event, once; again after something was said', () => {
    const one = live();
    expect(one.nextAt).toBe(15 * minute);
    one.event(event('status', 'x'), minute);
    expect(one.nextAt).toBe(16 * minute);
    expect(one.tick(16 * minute - 1)).toBeUndefined();
    expect(one.tick(16 * minute)).toEqual({ trigger: 'quiet', text: '' });
    expect(one.ended(20 * minute)).toBeUndefined();
    expect(one.nextAt).toBeUndefined();
    expect(one.tick(200 * minute)).toBeUndefined();
    one.event(event('progress', 'y'), 201 * minute);
    expect(one.nextAt).toBe(216 * minute);
    expect(one.tick(216 * minute)).toEqual({ trigger: 'quiet', text: '' });
  });

  test('it counts from the end of a review: its agent may have waited for it', () => {
    const one = live();
    one.event(event('milestone', 'a'), 0);
    expect(one.tick(20 * minute)).toBeUndefined();
    expect(one.ended(20 * minute)).toBeUndefined();
    expect(one.nextAt).toBe(35 * minute);
  });

  test('a short one waits for its minute, too', () => {
    const one = createLiveReviews({ on: all, quietMs: 10_000 }, 0);
    one.event(event('milestone', 'a'), 0);
    one.ended(5_000);
    expect(one.nextAt).toBe(minute);
  });
});

test('whatever is said and when: one at a time, never too many, a minute apart but for blockers, no words twice', () => {
  const step = fc.oneof(
    fc.record({
      do: fc.constant('event' as const),
      type: fc.constantFrom<AgentEvent['type']>('milestone', 'blocker', 'review', 'status'),
      text: fc.constantFrom('a', 'b', 'c', 'd', ''),
    }),
    fc.record({ do: fc.constantFrom('tick' as const, 'ended' as const) }),
  );
  const steps = fc.array(fc.record({ step, afterMs: fc.nat(40_000) }), { maxLength: 80 });
  fc.assert(
    fc.property(steps, (all) => {
      const one = createLiveReviews(
        { on: new Set(['milestone', 'blocker', 'request', 'quiet']), quietMs: 30_000, maxReviews: 6 },
        0,
      );
      let now = 0;
      let isUnder = false;
      const begun: { readonly at: number; readonly trigger: LiveTrigger }[] = [];
      for (const { step: next, afterMs } of all) {
        now += afterMs;
        if (next.do === 'ended') isUnder = false;
        const trigger = next.do === 'event' ? one.event(event(next.type, next.text), now) : one[next.do](now);
        if (!trigger) {
          // Nobody has to call it for what is due already.
          expect(one.nextAt ?? Number.POSITIVE_INFINITY).toBeGreaterThan(now);
          continue;
        }
        expect(isUnder).toBe(false);
        isUnder = true;
        const last = begun.at(-1);
        if (last && trigger.trigger !== 'blocker') expect(now - last.at).toBeGreaterThanOrEqual(60_000);
        begun.push({ at: now, trigger });
      }
      const said = begun.flatMap(({ trigger }) =>
        trigger.trigger === 'quiet' ? [] : `${trigger.trigger} ${trigger.text}`,
      );
      expect(new Set(said).size).toBe(said.length);
      expect(begun.length).toBeLessThanOrEqual(6);
    }),
  );
});
