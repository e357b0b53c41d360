/** `sluice answer`: a person says how held work is to go on, or has running work reviewed. */
import type { Ledger } from '../ledger/ledger.ts';
import { AppError } from '../types/errors.ts';
import type { JobId } from '../types/job.ts';
import { findJob } from './find-job.ts';

export interface Answered {
  readonly job_id: JobId;
  /** Worked on with it when its review ended them: they go on with the same answer. */
  readonly with?: readonly JobId[];
}

/**
 * @param answer Gives those that go on; none: the job is not held.
 * @throws AppError NOT_FOUND; NOT_POSSIBLE for a job that waits for nobody; USAGE for an empty text.
 */
export async function answerJob(
  {
    ledger,
    answer,
  }: {
    readonly ledger: Pick<Ledger, 'jobs'>;
    readonly answer: (id: JobId, text: string) => Promise<readonly JobId[]>;
  },
  prefix: string,
  text: string,
): Promise<Answered> {
  if (text.trim() === '')
    throw new AppError('USAGE', 'There is no answer', {
      fix: 'Write it after the id: `sluice answer 3f2a "Use the second format."`.',
    });
  const { id, state } = await findJob(ledger, prefix);
  const answered = await answer(id, text);
  if (answered.length === 0)
    throw new AppError('NOT_POSSIBLE', `Job ${id} is ${state}: it waits for no answer`, {
      fix: '`sluice jobs list --state held` shows those that do; a run that asks is answered with `sluice workflow approve`.',
    });
  const others = answered.filter((one) => one !== id);
  return { job_id: id, ...(others.length > 0 && { with: others }) };
}
