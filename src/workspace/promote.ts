/**
 * Puts what an agent changed in its copy into the tree: all of it, or nothing. One file at a time with a check before each
 * was rejected: half of a refactoring is worse than none. Exchanging the whole folder was rejected: whoever has a file in
 * it open, or works in it, would go on in a folder that nobody sees.
 */
import { rmdirSync, rmSync } from 'node:fs';
import { dirname } from 'node:path';
import { AppError, messageOf, systemCode } from '../types/errors.ts';
import type { PromotedFile } from '../types/job.ts';
import { conflict, refuseConflicts } from './conflicts.ts';
import { below, folderOf, lookAt } from './look.ts';
import {
  dropFolder,
  makeFolder,
  placeNew,
  replace,
  sealFolders,
  settleAside,
  syncFolders,
  takeAway,
} from './place.ts';
import type { OnPlaced } from './placed.ts';
import {
  type Entry,
  type Promotion,
  type Standing,
  save,
  stagedFile,
  temporaryName,
  turnTo,
} from './record.ts';
import { revert } from './revert.ts';
import { clearStaged, stage } from './stage.ts';
import { eachOf, Slice } from './turns.ts';

export interface PromoteOptions {
  /** Where the copy is. */
  readonly copyDir: string;
  /** For added files; absent: what the agent gave them. */
  readonly fileMode?: number;
  readonly onPlaced?: OnPlaced;
}

const toldAtOnce = 32;

/** @throws {AppError} `PROMOTION_CONFLICT`, and what the file system throws; the tree is as it was then. */
export async function promote(planned: Standing, o: PromoteOptions): Promise<Standing> {
  await refuseConflicts(planned.promotion);
  let standing = planned;
  try {
    await save(standing);
    standing = { ...standing, promotion: await stage(standing, o.copyDir, o.fileMode) };
    if (o.onPlaced) await tell(standing.promotion, o.onPlaced);
    await refuseConflicts(standing.promotion);
    standing = { ...standing, state: 'placing' };
    await save(standing);
  } catch (error) {
    abandon(standing);
    throw error;
  }
  return complete(standing, o.onPlaced);
}

async function tell(promotion: Promotion, onPlaced: OnPlaced): Promise<void> {
  const { jobId, root, entries } = promotion;
  await eachOf(entries, toldAtOnce, async ({ path, change, now }) => {
    if (change === 'removed' || now === undefined) return;
    await onPlaced({ jobId, root: root.name, path, change, stamp: now.stamp, sha256: now.sha256 });
  });
}

/** From `placing` to `promoted`; also after a crash. When it cannot be done, all is put back. */
export async function complete(standing: Standing, onPlaced?: OnPlaced): Promise<Standing> {
  try {
    await place(standing);
    return turnTo(standing, 'promoted');
  } catch (error) {
    try {
      await revert(turnTo(standing, 'rollback'), { force: false, ...(onPlaced && { onPlaced }) });
    } catch (second) {
      const { jobId } = standing.promotion;
      const message = `Job ${jobId} was put in place in part (${messageOf(error)}) and could not be put back: ${messageOf(second)}`;
      throw new AppError('OUTPUT_UNWRITABLE', message, {
        cause: error,
        fix: `Mend what refuses it and restart; it is put back then. Older versions are in "${standing.dir}".`,
      });
    }
    throw error;
  }
}

async function place(standing: Standing): Promise<void> {
  const { root, token, entries, goneFolders, madeFolders } = standing.promotion;
  const { dir } = root;
  const slice = new Slice();
  const made = new Set(madeFolders.map(({ path }) => path));
  const inOrder = async (
    which: (entry: Entry) => boolean,
    step: (entry: Entry, index: number) => boolean,
  ) => {
    for (const [index, entry] of entries.entries()) {
      if (!which(entry)) continue;
      if (!step(entry, index)) throw conflict(root.name, [entry.path]);
      if (slice.isOver) await slice.pause();
    }
  };
  await inOrder(
    ({ change }) => change === 'removed',
    ({ path, old }, index) =>
      // The folder that takes its place: we have been here before.
      (made.has(path) && lookAt(below(dir, path))?.kind === 'folder') ||
      remove(dir, path, temporaryName(token, index, 'old'), old?.stamp ?? ''),
  );
  for (const { path } of goneFolders) dropFolder(dir, path);
  for (const folder of madeFolders) if (!makeFolder(dir, folder)) throw conflict(root.name, [folder.path]);
  await inOrder(
    ({ change }) => change !== 'removed',
    (entry, index) => put(standing, entry, index),
  );
  clearStaged(standing);
  sealFolders(dir, madeFolders);
  syncFolders(standing.promotion);
}

/** True when it is gone, by us or before. */
function remove(dir: string, path: string, aside: string, stamp: string): boolean {
  const away = below(dir, below(folderOf(path), aside));
  if (lookAt(away) !== undefined && !settleAside(away, dir, path, stamp)) return false;
  return lookAt(below(dir, path)) === undefined || takeAway(dir, path, aside, stamp);
}

function put(standing: Standing, { path, change, old, now }: Entry, index: number): boolean {
  const { dir } = standing.promotion.root;
  if (now !== undefined && lookAt(below(dir, path))?.stamp === now.stamp) return true;
  const file = stagedFile(standing, index);
  if (lookAt(file)?.stamp !== now?.stamp) return false;
  return change === 'changed' && old !== undefined
    ? replace(file, dir, path, old.stamp)
    : placeNew(file, dir, path);
}

export function promotedFiles({ entries }: Promotion): PromotedFile[] {
  return entries.map(({ path, change, now }) => ({
    path,
    change,
    ...(now && { sha256: now.sha256, bytes: now.bytes }),
  }));
}

/** Removes what a promotion left that never got to `placing`: nothing of it could be seen. */
export function abandon(standing: Standing): void {
  clearStaged(standing);
  dropRecord(standing.dir);
}

/** Removes a record, and the folder of its job with the last one. */
export function dropRecord(dir: string): void {
  rmSync(dir, { recursive: true, force: true });
  try {
    rmdirSync(dirname(dir));
  } catch (error) {
    if (!['ENOTEMPTY', 'EEXIST', 'ENOENT'].includes(systemCode(error) ?? '')) throw error;
  }
}
