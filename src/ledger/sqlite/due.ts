/**
 * What goes on by itself when its time has come: back-offs, parked jobs with an end, and batches that are being put
 * together. The index holds only jobs that wait for a time, so that asking costs the same beside any number of others.
 */
import { wakeGathering } from './batches.ts';
import type { Database } from './database.ts';

const DUE = `select
  (select not_before from job where state = 'waiting' and not_before is not null order by not_before limit 1) job,
  (select not_before from gathering order by not_before limit 1) batch`;

interface Due {
  readonly job: number | null;
  readonly batch: number | null;
}

export function nextDueAt(db: Database): number | undefined {
  const { job, batch } = db.get<Due>(DUE) as Due;
  if (job === null) return batch ?? undefined;
  return batch === null ? job : Math.min(job, batch);
}

/** More are due again at once: nobody's turn should be long because a whole queue had been parked. */
const AT_ONCE = 1_000;

/** Asked first, because a write begins a transaction even when it changes nothing. */
export function wakeDue(db: Database, at: number): void {
  const { job, batch } = db.get<Due>(DUE) as Due;
  if (job !== null && job <= at)
    db.write(
      `update job set state = 'queued', reason = null, message = null, fix = null, not_before = null
       where seq in (select seq from job where state = 'waiting' and not_before is not null and not_before <= ?
         order by not_before limit ${AT_ONCE})`,
      at,
    );
  if (batch === null || batch > at) return;
  for (const due of db.all<{ batch: string }>('select batch from gathering where not_before <= ?', at))
    wakeGathering(db, due.batch);
}
