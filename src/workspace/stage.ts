/**
 * Everything that can fail for want of space or rights is done before the first change can be seen: the older versions
 * go to the undo folder, the new ones to temporary names in the folders where they will stand.
 *
 * An older version is kept by a second name for the same bytes, which costs nothing, and what a program that has it open
 * still writes is kept too. A file that already has two names is copied: who edits the other name would edit our copy.
 * New versions are always copies: what an agent left behind may still have a file of its workspace open.
 */
import { chmodSync, linkSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fingerprint } from '../cache/fingerprint.ts';
import { AppError, systemCode } from '../types/errors.ts';
import { fsPath } from '../types/path-bytes.ts';
import { conflict } from './conflicts.ts';
import { copyLink, copyStill, giveOwner, syncFile, syncFolder } from './copy-file.ts';
import { below, folderOf, lookAt } from './look.ts';
import { wayTo } from './place.ts';
import { backupFile, type Entry, type Promotion, type Standing, stagedFile } from './record.ts';
import { nameSome } from './refusals.ts';
import { eachOf } from './turns.ts';

const atOnce = 4;

/** @returns the promotion with the versions that are about to stand in the tree. */
export async function stage(
  standing: Standing,
  copyDir: string,
  fileMode: number | undefined,
): Promise<Promotion> {
  const { promotion } = standing;
  const entries = [...promotion.entries];
  await eachOf(promotion.entries, atOnce, async (entry, index) => {
    if (entry.old !== undefined) await backUp(standing, entry, index);
    if (entry.change !== 'removed')
      entries[index] = await stageOne(standing, entry, index, copyDir, fileMode);
  });
  syncFolder(join(standing.dir, 'old'));
  return { ...promotion, entries };
}

async function backUp(standing: Standing, { path, old }: Entry, index: number): Promise<void> {
  const { root } = standing.promotion;
  const file = below(root.dir, path);
  const to = backupFile(standing, index);
  const look = lookAt(file);
  if (look?.stamp !== old?.stamp) throw conflict(root.name, [path]);
  if (look?.kind === 'link') copyLink(file, to);
  else if (look !== undefined && !(look.links === 1 && tryLink(file, to))) {
    if ((await copyStill(file, to)) === undefined) throw conflict(root.name, [path]);
    giveOwner(to, look);
    chmodSync(to, look.mode);
    await syncFile(to);
  }
  if (lookAt(file)?.stamp !== old?.stamp) throw conflict(root.name, [path]);
}

function tryLink(file: string, to: string): boolean {
  try {
    linkSync(fsPath(file), to);
    return true;
  } catch (error) {
    if (['ENOSPC', 'EDQUOT', 'EIO'].includes(systemCode(error) ?? '')) throw error;
    return false;
  }
}

async function stageOne(
  standing: Standing,
  entry: Entry,
  index: number,
  copyDir: string,
  fileMode: number | undefined,
): Promise<Entry> {
  const { root } = standing.promotion;
  const { path } = entry;
  const to = stagedFile(standing, index);
  const copied = await copyStill(below(copyDir, path), to);
  const read = copied && (await fingerprint(to));
  if (read?.kind !== 'read')
    throw new AppError(
      'PROMOTION_CONFLICT',
      `${nameSome([path])} changed in the copy after the agent had ended`,
      {
        fix: 'Run the job again: `sluice jobs retry`.',
      },
    );
  const before = lookAt(below(root.dir, path));
  if (before !== undefined && entry.change === 'changed') giveOwner(to, before);
  await syncFile(to);
  const same = before?.kind === 'file' ? before.mode : undefined;
  chmodSync(fsPath(to), entry.mode ?? same ?? withExecutable(fileMode, copied?.mode ?? 0o600));
  const look = lookAt(to);
  if (look === undefined) throw conflict(root.name, [path]);
  return { ...entry, now: { stamp: look.stamp, sha256: read.sha256, bytes: look.bytes } };
}

/** New files get the mode that results have; a program stays one. */
function withExecutable(fileMode: number | undefined, mode: number): number {
  if (fileMode === undefined) return mode;
  return (mode & 0o100) === 0 ? fileMode : fileMode | ((fileMode >> 2) & 0o111);
}

/** The innermost folder of a path that is there already: new ones can be seen, so they come later. */
export function stageFolder(dir: string, path: string): string {
  const way = wayTo(dir, path);
  return way.kind === 'free' ? folderOf(path) : folderOf(way.at);
}

/** Removes what still waits under a temporary name. */
export function clearStaged(standing: Standing): void {
  standing.promotion.entries.forEach(({ stage: at }, index) => {
    // Not through a link that stands on the way by now.
    if (at !== undefined && wayTo(standing.promotion.root.dir, below(at, 'x')).kind === 'free')
      rmSync(fsPath(stagedFile(standing, index)), { force: true });
  });
}
