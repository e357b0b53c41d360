/** Reads on in a file that grows, through one descriptor: it may be renamed or removed meanwhile. */
import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { fsPath } from '../types/path-bytes.ts';

const CHUNK_BYTES = 64 << 10;

export class TailedFile implements Disposable {
  readonly inode: bigint;
  readonly #fd: number;
  #at: number;

  private constructor(fd: number, from: number) {
    this.#fd = fd;
    this.#at = from;
    this.inode = fstatSync(fd, { bigint: true }).ino;
  }

  /** @param from Where to begin. @returns undefined when there is no such file (yet). */
  static open(path: string, from = 0): TailedFile | undefined {
    try {
      return new TailedFile(openSync(fsPath(path), 'r'), from);
    } catch {
      return undefined;
    }
  }

  /** What was added since the last call, in pieces. */
  *rest(): Generator<Buffer> {
    for (;;) {
      const chunk = Buffer.allocUnsafe(CHUNK_BYTES);
      const length = readSync(this.#fd, chunk, 0, CHUNK_BYTES, this.#at);
      if (length === 0) return;
      this.#at += length;
      yield chunk.subarray(0, length);
    }
  }

  [Symbol.dispose](): void {
    closeSync(this.#fd);
  }
}
