/** Copies of one file: with shared blocks where the file system can, never through a link at either end. */
import {
  chmodSync,
  closeSync,
  constants,
  copyFileSync,
  fsyncSync,
  lchownSync,
  openSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  utimesSync,
} from 'node:fs';
import { copyFile, open } from 'node:fs/promises';
import { systemCode } from '../types/errors.ts';
import { fsPath, pathFromBytes } from '../types/path-bytes.ts';
import { type Look, lookAt } from './look.ts';

/** Above this a copy leaves the loop free. */
const smallBytes = 64 * 1024;
const flags = constants.COPYFILE_FICLONE | constants.COPYFILE_EXCL;

/**
 * Copies a regular file to a name that nothing has, with permissions and times (to the microsecond).
 * @returns how the original looked, the same before and after; undefined, with nothing at `to`, when it is gone, is no
 * regular file, or was written to three times in a row.
 */
export async function copyStill(from: string, to: string): Promise<Look | undefined> {
  for (let tries = 0; tries < 3; tries++) {
    const before = lookAt(from);
    if (before?.kind !== 'file') return undefined;
    try {
      if (before.bytes <= smallBytes) copyFileSync(fsPath(from), fsPath(to), flags);
      else await copyFile(fsPath(from), fsPath(to), flags);
    } catch (error) {
      if (systemCode(error) !== 'EEXIST') rmSync(fsPath(to), { force: true });
      throw error;
    }
    const after = lookAt(from);
    if (after?.kind === 'file' && after.stamp === before.stamp) {
      // The copy got all twelve bits; a program of ours must not become one of its owner's.
      chmodSync(fsPath(to), before.mode);
      utimesSync(fsPath(to), seconds(before.atimeNs), seconds(before.mtimeNs));
      return before;
    }
    rmSync(fsPath(to), { force: true });
  }
  return undefined;
}

export function copyLink(from: string, to: string): void {
  symlinkSync(readlinkSync(fsPath(from), { encoding: 'buffer' }), fsPath(to));
}

export function linkTarget(path: string): string {
  return pathFromBytes(readlinkSync(fsPath(path), { encoding: 'buffer' }));
}

/** Gives a thing of ours the owner of another one, where we may. */
export function giveOwner(path: string, { uid, gid }: Look): void {
  try {
    lchownSync(fsPath(path), uid, gid);
  } catch (error) {
    if (!['EPERM', 'EACCES', 'EINVAL', 'ENOTSUP', 'EOPNOTSUPP'].includes(systemCode(error) ?? ''))
      throw error;
  }
}

/** Resolves when content and attributes are on disk. */
export async function syncFile(path: string): Promise<void> {
  await using handle = await open(fsPath(path), constants.O_RDONLY | constants.O_NOFOLLOW);
  await handle.sync();
}

export function syncFolder(path: string): void {
  const fd = openSync(fsPath(path), constants.O_RDONLY);
  try {
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}

function seconds(ns: bigint): number {
  return Number(ns) / 1e9;
}
