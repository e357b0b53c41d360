/**
 * Frees the five names in a result folder for a job, before anything of it is put there. What is owned by another job
 * goes to the history; folders with one of these names hold results of inputs further down (`x/result.md/…`, from when
 * `x` was a folder), which are older and go there too; what is nobody's goes out of the way.
 */
import { join } from 'node:path';
import type { JobRecord } from '../types/job.ts';
import type { History } from './history.ts';
import type { Parcel } from './parcel.ts';
import { outputsName, pendingName, receiptName, resultName, reviewsName } from './places.ts';
import { hasOutputs, type Kind, lookInto, ownsFolder, type Standing } from './standing.ts';

export interface Room {
  readonly history: History;
  readonly folder: string;
  readonly standing: Standing;
  readonly job: JobRecord;
  readonly parcel: Parcel;
  /** The result that stands there is the job's already. */
  readonly inPlace: boolean;
}

export async function makeRoom({ history, folder, standing, job, parcel, inPlace }: Room): Promise<void> {
  const own = inPlace || standing.owner?.job_id === job.id;
  if (!own) await history.take(folder, standing);
  const left = own ? standing : lookInto(folder);

  const free = (name: string, kind: Kind): Promise<void> | undefined => {
    if (kind === 'folder') return history.takeAll(join(folder, name));
    return kind === 'other' ? history.displace(join(folder, name)) : undefined;
  };
  await free(resultName, left.result);
  await free(receiptName, left.receipt);
  await free(pendingName, left.pending);

  // Without a receipt, what stands there is taken for the job's own only where the job has nothing of that kind to put:
  // a receipt that was torn or deleted is written again beside what it belongs to.
  const orphaned = !own && left.owner === undefined;
  const torn = orphaned && (left.receipt === 'file' || left.pending === 'file');
  const adoptsResult = orphaned && parcel.result === undefined && (torn || parcel.outputsDir === undefined);
  if (left.result === 'file' && !own && !adoptsResult) await history.displace(join(folder, resultName));

  const outputsDir = join(folder, outputsName);
  const adoptsOutputs = orphaned && parcel.outputsDir === undefined && hasOutputs(outputsDir, job.outputs);
  const claimed = job.outputs.length > 0;
  if (left.outputs === 'other') await history.displace(outputsDir);
  if (left.outputs === 'folder' && (claimed || torn) && !(claimed && (own || adoptsOutputs))) {
    await history.takeAll(outputsDir);
  }

  if (parcel.reviewsDir === undefined) return;
  const reviewsDir = join(folder, reviewsName);
  if (left.reviews === 'other' || left.reviews === 'file') await history.displace(reviewsDir);
  if (left.reviews === 'folder' && !(own && ownsFolder(left.owner, reviewsName)))
    await history.takeAll(reviewsDir);
}
