import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { BreakerConfig } from '../../src/config/config.ts';
import {
  abandon,
  type BreakerState,
  beginProbe,
  closedBreaker,
  isAgentFault,
  mayCall,
  mayFallBack,
  parseBreaker,
  record,
} from '../../src/coordinator/breaker.ts';
import type { FailureReason } from '../../src/types/job.ts';

const config: BreakerConfig = { errorRate: 0.5, minimum: 4, windowMs: 10_000, resetMs: 1_000 };
const call = (at: number, isFault: boolean, more: { job?: string; durationMs?: number } = {}) => ({
  ...{ job: 'j', durationMs: 5, at, isFault },
  ...more,
});
const after = (faults: readonly boolean[], by: BreakerConfig = config, stepMs = 10): BreakerState =>
  faults.reduce((state, isFault, i) => record(state, by, call(i * stepMs, isFault)), closedBreaker);
const opened = after([true, true, true, true]);
const probing = beginProbe(opened, 1_030, 'probe');

test.each<[string, readonly boolean[], BreakerState['at']]>([
  ['fewer calls than the minimum', [true, true, true], 'closed'],
  ['the minimum, all faults', [true, true, true, true], 'open'],
  ['exactly the rate', [false, false, true, true], 'open'],
  ['below the rate', [false, false, false, true, true], 'closed'],
  ['only good calls', Array<boolean>(50).fill(false), 'closed'],
  ['good calls that make up the minimum', [true, true, false, false], 'closed'],
])('%s', (_what, faults, at) => {
  expect(after(faults).at).toBe(at);
});

test('one fault in ten opens at the documented default', () => {
  const byDefault = { errorRate: 0.1, minimum: 10, windowMs: 300_000, resetMs: 30_000 };
  expect(after([...Array<boolean>(9).fill(false), true], byDefault).at).toBe('open');
  expect(after([...Array<boolean>(10).fill(false), true], byDefault).at).toBe('closed');
});

test('faults that are older than the window do not count', () => {
  expect(after([true, true, true, true], config, 4_000).at).toBe('closed');
});

test('a slow call counts as a fault only where slow is configured', () => {
  const slow = Array.from({ length: 4 }, (_, i) => call(i, false, { durationMs: 6_000 }));
  const end = (by: BreakerConfig) => slow.reduce((state, one) => record(state, by, one), closedBreaker);
  expect(end(config).at).toBe('closed');
  expect(end({ ...config, slowMs: 5_000 })).toMatchObject({
    at: 'open',
    reason: '4 of 4 calls within 10s failed or were slow; the last took longer than 5s',
  });
});

test('it says why it is open', () => {
  const state = record(after([true, true, true]), config, { ...call(40, true), message: 'HTTP 503' });
  expect(state).toEqual({
    at: 'open',
    until: 1_040,
    pauseMs: 1_000,
    reason: '4 of 4 calls within 10s failed or were slow; the last failed: HTTP 503',
  });
});

test('open, half-open, and back', () => {
  expect(mayCall(opened, 500)).toEqual({ until: 1_030 });
  expect(beginProbe(opened, 500, 'early')).toBe(opened);
  expect(mayCall(opened, 1_030)).toBe('probe');
  expect(mayCall(probing, 1_040)).toEqual({ until: 2_040 });
  expect(beginProbe(probing, 1_040, 'second')).toBe(probing);
  expect(record(probing, config, call(1_100, false, { job: 'probe' }))).toEqual(closedBreaker);
});

test('a failed probe doubles the pause, up to ten minutes', () => {
  let state = opened;
  const pauses: number[] = [];
  for (let now = 0, i = 0; i < 12 && state.at === 'open'; i++) {
    pauses.push(state.pauseMs);
    now = state.until;
    state = record(beginProbe(state, now, 'p'), config, call(now, true, { job: 'p' }));
  }
  expect(pauses.slice(0, 3)).toEqual([1_000, 2_000, 4_000]);
  expect(pauses.slice(-2)).toEqual([600_000, 600_000]);
});

test('a reset time of more than ten minutes is kept', () => {
  const long = { ...config, resetMs: 1_800_000 };
  const state = after([true, true, true, true], long);
  const again = record(beginProbe(state, 2_000_000, 'p'), long, call(2_000_000, true, { job: 'p' }));
  expect(again).toMatchObject({ at: 'open', pauseMs: 1_800_000 });
});

test('what began before it opened decides nothing', () => {
  expect(record(opened, config, call(100, false))).toBe(opened);
  expect(record(probing, config, call(1_100, false, { job: 'other' }))).toBe(probing);
  expect(record(probing, config, call(1_100, true, { job: 'other' }))).toBe(probing);
});

test('a probe that never ends is replaced', () => {
  expect(abandon(probing, 'other')).toBe(probing);
  const free = abandon(probing, 'probe');
  expect(mayCall(free, 1_200)).toBe('probe');
  expect(mayCall(beginProbe(free, 1_200, 'next'), 1_200)).not.toBe('probe');
});

test('a clock that was set back keeps nothing open, and nothing counted', () => {
  const far: BreakerState = { at: 'open', until: 1e12, pauseMs: 1_000, reason: 'x' };
  expect(mayCall(far, 5_000)).toBe('probe');
  const ahead = [0, 1, 2].reduce((state, i) => record(state, config, call(1e12 + i, true)), closedBreaker);
  expect(record(ahead, config, call(0, true)).at).toBe('closed');
});

describe('what was kept', () => {
  test.each<[string, unknown, BreakerState]>([
    ['nothing', undefined, closedBreaker],
    ['null', null, closedBreaker],
    ['a text', 'open', closedBreaker],
    ['another word', { at: 'ajar', pauseMs: 1, reason: '' }, closedBreaker],
    ['an end that is no number', { at: 'open', until: 'soon', pauseMs: 1, reason: '' }, closedBreaker],
    ['a pause that is no number', { at: 'open', until: 5, pauseMs: null, reason: '' }, closedBreaker],
    [
      'strange buckets',
      { at: 'closed', buckets: [null, { start: 1, calls: 2, faults: 3 }, { start: 1, calls: 2, faults: 1 }] },
      { at: 'closed', buckets: [{ start: 1, calls: 2, faults: 1 }] },
    ],
    ['a probe of an earlier process', probing, abandon(probing, 'probe')],
    ['an open one', opened, opened],
  ])('%s', (_what, kept, state) => {
    expect(parseBreaker(kept === undefined ? kept : JSON.parse(JSON.stringify(kept)))).toEqual(state);
  });

  test('anything is understood', () => {
    fc.assert(fc.property(fc.anything(), (kept) => void mayCall(parseBreaker(kept), 0)));
  });
});

// What a coordinator does with it, in any order: ask, call, end calls well or badly or never, restart, let time pass.
type Step =
  | { do: 'ask' }
  | { do: 'end'; which: number; isFault: boolean }
  | { do: 'abandon'; which: number }
  | { do: 'pass'; ms: number }
  | { do: 'restart' };
const step: fc.Arbitrary<Step> = fc.oneof(
  { arbitrary: fc.constant<Step>({ do: 'ask' }), weight: 4 },
  {
    arbitrary: fc.record({ do: fc.constant('end' as const), which: fc.nat(9), isFault: fc.boolean() }),
    weight: 4,
  },
  fc.record({ do: fc.constant('abandon' as const), which: fc.nat(9) }),
  fc.record({ do: fc.constant('pass' as const), ms: fc.nat(3_000) }),
  fc.constant<Step>({ do: 'restart' }),
);

test('never two probes, nothing while open, and open always ends', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 80 }), (steps) => {
      let state = closedBreaker;
      let now = 0;
      let jobs = 0;
      let running: { job: string; isProbe: boolean }[] = [];
      for (const one of steps) {
        if (one.do === 'pass') now += one.ms;
        if (one.do === 'restart') {
          running = [];
          state = parseBreaker(JSON.parse(JSON.stringify(state)));
        }
        if (one.do === 'ask') {
          const may = mayCall(state, now);
          const job = `j${jobs++}`;
          if (typeof may === 'object') {
            expect(state.at).not.toBe('closed');
            expect(may.until).toBeGreaterThan(now);
          } else {
            if (state.at === 'open') expect(now).toBeGreaterThanOrEqual(state.until);
            if (may === 'probe') state = beginProbe(state, now, job);
            running.push({ job, isProbe: may === 'probe' });
          }
        }
        if (one.do === 'end' || one.do === 'abandon') {
          const [ended] = running.splice(one.which % Math.max(1, running.length), 1);
          if (ended && one.do === 'end')
            state = record(state, config, call(now, one.isFault, { job: ended.job }));
          if (ended && one.do === 'abandon') state = abandon(state, ended.job);
        }
        const probes = running.filter(({ isProbe }) => isProbe);
        // A probe that was overtaken by nothing is the only one, and the state knows it.
        expect(probes.length).toBeLessThanOrEqual(1);
        if (state.at === 'half_open' && state.probe !== undefined)
          expect(probes.map(({ job }) => job)).toEqual([state.probe]);
        if (state.at === 'closed') expect(state.buckets.length).toBeLessThanOrEqual(12);
        if (state.at === 'open') expect(mayCall(state, state.until)).toBe('probe');
      }
      for (const { job } of running) state = abandon(state, job);
      expect(mayCall(state, now + 600_000)).not.toBeTypeOf('object');
    }),
    { numRuns: 500 },
  );
});

test.each<[FailureReason, number | undefined, boolean, boolean]>([
  // reason, code, the agent's fault, may fall back
  ['spawn_failed', undefined, true, true],
  ['timeout', undefined, true, true],
  ['stalled', undefined, true, true],
  ['auth', undefined, true, true],
  ['api_error', undefined, true, true],
  ['quota', undefined, true, true],
  ['http_error', undefined, true, true],
  ['http_error', 503, true, true],
  ['http_error', 401, true, true],
  ['http_error', 404, true, true],
  ['http_error', 400, false, true],
  ['http_error', 413, false, true],
  ['http_error', 422, false, true],
  ['exit_code', 127, true, true],
  ['exit_code', 126, true, true],
  ['exit_code', 1, false, true],
  ['exit_code', undefined, false, true],
  ['permission_denied', undefined, false, false],
  ['sandbox_unavailable', undefined, false, true],
  ['stuck', undefined, false, true],
  ['empty_result', undefined, false, true],
  ['missing_output', undefined, false, true],
  ['schema_invalid', undefined, false, true],
  ['limit_exceeded', undefined, false, false],
  ['input_gone', undefined, false, false],
  ['input_unreadable', undefined, false, false],
  ['input_too_large', undefined, false, false],
  ['interrupted', undefined, false, false],
])('%s (%s): fault %s, fallback %s', (reason, code, isFault, falls) => {
  expect(isAgentFault(reason, code)).toBe(isFault);
  expect(mayFallBack(reason)).toBe(falls);
});
