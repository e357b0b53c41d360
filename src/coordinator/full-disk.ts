/**
 * A full disk is no fault of an agent's: its job waits for space, however long, and no retry is used up. Failing it was
 * rejected: an hour without space would turn everything that landed in it into failures that somebody has to retry.
 */
import type { Lease } from '../ledger/ledger.ts';
import type { IntakeDeps } from './intake.ts';

const RETRY_MS = 3_000;
/** What the condition is about, beside the ledger's own. */
const SUBJECT = 'work folder';

/** @param code Of a system error, or of an `AppError`. */
export function isFullDisk(code: string | undefined): boolean {
  return code === 'ENOSPC' || code === 'EDQUOT' || code === 'DISK_FULL';
}

export async function waitForSpace(
  { conditions, events, ledger, now }: IntakeDeps,
  lease: Lease,
  message: string,
): Promise<void> {
  const fix = 'Make space on the disk that holds `.sluice/`; work goes on by itself.';
  conditions.raise({ code: 'DISK_FULL', subject: SUBJECT, message, fix });
  await ledger.jobs.retry(lease, { reason: 'backoff', message, fix, notBefore: now() + RETRY_MS });
  const job = await ledger.jobs.get(lease.job.id);
  if (job) events.emit({ type: 'waiting', job });
}

/** An attempt could be started. */
export function hasSpace({ conditions }: Pick<IntakeDeps, 'conditions'>): void {
  conditions.clear('DISK_FULL', SUBJECT);
}
