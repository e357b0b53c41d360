/** From how an attempt's process ended to its result: the same for all kinds, but for what is made of the output. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { AgentCall, AgentResult, AttemptOutcome } from '../types/agent.ts';
import type { AppError } from '../types/errors.ts';
import type { SandboxReport } from '../types/job.ts';
import type { CommandOutput } from './command-output.ts';
import { refusedOutcome } from './confined.ts';
import { uncollected } from './output-faults.ts';
import type { SpawnExit } from './spawner/spawner.ts';

const fullDiskRetryMs = 2_000;
const nothing = { resultBytes: 0, events: 0, costUsd: null, stderrTail: '' } as const;

/**
 * @param signal Until it is aborted, a full disk is waited for: the work is done and may have been paid for. Absent: nobody
 * waits.
 * @param collect Can be done again after it failed in the middle. Of what it cannot take up it is said why: the attempt was
 * made, and may have cost something.
 * @throws {AppError} `DISK_FULL`: it is taken up when there is space.
 */
export async function takeUp(
  { agent, workDir }: Pick<AgentCall, 'agent' | 'workDir'>,
  exit: SpawnExit,
  sandbox: SandboxReport,
  signal: AbortSignal | undefined,
  collect: () => Promise<CommandOutput & Pick<AgentResult, 'cli'>>,
): Promise<AgentResult> {
  const { startedAt, endedAt, limits = {}, cpuMs, peakMemoryBytes, survivors } = exit;
  const known = {
    ...{ startedAt, endedAt, limits, sandbox },
    ...(cpuMs === undefined ? {} : { cpuMs }),
    ...(peakMemoryBytes === undefined ? {} : { peakMemoryBytes }),
    ...(survivors === undefined ? {} : { survivors }),
  };
  for (;;)
    try {
      // Without a sandbox there are no shims that could have refused anything.
      const isPlain = agent.sandbox.mode === 'off';
      const outcome = isPlain ? exit.outcome : await refusedOutcome(exit.outcome, workDir);
      return { ...known, outcome, ...(await collect()) };
    } catch (error) {
      const fault = uncollected(error, workDir);
      if (fault.code !== 'DISK_FULL') return { ...known, ...nothing, outcome: without(exit.outcome, fault) };
      if (!signal || signal.aborted) throw fault;
      await sleep(fullDiskRetryMs, undefined, { signal }).catch(() => {});
    }
}

/** What was ended from outside has failed of that. */
function without(outcome: AttemptOutcome, { message, fix }: AppError): AttemptOutcome {
  switch (outcome.kind) {
    case 'exited':
    case 'signalled':
    case 'lingered':
      return { kind: 'uncollected', message, fix };
    default:
      return outcome;
  }
}
