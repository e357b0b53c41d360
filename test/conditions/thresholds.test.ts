/** Numbers become conditions at their marks, and stop being so well on the other side of them. */
import fc from 'fast-check';
import { expect, onTestFinished, test } from 'vitest';
import { createConditionBoard } from '../../src/conditions/board.ts';
import type { Config, ThresholdsConfig } from '../../src/config/config.ts';
import { CoordinatorEvents } from '../../src/coordinator/events.ts';
import { digestText } from '../../src/engine/digest.ts';
import { ErrorRate } from '../../src/engine/error-rate.ts';
import { readMemory } from '../../src/engine/free-memory.ts';
import { judgeNumbers, type Numbers } from '../../src/engine/threshold-rules.ts';
import { watchThresholds } from '../../src/engine/thresholds.ts';
import type { JobRecord } from '../../src/types/job.ts';
import { until } from './receiver.ts';

const marks: ThresholdsConfig = {
  errorRate: 0.25,
  minimum: 20,
  windowMs: 600_000,
  delayMs: 60_000,
  freeMemory: 0.1,
};
const calm: Numbers = { ended: 0, failed: 0, held: 0 };
const memory = (freeBytes: number) => ({ memory: { freeBytes, totalBytes: 100 } });

test.each<[string, Partial<Numbers>, string[], string[]]>([
  ['nothing', {}, [], []],
  ['too few to say', { ended: 19, failed: 19 }, [], ['ERROR_RATE']],
  ['a quarter failed', { ended: 20, failed: 5 }, ['ERROR_RATE'], ['ERROR_RATE']],
  ['a little better', { ended: 24, failed: 5 }, [], ['ERROR_RATE']],
  ['well again', { ended: 30, failed: 5 }, [], []],
  ['waiting long', { waitedMs: 60_000 }, ['DELAY'], ['DELAY']],
  ['waiting a little less', { waitedMs: 50_000 }, [], ['DELAY']],
  ['waiting little', { waitedMs: 40_000 }, [], []],
  ['short of memory', memory(9), ['RESOURCES_LOW'], ['RESOURCES_LOW']],
  ['a little more memory', memory(11), [], ['RESOURCES_LOW']],
  ['memory enough', memory(13), [], []],
  ['held', { held: 3 }, ['HELD_FILES'], ['HELD_FILES']],
])('%s', (_, numbers, fromClosed, fromOpen) => {
  const found = (isOpen: boolean) => [...judgeNumbers({ ...calm, ...numbers }, marks, () => isOpen).keys()];
  expect(found(false)).toEqual(fromClosed);
  expect(found(true)).toEqual(fromOpen);
});

test('the window forgets: never less than its last 59 slices, never more than 60', () => {
  fc.assert(
    fc.property(
      fc.array(fc.record({ wait: fc.nat(20), isFailed: fc.boolean() }), { maxLength: 200 }),
      (steps) => {
        const rate = new ErrorRate(600);
        const all: { at: number; isFailed: boolean }[] = [];
        let now = 100_000;
        for (const { wait, isFailed } of steps) {
          now += wait;
          rate.add(now, isFailed);
          all.push({ at: now, isFailed });
          const { ended, failed } = rate.within(now);
          const since = (ms: number) => all.filter(({ at }) => at > now - ms);
          expect(ended).toBeGreaterThanOrEqual(since(590).length);
          expect(ended).toBeLessThanOrEqual(since(600).length + 1);
          expect(failed).toBeLessThanOrEqual(ended);
        }
      },
    ),
  );
});

test('a clock that is set back does not keep what is yet to come', () => {
  const rate = new ErrorRate(600);
  rate.add(1_000_000, true);
  expect(rate.within(500_000)).toEqual({ ended: 0, failed: 0 });
});

test('the memory of this machine can be read', () => {
  const { freeBytes, totalBytes } = readMemory();
  expect(freeBytes).toBeGreaterThan(0);
  expect(totalBytes).toBeGreaterThan(freeBytes);
});

interface Facts {
  held: number;
  oldest: number | undefined;
  isPaused: boolean;
  now: number;
}

async function watch(facts: Facts, seed: Pick<JobRecord, 'state' | 'endedAt'>[] = []) {
  const events = new CoordinatorEvents();
  const conditions = createConditionBoard({ now: () => facts.now });
  const watching = await watchThresholds({
    config: () => ({ thresholds: marks }) as Config,
    ledger: {
      jobs: {
        counts: async () => ({ queued: 1, running: 0, waiting: 0, held: facts.held }),
        oldestQueuedAt: async () => facts.oldest,
        list: async () => seed as JobRecord[],
      },
    },
    coordinator: {
      events,
      get isPaused() {
        return facts.isPaused;
      },
    },
    conditions,
    log: { warn: () => {} },
    memory: () => ({ freeBytes: 50, totalBytes: 100 }),
    now: () => facts.now,
  });
  onTestFinished(() => watching[Symbol.asyncDispose]());
  const end = (state: JobRecord['state']): void =>
    events.emit({ type: 'ended', job: { state } as JobRecord });
  return { end, codes: () => conditions.list().map(({ code }) => code) };
}

test('jobs that fail are noticed soon after they ended; those before a restart count', async () => {
  const facts = { held: 0, oldest: undefined, isPaused: false, now: 1_000_000 };
  const { end, codes } = await watch(
    facts,
    Array.from({ length: 10 }, () => ({ state: 'succeeded', endedAt: 999_000 })),
  );
  for (let n = 0; n < 10; n++) end('failed');
  await until('the rate is told', () => codes().includes('ERROR_RATE'));
  for (let n = 0; n < 40; n++) end('succeeded');
  await until('it is over', () => !codes().includes('ERROR_RATE'));
});

test('waiting is not counted while paused, nor what was queued before the start', async () => {
  const facts: Facts = { held: 2, oldest: 0, isPaused: false, now: 1_000_000 };
  const { end, codes } = await watch(facts);
  await until('held files are told', () => codes().includes('HELD_FILES'));
  expect(codes()).not.toContain('DELAY');
  facts.now += 61_000;
  facts.isPaused = true;
  facts.held = 0;
  end('succeeded');
  await until('nothing is held', () => !codes().includes('HELD_FILES'));
  facts.isPaused = false;
  facts.now += 30_000;
  facts.held = 1;
  end('succeeded');
  await until('held files are told', () => codes().includes('HELD_FILES'));
  expect(codes()).not.toContain('DELAY');
  facts.now += 31_000;
  end('succeeded');
  await until('the delay is told', () => codes().includes('DELAY'));
});

test('a day in one message', () => {
  const row = { day: '2026-11-20', root: 'inbox', agent: 'a', durationMs: 5 };
  const job = (state: string, ms: number, more: object = {}) =>
    ({
      state,
      agent: 'a',
      input: { root: 'inbox', path: `${ms}.txt` },
      startedAt: 0,
      endedAt: ms,
      ...more,
    }) as JobRecord;
  const text = digestText(
    [
      { ...row, state: 'succeeded', jobs: 40, costUsd: 1.5 },
      { ...row, state: 'failed', jobs: 2, costUsd: 0.25 },
    ],
    [
      job('succeeded', 65_000),
      job('failed', 10, { reason: 'timeout' }),
      job('failed', 20, { reason: 'timeout' }),
    ],
    3,
  );
  expect(text.split('\n')).toEqual([
    'jobs: 40 succeeded, 2 failed',
    'failures: 2 timeout',
    'cost: $1.75',
    'slowest: inbox/65000.txt → a, 1 min 5 s',
    'held until you decide: 3',
  ]);
});
