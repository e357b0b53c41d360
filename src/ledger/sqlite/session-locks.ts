/**
 * Locks of a session, each with an end, so that a holder that died holds nothing for ever. A clock that is set back makes
 * them last longer: letting them go earlier could give one lock to two.
 */
import type { SessionLedger } from '../session-ledger.ts';
import type { Database } from './database.ts';
import { requireSession } from './session-entries.ts';

export function createSessionLocks(
  db: Database,
  now: () => number,
): Pick<SessionLedger, 'lock' | 'unlock' | 'unlockAll'> {
  return {
    async lock(session, name, holder, ttlMs) {
      requireSession(db, session);
      const at = now();
      const found = db.get<{ holder: string; until: number }>(
        'select holder, until from session_lock where session = ? and name = ?',
        session,
        name,
      );
      if (found && found.until > at && found.holder !== holder) return { isHeld: false, ...found };
      const until = Math.round(at + ttlMs);
      db.write(
        `insert into session_lock (session, name, holder, until) values (?1, ?2, ?3, ?4)
         on conflict (session, name) do update set holder = ?3, until = ?4`,
        session,
        name,
        holder,
        until,
      );
      return { isHeld: true, holder, until };
    },

    async unlock(session, name, holder) {
      const gone = db.write(
        'delete from session_lock where session = ? and name = ? and holder = ? and until > ?',
        session,
        name,
        holder,
        now(),
      );
      return gone > 0;
    },

    async unlockAll(holder) {
      if (holder === undefined) return db.write('delete from session_lock');
      return db.write('delete from session_lock where holder = ?', holder);
    },
  };
}
