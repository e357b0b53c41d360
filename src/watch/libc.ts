/**
 * The few calls of the C library that Node does not offer, through koffi: inotify, read leases, `statx` below an open
 * folder. Each is a thin binding that gives a result or the name of the system's error; what they mean stands in
 * `inotify.ts` and `native-inspector.ts`. A native module of our own was rejected: it would need a compiler at install.
 */
import { endianness } from 'node:os';
import { getSystemErrorName } from 'node:util';

export interface Libc {
  /** File descriptor of a new inotify instance, or the error's name. */
  inotifyInit(): number | string;
  /** Watch descriptor, or the error's name. `path` ends with a NUL when it is bytes. */
  inotifyAddWatch(fd: number, path: string | Buffer, mask: number): number | string;
  inotifyRemoveWatch(fd: number, watch: number): void;
  /** Read and write end, or the error's name. */
  pipe(): readonly [number, number] | string;
  /** Makes `to` another name of the open file `from`; the error's name when it failed. */
  duplicate(from: number, to: number): string | undefined;
  /** Fills `out` (256 bytes). The error's name, or undefined when it went well. */
  statx(folderFd: number, path: string | Buffer, out: Uint32Array): string | undefined;
  /** Result of `fcntl`, or the error's name. */
  fcntl(fd: number, command: number, argument: number): number | string;
}

/** Throws where there is no such C library, koffi has no build for it, or the machine is big-endian. */
export async function loadLibc(): Promise<Libc> {
  if (process.platform !== 'linux') throw new Error(`there is no inotify on ${process.platform}`);
  if (endianness() !== 'LE') throw new Error('the native watcher needs a little-endian machine');
  const { default: koffi } = await import('koffi');
  const library = koffi.load(null);
  const init = library.func('int inotify_init1(int)');
  const add = library.func('int inotify_add_watch(int, const char*, uint32_t)');
  const remove = library.func('int inotify_rm_watch(int, int)');
  const statx = library.func('int statx(int, const char*, int, uint32_t, void*)');
  const fcntl = library.func('int fcntl(int, int, long)');
  const errorName = () => getSystemErrorName(-koffi.errno());
  const pipe = library.func('int pipe2(_Out_ int*, int)');
  const dup3 = library.func('int dup3(int, int, int)');
  const closeOnExec = 0o2000000;
  const nonBlocking = 0o4000;
  const noFollowNoAutomount = 0x900;
  const basicStats = 0x7ff;
  return {
    inotifyInit() {
      const fd: number = init(closeOnExec | nonBlocking);
      return fd < 0 ? errorName() : fd;
    },
    inotifyAddWatch(fd, path, mask) {
      const watch: number = add(fd, path, mask);
      return watch < 0 ? errorName() : watch;
    },
    inotifyRemoveWatch(fd, watch) {
      remove(fd, watch);
    },
    pipe() {
      const ends = new Int32Array(2);
      return pipe(ends, closeOnExec) < 0 ? errorName() : [ends[0] as number, ends[1] as number];
    },
    duplicate(from, to) {
      return dup3(from, to, closeOnExec) < 0 ? errorName() : undefined;
    },
    statx(folderFd, path, out) {
      return statx(folderFd, path, noFollowNoAutomount, basicStats, out) < 0 ? errorName() : undefined;
    },
    fcntl(fd, command, argument) {
      const result: number = fcntl(fd, command, argument);
      return result < 0 ? errorName() : result;
    },
  };
}

/** A path as the C library wants it: the string, or its bytes with a NUL where the string alone would name another file. */
export function cPath(path: string | Buffer): string | Buffer {
  return typeof path === 'string' ? path : Buffer.concat([path, Buffer.from([0])]);
}
