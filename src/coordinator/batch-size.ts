/**
 * `batch: {max_files: auto}`: how many files an agent manages at once, found by trying. It starts small, doubles with
 * each full batch that succeeded whole, and halves when one was too much. Measuring tokens or seconds per file was
 * rejected: neither is known for every kind of agent, and both say less than that it failed.
 */
import type { FailureReason } from '../types/job.ts';

export const firstBatchSize = 8;
const maxBatchSize = 256;

export interface BatchEnd {
  readonly files: number;
  readonly succeeded: number;
  /** Of the attempt as a whole; absent when it ended well, whatever became of single files. */
  readonly reason?: FailureReason;
  /** It was a half of a batch that had failed (`on_failure: bisect`). */
  readonly isHalf?: boolean;
}

/** The failures that a smaller batch may avoid. */
const tooMuch: ReadonlySet<FailureReason> = new Set([
  'timeout',
  'stalled',
  'limit_exceeded',
  'exit_code',
] satisfies FailureReason[]);

/**
 * The size of the next batch. A batch that was not full proves nothing about more files, and a failed one of half the size
 * or less nothing about this size. Halves of a failed batch are not looked at: its failure has been counted, and one
 * poisoned file that is hunted down by bisection would take the size to 1.
 */
export function nextBatchSize(size: number, { files, succeeded, reason, isHalf = false }: BatchEnd): number {
  if (isHalf) return size;
  if (reason !== undefined)
    return tooMuch.has(reason) && files > size / 2 ? Math.max(1, Math.floor(size / 2)) : size;
  return succeeded === files && files >= size ? Math.min(maxBatchSize, size * 2) : size;
}

/** What an earlier process kept; anything else is the first size. */
export function parseBatchSize(kept: unknown): number {
  return typeof kept === 'number' && Number.isInteger(kept) && kept >= 1 && kept <= maxBatchSize
    ? kept
    : firstBatchSize;
}
