/**
 * One `fs.watch` a folder, for the portable source where the system watches folders one by one (Linux): a bell that rings
 * when anything happens in a folder, whatever chokidar makes of it. chokidar loses folders that come about in an unusual
 * way (in the place of a file, of another folder, of what was ignored) and then says nothing for ever. The kernel keeps
 * one watch for both.
 */
import { type FSWatcher, lstatSync, watch } from 'node:fs';
import { basename, join } from 'node:path';
import { systemCode } from '../types/errors.ts';
import { fsPath, pathFromBytes } from '../types/path-bytes.ts';
import type { EnterResult } from './source.ts';

interface Watched {
  readonly watcher: FSWatcher;
  readonly ino: bigint;
}

export class FolderWatches {
  readonly #folders = new Map<string, Watched>();
  readonly #ring: (path: string) => void;

  /** @param ring Called with the absolute path that something happened to. */
  constructor(ring: (path: string) => void) {
    this.#ring = ring;
  }

  /** @param dir Absolute. One that is watched already costs a look; call before it is read. */
  enter(dir: string): EnterResult {
    try {
      const stats = lstatSync(fsPath(dir), { bigint: true });
      if (!stats.isDirectory()) return this.#leave(dir);
      const before = this.#folders.get(dir);
      if (before?.ino === stats.ino) return 'watched';
      before?.watcher.close();
      const watcher = watch(fsPath(dir), { encoding: 'buffer' }, (_, name) =>
        this.#event(dir, watcher, name === null ? undefined : pathFromBytes(name)),
      );
      watcher.on('error', () => this.#lost(dir, watcher));
      this.#folders.set(dir, { watcher, ino: stats.ino });
      return 'watched';
    } catch (error) {
      this.#leave(dir);
      const code = systemCode(error);
      return code === 'ENOSPC' || code === 'EMFILE' || code === 'ENOMEM' ? 'limit' : 'gone';
    }
  }

  /** Gives back the others. */
  retain(isWanted: (dir: string) => boolean): void {
    for (const dir of this.#folders.keys()) if (!isWanted(dir)) this.#leave(dir);
  }

  #event(dir: string, watcher: FSWatcher, name: string | undefined): void {
    // The folder's own end is told as a change of a file of its name. Its number may be given to the next folder at once,
    // so the watch is made anew when it is entered for the next time.
    if (name === undefined || name === basename(dir)) this.#lost(dir, watcher);
    else this.#ring(join(dir, name));
  }

  #lost(dir: string, watcher: FSWatcher): void {
    if (this.#folders.get(dir)?.watcher === watcher) this.#leave(dir);
    this.#ring(dir);
  }

  #leave(dir: string): 'gone' {
    this.#folders.get(dir)?.watcher.close();
    this.#folders.delete(dir);
    return 'gone';
  }
}
