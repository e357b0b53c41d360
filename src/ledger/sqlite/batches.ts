/**
 * Jobs that are worked on by one attempt. They gather as `waiting` until nothing came for a while or until they are
 * enough, then go to the queue together; the claim of one of them takes others of its group along.
 */
import type { BatchPlace } from '../ledger.ts';
import type { Database } from './database.ts';
import type { JobRow } from './job-rows.ts';
import { mustWait, park } from './single-flight.ts';

/** More claims than any job will see. */
export const FLIGHTS = 1_000_000;

const GATHERED =
  "batch = ? and ended_at is null and state = 'waiting' and reason = 'batch' and not_before is null";

/** Call when a job of this group was put in the queue as `waiting`. */
export function gather(db: Database, { group, notBefore, maxFiles }: BatchPlace): void {
  if (isFull(db, group, maxFiles)) wakeGathering(db, group);
  else
    db.write(
      'insert into gathering values (?1, ?2) on conflict do update set not_before = ?2',
      group,
      Math.round(notBefore),
    );
}

export function wakeGathering(db: Database, group: string): void {
  db.write(
    `update job set state = 'queued', reason = null, message = null, fix = null where ${GATHERED}`,
    group,
  );
  db.write('delete from gathering where batch = ?', group);
}

/** When the jobs of this group that gather will go on. */
export function gatheredAt(db: Database, group: string): number | undefined {
  return db.get<{ at: number }>('select not_before at from gathering where batch = ?', group)?.at;
}

/**
 * Jobs that may run with this one, which is running by now; those that meet its key or path wait.
 * @param take Claims a companion, so that the next is compared with it too.
 */
export function takeCompanions(db: Database, head: JobRow, most: number, take: (row: JobRow) => void): void {
  let left = most;
  while (left > 0) {
    const rows = db.all<JobRow>(
      `select * from job where batch = ? and ended_at is null and state = 'queued' and root = ? and lane = ? and agent = ? and rule = ?
       order by rank, seq limit ?`,
      head.batch,
      head.root,
      head.lane,
      head.agent,
      head.rule,
      Number.isFinite(left) ? left : -1,
    );
    if (rows.length === 0) return;
    for (const row of rows) {
      if (mustWait(db, row)) park(db, row.id);
      else {
        take(row);
        left -= 1;
      }
    }
  }
}

/**
 * Names a running batch by its first job and that job's token. Negative, so that it is never the `seq` of a job that
 * runs alone; not the `seq` of the first by itself, since that one may run again before its companions are concluded.
 */
export function flightOf(seq: number, token: number): number {
  return -(seq * FLIGHTS + token);
}

/** The rule's name: sizes are known by it. */
export function prefixOf(group: string): string {
  const end = group.indexOf('\0');
  return end < 0 ? group : group.slice(0, end);
}

function isFull(db: Database, group: string, maxFiles: number): boolean {
  if (!Number.isFinite(maxFiles)) return false;
  const offset = Math.max(0, Math.floor(maxFiles) - 1);
  return db.get(`select 1 from job where ${GATHERED} limit 1 offset ?`, group, offset) !== undefined;
}
