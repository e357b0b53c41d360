/**
 * Keeping the ledger's files small, and copying them. Each step is short, since it stops everything else: a few pages
 * are given back, the loop turns, then a few more. `VACUUM` for everything was rejected: it writes the whole ledger anew.
 */
import { closeSync, openSync, rmSync, statSync } from 'node:fs';
import { backup, DatabaseSync } from 'node:sqlite';
import { setImmediate } from 'node:timers/promises';
import { AppError, messageOf, systemCode } from '../../types/errors.ts';
import type { Database } from './database.ts';
import { ledgerError } from './sqlite-errors.ts';

/** Unused pages that are left for what comes next: 1 MiB. */
const SPARE_PAGES = 256;
const STEP_PAGES = 64;
/** What a step should take: a slow disk gets smaller ones. */
const STEP_MS = 20;
/** The rest is for the next time. */
const MAX_MS = 5_000;
const LOG_MAX_BYTES = 4 << 20;
/** Larger ones of an earlier version stay as they are: their unused pages are used again, only not given back. */
const CONVERTED_MAX_BYTES = 64 << 20;
const COPY_PAGES = 200;

/** Gives unused pages back to the disk and empties a long write-ahead log, unless somebody reads it right now. */
export async function tidy(db: Database, file: string): Promise<void> {
  const began = performance.now();
  let step = STEP_PAGES;
  for (let left = unusedPages(db) - SPARE_PAGES; left > 0; left -= step) {
    const stepBegan = performance.now();
    if (stepBegan - began > MAX_MS) break;
    if (!db.betweenCommits(() => db.exec(`pragma incremental_vacuum(${Math.min(left, step)})`))) return;
    const stepMs = performance.now() - stepBegan;
    if (stepMs > STEP_MS) step = Math.max(8, step >> 1);
    else if (stepMs < STEP_MS / 4) step *= 2;
    await setImmediate();
  }
  if (bytesOf(`${file}-wal`) < LOG_MAX_BYTES) return;
  db.betweenCommits(() => {
    // Not waiting for readers: next time.
    db.exec('pragma busy_timeout = 0; pragma wal_checkpoint(truncate); pragma busy_timeout = 5000');
  });
}

/** A ledger made before unused pages could be given back is written anew once. */
export function convertOnce(db: Database, file: string): void {
  const mode = db.get<{ auto_vacuum: number }>('pragma auto_vacuum')?.auto_vacuum;
  if (mode !== 0 || bytesOf(file) > CONVERTED_MAX_BYTES) return;
  try {
    db.exec('pragma auto_vacuum = incremental; vacuum');
  } catch (error) {
    // It is only about space; a full disk is told when something has to be written.
    if (error instanceof AppError && error.code !== 'LEDGER_DAMAGED') return;
    throw error;
  }
}

/**
 * As it is now, made by other threads while work goes on: a read transaction holds what is copied still.
 * @throws AppError when the target exists or cannot be written; nothing is left there.
 */
export async function copyTo(db: Database, file: string, target: string): Promise<void> {
  await db.durable();
  makeTarget(target);
  try {
    using source = new DatabaseSync(file, { readOnly: true, timeout: 5_000 });
    source.exec('begin');
    source.prepare('select 1 from meta').get();
    await backup(source, target, { rate: COPY_PAGES });
  } catch (error) {
    rmSync(target, { force: true });
    throw ledgerError(error, `copy the ledger to ${target}`);
  }
}

export function sizeOf(file: string): number {
  return bytesOf(file) + bytesOf(`${file}-wal`);
}

function unusedPages(db: Database): number {
  return db.get<{ freelist_count: number }>('pragma freelist_count')?.freelist_count ?? 0;
}

function bytesOf(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.size ?? 0;
}

function makeTarget(target: string): void {
  try {
    closeSync(openSync(target, 'wx', 0o600));
  } catch (cause) {
    throw new AppError('NOT_POSSIBLE', `Cannot copy the ledger to ${target}: ${messageOf(cause)}`, {
      cause,
      fix:
        systemCode(cause) === 'EEXIST'
          ? 'Name a file that does not exist yet.'
          : 'Name a file in a folder that exists and can be written.',
    });
  }
}
