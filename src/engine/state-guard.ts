/**
 * Notices when the state folder is removed, moved or replaced under a running daemon. The ledger's file then has no name
 * any more: what is written to it is gone when we end, and a second daemon could start beside us. The only honest way on
 * is to end, so that the next start makes a new ledger from the receipts. The inode is compared once a second; a watch on
 * the folder was rejected, since it says nothing when a parent is moved or a file system is unmounted.
 */
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { AppError } from '../types/errors.ts';

const CHECK_MS = 1_000;

export interface StateGuard extends Disposable {
  /** Looks now. */
  isLost(): boolean;
}

/** @param onLost Told once. */
export function guardState(stateDir: string, onLost: (problem: AppError) => void): StateGuard {
  const file = join(stateDir, 'ledger.db');
  const opened = identityOf(file);
  let lost = false;
  const isLost = (): boolean => {
    const found = identityOf(file);
    if (!lost && found !== opened && found !== 'unknown') {
      lost = true;
      clearInterval(timer);
      onLost(
        new AppError(
          'STATE_LOST',
          `The state folder "${stateDir}" was removed or replaced while it was in use`,
          {
            fix: 'Start Sluice again: it makes a new ledger from the receipts in the output folder, and nothing that has one runs again.',
          },
        ),
      );
    }
    return lost;
  };
  const timer = setInterval(isLost, CHECK_MS);
  timer.unref();
  return {
    isLost,
    [Symbol.dispose]() {
      clearInterval(timer);
    },
  };
}

/** A folder that cannot be asked for a moment (a permission, a slow mount) is not lost. */
function identityOf(file: string): string {
  try {
    const { dev, ino } = statSync(file, { bigint: true });
    return `${dev}:${ino}`;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    return code === 'ENOENT' || code === 'ENOTDIR' ? 'gone' : 'unknown';
  }
}
