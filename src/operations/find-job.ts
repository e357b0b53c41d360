/** A job by as much of its id as is unique. */
import type { JobLedger } from '../ledger/ledger.ts';
import { AppError } from '../types/errors.ts';
import type { JobRecord } from '../types/job.ts';

/** @throws AppError NOT_FOUND for no job, USAGE for a prefix of several. */
export async function findJob(ledger: { jobs: Pick<JobLedger, 'find'> }, prefix: string): Promise<JobRecord> {
  const found = /^[0-9a-f]{1,16}$/.test(prefix) ? await ledger.jobs.find(prefix) : [];
  if (found.length === 1) return found[0] as JobRecord;
  if (found.length === 0)
    throw new AppError('NOT_FOUND', `No job "${prefix}"`, {
      fix: '`sluice jobs list` shows them with their ids.',
    });
  throw new AppError('USAGE', `"${prefix}" fits ${found.length} jobs`, {
    fix: `Give more of the id: ${found.map(({ id }) => id).join(', ')}.`,
  });
}
