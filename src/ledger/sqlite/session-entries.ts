/**
 * Values of a session under keys. A commit looks at everything first and writes then, in one turn of the loop and one
 * transaction, so that nobody sees a part of it. What is deleted or has expired keeps its revision for a while without a
 * value: whoever read it before must not take what comes later for the same.
 */
import { AppError } from '../../types/errors.ts';
import type { CommitResult, SessionLedger, StateChange, StateEntry } from '../session-ledger.ts';
import type { Database } from './database.ts';

interface EntryRow {
  readonly owner: string;
  readonly key: string;
  readonly value: string;
  readonly revision: number;
  readonly expires_at: number | null;
  readonly written_by: string;
  readonly at: number;
}

/** Takes the time as its parameter. What its end has passed is not there. */
export const LIVE = 'value is not null and (expires_at is null or expires_at > ?)';

const COLUMNS = 'owner, key, value, revision, expires_at, written_by, at';
const STANDING = `select revision, ${LIVE} is_live from session_entry where session = ? and owner = ? and key = ?`;
const PUT = `insert into session_entry (session, owner, key, value, revision, expires_at, written_by, at)
  values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8) on conflict (session, owner, key) do update set
  value = ?4, revision = ?5, expires_at = ?6, written_by = ?7, at = ?8`;

/** A key as it stands, or as a commit has it so far. */
interface Standing {
  readonly owner: string;
  readonly key: string;
  /** Of its last change, also when it is not there. */
  revision: number;
  isThere: boolean;
  /** The change that decides what becomes of it. */
  change?: Exclude<StateChange, { op: 'check' }>;
}

export function createSessionEntries(
  db: Database,
  now: () => number,
): Pick<SessionLedger, 'read' | 'entries' | 'size' | 'commit'> {
  return {
    async read(session, owner, key) {
      const row = db.get<EntryRow>(
        `select ${COLUMNS} from session_entry where ${LIVE} and session = ? and owner = ? and key = ?`,
        now(),
        session,
        owner,
        key,
      );
      return row && toEntry(row);
    },

    async entries(session, owner) {
      const rows = db.all<EntryRow>(
        `select ${COLUMNS} from session_entry where ${LIVE} and session = ? ${owner === undefined ? '' : 'and owner = ?'}
         order by owner, key`,
        now(),
        session,
        ...(owner === undefined ? [] : [owner]),
      );
      return rows.map(toEntry);
    },

    async size(session) {
      const row = db.get<{ entries: number; bytes: number }>(
        `select count(*) entries, coalesce(sum(octet_length(value)), 0) bytes from session_entry where ${LIVE} and session = ?`,
        now(),
        session,
      );
      return { entries: row?.entries ?? 0, bytes: row?.bytes ?? 0 };
    },

    async commit(session, by, changes) {
      return commit(db, now(), session, by, changes);
    },
  };
}

function commit(
  db: Database,
  at: number,
  session: string,
  by: string,
  changes: readonly StateChange[],
): CommitResult {
  const { floor } = requireSession(db, session);
  const keys = new Map<string, Standing>();
  for (const change of changes) {
    const { owner, key } = change;
    const name = JSON.stringify([owner, key]);
    const found = keys.get(name) ?? standing(db, at, floor, session, owner, key);
    keys.set(name, found);
    const revision = found.isThere ? found.revision : 0;
    if (change.ifRevision !== undefined && change.ifRevision !== revision)
      return { kind: 'conflict', owner, key, revision: standing(db, at, 0, session, owner, key).shown };
    if (change.op === 'check' || (change.op === 'delete' && !found.isThere)) continue;
    found.revision += 1;
    found.isThere = change.op === 'set';
    found.change = change;
  }
  const entries: Pick<StateEntry, 'owner' | 'key' | 'revision'>[] = [];
  for (const { owner, key, revision, change } of keys.values()) {
    if (!change) continue;
    const isSet = change.op === 'set';
    const value = isSet ? JSON.stringify(change.value ?? null) : null;
    const endsAt = at + ((isSet ? change.ttlMs : undefined) ?? Number.POSITIVE_INFINITY);
    const expiresAt = Number.isFinite(endsAt) ? Math.round(endsAt) : null;
    db.write(PUT, session, owner, key, value, revision, expiresAt, by, at);
    entries.push({ owner, key, revision });
  }
  return { kind: 'committed', entries };
}

/** @throws AppError NOT_FOUND: what nobody opened, nobody would put away. */
export function requireSession(db: Database, session: string): { readonly floor: number } {
  const found = db.get<{ floor: number }>('select floor from session where id = ?', session);
  if (found) return found;
  throw new AppError('NOT_FOUND', `There is no session "${session}"`, {
    fix: 'Check its name: the session of a run has the id of the run, and goes with it.',
  });
}

function standing(
  db: Database,
  at: number,
  floor: number,
  session: string,
  owner: string,
  key: string,
): Standing & { readonly shown: number } {
  const row = db.get<{ revision: number; is_live: number }>(STANDING, at, session, owner, key);
  const isThere = row?.is_live === 1;
  return { owner, key, revision: row?.revision ?? floor, isThere, shown: isThere ? (row?.revision ?? 0) : 0 };
}

function toEntry({ value, expires_at, written_by, ...row }: EntryRow): StateEntry {
  return {
    ...row,
    value: JSON.parse(value),
    ...(expires_at !== null && { expiresAt: expires_at }),
    by: written_by,
  };
}
