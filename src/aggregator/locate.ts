/**
 * Finds the result of a finished job: in the output folder while it is the latest of its input, in the history after
 * that. Read from the disk each time: people delete and move what lies in the output folder, and a cache that believed
 * otherwise would deliver nothing.
 */
import { join } from 'node:path';
import type { JobId, JobRecord } from '../types/job.ts';
import type { Receipt } from '../types/receipt.ts';
import type { History } from './history.ts';
import { longPlace, outputsName, resultName, resultPlace, reviewsName } from './places.ts';
import { isWhole, lookInto, ownsFolder } from './standing.ts';

export interface Located {
  /** The folder that holds it, and its receipt. */
  readonly folder: string;
  /** Absent: the job had no result text. */
  readonly resultFile?: string;
  /** Absent: the job had no outputs. */
  readonly outputsDir?: string;
  /** Absent: nobody reviewed it, or somebody removed what was said. */
  readonly reviewsDir?: string;
}

export interface LocateOptions {
  readonly base: () => string;
  readonly history: History;
  readonly job: (id: JobId) => Promise<JobRecord | undefined>;
}

/** @returns undefined when it is gone, or not whole any more. */
export async function locateResult(o: LocateOptions, job: JobRecord): Promise<Located | undefined> {
  for (const folder of foldersOf(o, job.id, job.input)) {
    const { owner, receipt, result, outputs, reviews } = lookInto(folder);
    if (owner === undefined || receipt !== 'file' || !holds(owner, job.id) || !isWhole(folder, owner))
      continue;
    return {
      folder,
      ...(result === 'file' && { resultFile: join(folder, resultName) }),
      ...(outputs === 'folder' &&
        ownsFolder(owner, outputsName) && { outputsDir: join(folder, outputsName) }),
      ...(reviews === 'folder' &&
        ownsFolder(owner, reviewsName) && { reviewsDir: join(folder, reviewsName) }),
    };
  }
  if (job.cachedFrom === undefined || job.cachedFrom === job.id) return undefined;
  const source = await o.job(job.cachedFrom);
  if (source === undefined) return undefined;
  // One step only: a cached result names the job that made it, and a circle in a damaged ledger must end.
  const { cachedFrom: _, ...maker } = source;
  return locateResult(o, maker);
}

/** The receipt of a job where its placing has begun, finished or not. */
export function findReceipt(
  o: Pick<LocateOptions, 'base' | 'history'>,
  id: JobId,
  input: { readonly root: string; readonly path: string },
): Receipt | undefined {
  for (const folder of foldersOf(o, id, input)) {
    const { owner } = lookInto(folder);
    if (owner?.job_id === id) return owner;
  }
  return undefined;
}

function foldersOf(
  { base, history }: Pick<LocateOptions, 'base' | 'history'>,
  id: JobId,
  { root, path }: { readonly root: string; readonly path: string },
): string[] {
  const dir = base();
  const own = history.folder(id);
  const places = [resultPlace(dir, root, path), longPlace(root, path)].map((place) => join(dir, ...place));
  return own === undefined ? places : [...places, own];
}

/** Its own, or that of a cached job which took it over. */
export function holds(receipt: Receipt, id: JobId): boolean {
  return receipt.job_id === id || receipt.cached_from === id;
}
