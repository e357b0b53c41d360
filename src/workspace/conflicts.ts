/** Does the tree still look as it did when it was copied, wherever something is about to be changed? */
import { readdirSync } from 'node:fs';
import { AppError } from '../types/errors.ts';
import { fsPath, pathFromBytes } from '../types/path-bytes.ts';
import { below, lookAt } from './look.ts';
import { wayTo } from './place.ts';
import type { Promotion } from './record.ts';
import { nameSome } from './refusals.ts';
import { folderIno } from './snapshot.ts';
import { Slice } from './turns.ts';

/** @throws {AppError} `PROMOTION_CONFLICT` that names them all. */
export async function refuseConflicts(promotion: Promotion): Promise<void> {
  const paths = await findConflicts(promotion);
  if (paths.length > 0) throw conflict(promotion.root.name, paths);
}

export function conflict(root: string, paths: readonly string[]): AppError {
  const message = `Changed in root "${root}" while the agent worked on its copy: ${nameSome(paths)}; nothing was put in place`;
  return new AppError('PROMOTION_CONFLICT', message, {
    fix: 'Run the job again on the tree as it is now: `sluice jobs retry`.',
  });
}

async function findConflicts(promotion: Promotion): Promise<readonly string[]> {
  const { root, rootIno, entries, madeFolders, goneFolders } = promotion;
  if (folderIno(root.dir) !== rootIno) return entries.map(({ path }) => path);
  const slice = new Slice();
  const going = new Set(entries.filter(({ change }) => change === 'removed').map(({ path }) => path));
  const gone = new Set(goneFolders.map(({ path }) => path));
  const found: string[] = [];

  /** New things may stand below names that are still to be freed or made. */
  const canCome = (path: string): boolean => {
    const way = wayTo(root.dir, path);
    if (way.kind !== 'free') return way.kind === 'missing' || going.has(way.at);
    const look = lookAt(below(root.dir, path));
    return look === undefined || (look.kind === 'folder' ? canGo(path) : going.has(path));
  };
  const canGo = (folder: string): boolean =>
    gone.has(folder) &&
    readdirSync(fsPath(below(root.dir, folder)), { encoding: 'buffer' }).every((name) => {
      const path = below(folder, pathFromBytes(name));
      return lookAt(below(root.dir, path))?.kind === 'folder' ? canGo(path) : going.has(path);
    });

  for (const { path, old } of entries) {
    if (slice.isOver) await slice.pause();
    if (old === undefined) {
      if (!canCome(path)) found.push(path);
      continue;
    }
    const look = wayTo(root.dir, path).kind === 'free' ? lookAt(below(root.dir, path)) : undefined;
    if (look?.kind !== old.kind || look.stamp !== old.stamp) found.push(path);
  }
  for (const { path } of madeFolders)
    if (lookAt(below(root.dir, path))?.kind !== 'folder' && !canCome(path)) found.push(path);
  return found;
}
