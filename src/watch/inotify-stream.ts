/**
 * Reads an inotify descriptor through Node's event loop. Node takes only files, pipes, sockets and terminals as streams,
 * and a blocking read on its thread pool would occupy one of four threads for good. So a pipe's read end is handed to
 * Node, and before the loop looks at it for the first time its number is pointed at the inotify instance. Reading is the
 * same for both: wait until readable, read, whole events at a time.
 */
import { closeSync } from 'node:fs';
import { Socket } from 'node:net';
import type { Libc } from './libc.ts';

/**
 * @param inotify A non-blocking inotify descriptor; closed here, what stays is the returned one.
 * @returns the stream, paused until somebody listens, and the descriptor it closes when it is destroyed.
 */
export function openInotifyStream(
  libc: Libc,
  inotify: number,
): { readonly stream: Socket; readonly fd: number } {
  try {
    const ends = libc.pipe();
    if (typeof ends === 'string') throw new Error(`a pipe could not be made: ${ends}`);
    const [fd, writeEnd] = ends;
    closeSync(writeEnd);
    const options = { fd, readable: true, writable: false, manualStart: true };
    const stream = new Socket(options);
    const failed = libc.duplicate(inotify, fd);
    if (failed === undefined) return { stream, fd };
    stream.destroy();
    throw new Error(`the inotify descriptor could not be duplicated: ${failed}`);
  } finally {
    closeSync(inotify);
  }
}
