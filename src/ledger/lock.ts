/**
 * One daemon or run per project. An exclusive SQLite transaction on a file of its own, held for life: refused in under a
 * millisecond while somebody holds it, also when the holder is stopped (SIGSTOP), and free the moment it dies. A lock
 * file with a time stamp has neither property. The owner is told in a sidecar, since the locked file cannot be read.
 *
 * Nothing may open the lock file but this module: closing any other descriptor of it would end the lock (POSIX).
 */
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { AppError, messageOf, systemCode } from '../types/errors.ts';
import { isBusy } from './sqlite/sqlite-errors.ts';

const CONTEST_MS = 1_000;

export interface Owner {
  readonly pid: number;
  readonly command: string;
  /** RFC 3339. */
  readonly startedAt: string;
}

export interface ProjectLock extends Disposable {
  /** The last owner did not give the lock back: it was killed, or the machine went down. */
  readonly wasUnclean: boolean;
}

/**
 * @param command What the owner is called when somebody else is refused: `start`, `run`.
 * @throws AppError PROJECT_LOCKED, naming the owner; STATE_UNWRITABLE or DISK_FULL when no lock can be made.
 */
export function lockProject(stateDir: string, command: string): ProjectLock {
  const sidecar = sidecarOf(stateDir);
  const db = acquire(stateDir);
  const wasUnclean = existsSync(sidecar);
  try {
    const owner: Owner = { pid: process.pid, command, startedAt: new Date().toISOString() };
    writeFileSync(sidecar, `${JSON.stringify(owner)}\n`, { mode: 0o600 });
  } catch (cause) {
    db.close();
    throw unwritable(stateDir, cause);
  }
  let released = false;
  return {
    wasUnclean,
    [Symbol.dispose]() {
      if (released) return;
      released = true;
      rmSync(sidecar, { force: true });
      db.close();
    },
  };
}

/** Who holds, or last held, the lock. */
export function readOwner(stateDir: string): Owner | undefined {
  try {
    return JSON.parse(readFileSync(sidecarOf(stateDir), 'utf8')) as Owner;
  } catch {
    return undefined;
  }
}

/**
 * Of two that come at one moment SQLite may refuse both, and the winner names itself only a moment after it has won. So
 * while the lock is held by nobody who is known to live, it is tried again for a short time.
 */
function acquire(stateDir: string): DatabaseSync {
  const until = performance.now() + CONTEST_MS;
  for (;;) {
    try {
      return tryOnce(stateDir);
    } catch (error) {
      const isContest = error instanceof AppError && error.code === 'PROJECT_LOCKED';
      if (!isContest || hasLivingOwner(stateDir) || performance.now() > until) throw error;
      pause(5 + Math.random() * 45);
    }
  }
}

function hasLivingOwner(stateDir: string): boolean {
  const owner = readOwner(stateDir);
  return owner !== undefined && isAlive(owner.pid);
}

/** Blocks: nothing else runs in this process yet. */
function pause(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
}

function tryOnce(stateDir: string): DatabaseSync {
  let db: DatabaseSync | undefined;
  try {
    mkdirSync(stateDir, { recursive: true, mode: 0o700 });
    db = new DatabaseSync(join(stateDir, 'daemon.lock.db'), { timeout: 0 });
    db.exec('pragma locking_mode = exclusive; begin exclusive');
    return db;
  } catch (cause) {
    db?.close();
    throw isBusy(cause) ? locked(stateDir, cause) : unwritable(stateDir, cause);
  }
}

function locked(stateDir: string, cause: unknown): AppError {
  const owner = readOwner(stateDir);
  const who =
    owner && isAlive(owner.pid)
      ? `\`sluice ${owner.command}\` (pid ${owner.pid}, since ${owner.startedAt})`
      : 'another process';
  return new AppError('PROJECT_LOCKED', `This project is being worked on by ${who}: ${stateDir}`, {
    cause,
    fix: 'Use it through its commands (`sluice status`), or end it with `sluice stop` first.',
  });
}

function unwritable(stateDir: string, cause: unknown): AppError {
  const isFull = systemCode(cause) === 'ENOSPC' || systemCode(cause) === 'EDQUOT';
  return new AppError(
    isFull ? 'DISK_FULL' : 'STATE_UNWRITABLE',
    `Cannot lock the project by ${join(stateDir, 'daemon.lock.db')}: ${messageOf(cause)}`,
    {
      cause,
      fix: isFull
        ? 'Make space on the disk that holds `.sluice/`, then start again.'
        : `Make ${stateDir} a folder that this user can write, or run as the user that owns it.`,
    },
  );
}

/** For a moment after a new owner took the lock the sidecar still names the old one, who is dead. */
function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return systemCode(error) === 'EPERM';
  }
}

function sidecarOf(stateDir: string): string {
  return join(stateDir, 'daemon.json');
}
