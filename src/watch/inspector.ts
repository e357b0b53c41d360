/**
 * Looks at files without opening them, and asks whether somebody writes them. Two implementations: `native-inspector.ts`
 * (statx below an open folder, read leases) and this one on `node:fs`, for where there is no FFI. Synchronous on purpose:
 * on warm folders that is several times faster than promises, and it runs in a worker.
 */
import { type BigIntStats, lstatSync } from 'node:fs';
import { fsPath } from '../types/path-bytes.ts';
import { type StampWords, wordsPerStamp, writeStamp } from './stamp-words.ts';

/** `denied`: it is there, but may not be looked at. */
export type FileKind = 'file' | 'folder' | 'other' | 'gone' | 'denied';

export interface Inspector {
  /** Of the last `stat` that said `file` or `folder`; overwritten by the next. */
  readonly words: StampWords;
  /** The later of mtime and ctime of the last `stat`, epoch milliseconds. */
  readonly youngestMs: number;
  /** Names given to `stat` are looked up in this folder until `leave`. */
  enter(folder: string): void;
  leave(): void;
  /** @param path A name in the entered folder, or an absolute path. Symbolic links are `other`, never followed. */
  stat(path: string): FileKind;
  /** Has anybody the file open for writing? `unknown` where that cannot be told. */
  writers(path: string): 'none' | 'some' | 'unknown';
}

export function createPortableInspector(): Inspector {
  return new PortableInspector();
}

class PortableInspector implements Inspector {
  readonly words = new Uint32Array(wordsPerStamp);
  youngestMs = 0;
  #folder = '';

  enter(folder: string): void {
    this.#folder = `${folder}/`;
  }

  leave(): void {
    this.#folder = '';
  }

  stat(path: string): FileKind {
    let stats: BigIntStats | undefined;
    try {
      stats = lstatSync(fsPath(this.#folder === '' ? path : this.#folder + path), {
        bigint: true,
        throwIfNoEntry: false,
      });
    } catch (error) {
      return kindOfError((error as NodeJS.ErrnoException).code);
    }
    if (stats === undefined) return 'gone';
    if (!stats.isFile() && !stats.isDirectory()) return 'other';
    writeStamp({ ino: stats.ino, size: Number(stats.size), mtimeNs: stats.mtimeNs }, this.words, 0);
    this.youngestMs = Number((stats.mtimeNs > stats.ctimeNs ? stats.mtimeNs : stats.ctimeNs) / 1_000_000n);
    return stats.isFile() ? 'file' : 'folder';
  }

  writers(): 'unknown' {
    return 'unknown';
  }
}

/** What a failed look at a path says about it. */
export function kindOfError(code: string | undefined): FileKind {
  return code === 'ENOENT' || code === 'ENOTDIR' || code === 'ELOOP' || code === 'ENAMETOOLONG'
    ? 'gone'
    : 'denied';
}
