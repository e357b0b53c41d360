/**
 * Groups: jobs of one group are claimed together, for one attempt. Each name begins with that of the rule, by which the
 * size of its batches is known. Where a group gathers is said in `new-job.ts`; here is how jobs leave it.
 */
import type { Lease } from '../ledger/ledger.ts';
import type { AttemptRecord, JobRecord } from '../types/job.ts';

const HALF = '\0half\0';

/** One half of an attempt that failed: claimed by itself from now on. @param first Of the attempt. */
export function halfOf(first: Lease, which: 'a' | 'b'): string {
  return `${first.job.rule}${HALF}${first.job.id}\0${first.token}${which}`;
}

export function isHalf({ batch }: Pick<JobRecord, 'batch'>): boolean {
  return batch?.includes(HALF) ?? false;
}

/** It is worked on by itself from now on: what it has, or is told, is about it alone. Undefined: it always was. */
export function aloneOf({ id, rule, batch }: Pick<JobRecord, 'id' | 'rule' | 'batch'>): string | undefined {
  return batch === undefined ? undefined : `${rule}\0alone\0${id}`;
}

/** Those that were stopped together go on together. @param last The attempt in which they were. */
export function togetherOf(
  { rule }: Pick<JobRecord, 'rule'>,
  { batch, startedAt }: AttemptRecord,
): string | undefined {
  return batch && `${rule}\0together\0${batch.id}\0${startedAt}`;
}
