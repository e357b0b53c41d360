/**
 * A person answers held work. An attempt on several files that a review ended has asked once, for all of them: so the
 * answer is for all, and they go on together as they were stopped. Whatever else is held asks for itself.
 */
import type { Ledger } from '../ledger/ledger.ts';
import type { AttemptRecord, JobId, JobRecord } from '../types/job.ts';
import { aloneOf, togetherOf } from './batch-groups.ts';
import type { JobNotes } from './job-notes.ts';

/** Held ones that are looked through. */
const MOST = 100_000;

/** @returns the jobs that go on, the one that was named first; none: it is not held. */
export async function answerHeld(
  { ledger, notes }: { readonly ledger: Pick<Ledger, 'jobs'>; readonly notes: Pick<JobNotes, 'answer'> },
  id: JobId,
  text: string,
): Promise<readonly JobId[]> {
  const job = await ledger.jobs.get(id);
  if (job?.state !== 'held') return [];
  const last = job.attempts.at(-1);
  const others = last ? await stoppedWith(ledger, job, last) : [];
  const group = last && others.length > 0 ? togetherOf(job, last) : aloneOf(job);
  const ids = [id, ...others];
  await notes.answer(ids, text);
  // In one turn: no claim may see some of them.
  const gone = await Promise.all(ids.map((one) => ledger.jobs.unhold(one, group)));
  return ids.filter((_, index) => gone[index]);
}

async function stoppedWith(
  { jobs }: Pick<Ledger, 'jobs'>,
  { id, rule }: JobRecord,
  { outcome, batch, startedAt }: AttemptRecord,
): Promise<readonly JobId[]> {
  if (outcome !== 'reviewed' || !batch) return [];
  const held = await jobs.list({ states: ['held'], limit: MOST });
  return held
    .filter((other) => {
      const last = other.attempts.at(-1);
      return other.id !== id && other.rule === rule && last?.outcome === outcome && isSame(last);
    })
    .map((other) => other.id);

  function isSame(other: AttemptRecord): boolean {
    return other.batch?.id === batch?.id && other.startedAt === startedAt;
  }
}
