/** `sluice answer`: a person says how held work is to go on, or has running work reviewed. */
import type { Ledger } from '../ledger/ledger.ts';
import { AppError } from '../types/errors.ts';
import type { JobId, JobRecord } from '../types/job.ts';
import { findJob } from './find-job.ts';
import { findRun } from './workflows/find-run.ts';

export interface Answered {
  readonly job_id: JobId;
  /** Worked on with it when its review ended them: they go on with the same answer. */
  readonly with?: readonly JobId[];
}

/** Ids of runs begin with their day: `20261120-164501-3fa2c1`. Those of jobs hold no dash. */
export const runLike = /^\d{8}-/;
/** Of what a run holds, to be named where it is more than one. */
const MOST_NAMED = 20;

/**
 * @param named A job by the beginning of its id; or a run, of which one job asks.
 * @param answer Gives those that go on; none: the job is not held.
 * @throws AppError NOT_FOUND; NOT_POSSIBLE for a job that waits for nobody; USAGE for an empty text.
 */
export async function answerJob(
  {
    ledger,
    answer,
  }: {
    readonly ledger: Pick<Ledger, 'jobs' | 'runs'>;
    readonly answer: (id: JobId, text: string) => Promise<readonly JobId[]>;
  },
  named: string,
  text: string,
): Promise<Answered> {
  if (text.trim() === '')
    throw new AppError('USAGE', 'There is no answer', {
      fix: 'Write it after the id: `sluice answer 3f2a "Use the second format."`.',
    });
  const { id, state } = runLike.test(named) ? await askingIn(ledger, named) : await findJob(ledger, named);
  const answered = await answer(id, text);
  if (answered.length === 0)
    throw new AppError('NOT_POSSIBLE', `Job ${id} is ${state}: it waits for no answer`, {
      fix: '`sluice jobs list --state held` shows those that do; a run that asks is answered with `sluice workflow approve`.',
    });
  const others = answered.filter((one) => one !== id);
  return { job_id: id, ...(others.length > 0 && { with: others }) };
}

/** The job of a run that is held. */
async function askingIn(ledger: Pick<Ledger, 'jobs' | 'runs'>, named: string): Promise<JobRecord> {
  const run = await findRun(ledger, named);
  const held = await ledger.jobs.list({ run: run.id, states: ['held'], limit: MOST_NAMED });
  const [job] = held;
  if (held.length > 1)
    throw new AppError('USAGE', `Several steps of run ${run.id} wait for an answer`, {
      fix: `Name the job: ${held.map(({ id, step }) => `${id} (${step?.step})`).join(', ')}.`,
    });
  if (job) return job;
  throw new AppError('NOT_POSSIBLE', `No step of run ${run.id} waits for such an answer`, {
    fix: `\`sluice workflow show ${run.id}\` tells for what it waits; what is to be approved is answered with \`sluice workflow approve ${run.id}\` or \`reject\`.`,
  });
}
