/**
 * Puts back what stood in the tree before a promotion: all that is still as it was put there. What somebody changed since
 * is theirs; it stays, and is named. Every step finds out for itself whether it was done before, so that it can be cut
 * short anywhere and called again.
 */
import { chmodSync, mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fingerprint } from '../cache/fingerprint.ts';
import { systemCode } from '../types/errors.ts';
import { fsPath } from '../types/path-bytes.ts';
import { copyLink, copyStill, giveOwner, syncFile } from './copy-file.ts';
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
  wayTo,
} from './place.ts';
import type { OnPlaced } from './placed.ts';
import {
  backupFile,
  type Entry,
  type Kept,
  type Standing,
  save,
  stagedFile,
  temporaryName,
  turnTo,
} from './record.ts';
import { haveSameContent } from './same-content.ts';
import { clearStaged } from './stage.ts';
import { Slice } from './turns.ts';

export interface RevertOptions {
  /** Also what was changed since; that version goes to `old/<index>.later` in the undo folder. */
  readonly force: boolean;
  readonly onPlaced?: OnPlaced;
  readonly now?: () => number;
}

export interface Reverted {
  readonly restored: readonly string[];
  readonly kept: readonly Kept[];
}

/** @param standing In state `undoing` or `rollback`. */
export async function revert(standing: Standing, o: RevertOptions): Promise<Reverted> {
  const { promotion } = standing;
  const { root, token, madeFolders, goneFolders } = promotion;
  const slice = new Slice();
  const entries: Entry[] = [...promotion.entries];
  const restored: string[] = [];
  const kept: Kept[] = [];

  const each = async (
    which: (entry: Entry) => boolean,
    step: (entry: Entry, index: number) => Promise<Kept['why'] | undefined>,
  ): Promise<void> => {
    for (const [index, entry] of promotion.entries.entries()) {
      if (entry.isUndone || !which(entry)) continue;
      const aside = temporaryName(token, index, 'old');
      const away = below(root.dir, below(folderOf(entry.path), aside));
      if (wayTo(root.dir, entry.path).kind === 'free' && lookAt(away))
        settleAside(
          away,
          root.dir,
          entry.path,
          (entry.change === 'added' ? entry.now : entry.old)?.stamp ?? '',
        );
      const why = waiting.has(index) ? undefined : await step(entry, index);
      if (why === undefined) {
        restored.push(entry.path);
        entries[index] = { ...entry, isUndone: true };
      } else kept.push({ path: entry.path, why });
      if (slice.isOver) await slice.pause();
    }
  };

  // What still waits for its rename was never put in place.
  const waiting = new Set<number>();
  for (const [index, { change, path, now }] of entries.entries())
    if (
      change !== 'removed' &&
      lookAt(stagedFile(standing, index)) &&
      lookAt(below(root.dir, path))?.stamp !== now?.stamp
    )
      waiting.add(index);
  clearStaged(standing);
  await each(
    ({ change }) => change === 'added',
    async (entry, index) => removeAdded(standing, entry, index, o.force),
  );
  for (const { path } of madeFolders.toReversed()) dropFolder(root.dir, path);
  for (const folder of goneFolders.toReversed()) makeFolder(root.dir, folder);
  await each(
    ({ change }) => change !== 'added',
    (entry, index) => restore(standing, entry, index, o),
  );

  sealFolders(root.dir, goneFolders);
  syncFolders(promotion);
  if (standing.state === 'rollback' && kept.length === 0)
    rmSync(standing.dir, { recursive: true, force: true });
  else
    await save({
      ...standing,
      state: 'undone',
      promotion: { ...promotion, entries, undoneAt: o.now?.() ?? promotion.at },
    });
  return { restored, kept };
}

async function removeAdded(
  standing: Standing,
  { path, now }: Entry,
  index: number,
  force: boolean,
): Promise<Kept['why'] | undefined> {
  const { root, token } = standing.promotion;
  if (wayTo(root.dir, path).kind === 'blocked') return 'in_the_way';
  const look = lookAt(below(root.dir, path));
  if (look === undefined) return undefined;
  if (look.kind === 'folder') return 'in_the_way';
  if (look.stamp !== now?.stamp) {
    if (!force) return 'changed';
    await keepLater(standing, path, index);
  }
  return takeAway(root.dir, path, temporaryName(token, index, 'old'), look.stamp) ? undefined : 'changed';
}

async function restore(
  standing: Standing,
  entry: Entry,
  index: number,
  o: RevertOptions,
): Promise<Kept['why'] | undefined> {
  const { root } = standing.promotion;
  const { path, now, old } = entry;
  const way = wayTo(root.dir, path);
  if (way.kind === 'blocked') return 'in_the_way';
  const look = lookAt(below(root.dir, path));
  if (look?.kind === 'folder') return 'in_the_way';
  if (old === undefined || (look !== undefined && (await isOld(standing, entry, index)))) return undefined;
  if (look?.stamp !== now?.stamp) {
    if (!o.force) return 'changed';
    if (look !== undefined) await keepLater(standing, path, index);
  }
  if (way.kind === 'missing') mkdirSync(fsPath(below(root.dir, folderOf(path))), { recursive: true });
  return (await putBack(standing, entry, index, look?.stamp, o.onPlaced)) ? undefined : 'changed';
}

/** It stands there again: the very file, or where it had to be copied, one like it. */
async function isOld(standing: Standing, { path, old, now }: Entry, index: number): Promise<boolean> {
  const file = below(standing.promotion.root.dir, path);
  const look = lookAt(file);
  if (look?.stamp === old?.stamp) return true;
  if (look?.stamp === now?.stamp) return false;
  const backup = backupFile(standing, index);
  const before = lookAt(backup);
  return (
    look?.kind === 'file' &&
    before?.kind === 'file' &&
    look.bytes === before.bytes &&
    (await haveSameContent(file, backup))
  );
}

/** Moves the older version to where it stood, over the version that is named. */
async function putBack(
  standing: Standing,
  { path, change, old }: Entry,
  index: number,
  over: string | undefined,
  onPlaced: OnPlaced | undefined,
): Promise<boolean> {
  const { jobId, root, token } = standing.promotion;
  const backup = backupFile(standing, index);
  const place = async (file: string): Promise<boolean> => {
    if (old?.kind === 'file' && onPlaced) {
      const read = await fingerprint(file);
      const stamp = lookAt(file)?.stamp;
      if (read.kind === 'read' && stamp !== undefined)
        await onPlaced({
          jobId,
          root: root.name,
          path,
          change: change === 'removed' ? 'added' : 'changed',
          stamp,
          sha256: read.sha256,
        });
    }
    return over === undefined ? placeNew(file, root.dir, path) : replace(file, root.dir, path, over);
  };
  if (lookAt(backup)?.dev === lookAt(below(root.dir, folderOf(path)))?.dev)
    try {
      return await place(backup);
    } catch (error) {
      // One file system that is mounted twice.
      if (systemCode(error) !== 'EXDEV') throw error;
    }

  const near = below(root.dir, below(folderOf(path), temporaryName(token, index, 'new')));
  try {
    rmSync(fsPath(near), { force: true });
    const before = lookAt(backup);
    if (before?.kind === 'link') copyLink(backup, near);
    else if (before !== undefined && (await copyStill(backup, near)) !== undefined) {
      giveOwner(near, before);
      chmodSync(fsPath(near), before.mode);
      await syncFile(near);
    } else return false;
    return await place(near);
  } finally {
    rmSync(fsPath(near), { force: true });
  }
}

/** Even what a person asks to be overwritten is not lost. */
async function keepLater(standing: Standing, path: string, index: number): Promise<void> {
  const to = join(standing.dir, 'old', `${index}.later`);
  const file = below(standing.promotion.root.dir, path);
  rmSync(to, { force: true });
  try {
    if (lookAt(file)?.kind === 'link') copyLink(file, to);
    else await copyStill(file, to);
  } catch (error) {
    if (systemCode(error) !== 'ENOENT') throw error;
  }
}

/** The state in which `revert` takes a promotion. */
export function beginUndo(standing: Standing): Standing {
  return standing.state === 'rollback' ? standing : turnTo(standing, 'undoing');
}
