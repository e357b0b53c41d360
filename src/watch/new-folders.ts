/**
 * Folders that appeared while we watch: each is watched first and read then, so what was put into it in between is either
 * found by the read or reported by the watch. Small trees at once, large ones in slices.
 */
import { type FolderListing, readFolder } from './folder-listing.ts';
import type { Inspector } from './inspector.ts';
import type { Settle } from './settle.ts';
import {
  absolutePath,
  canBeRead,
  childOf,
  kindOfFolder,
  noteFolderTime,
  type WatchedRoot,
} from './watched-root.ts';

const sliceMs = 8;

export class NewFolders {
  readonly #inspector: Inspector;
  readonly #settle: Settle;
  readonly #outbox: { readonly hasRoom: boolean };
  readonly #lost: (root: WatchedRoot) => void;
  readonly #waiting: { readonly root: WatchedRoot; readonly folder: string }[] = [];
  #running = false;
  #closed = false;

  /** @param lost Called when the consumer is behind: the sweep takes over what is in the folders. */
  constructor(o: {
    inspector: Inspector;
    settle: Settle;
    outbox: { readonly hasRoom: boolean };
    lost: (root: WatchedRoot) => void;
  }) {
    this.#inspector = o.inspector;
    this.#settle = o.settle;
    this.#outbox = o.outbox;
    this.#lost = o.lost;
  }

  add(root: WatchedRoot, folder: string): void {
    this.#waiting.push({ root, folder });
    if (!this.#running) this.#drain();
  }

  close(): void {
    this.#closed = true;
    this.#waiting.length = 0;
  }

  #drain(): void {
    const start = performance.now();
    for (let next = this.#waiting.pop(); next !== undefined && !this.#closed; next = this.#waiting.pop()) {
      if (!next.root.closed) this.#take(next.root, next.folder);
      if (performance.now() - start > sliceMs) break;
    }
    this.#running = this.#waiting.length > 0;
    if (!this.#running) return;
    setImmediate(() => {
      this.#drain();
      this.#settle.tick();
    });
  }

  #take(root: WatchedRoot, folder: string): void {
    // Gone again, or a link by now: the sweep says what became of what was in it.
    if (!canBeRead(kindOfFolder(root, folder, this.#inspector))) return;
    if (root.source.enter(root, folder) === 'limit') {
      root.unwatched.add(folder);
      this.#lost(root);
    }
    noteFolderTime(root, folder, this.#inspector);
    let listing: FolderListing;
    try {
      listing = readFolder(absolutePath(root, folder));
    } catch {
      // Gone again, or unreadable: the sweep says so.
      return;
    }
    root.folders++;
    root.ignores.load(folder, listing.files);
    const now = performance.now();
    if (this.#outbox.hasRoom) {
      for (const name of listing.files)
        if (!root.ignores.ignoresFile(folder, name)) this.#settle.found(root, folder, name, 'event', now);
    } else if (listing.files.length > 0) this.#lost(root);
    for (const name of listing.folders)
      if (!root.ignores.ignoresFolder(folder, name))
        this.#waiting.push({ root, folder: childOf(folder, name) });
  }
}
