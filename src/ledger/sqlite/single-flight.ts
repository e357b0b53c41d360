/**
 * Jobs of one key or one path do not run side by side: the claim parks those that meet a running one. Whoever stops
 * running (or being there at all) lets the next go on, here in the ledger, so that nothing waits for ever because a
 * caller forgot to wake it. Of one key only the first goes on, since the others would be parked again at once: waking
 * them all made n files with the same content cost n² changes.
 */
import { CHUNK, inChunks } from './chunks.ts';
import type { Database } from './database.ts';

const GO_ON = "update job set state = 'queued', reason = null, message = null, fix = null, not_before = null";
const PARKED = "state = 'waiting' and reason = 'single_flight'";

/** Another job of its key may make the attempt needless; another of its path writes to the same place. */
export function mustWait(db: Database, job: { key: string; root: string; path: string }): boolean {
  const found = db.get(
    `select 1 where (?1 <> '' and exists (select 1 from job where state = 'running' and key = ?1))
       or exists (select 1 from job where root = ?2 and path = ?3 and ended_at is null and state = 'running')`,
    job.key,
    job.root,
    job.path,
  );
  return found !== undefined;
}

export function park(db: Database, id: string): void {
  db.write(
    "update job set state = 'waiting', reason = 'single_flight' where id = ? and state = 'queued'",
    id,
  );
}

/** Call when a job has stopped running, has ended, or has left its key. */
export function letNextGoOn(db: Database, job: { key: string; root: string; path: string }): void {
  if (!isAnybodyParked(db)) return;
  if (job.key !== '') wakeKey(db, job.key);
  wakePath(db, job.root, job.path);
}

export function wakeKey(db: Database, key: string): number {
  return db.write(
    `${GO_ON} where seq = (select seq from job where ${PARKED} and key = ? order by rank, seq limit 1)`,
    key,
  );
}

export function wakePath(db: Database, root: string, path: string): number {
  return db.write(`${GO_ON} where root = ? and path = ? and ended_at is null and ${PARKED}`, root, path);
}

/** Mostly nobody: asked before the questions that cost more. */
export function isAnybodyParked(db: Database): boolean {
  return (
    db.get("select 1 from job where state = 'waiting' and reason = 'single_flight' limit 1") !== undefined
  );
}

/** The first of every key, and those without a key. */
export function wakeFirsts(db: Database): number {
  return db.write(
    `${GO_ON} where ${PARKED} and (key = '' or seq =
       (select seq from job first where first.state = 'waiting' and first.reason = 'single_flight' and first.key = job.key
        order by rank, seq limit 1))`,
  );
}

/** For the other reasons: all that wait, some at a time. */
export function wakeAll(db: Database, reason: string, agent?: string, rule?: string): Promise<number> {
  const where = ["state = 'waiting' and reason = ?"];
  const params = [reason];
  if (agent !== undefined) where.push('agent = ?'), params.push(agent);
  if (rule !== undefined) where.push('rule = ?'), params.push(rule);
  const some = `select seq from job where ${where.join(' and ')} limit ${CHUNK}`;
  return inChunks(() => db.write(`${GO_ON} where seq in (${some})`, ...params));
}
