/** From how an attempt's process ended to its result: the same for all kinds, but for what is made of the output. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { AgentCall, AgentResult } from '../types/agent.ts';
import type { SandboxReport } from '../types/job.ts';
import type { CommandOutput } from './command-output.ts';
import { refusedOutcome } from './confined.ts';
import { isFullDisk, uncollected } from './output-faults.ts';
import type { SpawnExit } from './spawner/spawner.ts';

const fullDiskRetryMs = 2_000;

/**
 * @param signal Until it is aborted, a full disk is waited for: the work is done and may have been paid for. Absent: nobody
 * waits.
 * @param collect Can be done again after it failed in the middle.
 * @throws {AppError} `DISK_FULL`, `OUTPUT_UNWRITABLE`.
 */
export async function takeUp(
  { agent, workDir }: Pick<AgentCall, 'agent' | 'workDir'>,
  exit: SpawnExit,
  sandbox: SandboxReport,
  signal: AbortSignal | undefined,
  collect: () => Promise<CommandOutput & Pick<AgentResult, 'cli'>>,
): Promise<AgentResult> {
  const { startedAt, endedAt, limits = {}, cpuMs, peakMemoryBytes, survivors } = exit;
  for (;;)
    try {
      // Without a sandbox there are no shims that could have refused anything.
      const isPlain = agent.sandbox.mode === 'off';
      const outcome = isPlain ? exit.outcome : await refusedOutcome(exit.outcome, workDir);
      return {
        ...{ outcome, startedAt, endedAt, limits, sandbox },
        ...(await collect()),
        ...(cpuMs === undefined ? {} : { cpuMs }),
        ...(peakMemoryBytes === undefined ? {} : { peakMemoryBytes }),
        ...(survivors === undefined ? {} : { survivors }),
      };
    } catch (error) {
      if (!signal || signal.aborted || !isFullDisk(error)) throw uncollected(error, workDir);
      await sleep(fullDiskRetryMs, undefined, { signal }).catch(() => {});
    }
}
