/**
 * What counts as a damaged ledger, and putting it aside. Never deleted: somebody may want to look into it. One that was
 * found damaged while in use carries a mark, so that the next start reads it through even after a clean stop.
 */
import { existsSync, lstatSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { AppError } from '../../types/errors.ts';

/** It can be opened, but is not a ledger of ours or not whole. */
export function damaged(file: string, how: string): AppError {
  return new AppError('LEDGER_DAMAGED', `The ledger ${file} is damaged: ${how}`, {
    fix: 'Restart Sluice: it sets the damaged ledger aside and rebuilds it from files and receipts.',
  });
}

export function isDamaged(error: unknown, file: string): boolean {
  if (error instanceof AppError && error.code === 'LEDGER_DAMAGED') return true;
  return lstatSync(file, { throwIfNoEntry: false })?.isDirectory() ?? false;
}

/** @returns where it is now. */
export function putAside(file: string, at: number): string {
  const aside = freeName(`${file}.damaged-${new Date(at).toISOString().replace(/[:.]/g, '-')}`);
  renameSync(file, aside);
  for (const suffix of ['-wal', '-shm', '-suspect'])
    if (existsSync(file + suffix)) renameSync(file + suffix, aside + suffix);
  return aside;
}

export function markSuspect(file: string): void {
  try {
    writeFileSync(`${file}-suspect`, 'Found damaged while in use.\n', { mode: 0o600 });
  } catch {
    // On a broken disk the mark is what we can do without.
  }
}

export function isSuspect(file: string): boolean {
  return existsSync(`${file}-suspect`);
}

export function clearSuspicion(file: string): void {
  rmSync(`${file}-suspect`, { force: true });
}

function freeName(name: string): string {
  let n = 1;
  let free = name;
  while (existsSync(free)) free = `${name}-${++n}`;
  return free;
}
