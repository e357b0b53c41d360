/** Sessions: which there are, and whose state is kept. Entries, locks and what is forgotten stand in files of their own. */
import type { SessionLedger, SessionRecord } from '../session-ledger.ts';
import type { Database } from './database.ts';
import { createSessionEntries, LIVE } from './session-entries.ts';
import { createSessionLocks } from './session-locks.ts';
import { expireSessions, pruneSessions } from './session-retention.ts';

interface SessionRow {
  readonly id: string;
  readonly kind: SessionRecord['kind'];
  readonly title: string;
  readonly created_at: number;
  readonly ended_at: number | null;
  readonly entries: number;
}

const ROW = `select id, kind, title, created_at, ended_at,
  (select count(*) from session_entry where session = session.id and ${LIVE}) entries from session`;

export function createSessionLedger(db: Database, now: () => number): SessionLedger {
  return {
    ...createSessionEntries(db, now),
    ...createSessionLocks(db, now),

    async open({ id, kind, title }) {
      const known = db.get<{ ended_at: number | null }>('select ended_at from session where id = ?', id);
      if (!known)
        db.write(
          'insert into session (id, kind, title, created_at) values (?, ?, ?, ?)',
          id,
          kind,
          title,
          now(),
        );
      // A run that is resumed has the session that it had.
      else if (known.ended_at !== null) db.write('update session set ended_at = null where id = ?', id);
    },

    async close(id) {
      db.write('delete from session_lock where session = ?', id);
      db.write(
        'update session_entry set value = null, expires_at = null, at = ?1 where session = ?2 and expires_at is not null',
        now(),
        id,
      );
      db.write('update session set ended_at = ? where id = ? and ended_at is null', now(), id);
    },

    async get(id) {
      const row = db.get<SessionRow>(`${ROW} where id = ?`, now(), id);
      return row && toSession(row);
    },

    async list(limit) {
      return db.all<SessionRow>(`${ROW} order by seq desc limit ?`, now(), limit).map(toSession);
    },

    async expire() {
      return expireSessions(db, now());
    },

    async prune(before) {
      return pruneSessions(db, before);
    },
  };
}

function toSession({ created_at, ended_at, ...row }: SessionRow): SessionRecord {
  return { ...row, createdAt: created_at, ...(ended_at !== null && { endedAt: ended_at }) };
}
