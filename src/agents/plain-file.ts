/**
 * Files that others can write: an agent those in the folder of its attempt, anybody those that are dropped. What was put
 * there in place of a plain file (a link, a FIFO, a folder) is not followed, not waited for, and counts as nothing.
 */
import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';
import { fsPath } from '../types/path-bytes.ts';

/** @returns undefined when there is no plain file, or it cannot be opened. */
export function openPlain(file: string): number | undefined {
  let fd: number | undefined;
  try {
    fd = openSync(fsPath(file), constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
    if (fstatSync(fd).isFile()) return fd;
  } catch {
    // It is not there, or is a link.
  }
  if (fd !== undefined) closeSync(fd);
  return undefined;
}

/** @returns '' when there is no plain file, or it cannot be read. */
export function withPlain(file: string, read: (fd: number, size: number) => string): string {
  const fd = openPlain(file);
  if (fd === undefined) return '';
  try {
    return read(fd, fstatSync(fd).size);
  } catch {
    return '';
  } finally {
    closeSync(fd);
  }
}

export function isPlain(file: string): boolean {
  return withPlain(file, () => 'yes') === 'yes';
}

/** The beginning of a file, at most `maxBytes`. */
export function readPlain(file: string, maxBytes: number): string {
  return withPlain(file, (fd, size) => readAt(fd, 0, Math.min(size, maxBytes)));
}

export function readAt(fd: number, from: number, bytes: number): string {
  const buffer = Buffer.alloc(bytes);
  return buffer.toString('utf8', 0, readSync(fd, buffer, 0, bytes, from));
}
