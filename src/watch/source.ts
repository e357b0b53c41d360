/**
 * The port of the three sources: where hints come from that something happened. Hints may come twice, late, or (except
 * from `native`) not at all; what is true is decided by the settle stage, which looks, and by the sweep.
 */
import type { WatchedRoot } from './watched-root.ts';

/**
 * `closed`: a writer closed it, or it was moved in; complete. `created`: a name appeared. `touched`: something happened,
 * nothing is known about the writer. `attributes`: times or rights changed. `gone`: the name disappeared.
 */
export type HintKind = 'closed' | 'created' | 'touched' | 'attributes' | 'gone';

export interface Hints {
  file(root: WatchedRoot, folder: string, name: string, kind: HintKind): void;
  /** A folder appeared or was moved in: it must be watched and read. */
  folderIn(root: WatchedRoot, folder: string): void;
  folderGone(root: WatchedRoot, folder: string): void;
  /** Hints were lost: only a sweep helps. Without a root: of every root of this source. */
  lost(source: Source, root?: WatchedRoot): void;
  /** The root's own folder was removed, moved or unmounted. */
  rootGone(root: WatchedRoot): void;
  /** A bunch of hints has ended. */
  flush(): void;
}

/** `limit`: the kernel has no watch left; `gone`: it is not a folder any more, or may not be read. */
export type EnterResult = 'watched' | 'limit' | 'gone';

export interface Source extends AsyncDisposable {
  /** Takes a root up. Its folders are entered by the sweep that follows. */
  open(root: WatchedRoot): Promise<void>;
  close(root: WatchedRoot): Promise<void>;
  /** Watches one folder; called before the folder is read, again at every sweep. */
  enter(root: WatchedRoot, folder: string): EnterResult;
  /** A full sweep has seen these folders: watches on others of this root are given back. */
  retain(root: WatchedRoot, folders: ReadonlySet<string>): void;
}
