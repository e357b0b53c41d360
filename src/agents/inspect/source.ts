/**
 * Bounded reads from the input file. One handle, positions always given, never more than `bytes`: a 5 GiB file costs
 * what is asked of it. A stream was rejected: kinds want the end (ZIP, PNG) as often as the start.
 */

import { constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { bounds } from './bounds.ts';

export interface Source {
  readonly bytes: number;
  /** At most `length` bytes from `position`; fewer at the end. */
  read(position: number, length: number): Promise<Buffer>;
}

/**
 * @param bytes The size that was fingerprinted: nothing after it is read.
 * @throws The system's error when the file cannot be opened or read; `signal.reason` on abort.
 */
export async function openSource(
  path: string | Buffer,
  bytes: number,
  signal: AbortSignal,
): Promise<Source & AsyncDisposable> {
  signal.throwIfAborted();
  // O_NONBLOCK: should the path have become a FIFO, opening it does not wait for a writer.
  const handle = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
  const size = await handle.stat().then(
    (stat) => (stat.isFile() ? Math.min(bytes, stat.size) : 0),
    async (error: unknown) => {
      await handle.close();
      throw error;
    },
  );
  return {
    bytes: size,
    read: (position, length) => readChunks(handle, position, Math.min(length, size - position), signal),
    [Symbol.asyncDispose]: () => handle.close(),
  };
}

/** The same over bytes in memory: what came out of a gzip file. */
export function sourceOf(content: Buffer): Source {
  return {
    bytes: content.length,
    read: async (position, length) => content.subarray(position, position + length),
  };
}

async function readChunks(
  handle: FileHandle,
  position: number,
  length: number,
  signal: AbortSignal,
): Promise<Buffer> {
  const out = Buffer.alloc(Math.max(0, length));
  let done = 0;
  while (done < out.length) {
    signal.throwIfAborted();
    const want = Math.min(bounds.chunkBytes, out.length - done);
    const { bytesRead } = await handle.read(out, done, want, position + done);
    if (bytesRead === 0) break;
    done += bytesRead;
  }
  return out.subarray(0, done);
}
