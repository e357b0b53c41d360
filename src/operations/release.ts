/** `sluice jobs release`: a person lets held jobs go on. */
import type { Ledger } from '../ledger/ledger.ts';
import { AppError } from '../types/errors.ts';
import type { JobId } from '../types/job.ts';
import { findJob } from './find-job.ts';

export interface ReleaseRequest {
  /** Ids, or prefixes of them. */
  readonly jobs?: readonly string[];
  /** All that are held. */
  readonly held?: boolean;
  /** With `held`: only those of this rule. */
  readonly rule?: string;
}

/**
 * @param unhold False: the job is not held.
 * @returns the jobs that go on, the oldest first.
 * @throws AppError NOT_FOUND, or NOT_POSSIBLE for a job that is named and not held.
 */
export async function release(
  { ledger, unhold }: { ledger: Pick<Ledger, 'jobs'>; unhold: (id: JobId) => Promise<boolean> },
  { jobs = [], held = false, rule }: ReleaseRequest,
): Promise<readonly JobId[]> {
  const released: JobId[] = [];
  for (const prefix of jobs) {
    const { id } = await findJob(ledger, prefix);
    if (!(await unhold(id)))
      throw new AppError('NOT_POSSIBLE', `Job ${id} is not held`, {
        fix: '`sluice jobs list --state held` shows those that are.',
      });
    released.push(id);
  }
  if (!held) return released;
  const all = await ledger.jobs.list({ states: ['held'], limit: 1_000_000 });
  for (const { id, rule: own } of all.toReversed())
    if ((rule === undefined || rule === own) && (await unhold(id))) released.push(id);
  return released;
}
