/**
 * Files that only their owner may read, below the folders that a confined agent sees: keys, tokens, `.env` files. Found by
 * looking, since their names cannot be known; bounded, and kept for a while, because a look at 10,000 files takes 60 ms.
 * Looking at contents ("does it hold a key?") was rejected: slow, and never right.
 */
import { lstatSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { performance } from 'node:perf_hooks';
import { setImmediate as pause } from 'node:timers/promises';
import { fsPath, pathFromBytes } from '../types/path-bytes.ts';

export interface OwnerOnly {
  /** Folders that hold such files. */
  readonly folders: readonly OwnerOnlyFolder[];
  /** State folders of other projects. */
  readonly states: readonly string[];
  /** False: there was more to look at than `maxFiles`. */
  readonly isComplete: boolean;
}

export interface OwnerOnlyFolder {
  readonly path: string;
  /** Names. */
  readonly files: readonly string[];
  /** Everything else in it: names. */
  readonly others: readonly string[];
}

export interface Place {
  readonly dir: string;
  /** Levels below `dir` that are looked at; 0 is its own files only. */
  readonly depth: number;
}

const maxFiles = 50_000;
const maxResults = 5_000;
const sliceMs = 4;
const keptAtLeastMs = 1_000;
/** A look is good for so many times as long as it took: at most a tenth of the time goes into looks. */
const keptFactor = 20;
/** After this part of that time the next look begins, while the last one is good still: who comes often never waits. */
const keptBefore = 0.5;
/** Made by others, public, and many. */
const passedOver = /\/(node_modules|site-packages|\.git\/objects)$/;

interface Look {
  readonly found: Promise<OwnerOnly>;
  /** When the next one begins; until when this one is good. Neither comes before it has ended. */
  againMono: number;
  untilMono: number;
}

export class OwnerOnlyFinder {
  readonly #known = new Map<string, Look>();
  readonly #now: () => number;

  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
  }

  /** @param results A folder of ours that may be very large: looked at last, and not far. */
  find(places: readonly Place[], results: readonly string[] = []): Promise<OwnerOnly> {
    const key = JSON.stringify([places, results]);
    const known = this.#known.get(key);
    const now = this.#now();
    if (known === undefined || now >= known.untilMono) {
      if (this.#known.size > 50) this.#known.clear();
      const first = this.#look(places, results);
      this.#known.set(key, first);
      first.found.catch(() => this.#known.delete(key));
      return first.found;
    }
    if (now >= known.againMono) {
      known.againMono = Number.POSITIVE_INFINITY;
      const next = this.#look(places, results);
      const take = () => {
        if (this.#known.get(key) === known) this.#known.set(key, next);
      };
      next.found.then(take, () => {});
    }
    return known.found;
  }

  #look(places: readonly Place[], results: readonly string[]): Look {
    const startedMono = this.#now();
    const found = look(places, new Set(results));
    const entry = { found, againMono: Number.POSITIVE_INFINITY, untilMono: Number.POSITIVE_INFINITY };
    const settle = () => {
      const keptMs = Math.max(keptAtLeastMs, keptFactor * (this.#now() - startedMono));
      entry.againMono = this.#now() + keptMs * keptBefore;
      entry.untilMono = this.#now() + keptMs;
    };
    found.then(settle, () => {});
    return entry;
  }

  /** The next look is a new one. */
  forget(): void {
    this.#known.clear();
  }
}

async function look(places: readonly Place[], results: ReadonlySet<string>): Promise<OwnerOnly> {
  const folders: OwnerOnlyFolder[] = [];
  const states: string[] = [];
  const uid = process.getuid?.() ?? 0;
  const seen = new Set<string>();
  const last: Place[] = [];
  let sliceMono = performance.now();
  /** Breadth first: what lies near the top is what people put there. Gives false when there was more than `most`. */
  const walk = async (queue: Place[], most: number, isLast: boolean): Promise<boolean> => {
    let left = most;
    for (let place = queue.shift(); place !== undefined; place = queue.shift()) {
      const { dir, depth } = place;
      if (seen.has(dir)) continue;
      if (left <= 0) return false;
      if (results.has(dir) && !isLast) {
        last.push(place);
        continue;
      }
      seen.add(dir);
      const files: string[] = [];
      const others: string[] = [];
      const entries = await readdir(fsPath(dir), { withFileTypes: true, encoding: 'buffer' }).catch(() => []);
      left -= entries.length;
      for (const entry of entries) {
        const name = pathFromBytes(entry.name);
        const path = `${dir === '/' ? '' : dir}/${name}`;
        if (entry.isDirectory() && name === '.sluice') states.push(path);
        else if (entry.isDirectory() && depth > 0 && !passedOver.test(path))
          queue.push({ dir: path, depth: depth - 1 });
        if (entry.isFile() && isOwnerOnly(path, uid)) files.push(name);
        else others.push(name);
        if (performance.now() - sliceMono > sliceMs) {
          await pause();
          sliceMono = performance.now();
        }
      }
      if (files.length > 0) folders.push({ path: dir, files, others });
    }
    return true;
  };
  const isComplete = await walk([...places], maxFiles, false);
  await walk(last, maxResults, true);
  return { folders, states, isComplete };
}

function isOwnerOnly(path: string, uid: number): boolean {
  try {
    const { mode, uid: owner } = lstatSync(fsPath(path));
    // What belongs to somebody else cannot be read anyway, unless we are root.
    return (mode & 0o077) === 0 && (owner === uid || uid === 0);
  } catch {
    return false;
  }
}
