/**
 * The portable source: chokidar, for macOS and wherever there is no FFI. It loses events in rename bursts and cannot see
 * that it did, it loses whole folders (`folder-watches.ts`), and it reports before the writer has closed; so its events
 * are hints without meaning, and after each burst of what the system reports it asks for a sweep.
 */
import { join, sep } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { FSWatcher } from 'chokidar';
import { FolderWatches } from './folder-watches.ts';
import { ignoreFileName } from './ignore-tree.ts';
import type { EnterResult, HintKind, Hints, Source } from './source.ts';
import { absolutePath, childOf, type WatchedRoot } from './watched-root.ts';

/** A burst has ended when nothing came for this long; under constant load it is taken to end now and then. */
const burstQuietMs = 1_000;
const burstMaxMs = 5_000;
/** A root that goes while chokidar reads it must not hold up its sweeps for good. */
const patienceMs = 10_000;
/** Elsewhere chokidar watches a whole tree at once, and each folder would cost a descriptor. */
const watchesFolders = process.platform === 'linux';

interface Watched {
  readonly watcher: FSWatcher;
  readonly folders: FolderWatches;
  timer?: NodeJS.Timeout | undefined;
  burstSince: number;
}

export class ChokidarSource implements Source {
  readonly #hints: Hints;
  readonly #roots = new Map<WatchedRoot, Watched>();

  constructor(o: { hints: Hints }) {
    this.#hints = o.hints;
  }

  /** Resolves when chokidar is ready, or should have been: the sweep that follows needs neither. */
  async open(root: WatchedRoot): Promise<void> {
    const { watch } = await import('chokidar');
    const watcher = watch(root.dir, {
      ignoreInitial: true,
      followSymlinks: false,
      atomic: false,
      ignorePermissionErrors: true,
      ignored: (path, stats) => this.#isIgnored(root, path, stats?.isDirectory() ?? false),
    });
    const folders = new FolderWatches((path) => this.#rawEvent(root, watched, path));
    const watched: Watched = { watcher, folders, burstSince: 0 };
    this.#roots.set(root, watched);
    watcher.on('all', (event, path) => this.#event(root, watched, event, path));
    watcher.on('raw', (_, name, details) => {
      const { watchedPath } = details as { readonly watchedPath?: string };
      this.#rawEvent(root, watched, join(watchedPath ?? root.dir, name ?? ''));
    });
    // ENOSPC and the like: what is not watched is swept.
    watcher.on('error', () => this.#burst(root, watched));
    const ready = new Promise<void>((resolve) => {
      watcher.once('ready', () => resolve());
    });
    await atMost(patienceMs, ready);
  }

  async close(root: WatchedRoot): Promise<void> {
    const watched = this.#roots.get(root);
    this.#roots.delete(root);
    clearTimeout(watched?.timer);
    watched?.folders.retain(() => false);
    if (watched !== undefined) await atMost(patienceMs, watched.watcher.close());
  }

  enter(root: WatchedRoot, folder: string): EnterResult {
    const watched = this.#roots.get(root);
    if (watched === undefined) return 'gone';
    return watchesFolders ? watched.folders.enter(absolutePath(root, folder)) : 'watched';
  }

  retain(root: WatchedRoot, folders: ReadonlySet<string>): void {
    this.#roots.get(root)?.folders.retain((dir) => folders.has(dir.slice(root.dir.length + 1)));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const root of [...this.#roots.keys()]) await this.close(root);
  }

  #isIgnored(root: WatchedRoot, path: string, isFolder: boolean): boolean {
    const place = placeIn(root, path);
    // Whether a name is a folder is not known yet: ignored only when both answers are the same.
    if (place === undefined || place.name === ignoreFileName) return false;
    if (isFolder) return root.ignores.ignoresFolder(place.folder, place.name);
    return (
      root.ignores.ignoresFolder(place.folder, place.name) &&
      root.ignores.ignoresFile(place.folder, place.name)
    );
  }

  #event(root: WatchedRoot, watched: Watched, event: string, path: string): void {
    this.#burst(root, watched);
    const place = placeIn(root, path);
    if (place === undefined) {
      if (event === 'unlinkDir') this.#hints.rootGone(root);
      return;
    }
    const { folder, name } = place;
    const kind: HintKind | undefined =
      event === 'add' || event === 'change' ? 'touched' : event === 'unlink' ? 'gone' : undefined;
    if (kind !== undefined) this.#hints.file(root, folder, name, kind);
    else if (event === 'addDir') this.#hints.folderIn(root, childOf(folder, name));
    else if (event === 'unlinkDir') this.#hints.folderGone(root, childOf(folder, name));
    this.#hints.flush();
  }

  /** What the system said, whether or not chokidar makes an event of it. */
  #rawEvent(root: WatchedRoot, watched: Watched, path: string): void {
    if (!this.#isIgnored(root, path, false)) this.#burst(root, watched);
  }

  #burst(root: WatchedRoot, watched: Watched): void {
    const now = performance.now();
    if (watched.burstSince === 0) watched.burstSince = now;
    if (watched.timer !== undefined && now - watched.burstSince > burstMaxMs) return;
    clearTimeout(watched.timer);
    watched.timer = setTimeout(() => {
      watched.timer = undefined;
      watched.burstSince = 0;
      if (this.#roots.has(root)) this.#hints.lost(this, root);
    }, burstQuietMs);
  }
}

async function atMost(ms: number, promise: Promise<void>): Promise<void> {
  const end = new AbortController();
  try {
    await Promise.race([promise, delay(ms, undefined, { signal: end.signal })]);
  } finally {
    end.abort();
  }
}

/** @returns undefined for the root itself and for what is outside. */
function placeIn(
  root: WatchedRoot,
  path: string,
): { readonly folder: string; readonly name: string } | undefined {
  if (!path.startsWith(`${root.dir}${sep}`)) return undefined;
  const parts = path.slice(root.dir.length + 1).split(sep);
  const name = parts.pop() as string;
  return { folder: parts.join('/'), name };
}
