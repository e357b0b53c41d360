/**
 * Opens the ledger of a project: migrates an older one, refuses a newer one, and sets a damaged one aside (it is never
 * deleted), after which the caller rebuilds from the receipts.
 */
import { randomUUID } from 'node:crypto';
import { existsSync, mkdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { AppError, messageOf, systemCode } from '../../types/errors.ts';
import type { Ledger } from '../ledger.ts';
import { requireLocalFolder } from '../location.ts';
import { createActivityLedger } from './activity.ts';
import { createAuditLedger } from './audit.ts';
import { clearSuspicion, damaged, isDamaged, isSuspect, putAside } from './damage.ts';
import { Database } from './database.ts';
import { createFileLedger } from './files.ts';
import { createJobLedger } from './jobs.ts';
import { createKeptLedger } from './kept.ts';
import { createMetricLedger } from './metrics.ts';
import { createResultLedger } from './results.ts';
import { createReviewLedger } from './reviews.ts';
import { createRunLedger } from './runs.ts';
import { APPLICATION_ID, migrations } from './schema.ts';
import { createSessionLedger } from './sessions.ts';
import { createSpendingLedger } from './spending.ts';
import { needsWriter } from './sqlite-errors.ts';
import { convertOnce, copyTo, sizeOf, tidy } from './upkeep.ts';
import { createWrittenLedger } from './written.ts';

export interface OpenOptions {
  readonly stateDir: string;
  /** Epoch milliseconds; default `Date.now`. */
  readonly now?: () => number;
  /** For listings beside a running daemon: nothing is created, migrated or set aside. */
  readonly readOnly?: boolean;
  /** Reads every page once before use: after a stop that was not clean. Default false. */
  readonly verify?: boolean;
  /** Told when the ledger cannot be written (mostly DISK_FULL), and with `undefined` when it can again. */
  readonly onFull?: (problem: AppError | undefined) => void;
}

export interface OpenedLedger {
  readonly ledger: Ledger;
  /** Where the damaged ledger was put, when there was one: the new one is empty and wants to be rebuilt. */
  readonly setAside?: string;
}

/**
 * The caller holds the project's lock, unless `readOnly`.
 * @throws AppError LEDGER_NEWER, LEDGER_LOCATION, STATE_UNWRITABLE, DISK_FULL; with `readOnly` also LEDGER_DAMAGED, and
 * NOT_POSSIBLE for a ledger that is older than this version.
 */
export function openSqliteLedger(options: OpenOptions): OpenedLedger {
  const { stateDir, readOnly = false } = options;
  const file = join(stateDir, 'ledger.db');
  if (readOnly) return { ledger: openLedger(file, options) };
  makeFolder(stateDir);
  requireLocalFolder(stateDir);
  try {
    return { ledger: openLedger(file, options) };
  } catch (error) {
    if (!isDamaged(error, file)) throw error;
    const setAside = putAside(file, (options.now ?? Date.now)());
    return { ledger: openLedger(file, options), setAside };
  }
}

/** True when a project has a ledger that can be read. */
export function hasLedger(stateDir: string): boolean {
  return (statSync(join(stateDir, 'ledger.db'), { throwIfNoEntry: false })?.size ?? 0) > 0;
}

function openLedger(file: string, options: OpenOptions): Ledger {
  const { readOnly = false, verify = false, onFull } = options;
  if (!readOnly && existsSync(file)) refuseNewer(file);
  const db = new Database({ file, readOnly, ...(onFull && { onFull }) });
  try {
    if (readOnly) refuseOther(file, versionOf(db));
    else {
      db.beginWriting();
      const version = versionOf(db);
      if (version > migrations.length) throw newer(file, version);
      migrate(db, file, version);
      convertOnce(db, file);
    }
    requireOurs(db, file);
    if (isSuspect(file) && !readOnly) requireWhole(db, file, 'integrity_check');
    else if (verify) requireWhole(db, file, 'quick_check');
    if (!readOnly) {
      clearSuspicion(file);
      db.hold();
    }
    return toLedger(db, file, options);
  } catch (error) {
    db.close();
    throw error;
  }
}

function versionOf(db: Database): number {
  return db.get<{ user_version: number }>('pragma user_version')?.user_version ?? 0;
}

/** Through a connection of its own that cannot write: closing the writer's could already change the files. */
function refuseNewer(file: string): void {
  const db = new Database({ file, readOnly: true });
  try {
    const version = versionOf(db);
    if (version > migrations.length) throw newer(file, version);
  } catch (error) {
    // Killed while the ledger was being made: what was begun must be rolled back first, which only a writer can.
    if (!needsWriter(error)) throw error;
  } finally {
    db.close();
  }
}

function refuseOther(file: string, version: number): void {
  if (version > migrations.length) throw newer(file, version);
  if (version === migrations.length) return;
  throw new AppError(
    'NOT_POSSIBLE',
    `The ledger ${file} has not been brought up to this version (schema ${version}, wanted ${migrations.length})`,
    { fix: 'Run `sluice start` or `sluice run` once: that brings it up to date.' },
  );
}

function newer(file: string, version: number): AppError {
  return new AppError(
    'LEDGER_NEWER',
    `The ledger ${file} was written by a newer version of Sluice (schema ${version}, this one knows ${migrations.length})`,
    { fix: 'Install the newer version again, or move `.sluice/` away to start with an empty ledger.' },
  );
}

function migrate(db: Database, file: string, version: number): void {
  if (version === migrations.length) return;
  if (version > 0) requireOurs(db, file);
  db.exec('begin immediate');
  if (version === 0) {
    if (db.get('select 1 from sqlite_schema')) throw damaged(file, 'it holds tables that are not ours');
    db.exec(`pragma application_id = ${APPLICATION_ID}`);
  }
  for (const sql of migrations.slice(version)) db.exec(sql);
  if (version === 0) db.exec(`insert into meta values ('id', '${randomUUID()}')`);
  db.exec(`pragma user_version = ${migrations.length}; commit`);
}

function requireOurs(db: Database, file: string): void {
  const id = db.get<{ application_id: number }>('pragma application_id')?.application_id;
  if (id !== APPLICATION_ID) throw damaged(file, `its application id is ${id}`);
}

/** `quick_check` reads every page; `integrity_check` also compares the indexes with their tables: twice as long. */
function requireWhole(db: Database, file: string, check: 'quick_check' | 'integrity_check'): void {
  const found = Object.values(db.get(`pragma ${check}(1)`) ?? {})[0];
  if (found !== 'ok') throw damaged(file, `${check} found ${String(found)}`);
}

function toLedger(db: Database, file: string, { now = Date.now }: OpenOptions): Ledger {
  return {
    id: db.get<{ value: string }>("select value from meta where key = 'id'")?.value ?? '',
    files: createFileLedger(db, now),
    jobs: createJobLedger(db, now),
    results: createResultLedger(db, now),
    spending: createSpendingLedger(db),
    kept: createKeptLedger(db),
    written: createWrittenLedger(db),
    metrics: createMetricLedger(db),
    audit: createAuditLedger(db, now),
    runs: createRunLedger(db, now),
    sessions: createSessionLedger(db, now),
    reviews: createReviewLedger(db),
    activity: createActivityLedger(db),
    durable: () => db.durable(),
    tidy: () => tidy(db, file),
    copyTo: (target) => copyTo(db, file, target),
    async size() {
      return sizeOf(file);
    },
    async [Symbol.asyncDispose]() {
      db.close();
    },
  };
}

function makeFolder(stateDir: string): void {
  try {
    if (!existsSync(stateDir)) mkdirSync(stateDir, { recursive: true, mode: 0o700 });
  } catch (cause) {
    const isFull = systemCode(cause) === 'ENOSPC';
    throw new AppError(
      isFull ? 'DISK_FULL' : 'STATE_UNWRITABLE',
      `Cannot make the state folder ${stateDir}: ${messageOf(cause)}`,
      {
        cause,
        fix: isFull ? 'Make space on its disk.' : 'Make it by hand, writable for the user that runs Sluice.',
      },
    );
  }
}
