/**
 * Reads what was added to a file since the last look. The file is another process' and may be anything meanwhile: absent,
 * cut short, replaced, a link or a FIFO; what is no plain file is not looked at. A watch on the file was rejected: a
 * command that prints line by line would wake us for each.
 */
import { constants, lstatSync, type Stats } from 'node:fs';
import { open } from 'node:fs/promises';
import { fsPath } from '../../types/path-bytes.ts';

const chunkBytes = 64 << 10;
/** In one look, so that a flood does not keep the event loop busy. */
const maxBytesPerLook = 4 << 20;

export interface GrowingFileSink {
  /** Only valid during the call. */
  bytes(chunk: Buffer): void;
  /** It was cut short or replaced: what comes now is its beginning. */
  restart(): void;
}

export class GrowingFile {
  readonly #path: string;
  readonly #sink: GrowingFileSink;
  #identity: string | undefined;
  #offset = 0;

  constructor(path: string, sink: GrowingFileSink) {
    this.#path = path;
    this.#sink = sink;
  }

  /**
   * Hands over what is new. Costs one `lstat` when there is nothing.
   * @param wanted Asked before each chunk: whoever does not want more gets no more.
   * @returns whether there is more than one look hands over.
   */
  async look(wanted: () => boolean): Promise<boolean> {
    const found = statOf(this.#path);
    if (!found?.isFile()) return false;
    if (this.#isAsBefore(found) && found.size === this.#offset) return false;
    const file = await openPlain(this.#path);
    if (file === undefined) return false;
    await using handle = file;
    const stats = await handle.stat();
    if (!stats.isFile()) return false;
    if (!this.#isAsBefore(stats)) {
      if (this.#identity !== undefined) this.#sink.restart();
      this.#offset = 0;
    }
    this.#identity = identityOf(stats);
    const buffer = Buffer.allocUnsafe(Math.min(chunkBytes, Math.max(1, stats.size - this.#offset)));
    for (let left = maxBytesPerLook; left > 0; ) {
      if (!wanted()) return false;
      const { bytesRead } = await handle.read(buffer, 0, buffer.length, this.#offset);
      if (bytesRead === 0) return false;
      if (!wanted()) return false;
      this.#offset += bytesRead;
      left -= bytesRead;
      this.#sink.bytes(buffer.subarray(0, bytesRead));
    }
    return true;
  }

  #isAsBefore(stats: Stats): boolean {
    return this.#identity === identityOf(stats) && stats.size >= this.#offset;
  }
}

/** Synchronous: through the thread pool an idle look costs twice as much, and the ledger lies on the same disk. */
function statOf(path: string): Stats | undefined {
  try {
    return lstatSync(fsPath(path), { throwIfNoEntry: false });
  } catch {
    return undefined;
  }
}

function identityOf({ dev, ino }: Stats): string {
  return `${dev}:${ino}`;
}

async function openPlain(path: string) {
  const { O_RDONLY, O_NOFOLLOW, O_NONBLOCK } = constants;
  // Between the look and the opening it may have become a link or a FIFO: neither is followed or waited for.
  return open(fsPath(path), O_RDONLY | O_NOFOLLOW | O_NONBLOCK).catch(() => undefined);
}
