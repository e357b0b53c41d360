/**
 * Keeps one root watched: takes it up when it appears, sweeps it when that is due (at the start, at intervals, after lost
 * hints, on request), again when it was replaced by another folder, and says what is wrong with it. One loop per root, so
 * that a root whose changes nobody takes does not hold up the others.
 */
import { messageOf } from '../types/errors.ts';
import { checkRoot } from './root-check.ts';
import { type Reporter, reportLimit, reportUnavailable, reportUnread } from './root-conditions.ts';
import { changedFolders, reconcile, type SweepParts, unmet, walk } from './sweep.ts';
import { kindOfFolder, type WatchedRoot } from './watched-root.ts';

/** How often a root is looked for that is missing, or looked at whether it is still the same. */
const checkMs = 1_000;
/** The native source says at once when the folder itself goes. */
const nativeCheckMs = 5_000;
/** Folders without a watch and mounts without events are swept this often, but not for more than a tenth of the time. */
const pollMs = 2_000;
const pollShare = 10;
const lostMs = 50;
const goneFoldersMs = 600;
const retryMs = 5_000;
/** Where the source misses nothing, looking at every file may take up a thousandth of the time; between, only at folders. */
const fullShare = 1_000;

export interface KeeperOptions extends Reporter {
  readonly root: WatchedRoot;
  readonly parts: SweepParts;
  /** The root's folder was found (again), or is another one: ignore rules, mode and source are chosen here. */
  readonly takeUp: (root: WatchedRoot, dir: string) => Promise<void>;
  readonly onNewFolder: (root: WatchedRoot, folder: string) => void;
  readonly onChange: () => void;
}

export class RootKeeper {
  readonly root: WatchedRoot;
  /** The first walk has ended: it is watched, or it cannot be. */
  readonly watching: Promise<void>;
  /** The first sweep has ended, or there is nothing to sweep. */
  readonly swept: Promise<void>;
  readonly #o: KeeperOptions;
  readonly #watching = Promise.withResolvers<void>();
  readonly #swept = Promise.withResolvers<void>();
  readonly #running: Promise<void>;
  #sweepAt = 0;
  /** Sweeps before this time need not look at every file. */
  #fullAt = 0;
  #pollAt = Infinity;
  #goneAt = Infinity;
  #goneFolders = new Set<string>();
  #requests: (() => void)[] = [];
  #checkNow = true;
  /** The source said that the folder went: one that stands there is another, even if it got the same inode. */
  #wentAway = false;
  #wake = Promise.withResolvers<void>();
  #timer: NodeJS.Timeout | undefined;

  constructor(options: KeeperOptions) {
    this.#o = options;
    this.root = options.root;
    this.watching = this.#watching.promise;
    this.swept = this.#swept.promise;
    this.#running = this.#run();
  }

  /** Resolves when a sweep that begins from now on has ended. */
  sweep(): Promise<void> {
    return new Promise((resolve) => {
      this.#requests.push(resolve);
      this.#at(performance.now());
    });
  }

  /** Hints were lost: sweep soon. */
  lost(): void {
    this.#at(performance.now() + lostMs);
  }

  folderGone(folder: string): void {
    this.#goneFolders.add(folder);
    if (this.#goneAt !== Infinity) return;
    this.#goneAt = performance.now() + goneFoldersMs;
    this.#wake.resolve();
  }

  /** The folder itself went: look at once. */
  check(): void {
    this.#checkNow = true;
    this.#wentAway = true;
    this.#wake.resolve();
  }

  /** Ends the loop; the source is closed by who opened it. */
  async close(): Promise<void> {
    this.root.closed = true;
    this.#wake.resolve();
    await this.#running;
  }

  async #run(): Promise<void> {
    while (!this.root.closed) {
      let waitMs = checkMs;
      try {
        if (await this.#check()) {
          const now = performance.now();
          if (now >= this.#sweepAt || this.#requests.length > 0)
            await (this.#isLightDue(now) ? this.#sweepFolders() : this.#sweep());
          else if (now >= this.#goneAt) await this.#reconcileGone();
          else if (now >= this.#pollAt) await this.#sweepUnwatched();
          const next = Math.min(this.#sweepAt, this.#pollAt, this.#goneAt) - performance.now();
          waitMs =
            this.#requests.length > 0
              ? 0
              : Math.max(0, Math.min(this.root.mode === 'native' ? nativeCheckMs : checkMs, next));
        } else {
          this.#finish();
        }
      } catch (error) {
        // The ledger or the accelerator failed for a moment; what was not done is still due.
        this.#sweepAt = performance.now() + retryMs;
        waitMs = retryMs;
        this.root.reason = `the last sweep failed: ${messageOf(error)}`;
      }
      this.#o.onChange();
      await this.#pause(waitMs);
    }
    clearTimeout(this.#timer);
    this.#finish();
  }

  /** Is the root there, readable and the one that is watched? Takes it up when it is not the same. */
  async #check(): Promise<boolean> {
    const { root } = this;
    this.#checkNow = false;
    const wentAway = this.#wentAway;
    this.#wentAway = false;
    const found = await checkRoot(root.config.dir);
    if (root.closed) return false;
    if (found.state !== 'readable') {
      if (root.state !== found.state) this.#unavailable(found.state, found.why);
      return false;
    }
    if (!wentAway && root.state === 'watching' && root.identity === found.identity) return true;
    root.state = 'starting';
    root.identity = found.identity;
    await this.#o.takeUp(root, found.dir);
    this.#o.clear('ROOT_MISSING', root.config.name);
    this.#o.clear('ROOT_UNREADABLE', root.config.name);
    this.#at(0);
    return true;
  }

  #unavailable(state: 'missing' | 'unreadable', why: string): void {
    this.root.state = state;
    delete this.root.identity;
    reportUnavailable(this.root, state, why, this.#o);
  }

  async #sweep(): Promise<void> {
    const requests = this.#requests.splice(0);
    try {
      if (await this.#sweepAll()) for (const resolve of requests.splice(0)) resolve();
    } finally {
      // It failed, or the root went away under it: they wait for the next.
      this.#requests.unshift(...requests);
    }
  }

  /** @returns false when the root went away meanwhile. */
  async #sweepAll(): Promise<boolean> {
    const { root } = this;
    const { parts } = this.#o;
    const start = performance.now();
    this.#sweepAt = Infinity;
    root.folderTimes = new Map();
    const walked = await walk(root, [''], { deep: true, parts });
    if (root.closed) return false;
    if (!walked.folders.has('') && !walked.unread.has('')) {
      // The root itself went away under the walk: nothing was removed from it.
      this.lost();
      return false;
    }
    const gone = unmet(root, walked, parts.rows);
    root.source.retain(root, walked.folders);
    root.folders = walked.folders.size;
    root.files = walked.files;
    root.state = 'watching';
    reportUnread(root, walked.unread, this.#o);
    this.#reportLimit();
    this.#o.onChange();
    this.#watching.resolve();
    const walkMs = performance.now() - start;
    await reconcile(root, [...walked.dirty, ...this.#reallyGone(gone)], parts);
    await parts.outbox.posted();
    parts.settle.tick();
    root.lastSweepAt = Date.now();
    root.lastSweepMs = walkMs;
    const every =
      root.mode === 'poll'
        ? Math.min(root.config.sweepMs, Math.max(pollMs, walkMs * pollShare))
        : root.config.sweepMs;
    // Hints that were lost meanwhile need another full one.
    if (this.#sweepAt === Infinity && root.mode === 'native')
      this.#fullAt = performance.now() + walkMs * fullShare;
    this.#sweepAt = Math.min(this.#sweepAt, performance.now() + every);
    this.#swept.resolve();
    return true;
  }

  /** Only at folders in which something happened: what a source that misses nothing could have missed all the same. */
  async #sweepFolders(): Promise<void> {
    const { root } = this;
    const { parts } = this.#o;
    this.#sweepAt = Infinity;
    const changed = await changedFolders(root, parts);
    const walked = await walk(root, changed, {
      deep: false,
      parts,
      onNewFolder: (folder) => this.#newFolder(folder),
    });
    const gone = changed.filter((folder) => !walked.folders.has(folder) && !walked.unread.has(folder));
    for (const folder of gone) root.folderTimes.delete(folder);
    await reconcile(root, [...walked.dirty, ...this.#reallyGone(gone)], parts);
    parts.settle.tick();
    root.lastSweepAt = Date.now();
    this.#sweepAt = Math.min(this.#sweepAt, performance.now() + root.config.sweepMs);
  }

  #isLightDue(now: number): boolean {
    return now < this.#fullAt && this.#requests.length === 0;
  }

  #newFolder(folder: string): void {
    if (!this.root.folderTimes.has(folder)) this.#o.onNewFolder(this.root, folder);
  }

  /** Folders for which there is no watch: read them alone, often. */
  async #sweepUnwatched(): Promise<void> {
    const { root } = this;
    const { parts } = this.#o;
    const start = performance.now();
    const walked = await walk(root, [...root.unwatched], {
      deep: false,
      parts,
      onNewFolder: (folder) => this.#newFolder(folder),
    });
    await reconcile(root, walked.dirty, parts);
    parts.settle.tick();
    this.#reportLimit();
    const tookMs = performance.now() - start;
    if (root.unwatched.size > 0) this.#pollAt = performance.now() + Math.max(pollMs, tookMs * pollShare);
  }

  async #reconcileGone(): Promise<void> {
    const { root } = this;
    const { parts } = this.#o;
    const folders = [...this.#goneFolders].flatMap((folder) => parts.rows.below(root.config.name, folder));
    this.#goneFolders.clear();
    this.#goneAt = Infinity;
    // One that stands there again has other files now, or is none of ours.
    const entered = folders.filter(
      (folder) =>
        kindOfFolder(root, folder, parts.inspector) !== 'folder' || root.ignores.entersFolder(folder),
    );
    await reconcile(root, entered, parts);
    parts.settle.tick();
  }

  /**
   * Of folders with rows that were not met: those that do not exist. The others are ignored by now; their rows stay, for
   * what goes from them meanwhile and is asked about when they are not ignored any more.
   */
  #reallyGone(folders: readonly string[]): string[] {
    const { root } = this;
    const { inspector } = this.#o.parts;
    return folders.filter((folder) => kindOfFolder(root, folder, inspector) !== 'folder');
  }

  #reportLimit(): void {
    reportLimit(this.root, this.#o);
    if (this.root.unwatched.size === 0) this.#pollAt = Infinity;
    else if (this.#pollAt === Infinity) this.#pollAt = performance.now() + pollMs;
  }

  /** What waits for a first sweep must not wait for a root that is not there. */
  #finish(): void {
    this.#watching.resolve();
    this.#swept.resolve();
    for (const resolve of this.#requests.splice(0)) resolve();
  }

  #at(time: number): void {
    this.#sweepAt = Math.min(this.#sweepAt, time);
    this.#fullAt = 0;
    this.#wake.resolve();
  }

  async #pause(ms: number): Promise<void> {
    if (this.root.closed || this.#checkNow) return;
    this.#timer = setTimeout(() => this.#wake.resolve(), ms);
    await this.#wake.promise;
    clearTimeout(this.#timer);
    this.#wake = Promise.withResolvers();
  }
}
