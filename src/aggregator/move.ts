/**
 * Moving and copying files and trees, also across file systems, without following a symbolic link and without leaving a
 * half-copied thing under a final name. Small things use the synchronous calls: they cost a third of the asynchronous
 * ones and are over before another turn of the loop would begin; bytes are always copied asynchronously. `fs.cp` was
 * rejected: it is slow, experimental in parts, and copies what is not a file.
 */

import type { PathLike, Stats } from 'node:fs';
import {
  chmodSync,
  constants,
  copyFileSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  renameSync,
  rmSync,
  unlinkSync,
} from 'node:fs';
import { copyFile } from 'node:fs/promises';
import { join } from 'node:path';
import { systemCode } from '../types/errors.ts';
import { pathFromBytes } from '../types/path-bytes.ts';

/** Above this a copy leaves the loop free. */
const smallBytes = 64 * 1024;
/** Shares blocks where the file system can: a copy that costs nothing, and editing one leaves the other alone. */
const copyFlags = constants.COPYFILE_FICLONE;

/** What stands at a path itself; undefined when nothing does. */
export function lookAt(path: PathLike): Stats | undefined {
  try {
    return lstatSync(path, { throwIfNoEntry: false });
  } catch (error) {
    // A file on the way: the path cannot exist.
    if (systemCode(error) === 'ENOTDIR') return undefined;
    throw error;
  }
}

/** Copies one regular file over whatever file or link has the name `to`. */
export async function copyTo(from: PathLike, to: PathLike, mode: number, bytes: number): Promise<void> {
  // Without this a link that stands there would be written through.
  rmSync(to, { force: true, recursive: true });
  if (bytes <= smallBytes) copyFileSync(from, to, copyFlags | constants.COPYFILE_EXCL);
  else await copyFile(from, to, copyFlags | constants.COPYFILE_EXCL);
  chmodSync(to, mode);
}

/** True when moved; false when `from` and `to` lie on different file systems, so that it must be copied. */
export function renameWithin(from: PathLike, to: PathLike): boolean {
  try {
    renameSync(from, to);
    return true;
  } catch (error) {
    if (systemCode(error) === 'EXDEV') return false;
    throw error;
  }
}

/** Moves a file or a tree to a name that is then its alone: what stood there is removed. */
export async function moveTree(from: string, to: string): Promise<void> {
  try {
    if (renameWithin(from, to)) return;
  } catch (error) {
    if (!['ENOTEMPTY', 'EEXIST', 'EISDIR', 'ENOTDIR'].includes(systemCode(error) ?? '')) throw error;
    rmSync(to, { recursive: true, force: true });
    if (renameWithin(from, to)) return;
  }
  const part = `${to}.part`;
  rmSync(part, { recursive: true, force: true });
  await copyTree(Buffer.from(from), Buffer.from(part));
  rmSync(to, { recursive: true, force: true });
  renameSync(part, to);
  rmSync(from, { recursive: true, force: true });
}

/** Copies a file or a tree; only folders and regular files. Names are bytes here: any tree must come through. */
export async function copyTree(from: Buffer, to: Buffer): Promise<void> {
  const stat = lstatSync(from);
  if (stat.isFile()) return copyTo(from, to, stat.mode & 0o777, stat.size);
  if (!stat.isDirectory()) return;
  mkdirSync(to, { mode: 0o700, recursive: true });
  for (const name of readdirSync(from, { encoding: 'buffer' }))
    await copyTree(below(from, name), below(to, name));
  chmodSync(to, stat.mode & 0o777);
}

/** Every entry under a folder that is not a folder, as paths relative to it; sorted by code units. */
export function* walkEntries(
  folder: string,
): Generator<{ readonly path: string; readonly file: Buffer; readonly regular: boolean }> {
  const open: { at: Buffer; prefix: string }[] = [{ at: Buffer.from(folder), prefix: '' }];
  for (let next = open.pop(); next; next = open.pop()) {
    for (const entry of readdirSync(next.at, { withFileTypes: true, encoding: 'buffer' })) {
      const path = next.prefix + pathFromBytes(entry.name);
      const file = below(next.at, entry.name);
      if (entry.isDirectory()) open.push({ at: file, prefix: `${path}/` });
      else yield { path, file, regular: entry.isFile() };
    }
  }
}

/** Removes a file if it is there. */
export function removeFile(path: PathLike): void {
  try {
    unlinkSync(path);
  } catch (error) {
    if (systemCode(error) !== 'ENOENT') throw error;
  }
}

/**
 * A name that nothing has yet: `name`, else `name.2`, `name.3` … with the number before the extension.
 * @param reuse `folder`: a name that a real folder has will do.
 */
export function freeName(folder: string, name: string, reuse?: 'folder'): string {
  const dot = name.lastIndexOf('.');
  const stem = dot > 0 ? name.slice(0, dot) : name;
  const extension = dot > 0 ? name.slice(dot) : '';
  for (let n = 1; ; n++) {
    const candidate = n === 1 ? name : `${stem}.${n}${extension}`;
    const taken = lookAt(join(folder, candidate));
    if (taken === undefined || (reuse === 'folder' && taken.isDirectory())) return candidate;
  }
}

/** Joined as bytes: one part is text of ours, the other may hold names that are no text. */
export function below(folder: Buffer, name: Buffer): Buffer {
  return Buffer.concat([folder, Buffer.from('/'), name]);
}
