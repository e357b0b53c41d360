/** The work is done and paid for: a full disk is waited for, everything else is told. */
import { expect, test } from 'vitest';
import type { CommandOutput } from '../../src/agents/command-output.ts';
import { takeUp } from '../../src/agents/take-up.ts';
import type { AgentCall } from '../../src/types/agent.ts';

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
  ['nobody waits', 'ENOSPC', undefined, 'DISK_FULL'],
  ['another fault', 'EACCES', new AbortController().signal, 'OUTPUT_UNWRITABLE'],
])('told at once: %s', async (_, code, signal, told) => {
  let tries = 0;
  const taking = takeUp(call, exit, report, signal, async () => {
    tries += 1;
    throw fault(code);
  });
  await expect(taking).rejects.toMatchObject({ code: told });
  expect(tries).toBe(1);
});
