/**
 * Puts the result of a finished job into its folder: `result.md`, `outputs/`, `reviews/`, and last the receipt, which says
 * that the rest is there. Each by one rename, none with an fsync: the ledger is the truth, and a receipt that a power failure
 * tore is written again from it. Building the folder aside and swapping it whole was rejected: it also holds the results
 * of inputs further down, when a path was a file once and is a folder now.
 *
 * Every step can be the last one before a crash, and calling again ends in the same state: the receipt lies there under
 * another name before anything else moves, so half-placed files always have an owner.
 */
import { closeSync, constants, fchmodSync, openSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { systemCode } from '../types/errors.ts';
import type { JobId, JobRecord } from '../types/job.ts';
import type { Receipt, ReceiptReview } from '../types/receipt.ts';
import { isOurs } from '../types/step-task.ts';
import { failurePage, lostResultPage, readTails } from './failure-page.ts';
import type { Folders } from './folders.ts';
import type { History } from './history.ts';
import { holds, type Located } from './locate.ts';
import { lookAt, moveTree } from './move.ts';
import type { Parcel, Parcels } from './parcel.ts';
import {
  longPlace,
  outputsName,
  pendingName,
  receiptName,
  resultName,
  resultPlace,
  reviewsName,
} from './places.ts';
import { formatReceipt, toReceipt } from './receipt.ts';
import { makeRoom } from './room.ts';
import { isWhole, lookInto, type Standing } from './standing.ts';

export interface Publishing {
  readonly folders: Folders;
  readonly history: History;
  readonly parcels: Parcels;
  /** `<state>/work`: holds `<job>/<attempt>`. */
  readonly workRoot: string;
  readonly fileMode: number;
  readonly redact: (text: string) => string;
  /** What other agents said of the work of a job. */
  readonly reviewsOf: (job: JobRecord) => Promise<readonly ReceiptReview[]>;
  /** Where the result of an earlier job stands. */
  readonly locate: (id: JobId) => Promise<Located | undefined>;
  /** The newest job of an input that the ledger knows. */
  readonly newestJob: (root: string, path: string) => Promise<JobId | undefined>;
  /** Called after each step, with its name. */
  readonly afterStep: (step: PublishStep) => void;
}

export type PublishStep =
  | 'folder'
  | 'parcel'
  | 'room'
  | 'pending'
  | 'result'
  | 'outputs'
  | 'reviews'
  | 'receipt'
  | 'discard';

/** A cancelled or superseded job has a row in the ledger and leaves what stands in the output folder alone. */
export function leavesFiles(job: JobRecord): boolean {
  return job.state === 'succeeded' || job.state === 'cached' || job.state === 'failed';
}

/**
 * @param workDir Absent (the call is repeated): the last attempt's folder, when it is still there.
 * @throws what the file system throws; the call can be repeated.
 */
export async function publishResult(
  o: Publishing,
  job: JobRecord,
  workDir = lastWorkDir(o.workRoot, job),
): Promise<void> {
  const opened = await openPlace(o, job);
  o.afterStep('folder');
  const standing = opened.fresh ? undefined : lookInto(opened.folder);
  const wrapped = await wrap(o, job, workDir, { folder: opened.folder, standing });
  o.afterStep('parcel');
  let { folder } = opened;
  if (standing !== undefined) {
    if (await isOutdated(o, job, standing, wrapped)) folder = o.history.open(job.id);
    else await makeRoom({ history: o.history, folder, standing, ...wrapped });
    o.afterStep('room');
  }
  await place(o, folder, wrapped);
  if (wrapped.staged) o.parcels.discard(job.id);
  o.afterStep('discard');
}

function lastWorkDir(workRoot: string, job: JobRecord): string | undefined {
  return job.attempts
    .map(({ n }) => join(workRoot, job.id, String(n)))
    .findLast((dir) => lookAt(dir)?.isDirectory() === true);
}

interface Wrapped {
  /** As its receipt shall show it. */
  readonly job: JobRecord;
  readonly parcel: Parcel;
  /** What its receipt shall say of its reviews. */
  readonly reviews?: readonly ReceiptReview[];
  /** Its result stands in the folder already; only the receipt is written. */
  readonly inPlace: boolean;
  /** Something of it was copied into the staging folder. */
  readonly staged: boolean;
}

interface Place {
  readonly folder: string;
  readonly standing: Standing | undefined;
}

async function openPlace(o: Publishing, job: JobRecord): Promise<{ folder: string; fresh: boolean }> {
  // What reviewers say stands with the work that it is about, and what an agent says that is tried out is nobody's result.
  if (isOurs(job.step)) return { folder: o.history.open(job.id), fresh: false };
  const { root, path } = job.input;
  try {
    return await o.folders.open(resultPlace(o.folders.base(), root, path));
  } catch (error) {
    // Some file systems take less than 255 bytes a name (eCryptfs 143).
    if (systemCode(error) !== 'ENAMETOOLONG') throw error;
    return o.folders.open(longPlace(root, path));
  }
}

async function wrap(o: Publishing, job: JobRecord, workDir: string | undefined, at: Place): Promise<Wrapped> {
  if (job.cachedFrom !== undefined && job.state !== 'failed') return wrapEarlier(o, job, job.cachedFrom, at);
  const wrapped =
    job.state === 'failed' ? await wrapFailure(o, job, workDir, at) : await wrapWork(o, job, workDir, at);
  const reviews = await o.reviewsOf(job);
  if (reviews.length === 0) return wrapped;
  const parcel = { ...wrapped.parcel, ...o.parcels.reviewsOf(join(o.workRoot, job.id)) };
  return { ...wrapped, parcel, reviews };
}

async function wrapWork(
  o: Publishing,
  job: JobRecord,
  workDir: string | undefined,
  at: Place,
): Promise<Wrapped> {
  const parcel = workDir === undefined ? {} : await o.parcels.fromWork(job.id, workDir, job.outputs);
  const inPlace = at.standing?.owner?.job_id === job.id;
  const staged = workDir !== undefined && isStaged(parcel, workDir);
  if (inPlace || parcel.result !== undefined || parcel.outputsDir !== undefined) {
    return { job, parcel, inPlace, staged };
  }
  // Nothing to put and nothing there: it can be in the history, when something newer came or it was in the way.
  const earlier = await o.locate(job.id);
  if (earlier === undefined) return { job, parcel, inPlace, staged };
  const found = await o.parcels.fromResult(job.id, earlier, job.outputs);
  return { job, parcel: found, inPlace, staged: true, ...reviewsIn(lookInto(earlier.folder).owner) };
}

/** A failed job's `result.md` says in words what failed; the output of the attempt stays in its work folder. */
async function wrapFailure(
  o: Publishing,
  job: JobRecord,
  workDir: string | undefined,
  at: Place,
): Promise<Wrapped> {
  const inPlace = at.standing?.owner?.job_id === job.id;
  const tails = workDir === undefined ? [] : readTails(workDir, o.redact);
  // Called again when the work folder is gone: the page that stands there knows more than we do now.
  if (inPlace && at.standing?.result === 'file' && tails.length === 0) {
    return { job, parcel: {}, inPlace, staged: false };
  }
  const { outputsDir } =
    workDir !== undefined && job.outputs.length > 0
      ? await o.parcels.fromWork(job.id, workDir, job.outputs)
      : {};
  const page = o.parcels.fromText(job.id, o.redact(failurePage(job, tails)));
  return { job, parcel: { ...page, ...(outputsDir !== undefined && { outputsDir }) }, inPlace, staged: true };
}

async function wrapEarlier(
  o: Publishing,
  job: JobRecord,
  source: JobId,
  { folder, standing }: Place,
): Promise<Wrapped> {
  const owner = standing?.receipt === 'file' ? standing.owner : undefined;
  if (owner && (owner.job_id === job.id || holds(owner, source)) && isWhole(folder, owner)) {
    return { job, parcel: {}, inPlace: true, staged: false, ...reviewsIn(owner) };
  }
  const earlier = await o.locate(source);
  if (earlier !== undefined) {
    const parcel = await o.parcels.fromResult(job.id, earlier, job.outputs);
    return { job, parcel, inPlace: false, staged: true, ...reviewsIn(lookInto(earlier.folder).owner) };
  }
  // Without `cached_from`, or this page would be taken for the result of that job.
  const { cachedFrom: _, ...lost } = job;
  const message = `The result of job ${source} was removed before it could be delivered again`;
  const fix = 'Run `sluice run --force` with the path of this file.';
  const parcel = o.parcels.fromText(job.id, lostResultPage(job));
  return { job: { ...lost, message, fix, outputs: [] }, parcel, inPlace: false, staged: true };
}

/** Those of the work go with it, wherever it is delivered again. */
function reviewsIn(owner: Receipt | undefined): Pick<Wrapped, 'reviews'> {
  return owner?.reviews ? { reviews: owner.reviews } : {};
}

/** A newer result stands there: this one was delayed (full disk, crash) and goes straight to the history. */
async function isOutdated(
  o: Publishing,
  job: JobRecord,
  standing: Standing,
  wrapped: Wrapped,
): Promise<boolean> {
  const { owner, receipt } = standing;
  if (wrapped.inPlace || owner === undefined || receipt !== 'file' || owner.job_id === job.id) return false;
  if (owner.input.root !== job.input.root || owner.input.path !== job.input.path) return false;
  // Times alone would not do: a clock that was set back would keep every newer result out until it has caught up.
  const newest = await o.newestJob(job.input.root, job.input.path);
  if (newest === job.id) return false;
  if (newest === owner.job_id) return true;
  return Date.parse(owner.ended_at ?? owner.queued_at) > (job.endedAt ?? job.queuedAt);
}

async function place(o: Publishing, folder: string, { job, parcel, reviews }: Wrapped): Promise<void> {
  const file = join(folder, resultName);
  const standing = parcel.result === undefined ? lookAt(file) : undefined;
  const resultBytes = parcel.result?.bytes ?? (standing?.isFile() ? standing.size : undefined);
  const receipt = toReceipt(job, {
    ...(resultBytes !== undefined && { resultBytes }),
    ...(reviews && { reviews }),
  });
  const pending = join(folder, pendingName);
  writeNew(pending, formatReceipt(receipt), o.fileMode);
  o.afterStep('pending');
  if (parcel.result !== undefined) await moveTree(parcel.result.file, file);
  o.afterStep('result');
  if (parcel.outputsDir !== undefined) await moveTree(parcel.outputsDir, join(folder, outputsName));
  o.afterStep('outputs');
  if (parcel.reviewsDir !== undefined) await moveTree(parcel.reviewsDir, join(folder, reviewsName));
  o.afterStep('reviews');
  renameSync(pending, join(folder, receiptName));
  o.afterStep('receipt');
}

function writeNew(file: string, text: string, mode: number): void {
  const { O_WRONLY, O_CREAT, O_TRUNC, O_NOFOLLOW } = constants;
  const fd = openSync(file, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW, mode);
  try {
    fchmodSync(fd, mode);
    writeFileSync(fd, text);
  } finally {
    closeSync(fd);
  }
}

function isStaged({ result, outputsDir }: Parcel, workDir: string): boolean {
  return [result?.file, outputsDir].some((path) => path !== undefined && !path.startsWith(`${workDir}/`));
}
