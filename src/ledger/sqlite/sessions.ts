/** State of sessions: values under keys with a revision, and locks. */
import type { SessionLedger } from '../session-ledger.ts';
import type { Database } from './database.ts';

export function createSessionLedger(_db: Database, _now: () => number): SessionLedger {
  return {} as SessionLedger;
}
