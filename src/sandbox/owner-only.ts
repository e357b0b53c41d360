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
/** A look is good for so many times as long as it took: at most 5 % of the time goes into it. */
const keptFactor = 20;
/** Made by others, public, and many. */
const passedOver = /\/(node_modules|site-packages|\.git\/objects)$/;

export class OwnerOnlyFinder {
  readonly #known = new Map<string, { readonly found: Promise<OwnerOnly>; untilMono: number }>();
  readonly #now: () => number;

  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
  }

  /** @param results A folder of ours that may be very large: looked at last, and not far. */
  find(places: readonly Place[], results: readonly string[] = []): Promise<OwnerOnly> {
    const key = JSON.stringify([places, results]);
    const known = this.#known.get(key);
    if (known !== undefined && this.#now() < known.untilMono) return known.found;
    if (this.#known.size > 50) this.#known.clear();
    const startedMono = this.#now();
    const found = look(places, new Set(results));
    const entry = { found, untilMono: Number.POSITIVE_INFINITY };
    this.#known.set(key, entry);
    const settle = () => {
      const tookMs = this.#now() - startedMono;
      entry.untilMono = this.#now() + Math.max(keptAtLeastMs, keptFactor * tookMs);
    };
    found.then(settle, () => this.#known.delete(key));
    return found;
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
