import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { AgentConfig } from '../../src/config/config.ts';
import { backoffMs, judge } from '../../src/coordinator/verdict.ts';
import type { AgentResult, AttemptOutcome } from '../../src/types/agent.ts';

const agent: AgentConfig = {
  kind: 'command',
  name: 'lint',
  command: ['lint'],
  maxLoad: Number.POSITIVE_INFINITY,
  timeoutMs: 60_000,
  retry: { attempts: 3, initialMs: 1_000, maxMs: 60_000 },
  maxOutputBytes: 1 << 20,
  env: [],
  capabilities: [],
  priority: 0,
  fallback: [],
  limits: { required: false },
  maxRepeats: 4,
  workspace: 'in_place',
  sandbox: { mode: 'off', reason: 'nothing is run' },
};
const resultOf = (outcome: AttemptOutcome, stderrTail = ''): AgentResult => ({
  outcome,
  startedAt: 0,
  endedAt: 1,
  resultBytes: 0,
  events: 0,
  costUsd: null,
  stderrTail,
  sandbox: { mode: 'auto' },
  limits: {},
});

test.each<[AttemptOutcome, string, number]>([
  [{ kind: 'exited', exitCode: 3 }, 'exit_code', Number.POSITIVE_INFINITY],
  [{ kind: 'signalled', signal: 'SIGSEGV' }, 'exit_code', Number.POSITIVE_INFINITY],
  [{ kind: 'timed_out', afterMs: 60_000 }, 'timeout', 2],
  [{ kind: 'stalled', idleMs: 5_000 }, 'stalled', 2],
  [{ kind: 'output_exceeded', maxBytes: 1024 }, 'limit_exceeded', 1],
  [{ kind: 'spawn_failed', code: 'EAGAIN', message: 'no room' }, 'spawn_failed', Number.POSITIVE_INFINITY],
  [{ kind: 'spawn_failed', code: 'E2BIG', message: 'too long' }, 'spawn_failed', 1],
  [{ kind: 'responded', status: 500 }, 'http_error', Number.POSITIVE_INFINITY],
  [{ kind: 'responded', status: 429, retryAfterMs: 7_000 }, 'http_error', Number.POSITIVE_INFINITY],
  [{ kind: 'responded', status: 404 }, 'http_error', 1],
  [{ kind: 'unreachable', code: 'ECONNREFUSED', message: 'refused' }, 'http_error', Number.POSITIVE_INFINITY],
])('%j fails with %s, tried at most %s times', (outcome, reason, maxTries) => {
  const verdict = judge(agent, resultOf(outcome));
  expect(verdict).toMatchObject({ kind: 'failed', reason, maxTries });
  expect(verdict.kind === 'failed' && verdict.fix.length > 0 && verdict.message.includes('lint')).toBe(true);
  if (outcome.kind === 'responded' && outcome.retryAfterMs !== undefined)
    expect(verdict).toMatchObject({ retryAfterMs: outcome.retryAfterMs });
});

test.each<[AttemptOutcome, object]>([
  [
    { kind: 'exited', exitCode: 0 },
    { kind: 'succeeded', proof: ['exit_code'] },
  ],
  [
    { kind: 'responded', status: 204 },
    { kind: 'succeeded', proof: ['http_status'] },
  ],
  [
    { kind: 'cancelled', reason: 'stopping' },
    { kind: 'cancelled', reason: 'stopping' },
  ],
  [{ kind: 'interrupted' }, { kind: 'interrupted' }],
])('%j is %j', (outcome, verdict) => expect(judge(agent, resultOf(outcome))).toEqual(verdict));

test.each([
  ['', 'lint exited with 1'],
  ['all fine\nlast words\n', 'lint exited with 1: last words'],
  [
    'SyntaxError: unexpected token\n    at x.js:1\n\nNode.js v24\n',
    'lint exited with 1: SyntaxError: unexpected token',
  ],
])('the message says what stderr says of the fault: %j', (stderr, message) => {
  expect(judge(agent, resultOf({ kind: 'exited', exitCode: 1 }, stderr))).toMatchObject({ message });
});

test('back-off doubles up to its bound, with jitter between half and all of it; a named time is kept', () => {
  expect([1, 2, 3, 7, 99].map((tries) => backoffMs(agent.retry, tries, 0.999999))).toEqual([
    1_000, 2_000, 4_000, 60_000, 60_000,
  ]);
  expect(backoffMs(agent.retry, 5, 0, 7_000)).toBe(7_000);
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 10_000 }),
      fc.double({ min: 0, max: 0.999999, noNaN: true }),
      (tries, random) => {
        const full = Math.min(60_000, 1_000 * 2 ** Math.min(tries - 1, 40));
        const delay = backoffMs(agent.retry, tries, random);
        expect(delay).toBeGreaterThanOrEqual(Math.floor(full / 2));
        expect(delay).toBeLessThanOrEqual(full);
      },
    ),
  );
});
