/** What sessions forget: entries and locks whose time is over, and whole sessions that ended long ago. */
import { setImmediate } from 'node:timers/promises';
import { CHUNK, inChunks } from './chunks.ts';
import type { Database } from './database.ts';

/** So long what was deleted keeps its own revision; later the session's floor stands for it. */
const DELETED_MS = 3_600_000;

/** @returns how many entries and locks are over. */
export async function expireSessions(db: Database, at: number): Promise<number> {
  const locks = db.write('delete from session_lock where until <= ?', at);
  const entries = await inChunks(() =>
    db.write(
      `update session_entry set value = null, expires_at = null, at = ?1 where (session, owner, key) in
         (select session, owner, key from session_entry where expires_at is not null and expires_at <= ?1 limit ${CHUNK})`,
      at,
    ),
  );
  const settled = db.all<{ session: string }>(
    'select distinct +session session from session_entry where value is null and at < ?',
    at - DELETED_MS,
  );
  for (const { session } of settled) {
    settleDeleted(db, session, at - DELETED_MS);
    await setImmediate();
  }
  return locks + entries;
}

/** Rows of what was deleted go; no later revision of their session is below theirs. */
function settleDeleted(db: Database, session: string, before: number): void {
  const deleted = 'session = ? and value is null and at < ?';
  db.write(
    `update session set floor = max(floor, coalesce((select max(revision) from session_entry where ${deleted}), 0)) where id = ?`,
    session,
    before,
    session,
  );
  db.write(`delete from session_entry where ${deleted}`, session, before);
}

/** The session of a run goes with its run: it may be resumed. */
export async function pruneSessions(db: Database, before: number): Promise<number> {
  const ended = db.all<{ id: string }>(
    `select id from session where ended_at is not null and ended_at < ?
       and not exists (select 1 from run where run.id = session.id)`,
    before,
  );
  for (const { id } of ended) {
    removeSession(db, id);
    await setImmediate();
  }
  return ended.length;
}

export function removeSession(db: Database, id: string): void {
  db.write('delete from session_entry where session = ?', id);
  db.write('delete from session_lock where session = ?', id);
  db.write('delete from session where id = ?', id);
}
