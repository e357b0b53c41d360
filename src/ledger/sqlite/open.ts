/**
 * Opens the ledger of a project: migrates an older one, refuses a newer one, and sets a damaged one aside (it is never
 * deleted), after which the caller rebuilds from the receipts.
 */
import { randomUUID } from 'node:crypto';
import { existsSync, mkdirSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { AppError, messageOf } from '../../types/errors.ts';
import type { Ledger } from '../ledger.ts';
import { createAuditLedger } from './audit.ts';
import { Database } from './database.ts';
import { createFileLedger } from './files.ts';
import { createJobLedger } from './jobs.ts';
import { createResultLedger } from './results.ts';
import { migrations } from './schema.ts';

export interface OpenOptions {
  readonly stateDir: string;
  /** Epoch milliseconds; default `Date.now`. */
  readonly now?: () => number;
  /** For listings beside a running daemon: nothing is created, migrated or set aside. */
  readonly readOnly?: boolean;
  /** Reads every page once before use: after a stop that was not clean. Default false. */
  readonly verify?: boolean;
  readonly onFull?: (problem: AppError | undefined) => void;
}

export interface OpenedLedger {
  readonly ledger: Ledger;
  /** Where the damaged ledger was put, when there was one: the new one is empty and wants to be rebuilt. */
  readonly setAside?: string;
}

export function openSqliteLedger(options: OpenOptions): OpenedLedger {
  const file = join(options.stateDir, 'ledger.db');
  if (!options.readOnly) mkdirSync(options.stateDir, { recursive: true, mode: 0o700 });
  try {
    return { ledger: toLedger(openDatabase(file, options), options) };
  } catch (error) {
    if (options.readOnly || !isDamaged(error)) throw error;
    const setAside = putAside(file, options.now ?? Date.now);
    return { ledger: toLedger(openDatabase(file, options), options), setAside };
  }
}

/** True when a project has a ledger that can be read. */
export function hasLedger(stateDir: string): boolean {
  return existsSync(join(stateDir, 'ledger.db'));
}

function openDatabase(file: string, { readOnly = false, verify = false, onFull }: OpenOptions): Database {
  const db = new Database({ file, readOnly, ...(onFull && { onFull }) });
  try {
    const version = db.get<{ user_version: number }>('pragma user_version')?.user_version ?? 0;
    if (version > migrations.length)
      throw new AppError(
        'LEDGER_NEWER',
        `The ledger ${file} was written by a newer version of Sluice (schema ${version}, this one knows ${migrations.length})`,
        {
          fix: 'Install the newer version again, or move `.sluice/` away to start with an empty ledger.',
        },
      );
    if (!readOnly) migrate(db, version);
    if (verify) {
      const result = db.get<{ quick_check: string }>('pragma quick_check(1)')?.quick_check;
      if (result !== 'ok') throw new DamagedLedger(`quick_check: ${result}`);
    }
    return db;
  } catch (error) {
    db.close();
    throw error;
  }
}

function migrate(db: Database, version: number): void {
  if (version === migrations.length) return;
  db.exec('begin immediate');
  for (const sql of migrations.slice(version)) db.exec(sql);
  if (version === 0) db.exec(`insert into meta values ('id', '${randomUUID()}')`);
  db.exec(`pragma user_version = ${migrations.length}`);
  db.exec('commit');
}

function toLedger(db: Database, options: OpenOptions): Ledger {
  const now = options.now ?? Date.now;
  return {
    id: db.get<{ value: string }>("select value from meta where key = 'id'")?.value ?? '',
    files: createFileLedger(db, now),
    jobs: createJobLedger(db, now),
    results: createResultLedger(db, now),
    audit: createAuditLedger(db, now),
    durable: () => db.durable(),
    async [Symbol.asyncDispose]() {
      db.close();
    },
  };
}

class DamagedLedger extends Error {}

/** SQLITE_CORRUPT, SQLITE_NOTADB and their kin; also a file that has none of our tables. */
function isDamaged(error: unknown): boolean {
  if (error instanceof DamagedLedger) return true;
  if (error instanceof AppError) return false;
  const code = (error as { errcode?: number } | null)?.errcode;
  return (
    code === 26 ||
    (code !== undefined && (code & 0xff) === 11) ||
    /malformed|no such table/.test(messageOf(error))
  );
}

function putAside(file: string, now: () => number): string {
  const aside = `${file}.damaged-${new Date(now()).toISOString().replace(/[:.]/g, '-')}`;
  renameSync(file, aside);
  for (const suffix of ['-wal', '-shm'])
    if (existsSync(file + suffix)) renameSync(file + suffix, aside + suffix);
  return aside;
}
