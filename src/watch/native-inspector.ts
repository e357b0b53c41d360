/**
 * Looks at files through `statx` relative to an open folder (no path walk, no bigints) and asks for writers by the read
 * lease: `fcntl(F_SETLEASE, F_RDLCK)` fails with EAGAIN exactly while somebody has the file open for writing. Reading
 * /proc of all processes was rejected: it is slow and blind to other users' processes.
 */
import { closeSync, constants, openSync } from 'node:fs';
import { constants as os } from 'node:os';
import { fsPath } from '../types/path-bytes.ts';
import { type FileKind, type Inspector, kindOfError } from './inspector.ts';
import { cPath, type Libc } from './libc.ts';
import { wordsPerStamp } from './stamp-words.ts';

const currentFolder = -100;
const setLease = 1024;
const setSignal = 10;
const readLease = 0;
const unlock = 2;

export function createNativeInspector(libc: Libc): Inspector {
  return new NativeInspector(libc);
}

class NativeInspector implements Inspector {
  readonly words = new Uint32Array(wordsPerStamp);
  readonly #libc: Libc;
  readonly #buffer = new Uint32Array(64);
  #folderFd = currentFolder;
  #folder = '';

  constructor(libc: Libc) {
    this.#libc = libc;
  }

  get youngestMs(): number {
    return Math.max(milliseconds(this.#buffer, 24), milliseconds(this.#buffer, 28));
  }

  enter(folder: string): void {
    this.leave();
    try {
      this.#folderFd = openSync(
        fsPath(folder),
        constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW,
      );
    } catch {
      // No descriptor left, or gone: then by full path.
      this.#folder = `${folder}/`;
    }
  }

  leave(): void {
    if (this.#folderFd !== currentFolder) closeSync(this.#folderFd);
    this.#folderFd = currentFolder;
    this.#folder = '';
  }

  stat(path: string): FileKind {
    const buffer = this.#buffer;
    const failed = this.#libc.statx(
      this.#folderFd,
      cPath(fsPath(this.#folder === '' ? path : this.#folder + path)),
      buffer,
    );
    if (failed !== undefined) return kindOfError(failed);
    const type = ((buffer[7] as number) & 0xffff) >> 12;
    if (type !== 0o10 && type !== 0o4) return 'other';
    // struct statx in 32-bit words: ino 8, size 10, ctime 24 (nanoseconds 26), mtime 28 (30).
    const words = this.words;
    words[0] = buffer[8] as number;
    words[1] = buffer[9] as number;
    words[2] = buffer[10] as number;
    words[3] = buffer[11] as number;
    words[4] = buffer[28] as number;
    words[5] = buffer[29] as number;
    words[6] = buffer[30] as number;
    return type === 0o10 ? 'file' : 'folder';
  }

  writers(path: string): 'none' | 'some' | 'unknown' {
    let fd: number;
    try {
      fd = openSync(fsPath(path), constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOFOLLOW);
    } catch {
      return 'unknown';
    }
    try {
      // A writer that comes while we hold the lease breaks it, which sends SIGIO and would end this process: ask for a
      // signal that is ignored unless somebody handles it.
      this.#libc.fcntl(fd, setSignal, os.signals.SIGURG);
      const result = this.#libc.fcntl(fd, setLease, readLease);
      if (result === 0) this.#libc.fcntl(fd, setLease, unlock);
      return result === 0 ? 'none' : result === 'EAGAIN' ? 'some' : 'unknown';
    } finally {
      closeSync(fd);
    }
  }
}

function milliseconds(buffer: Uint32Array, at: number): number {
  const high = (buffer[at + 1] as number) | 0;
  return (high * 2 ** 32 + (buffer[at] as number)) * 1000 + (buffer[at + 2] as number) / 1e6;
}
