/** An attempt's output that cannot be taken up: because the disk is full, or for good. */
import { AppError, messageOf, systemCode } from '../types/errors.ts';

export function isFullDisk(error: unknown): boolean {
  return ['ENOSPC', 'EDQUOT'].includes(systemCode(error) ?? '');
}

export function uncollected(cause: unknown, workDir: string): AppError {
  if (cause instanceof AppError) return cause;
  const isFull = isFullDisk(cause);
  const message = `Cannot take up the output in "${workDir}": ${messageOf(cause)}`;
  const fix = isFull
    ? 'Make room on that disk, then run `sluice jobs retry`.'
    : 'Check the permissions of that folder.';
  return new AppError(isFull ? 'DISK_FULL' : 'OUTPUT_UNWRITABLE', message, { cause, fix });
}
