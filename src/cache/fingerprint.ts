/**
 * The content of one version of a file as a SHA-256. Small files are read at once (synchronous calls are two to four
 * times faster there), large ones in slices, so that the loop goes on. Nothing but a regular file is ever opened, and
 * without following a link: a FIFO would block, a device could answer for ever.
 */
import { createHash, hash } from 'node:crypto';
import { closeSync, constants, fstatSync, lstatSync, openSync, readSync } from 'node:fs';
import { open } from 'node:fs/promises';
import type { Stamp } from '../types/change.ts';
import { messageOf, systemCode } from '../types/errors.ts';
import { fsPath } from '../types/path-bytes.ts';

const SLICE_BYTES = 1 << 20;
const OPEN_FLAGS = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;

export type Fingerprint =
  | { readonly kind: 'read'; readonly sha256: string; readonly stamp: Stamp }
  | { readonly kind: 'gone' }
  | { readonly kind: 'unreadable'; readonly message: string }
  /** Written to while it was read: a later change will tell when it has settled. */
  | { readonly kind: 'changing' };

export async function fingerprint(file: string, signal?: AbortSignal): Promise<Fingerprint> {
  const before = stampOf(file);
  if (!before) return { kind: 'gone' };
  try {
    const sha256 = before.size <= SLICE_BYTES ? readSmall(file, before) : await readLarge(file, signal);
    const after = stampOf(file);
    if (!after || sha256 === undefined || !sameStamp(before, after))
      return after ? { kind: 'changing' } : { kind: 'gone' };
    return { kind: 'read', sha256, stamp: after };
  } catch (error) {
    if (signal?.aborted) throw error;
    const code = systemCode(error);
    if (code === 'ENOENT' || code === 'ENOTDIR' || code === 'ELOOP') return { kind: 'gone' };
    return { kind: 'unreadable', message: messageOf(error) };
  }
}

/** The version that stands there now; `undefined` when there is no regular file (any more). */
export function stampOf(file: string): Stamp | undefined {
  try {
    const stat = lstatSync(fsPath(file), { bigint: true, throwIfNoEntry: false });
    if (!stat?.isFile()) return undefined;
    return { ino: stat.ino, size: Number(stat.size), mtimeNs: stat.mtimeNs };
  } catch {
    return undefined;
  }
}

export function sameStamp(a: Stamp, b: Stamp): boolean {
  return a.mtimeNs === b.mtimeNs && a.size === b.size && a.ino === b.ino;
}

function readSmall(file: string, { size }: Stamp): string | undefined {
  const fd = openSync(fsPath(file), OPEN_FLAGS);
  try {
    if (!fstatSync(fd).isFile()) return undefined;
    const buffer = Buffer.allocUnsafe(size + 1);
    let length = 0;
    for (;;) {
      const read = readSync(fd, buffer, length, buffer.length - length, null);
      length += read;
      if (read === 0 || length > size) break;
    }
    return length === size ? hash('sha256', buffer.subarray(0, length), 'hex') : undefined;
  } finally {
    closeSync(fd);
  }
}

async function readLarge(file: string, signal: AbortSignal | undefined): Promise<string | undefined> {
  await using handle = await open(fsPath(file), OPEN_FLAGS);
  if (!(await handle.stat()).isFile()) return undefined;
  const sha = createHash('sha256');
  const buffer = Buffer.allocUnsafe(SLICE_BYTES);
  for (;;) {
    signal?.throwIfAborted();
    const { bytesRead } = await handle.read(buffer, 0, buffer.length, null);
    if (bytesRead === 0) return sha.digest('hex');
    sha.update(buffer.subarray(0, bytesRead));
  }
}
