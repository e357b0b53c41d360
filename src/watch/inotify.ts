/**
 * The native source: one inotify instance for all roots, one watch a folder. CLOSE_WRITE and MOVED_TO say that a file is
 * complete; a new folder is watched before it is read; an overflow is seen and answered by a sweep. `fs.watch` was
 * rejected: it hides the overflow and the close, so files are lost in bursts and half-written ones reported.
 */
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { fsPath, pathFromBytes } from '../types/path-bytes.ts';
import { openInotifyStream } from './inotify-stream.ts';
import { cPath, type Libc } from './libc.ts';
import type { EnterResult, Hints, Source } from './source.ts';
import { absolutePath, childOf, type WatchedRoot } from './watched-root.ts';

const attributes = 0x4;
const closeWrite = 0x8;
const movedFrom = 0x40;
const movedTo = 0x80;
const create = 0x100;
const remove = 0x200;
const removeSelf = 0x400;
const moveSelf = 0x800;
const unmount = 0x2000;
const overflow = 0x4000;
const ignored = 0x8000;
const onlyFolder = 0x01000000;
const noFollow = 0x02000000;
const isFolder = 0x40000000;
const mask =
  attributes |
  closeWrite |
  movedFrom |
  movedTo |
  create |
  remove |
  removeSelf |
  moveSelf |
  onlyFolder |
  noFollow;

interface WatchedFolder {
  readonly root: WatchedRoot;
  readonly folder: string;
}

export class InotifySource implements Source {
  readonly #libc: Libc;
  readonly #hints: Hints;
  readonly #fd: number;
  readonly #folders = new Map<number, WatchedFolder>();
  readonly #watches = new Map<WatchedRoot, Map<string, number>>();
  readonly #stream: Socket;

  /** @param fd Of `inotifyInit`; this source closes it. Throws when it cannot be read. */
  constructor(o: { libc: Libc; fd: number; hints: Hints }) {
    this.#libc = o.libc;
    this.#hints = o.hints;
    const { stream, fd } = openInotifyStream(o.libc, o.fd);
    this.#fd = fd;
    this.#stream = stream;
    stream.on('data', (events: Buffer) => {
      this.#parse(events);
      this.#hints.flush();
    });
    // It does not end by itself; if reading fails all the same, sweeps must do.
    stream.on('error', () => this.#hints.lost(this));
  }

  async open(root: WatchedRoot): Promise<void> {
    this.#watches.set(root, new Map());
  }

  async close(root: WatchedRoot): Promise<void> {
    this.retain(root, new Set());
    this.#watches.delete(root);
  }

  enter(root: WatchedRoot, folder: string): EnterResult {
    const watches = this.#watches.get(root);
    if (watches === undefined) return 'gone';
    const result = this.#libc.inotifyAddWatch(this.#fd, cPath(fsPath(absolutePath(root, folder))), mask);
    if (typeof result === 'string') {
      this.#forget(root, folder);
      return result === 'ENOSPC' || result === 'ENOMEM' ? 'limit' : 'gone';
    }
    const before = watches.get(folder);
    if (before !== undefined && before !== result) this.#removeWatch(before);
    // The same folder under another name (it was renamed, or is mounted twice): it has one watch, and the newest name.
    const other = this.#folders.get(result);
    if (other !== undefined && (other.root !== root || other.folder !== folder))
      this.#watches.get(other.root)?.delete(other.folder);
    if (other === undefined || other.root !== root || other.folder !== folder)
      this.#folders.set(result, { root, folder });
    watches.set(folder, result);
    return 'watched';
  }

  retain(root: WatchedRoot, folders: ReadonlySet<string>): void {
    for (const folder of this.#watches.get(root)?.keys() ?? [])
      if (!folders.has(folder)) this.#forget(root, folder);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#stream.destroyed) return;
    const closed = once(this.#stream, 'close');
    this.#stream.destroy();
    await closed;
  }

  #parse(events: Buffer): void {
    for (let at = 0; at < events.length; ) {
      const watch = events.readInt32LE(at);
      const what = events.readUInt32LE(at + 4);
      const start = at + 16;
      at = start + events.readUInt32LE(at + 12);
      if (what & overflow) {
        this.#hints.lost(this);
        continue;
      }
      const watched = this.#folders.get(watch);
      if (watched === undefined) continue;
      if (what & (removeSelf | moveSelf | unmount) && watched.folder === '')
        this.#hints.rootGone(watched.root);
      if (what & ignored) this.#ignored(watch, watched);
      if (start === at) continue;
      const zero = events.indexOf(0, start);
      const name = pathFromBytes(events.subarray(start, zero < 0 || zero > at ? at : zero));
      if (what & isFolder) this.#folderHint(watched, name, what);
      else this.#fileHint(watched, name, what);
    }
  }

  #fileHint({ root, folder }: WatchedFolder, name: string, what: number): void {
    if (what & (closeWrite | movedTo)) this.#hints.file(root, folder, name, 'closed');
    else if (what & create) this.#hints.file(root, folder, name, 'created');
    else if (what & (remove | movedFrom)) this.#hints.file(root, folder, name, 'gone');
    else if (what & attributes) this.#hints.file(root, folder, name, 'attributes');
  }

  #folderHint({ root, folder }: WatchedFolder, name: string, what: number): void {
    const child = childOf(folder, name);
    if (what & movedFrom) {
      for (const watched of [...(this.#watches.get(root)?.keys() ?? [])])
        if (watched === child || watched.startsWith(`${child}/`)) this.#forget(root, watched);
      this.#hints.folderGone(root, child);
    } else if (what & (create | movedTo)) {
      this.#hints.folderIn(root, child);
    }
  }

  /** The kernel has dropped a watch: its folder is gone. */
  #ignored(watch: number, { root, folder }: WatchedFolder): void {
    this.#folders.delete(watch);
    const watches = this.#watches.get(root);
    if (watches?.get(folder) === watch) watches.delete(folder);
  }

  #forget(root: WatchedRoot, folder: string): void {
    const watch = this.#watches.get(root)?.get(folder);
    if (watch === undefined) return;
    this.#watches.get(root)?.delete(folder);
    this.#removeWatch(watch);
  }

  #removeWatch(watch: number): void {
    this.#folders.delete(watch);
    this.#libc.inotifyRemoveWatch(this.#fd, watch);
  }
}
