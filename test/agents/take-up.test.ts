/** The work is done and paid for: a full disk is waited for, everything else is told. */
import { expect, test } from 'vitest';
import type { CommandOutput } from '../../src/agents/command-output.ts';
import { takeUp } from '../../src/agents/take-up.ts';
import type { AgentCall, AttemptOutcome } from '../../src/types/agent.ts';
import { AppError } from '../../src/types/errors.ts';

const call = { agent: { sandbox: { mode: 'off' } }, workDir: '/w' } as Pick<AgentCall, 'agent' | 'workDir'>;
const exit = {
  outcome: { kind: 'exited', exitCode: 0 },
  ...{ startedAt: 1, endedAt: 2, stdoutBytes: 0, stderrBytes: 0, cpuMs: 7 },
} as const;
const report = { mode: 'off' } as const;
const output: CommandOutput = { resultBytes: 0, events: 0, costUsd: null, stderrTail: '' };
const fault = (code: string) => Object.assign(new Error(code), { code });

test('what was collected, beside how it ended', async () => {
  expect(await takeUp(call, exit, report, undefined, async () => output)).toEqual({
    ...{ outcome: exit.outcome, startedAt: 1, endedAt: 2, limits: {}, sandbox: report, cpuMs: 7 },
    ...output,
  });
});

test('a full disk is waited for until nobody waits any more', async () => {
  const ending = new AbortController();
  let tries = 0;
  const taking = takeUp(call, exit, report, ending.signal, async () => {
    tries += 1;
    // Once it has begun to wait.
    if (tries === 1) setImmediate(() => ending.abort());
    throw fault('ENOSPC');
  });
  await expect(taking).rejects.toMatchObject({ code: 'DISK_FULL' });
  expect(tries).toBe(2);
});

test.each([
  ['the collector', fault('ENOSPC')],
  [
    'who takes secrets out',
    new AppError('OUTPUT_UNWRITABLE', 'Cannot redact', { cause: fault('ENOSPC'), fix: '' }),
  ],
])('a full disk that nobody waits for is told at once: %s', async (_, error) => {
  let tries = 0;
  const taking = takeUp(call, exit, report, undefined, async () => {
    tries += 1;
    throw error;
  });
  await expect(taking).rejects.toMatchObject({ code: 'DISK_FULL' });
  expect(tries).toBe(1);
});

test.each<[string, AttemptOutcome, string]>([
  ['it ended', exit.outcome, 'uncollected'],
  ['it died', { kind: 'signalled', signal: 'SIGKILL' }, 'uncollected'],
  ['it was ended after its last word', { kind: 'lingered', graceMs: 1 }, 'uncollected'],
  ['it was cancelled', { kind: 'cancelled', reason: 'a person' }, 'cancelled'],
  ['it took too long', { kind: 'timed_out', afterMs: 1 }, 'timed_out'],
])(
  'what cannot be read is an attempt all the same, and its cost is not known: %s',
  async (_, outcome, told) => {
    const taken = await takeUp(call, { ...exit, outcome }, report, new AbortController().signal, async () => {
      throw fault('EACCES');
    });
    expect(taken).toMatchObject({ startedAt: 1, endedAt: 2, cpuMs: 7, costUsd: null, resultBytes: 0 });
    expect(taken.outcome.kind).toBe(told);
    if (taken.outcome.kind === 'uncollected') expect(taken.outcome.message).toMatch(/"\/w": EACCES/);
  },
);
