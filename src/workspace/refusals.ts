/** What the file system refuses, in words that say what to do about it. Faults of our own pass through unchanged. */

import type { ErrorCode } from '../types/error-codes.ts';
import { AppError, messageOf, systemCode } from '../types/errors.ts';
import { printableName } from '../types/printable-name.ts';
import type { Changes } from './changes.ts';

const shown = 10;

export function isFull(error: unknown): boolean {
  return ['ENOSPC', 'EDQUOT'].includes(systemCode(error) ?? '');
}

/**
 * @param action For the message: `copy the tree of "inbox"`.
 * @param otherwise The code of what is not a full disk, and what to do then.
 */
export function refusal(
  error: unknown,
  action: string,
  otherwise: { readonly code: ErrorCode; readonly fix: string },
): unknown {
  const code = systemCode(error);
  if (error instanceof AppError || code === undefined || code.startsWith('ERR_')) return error;
  const message = `Could not ${action}: ${messageOf(error)}`;
  if (isFull(error))
    return new AppError('DISK_FULL', message, {
      cause: error,
      fix: 'Make space on that disk; work goes on by itself then.',
    });
  return new AppError(otherwise.code, message, { cause: error, fix: otherwise.fix });
}

/**
 * Leaving these out and putting the rest in place was rejected: half of the work is not what was proved.
 * @throws {AppError} `PROMOTION_REFUSED`.
 */
export function refuseProtected(
  { files, madeFolders, goneFolders }: Changes,
  root: string,
  isProtected: (path: string) => boolean = () => false,
): void {
  const paths = [...files.map(({ path }) => path), ...madeFolders, ...goneFolders].filter(isProtected);
  if (paths.length === 0) return;
  const message = `The agent changed in its copy of root "${root}" what no agent may change: ${nameSome(paths)}; nothing was put in place`;
  throw new AppError('PROMOTION_REFUSED', message, {
    fix: 'If it is meant so, take it from the copy (`sluice jobs show` has its folder) and change it yourself.',
  });
}

/** The first names of a list, safe to print. */
export function nameSome(paths: readonly string[]): string {
  const names = paths.slice(0, shown).map((path) => `"${printableName(path)}"`);
  const more = paths.length - names.length;
  return more > 0 ? `${names.join(', ')} and ${more} more` : names.join(', ');
}
