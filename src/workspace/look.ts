/**
 * What stands at a path itself, never at the end of a link. One call of `lstat` answers every question that is asked
 * here: a version is inode, size and mtime, as everywhere; a seal adds ctime and mode, because a program can set an mtime
 * back but no program can set a ctime.
 */
import { lstatSync } from 'node:fs';
import { formatStamp } from '../types/change.ts';
import { systemCode } from '../types/errors.ts';
import { fsPath } from '../types/path-bytes.ts';

export type Kind = 'file' | 'folder' | 'link' | 'special';

export interface Look {
  readonly kind: Kind;
  /** `formatStamp` of this version. */
  readonly stamp: string;
  /** Permission bits, without set-user-id and the like. */
  readonly mode: number;
  readonly bytes: number;
  readonly atimeNs: bigint;
  readonly mtimeNs: bigint;
  readonly ctimeNs: bigint;
  /** File system and inode: equal for two names of one thing. */
  readonly dev: bigint;
  readonly ino: bigint;
  readonly links: number;
  readonly uid: number;
  readonly gid: number;
}

/** @returns undefined when nothing stands there, or a file or a link in a circle stands where a folder of the path should. */
export function lookAt(path: string): Look | undefined {
  try {
    const s = lstatSync(fsPath(path), { bigint: true, throwIfNoEntry: false });
    if (s === undefined) return undefined;
    const bytes = Number(s.size);
    return {
      kind: s.isFile() ? 'file' : s.isDirectory() ? 'folder' : s.isSymbolicLink() ? 'link' : 'special',
      stamp: formatStamp({ ino: s.ino, size: bytes, mtimeNs: s.mtimeNs }),
      mode: Number(s.mode) & 0o777,
      bytes,
      atimeNs: s.atimeNs,
      mtimeNs: s.mtimeNs,
      ctimeNs: s.ctimeNs,
      dev: s.dev,
      ino: s.ino,
      links: Number(s.nlink),
      uid: Number(s.uid),
      gid: Number(s.gid),
    };
  } catch (error) {
    if (['ENOTDIR', 'ELOOP'].includes(systemCode(error) ?? '')) return undefined;
    throw error;
  }
}

/** Equal: nobody has written to it, renamed it or changed its mode in between. */
export function sealOf(look: Look): string {
  return `${look.stamp}-${look.ctimeNs}-${look.mode}`;
}

/** The folder of a relative path; empty for a name in the root itself. */
export function folderOf(path: string): string {
  return path.slice(0, Math.max(0, path.lastIndexOf('/')));
}

/** Joins a folder and a relative path, either of which may be empty. */
export function below(folder: string, path: string): string {
  return folder === '' ? path : path === '' ? folder : `${folder}/${path}`;
}
