/** A fault of ours, not of the agent: the job fails with what is known, the daemon goes on. */
import type { Lease } from '../ledger/ledger.ts';
import { AppError, messageOf, systemCode } from '../types/errors.ts';
import type { FailureReason } from '../types/job.ts';
import type { AttemptDeps } from './attempt.ts';
import { giveBack } from './endings.ts';
import { finish } from './finish.ts';
import { isFullDisk, waitForSpace } from './full-disk.ts';

/** What a rule says of this very file cannot be evaluated, or a plugin does not say how its agent is started. */
const startedNothing: ReadonlySet<AppError['code']> = new Set(['EXPRESSION', 'PLUGIN_INVALID']);

function reasonOf(known: AppError | undefined): FailureReason {
  if (known?.code === 'OUTPUT_LIMIT') return 'limit_exceeded';
  return known && startedNothing.has(known.code) ? 'spawn_failed' : 'interrupted';
}

export async function failByOwnFault(deps: AttemptDeps, lease: Lease, error: unknown): Promise<void> {
  if (deps.isStateLost?.()) {
    await giveBack(deps, lease, true);
    return;
  }
  const known = error instanceof AppError ? error : undefined;
  if (isFullDisk(known?.code ?? systemCode(error))) return waitForSpace(deps, lease, messageOf(error));
  const job = await deps.ledger.jobs.end(lease, {
    state: 'failed',
    reason: reasonOf(known),
    message: messageOf(error),
    fix: known?.fix ?? 'Look at the log for the cause, then run `sluice jobs retry`.',
  });
  if (job) await finish(deps, job);
}
