/** What stands where a job's input was, seen from the job: asked before its attempt, and after. */
import { fingerprint, stampOf } from '../cache/fingerprint.ts';
import type { Lease } from '../ledger/ledger.ts';
import { formatStamp } from '../types/change.ts';
import type { JobId } from '../types/job.ts';
import type { IntakeDeps } from './intake.ts';
import { originalOf } from './original.ts';
import type { Recipes } from './recipes.ts';

export type InputNow =
  /** The version that it was taken in with, or the same content, written again. */
  | { readonly kind: 'same' }
  /** What was put in place for it before a crash: its result, not somebody's edit. */
  | { readonly kind: 'own'; readonly stamp: string }
  | { readonly kind: 'changed'; readonly stamp: string }
  | { readonly kind: 'gone' };

/** @param by Whose changes to a copy of the tree are put in place: of a batch the first job's. */
export async function inputNow(
  { ledger, reading, now }: Pick<IntakeDeps, 'ledger' | 'reading' | 'now'>,
  recipes: Recipes,
  { job }: Lease,
  by: JobId,
): Promise<InputNow> {
  const original = originalOf(recipes, job);
  if (!original) return { kind: 'same' };
  const { root, path, sha256 } = job.input;
  const there = stampOf(original.file);
  if (!there) return { kind: 'gone' };
  const stamp = formatStamp(there);
  if (stamp === job.input.stamp) return { kind: 'same' };
  const written = await ledger.written.get(original.root?.name ?? root, original.path);
  if (written?.jobId === by && written.stamp === stamp) return { kind: 'own', stamp };
  const found = await fingerprint(original.file, reading);
  if (found.kind !== 'read' || found.sha256 !== (job.step?.file?.sha256 ?? sha256))
    return { kind: 'changed', stamp };
  const known = await ledger.files.get(root, path);
  if (known?.jobId === job.id)
    await ledger.files.put({ ...known, stamp: formatStamp(found.stamp), seenAt: now() });
  return { kind: 'same' };
}
