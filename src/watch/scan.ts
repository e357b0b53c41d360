/**
 * What is there now, once, for `sluice run`: every file that is not ignored and that nobody is writing; those that
 * somebody is writing come as soon as they are closed. No watches, no rows, no worker: it reads, and is done.
 */
import { setTimeout as delay } from 'node:timers/promises';
import type { RootConfig } from '../config/config.ts';
import type { Change } from '../types/change.ts';
import { AppError, systemCode } from '../types/errors.ts';
import { type FolderListing, readFolder } from './folder-listing.ts';
import { createPortableInspector, type Inspector } from './inspector.ts';
import { loadLibc } from './libc.ts';
import { createNativeInspector } from './native-inspector.ts';
import { markerOf } from './ready-marker.ts';
import { findTargets, type ScanTarget } from './scan-targets.ts';
import { type StampWords, sameStamp, stampOf } from './stamp-words.ts';
import { TimeSlice } from './time-slice.ts';
import { childOf } from './watched-root.ts';

const batchSize = 256;
const lookAgainMs = 200;
/** Where nothing is known about writers: how long size and mtime must stand still. */
const standStillMs = 2_000;
const remoteAgeMs = 60_000;

interface Waiting {
  readonly target: ScanTarget;
  readonly folder: string;
  readonly name: string;
  look?: StampWords;
  /** When `look` was taken, on `performance.now()`. */
  since: number;
}

/**
 * @param o.paths Absolute files or folders under the roots; absent: all of every root.
 * @param o.excluded Absolute folders that are never inputs.
 * @throws AppError when a path is missing or outside every root, when a root is missing, and, after everything else was
 * given, when folders could not be read. Ends early, without an error, when the signal aborts.
 */
export async function* scanOnce(o: {
  readonly roots: readonly RootConfig[];
  readonly paths?: readonly string[];
  readonly excluded: readonly string[];
  readonly signal: AbortSignal;
}): AsyncGenerator<readonly Change[], void, undefined> {
  const targets = findTargets(o);
  const inspector = await createInspector();
  const unread: string[] = [];
  let waiting: Waiting[] = [];
  let batch: Change[] = [];
  const look = (file: Waiting) => {
    const change = settled(file, inspector);
    if (change === 'busy') waiting.push(file);
    else if (change !== undefined) batch.push(change);
  };
  const slice = new TimeSlice();
  for (const { target, folder, name } of filesOf(targets, unread)) {
    if (o.signal.aborted) return;
    look({ target, folder, name, since: 0 });
    if (batch.length >= batchSize) {
      yield batch;
      batch = [];
    } else if (slice.isOver) await slice.pause();
  }
  if (batch.length > 0) yield batch;
  while (waiting.length > 0) {
    await delay(lookAgainMs, undefined, { signal: o.signal }).catch(() => undefined);
    if (o.signal.aborted) return;
    const again = waiting;
    waiting = [];
    batch = [];
    for (const file of again) look(file);
    if (batch.length > 0) yield batch;
  }
  if (unread.length === 0) return;
  const more = unread.length > 1 ? ` and ${unread.length - 1} more` : '';
  throw new AppError('ROOT_UNREADABLE', `Cannot read "${unread[0]}"${more}; everything else was taken`, {
    fix: 'Give the user Sluice runs as the right to read it, or list it in `watch.ignore`.',
  });
}

function* filesOf(
  targets: readonly ScanTarget[],
  unread: string[],
): Iterable<Pick<Waiting, 'target' | 'folder' | 'name'>> {
  for (const target of targets) {
    const { ignores } = target;
    if (target.file !== undefined) {
      yield { target, folder: target.folder, name: target.file };
      continue;
    }
    const stack = [target.folder];
    for (let folder = stack.pop(); folder !== undefined; folder = stack.pop()) {
      const dir = folder === '' ? target.dir : `${target.dir}/${folder}`;
      let listing: FolderListing;
      try {
        listing = readFolder(dir);
      } catch (error) {
        if (systemCode(error) !== 'ENOENT' && systemCode(error) !== 'ENOTDIR') unread.push(dir);
        continue;
      }
      ignores.load(folder, listing.files);
      for (const name of listing.files)
        if (!ignores.ignoresFile(folder, name)) yield { target, folder, name };
      for (const name of listing.folders)
        if (!ignores.ignoresFolder(folder, name)) stack.push(childOf(folder, name));
    }
  }
}

/** The change when the file has settled, `busy` when somebody may be writing it, undefined when it is no input (any more). */
function settled(file: Waiting, inspector: Inspector): Change | 'busy' | undefined {
  const { target, folder, name } = file;
  const dir = folder === '' ? target.dir : `${target.dir}/${folder}`;
  const path = `${dir}/${name}`;
  const { ready, settle } = target.root;
  if (ready !== undefined && inspector.stat(`${dir}/${markerOf(ready, name)}`) !== 'file') return undefined;
  if (inspector.stat(path) !== 'file') return undefined;
  const writers = settle.kind === 'quiet' || target.remote ? 'unknown' : inspector.writers(path);
  if (writers === 'some') return 'busy';
  if (writers === 'none') {
    if (inspector.stat(path) !== 'file') return undefined;
  } else {
    const quietMs = settle.kind === 'quiet' ? settle.quietMs : standStillMs;
    if (!standsStill(file, inspector, quietMs, target.remote ? Math.max(quietMs, remoteAgeMs) : quietMs))
      return 'busy';
  }
  return {
    type: 'added',
    root: target.root.name,
    path: childOf(folder, name),
    stamp: stampOf(inspector.words),
    found: 'sweep',
  };
}

function standsStill(file: Waiting, inspector: Inspector, quietMs: number, trustedAgeMs: number): boolean {
  const now = performance.now();
  if (file.look !== undefined && sameStamp(inspector.words, file.look)) return now - file.since >= quietMs;
  if (file.look === undefined && Date.now() - inspector.youngestMs >= trustedAgeMs) return true;
  file.look = inspector.words.slice();
  file.since = now;
  return false;
}

async function createInspector(): Promise<Inspector> {
  try {
    return createNativeInspector(await loadLibc());
  } catch {
    return createPortableInspector();
  }
}
