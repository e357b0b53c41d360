/** Over any history: nobody is told a lie, nor more often than the interval, and in the end everybody knows what is so. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Subjects } from '../../src/conditions/alerts/subjects.ts';
import type { Condition } from '../../src/types/condition.ts';

const times = { minIntervalMs: 1_000, gatherMs: 10 };
const condition = (subject: string, since: number): Condition => ({
  code: 'DELAY',
  subject,
  message: 'm',
  fix: 'f',
  since,
});

test('openings keep their distance, ends follow openings, the last word is the truth', () => {
  fc.assert(
    fc.property(
      fc.array(
        fc.record({ subject: fc.constantFrom('a', 'b'), waitMs: fc.nat(700), deliver: fc.boolean() }),
        { maxLength: 60 },
      ),
      (steps) => {
        const subjects = new Subjects();
        const isOpen = new Map<string, boolean>();
        const heard: { subject: string; event: string; at: number }[] = [];
        let now = 1_000_000;
        const listen = (): void => {
          for (let group = subjects.due(now, times); group; group = subjects.due(now, times)) {
            for (const { subject } of group.items) {
              expect(isOpen.get(subject)).toBe(group.event === 'opened');
              heard.push({ subject, event: group.event, at: now });
            }
            group.delivered(now);
          }
        };
        for (const { subject, waitMs, deliver } of steps) {
          const open = !isOpen.get(subject);
          isOpen.set(subject, open);
          subjects.change(condition(subject, now), open, now, times.minIntervalMs);
          now += waitMs;
          if (deliver) listen();
        }
        now += 5_000;
        listen();
        for (const name of ['a', 'b']) {
          const own = heard.filter(({ subject }) => subject === name);
          const openings = own.filter(({ event }) => event === 'opened');
          for (const [n, { at }] of openings.entries())
            if (n > 0) expect(at - (openings[n - 1]?.at ?? 0)).toBeGreaterThanOrEqual(times.minIntervalMs);
          for (const [n, { event }] of own.entries())
            if (n > 0 && event === 'opened') expect(own[n - 1]?.event).toBe('cleared');
          if (isOpen.get(name)) expect(own.at(-1)?.event).toBe('opened');
          else if (own.length > 0) expect(own.at(-1)?.event).toBe('cleared');
        }
      },
    ),
    { numRuns: 300 },
  );
});

test('what came while the first of its kind waited goes with it, and nothing else does', () => {
  const subjects = new Subjects();
  for (const [subject, at] of [
    ['a', 100],
    ['b', 103],
    ['c', 109],
  ] as const)
    subjects.change(condition(subject, at), true, at, times.minIntervalMs);
  subjects.change({ ...condition('d', 101), code: 'DISK_LOW' }, true, 101, times.minIntervalMs);
  expect(subjects.due(109, times)).toBeUndefined();
  const group = subjects.due(110, times);
  expect(group?.items.map(({ subject }) => subject)).toEqual(['a', 'b', 'c']);
  group?.delivered(110);
  expect(subjects.due(110, times)).toBeUndefined();
  expect(subjects.due(111, times)?.items.map(({ subject }) => subject)).toEqual(['d']);
});

test('a clock that is set back silences nothing', () => {
  const subjects = new Subjects();
  subjects.change(condition('a', 10_000), true, 10_000, times.minIntervalMs);
  expect(subjects.due(5_000, times)?.items).toHaveLength(1);
  subjects.due(20_000, times)?.delivered(20_000);
  subjects.change(condition('a', 9_000), false, 9_000, times.minIntervalMs);
  subjects.due(9_100, times)?.delivered(9_100);
  subjects.change(condition('a', 9_200), true, 9_200, times.minIntervalMs);
  expect(subjects.due(9_300, times)?.event).toBe('opened');
});

test('never more than a thousand are remembered, the open ones longest', () => {
  const subjects = new Subjects();
  subjects.change(condition('first', 0), true, 0, times.minIntervalMs);
  for (let n = 0; n < 1_300; n++) {
    subjects.change(condition(`s${n}`, n), true, n, times.minIntervalMs);
    subjects.change(condition(`s${n}`, n), false, n, times.minIntervalMs);
  }
  const open = subjects.due(1e6, times);
  expect(open?.items.length).toBeLessThanOrEqual(1_000);
  open?.delivered(1e6);
  const rest = subjects.due(1e6, times);
  expect([open, rest].some((group) => group?.items.some(({ subject }) => subject === 'first'))).toBe(true);
});

test('what is remembered in the ledger is what is known here, however many come and go in a day', () => {
  const subjects = new Subjects();
  const kept = new Set<string>();
  for (let n = 0; n < 1_300; n++) {
    const now = 1_000_000 + n * 100;
    for (const isOpen of [true, false]) {
      const at = now + (isOpen ? 0 : 20);
      subjects.change(condition(`${n % 1_200}`, at), isOpen, at, times.minIntervalMs);
      const group = subjects.due(at + times.gatherMs, times);
      for (const { subject } of group?.delivered(at + times.gatherMs) ?? []) kept.add(subject);
    }
    for (const { subject } of subjects.forget(now, times.minIntervalMs)) kept.delete(subject);
  }
  expect(kept.size).toBe(1_000);
  for (const { subject } of subjects.forget(1e12, times.minIntervalMs)) kept.delete(subject);
  expect([...kept]).toEqual([]);
});
