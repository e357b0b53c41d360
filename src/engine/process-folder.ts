/**
 * Every file of a directory through the routing rules, as a `file_processing` step wants it: files of a watched root are
 * those of the root, all others belong to the project folder, which nobody watches.
 */
import { dirname, join, relative } from 'node:path';
import { stampOf } from '../cache/fingerprint.ts';
import type { Config } from '../config/config.ts';
import { defaultIgnore } from '../config/default-ignore.ts';
import type { Coordinator } from '../coordinator/coordinator.ts';
import type { Taken, TakeOptions } from '../coordinator/intake.ts';
import { projectRoot } from '../coordinator/step-work.ts';
import type { Ledger } from '../ledger/ledger.ts';
import type { Change } from '../types/change.ts';
import type { JobRecord } from '../types/job.ts';
import { scanOnce } from '../watch/scan.ts';
import type { FilePage, FileWork } from '../workflows/deps.ts';
import { ownFolders } from './own-folders.ts';

export interface ProcessFolderDeps {
  readonly config: () => Config;
  readonly ledger: Pick<Ledger, 'jobs'>;
  readonly coordinator: () => Coordinator;
}

type Request = Parameters<FileWork['process']>[0];

/** @throws AppError for a directory that is missing, or outside every root and the project folder. */
export async function* processFolder(deps: ProcessFolderDeps, request: Request): AsyncGenerator<FilePage> {
  const { directory, recursive, isTaken = () => false, signal } = request;
  const config = deps.config();
  const roots = rootsFor(config);
  const isDirect = ({ root, path }: Change): boolean => {
    const dir = roots.find(({ name }) => name === root)?.dir ?? '';
    return relative(directory, dirname(join(dir, path))) === '';
  };
  for await (const changes of scanOnce({ roots, paths: [directory], excluded: ownFolders(config), signal })) {
    const wanted = changes.filter(
      (change) => (recursive || isDirect(change)) && !isTaken(change.root, change.path),
    );
    if (wanted.length > 0) yield await takeIn(deps, wanted, request);
  }
}

/** The version of a file that stands there now, after the one that a job was made for has changed. */
export async function takeAgain(deps: ProcessFolderDeps, job: JobRecord): Promise<JobRecord | undefined> {
  const { root, path } = job.input;
  const dir = rootsFor(deps.config()).find(({ name }) => name === root)?.dir;
  const stamp = dir === undefined ? undefined : stampOf(join(dir, path));
  if (!stamp) return undefined;
  const change: Change = { type: 'changed', root, path, stamp, found: 'event' };
  const { jobs } = await takeIn(deps, [change], { force: false, depth: job.depth });
  return jobs[0];
}

function rootsFor(config: Config): Config['roots'] {
  const isRoot = config.roots.some(({ dir }) => dir === config.projectDir);
  return isRoot ? config.roots : [...config.roots, { ...projectRoot(config), defaultIgnore }];
}

async function takeIn(
  deps: ProcessFolderDeps,
  changes: readonly Change[],
  { force, depth, leaveWorkflows = false }: Pick<Request, 'force' | 'depth' | 'leaveWorkflows'>,
): Promise<FilePage> {
  const counts = { unrouted: 0, ignored: 0, quarantined: 0 };
  let left = 0;
  const jobs: JobRecord[] = [];
  const failed: Change[] = [];
  const options: TakeOptions = { byRecipe: true, force, depth, leaveWorkflows };
  const known: { readonly change: Change; readonly id: string }[] = [];
  const count = (change: Change, taken: Taken): void => {
    if (taken.kind === 'job') jobs.push(taken.job);
    else if (taken.kind === 'known' && taken.jobId !== undefined) known.push({ change, id: taken.jobId });
    else if (taken.kind === 'left') left++;
    else if (taken.kind !== 'gone' && taken.disposition && taken.disposition in counts)
      counts[taken.disposition as keyof typeof counts]++;
  };
  const submit = async (some: readonly Change[], how: TakeOptions): Promise<void> => {
    const { reading } = await deps.coordinator().submitAll(some, () => how, count);
    await reading;
  };
  await submit(changes, options);
  for (const { change, id } of known.splice(0)) {
    const job = await deps.ledger.jobs.get(id);
    // Who starts a workflow again wants what failed tried again.
    if (job?.state === 'failed') failed.push(change);
    else if (job) jobs.push(job);
  }
  if (failed.length > 0) await submit(failed, { ...options, again: true });
  return { jobs, ...counts, left };
}
