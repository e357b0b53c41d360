/**
 * The few steps that change a tree that belongs to somebody else. Each looks at what stands there at the last moment, and
 * each can be seen whole or not at all. Between that look and the rename lie some microseconds in which another program
 * could still write; Node has no `renameat2` that would close them, and the older version is in the undo folder by then.
 */
import { chmodSync, linkSync, mkdirSync, renameSync, rmdirSync, rmSync, unlinkSync } from 'node:fs';
import { systemCode } from '../types/errors.ts';
import { fsPath } from '../types/path-bytes.ts';
import { syncFolder } from './copy-file.ts';
import { below, folderOf, lookAt } from './look.ts';
import type { Folder, Promotion } from './record.ts';

/** What a file system says that has no hard links, or does not give one here. */
const noLinks = ['EPERM', 'EMLINK', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EINVAL', 'EACCES'];

/**
 * Follows a path down to the folder of its last name.
 * @returns `free` when all are real folders; `missing` with the first that is not there; `blocked` with the first name
 * that has something else, a link for one.
 */
export function wayTo(
  dir: string,
  path: string,
): { readonly kind: 'free' } | { readonly kind: 'missing' | 'blocked'; readonly at: string } {
  for (let end = path.indexOf('/'); end >= 0; end = path.indexOf('/', end + 1)) {
    const at = path.slice(0, end);
    const look = lookAt(below(dir, at));
    if (look?.kind !== 'folder') return { kind: look ? 'blocked' : 'missing', at };
  }
  return { kind: 'free' };
}

/** Gives a file a name that nothing has. False: something has it. Across file systems it throws `EXDEV`. */
export function placeNew(file: string, dir: string, path: string): boolean {
  if (wayTo(dir, path).kind !== 'free') return false;
  const target = below(dir, path);
  try {
    // A rename would replace what came there since we looked.
    linkSync(fsPath(file), fsPath(target));
  } catch (error) {
    const code = systemCode(error) ?? '';
    if (code === 'EEXIST') return false;
    if (!noLinks.includes(code)) throw error;
    if (lookAt(target) !== undefined) return false;
    renameSync(fsPath(file), fsPath(target));
    return true;
  }
  unlinkSync(fsPath(file));
  return true;
}

/** Puts a file in the place of one version of another. False: that version does not stand there any more. */
export function replace(file: string, dir: string, path: string, stamp: string): boolean {
  const target = below(dir, path);
  if (wayTo(dir, path).kind !== 'free' || lookAt(target)?.stamp !== stamp) return false;
  renameSync(fsPath(file), fsPath(target));
  return true;
}

/**
 * Removes one version of a file. False: it is another one, which stays.
 * @param aside The name of a temporary file in the same folder.
 */
export function takeAway(dir: string, path: string, aside: string, stamp: string): boolean {
  const target = below(dir, path);
  if (wayTo(dir, path).kind !== 'free' || lookAt(target)?.stamp !== stamp) return false;
  const away = below(dir, below(folderOf(path), aside));
  // What was written to it after our look comes along, and goes back.
  renameSync(fsPath(target), fsPath(away));
  return settleAside(away, dir, path, stamp);
}

/** Ends a `takeAway` that was cut short. */
export function settleAside(away: string, dir: string, path: string, stamp: string): boolean {
  const look = lookAt(away);
  if (look === undefined || look.stamp === stamp) {
    rmSync(fsPath(away), { force: true });
    return true;
  }
  placeNew(away, dir, path);
  return false;
}

/** False: something that is no folder has the name. */
export function makeFolder(dir: string, { path, mode }: Folder): boolean {
  if (wayTo(dir, path).kind !== 'free') return false;
  const folder = fsPath(below(dir, path));
  try {
    mkdirSync(folder);
    chmodSync(folder, mode | 0o700);
  } catch (error) {
    if (systemCode(error) !== 'EEXIST') throw error;
    return lookAt(below(dir, path))?.kind === 'folder';
  }
  return true;
}

/** Removes a folder if it is empty: what we know nothing of keeps it. */
export function dropFolder(dir: string, path: string): void {
  if (wayTo(dir, path).kind !== 'free' || lookAt(below(dir, path))?.kind !== 'folder') return;
  try {
    rmdirSync(fsPath(below(dir, path)));
  } catch (error) {
    if (!['ENOTEMPTY', 'EEXIST', 'ENOENT', 'EBUSY'].includes(systemCode(error) ?? '')) throw error;
  }
}

/** Folders that their owner may not write into, once all is in them. */
export function sealFolders(dir: string, folders: readonly Folder[]): void {
  for (const { path, mode } of folders) {
    if ((mode & 0o700) === 0o700 || wayTo(dir, path).kind !== 'free') continue;
    const folder = below(dir, path);
    if (lookAt(folder)?.kind === 'folder') chmodSync(fsPath(folder), mode);
  }
}

/** The new names are on disk before the record says so. */
export function syncFolders({ root, entries, madeFolders, goneFolders }: Promotion): void {
  const paths = [...entries, ...madeFolders, ...goneFolders].map(({ path }) => folderOf(path));
  for (const folder of new Set(paths)) {
    const at = below(root.dir, folder);
    if (lookAt(at)?.kind === 'folder') syncFolder(at);
  }
}
