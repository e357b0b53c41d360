/** How a job ends whose result is there already. What a person should know of that result they should know of this one. */
import type { JobEnd } from '../ledger/ledger.ts';
import type { JobId, JobRecord } from '../types/job.ts';

/** @param source The job that made it; undefined: the ledger does not know it any more. */
export function cachedEnd(cachedFrom: JobId, source: JobRecord | undefined): JobEnd {
  const { proof = [], outputs = [], message } = source ?? {};
  return { state: 'cached', cachedFrom, proof, outputs, ...(message !== undefined && { message }) };
}
