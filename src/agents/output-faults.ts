/** An attempt's output that cannot be taken up: because the disk is full, or for good. */
import { AppError, messageOf, systemCode } from '../types/errors.ts';

export function isFullDisk(error: unknown): boolean {
  return ['ENOSPC', 'EDQUOT'].includes(systemCode(error) ?? '');
}

export function uncollected(cause: unknown, workDir: string): AppError {
  const isFull = isFullDisk(cause) || (cause instanceof AppError && isFullDisk(cause.cause));
  if (cause instanceof AppError && !isFull) return cause;
  const message = `Cannot take up the output in "${workDir}": ${messageOf(cause)}`;
  const fix = isFull
    ? 'Make room on that disk, then run `sluice jobs retry`.'
    : 'Find out who removes that folder, or takes away the right to read it; then run `sluice jobs retry`.';
  return new AppError(isFull ? 'DISK_FULL' : 'OUTPUT_UNWRITABLE', message, { cause, fix });
}
