/**
 * One daemon or run per project. An exclusive SQLite transaction on a file of its own, held for life: refused in under a
 * millisecond while somebody holds it, also when the holder is stopped (SIGSTOP), and free the moment it dies. A lock
 * file with a time stamp has neither property. The owner is told in a sidecar, since the locked file cannot be read.
 */
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { AppError } from '../types/errors.ts';

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

/** @throws AppError PROJECT_LOCKED, naming the owner. */
export function lockProject(stateDir: string, command: string): ProjectLock {
  mkdirSync(stateDir, { recursive: true, mode: 0o700 });
  const sidecar = join(stateDir, 'daemon.json');
  const db = new DatabaseSync(join(stateDir, 'daemon.lock.db'), { timeout: 0 });
  try {
    db.exec('pragma locking_mode = exclusive; begin exclusive');
  } catch (cause) {
    db.close();
    const owner = readOwner(stateDir);
    const who = owner
      ? `\`sluice ${owner.command}\` (pid ${owner.pid}, since ${owner.startedAt})`
      : 'another process';
    throw new AppError('PROJECT_LOCKED', `This project is being worked on by ${who}: ${stateDir}`, {
      cause,
      fix: 'Use it through its commands (`sluice status`), or end it with `sluice stop` first.',
    });
  }
  const wasUnclean = readOwner(stateDir) !== undefined;
  const owner: Owner = { pid: process.pid, command, startedAt: new Date().toISOString() };
  writeFileSync(sidecar, `${JSON.stringify(owner)}\n`, { mode: 0o600 });
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
    return JSON.parse(readFileSync(join(stateDir, 'daemon.json'), 'utf8')) as Owner;
  } catch {
    return undefined;
  }
}
