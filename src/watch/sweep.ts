/**
 * The sweep: what makes every source exact. First a walk (watch each folder, read it, compare with its row), which needs
 * no answer from anybody and says which folders do not look as their rows say; then the ledger is asked about those, many
 * at a time, and what it does not know goes to the settle stage, what it knows and is not there is looked for as removed.
 * The answer becomes the row. Holding the listings between the two was rejected: folders are read twice instead, and the
 * memory stays that of their names.
 */
import { systemCode } from '../types/errors.ts';
import { type FolderListing, readFolder } from './folder-listing.ts';
import type { FolderRow, FolderRows } from './folder-rows.ts';
import type { Inspector } from './inspector.ts';
import type { Memory } from './memory.ts';
import type { Outbox } from './outbox.ts';
import type { Settle } from './settle.ts';
import { sameStamp, wordsPerStamp, writeFormattedStamp } from './stamp-words.ts';
import { TimeSlice } from './time-slice.ts';
import {
  absolutePath,
  canBeRead,
  childOf,
  kindOfFolder,
  noteFolderTime,
  type WatchedRoot,
} from './watched-root.ts';

const foldersPerQuestion = 64;
const filesPerRoomCheck = 256;

export interface SweepParts {
  readonly inspector: Inspector;
  readonly rows: FolderRows;
  readonly memory: Memory;
  readonly settle: Settle;
  readonly outbox: Outbox;
  readonly ask: (root: string, folders: readonly string[]) => Promise<readonly ReadonlyMap<string, string>[]>;
}

export interface WalkResult {
  /** Folders that do not look as their row says. */
  readonly dirty: string[];
  readonly files: number;
  readonly folders: ReadonlySet<string>;
  /** Folders that could not be read, with the system's error. */
  readonly unread: ReadonlyMap<string, string>;
}

/**
 * Watches, reads and compares folders.
 * @param from Where to begin; with `deep` everything below as well.
 */
export async function walk(
  root: WatchedRoot,
  from: readonly string[],
  o: { readonly deep: boolean; readonly parts: SweepParts; readonly onNewFolder?: (folder: string) => void },
): Promise<WalkResult> {
  const { parts } = o;
  const dirty: string[] = [];
  const folders = new Set<string>();
  const unread = new Map<string, string>();
  const stack = [...from];
  const slice = new TimeSlice();
  let files = 0;
  for (let folder = stack.pop(); folder !== undefined; folder = stack.pop()) {
    if (slice.isOver) await slice.pause();
    if (root.closed) break;
    // With `deep` those above were met on the way.
    if (!o.deep && !canBeRead(kindOfFolder(root, folder, parts.inspector))) {
      root.unwatched.delete(folder);
      continue;
    }
    if (root.source.enter(root, folder) === 'limit') root.unwatched.add(folder);
    else root.unwatched.delete(folder);
    if (!canBeRead(noteFolderTime(root, folder, parts.inspector))) continue;
    let listing: FolderListing;
    try {
      listing = readFolder(absolutePath(root, folder));
    } catch (error) {
      const code = systemCode(error) ?? 'UNKNOWN';
      if (code !== 'ENOENT' && code !== 'ENOTDIR') unread.set(folder, code);
      continue;
    }
    folders.add(folder);
    root.ignores.load(folder, listing.files);
    const compared = compare(root, folder, listing, parts);
    files += compared.files;
    if (!compared.clean) dirty.push(folder);
    for (const name of listing.folders) {
      if (root.ignores.ignoresFolder(folder, name)) continue;
      const child = childOf(folder, name);
      if (o.deep) stack.push(child);
      else o.onNewFolder?.(child);
    }
  }
  return { dirty, files, folders, unread };
}

/** Folders of the last walk in which a name came or went since, or whose changes the ledger has not confirmed. */
export async function changedFolders(
  root: WatchedRoot,
  { inspector, memory }: SweepParts,
): Promise<string[]> {
  const found = new Set(memory.touchedIn(root.config.name));
  const slice = new TimeSlice();
  for (const [folder, time] of root.folderTimes) {
    if (slice.isOver) await slice.pause();
    if (kindOfFolder(root, folder, inspector) !== 'folder' || inspector.youngestMs !== time)
      found.add(folder);
  }
  return [...found];
}

/** Folders that have rows but were not met by a full walk: gone, ignored by now, or unreadable. */
export function unmet(root: WatchedRoot, walked: WalkResult, rows: FolderRows): string[] {
  const found: string[] = [];
  for (const folder of rows.list(root.config.name)) {
    if (walked.folders.has(folder)) continue;
    if ([...walked.unread.keys()].some((bad) => folder === bad || bad === '' || folder.startsWith(`${bad}/`)))
      continue;
    found.push(folder);
  }
  return found;
}

/** Asks the ledger about folders, hands what it does not know to the settle stage, and writes their rows. */
export async function reconcile(
  root: WatchedRoot,
  folders: readonly string[],
  parts: SweepParts,
): Promise<void> {
  const { memory, outbox, rows } = parts;
  const name = root.config.name;
  const slice = new TimeSlice();
  for (let at = 0; at < folders.length; at += foldersPerQuestion) {
    const chunk = folders.slice(at, at + foldersPerQuestion);
    for (const folder of chunk) memory.asking(name, folder);
    const answers = await parts.ask(name, chunk);
    const written: [string, FolderRow][] = [];
    for (const [index, folder] of chunk.entries()) {
      if (root.closed || root.state === 'missing') return;
      const row = await reconcileFolder(root, folder, answers[index] ?? new Map(), parts);
      if (row !== 'unread') written.push([folder, row]);
      await outbox.room();
      if (slice.isOver) await slice.pause();
    }
    rows.together(() => {
      for (const [folder, row] of written) {
        if (row.names === '' && !row.stale) rows.delete(name, folder);
        else rows.put(name, folder, row);
        memory.forgetFolder(name, folder);
      }
    });
    outbox.flush();
  }
}

function compare(
  root: WatchedRoot,
  folder: string,
  listing: FolderListing,
  { rows, inspector }: SweepParts,
): { readonly clean: boolean; readonly files: number } {
  const row = rows.get(root.config.name, folder);
  // Not even a row: what is ignored comes out when the ledger is asked.
  if (row === undefined) return { clean: listing.files.length === 0, files: listing.files.length };
  if (row.stale || row.rules !== root.ignores.version(folder)) {
    const files = listing.files.filter((name) => !root.ignores.ignoresFile(folder, name)).length;
    return { clean: false, files };
  }
  const { names, words } = row;
  const count = words.length / wordsPerStamp;
  let files = 0;
  let clean = true;
  inspector.enter(absolutePath(root, folder));
  if (listing.files.length === count && listing.files.join('/') === names) {
    files = count;
    for (let i = 0; i < count && clean; i++)
      clean =
        inspector.stat(listing.files[i] as string) === 'file' &&
        sameStamp(inspector.words, words, i * wordsPerStamp);
  } else {
    const index = new Map(names === '' ? [] : names.split('/').map((name, i) => [name, i * wordsPerStamp]));
    let met = 0;
    for (const name of listing.files) {
      const at = index.get(name);
      if (at === undefined) {
        if (root.ignores.ignoresFile(folder, name)) continue;
        clean = false;
      } else {
        met++;
        clean &&= inspector.stat(name) === 'file' && sameStamp(inspector.words, words, at);
      }
      files++;
    }
    clean &&= met === count;
  }
  inspector.leave();
  return { clean, files };
}

async function reconcileFolder(
  root: WatchedRoot,
  folder: string,
  known: ReadonlyMap<string, string>,
  { inspector, memory, outbox, settle }: SweepParts,
): Promise<FolderRow | 'unread'> {
  let listing: FolderListing = { files: [], folders: [] };
  try {
    if (canBeRead(kindOfFolder(root, folder, inspector))) listing = readFolder(absolutePath(root, folder));
  } catch (error) {
    const code = systemCode(error);
    if (code !== 'ENOENT' && code !== 'ENOTDIR') return 'unread';
  }
  const rootName = root.config.name;
  const names: string[] = [];
  const words = new Uint32Array(known.size * wordsPerStamp);
  const claim = (name: string) => {
    const stamp = known.get(name);
    if (stamp !== undefined && writeFormattedStamp(stamp, words, names.length * wordsPerStamp))
      names.push(name);
  };
  const found: string[] = [];
  inspector.enter(absolutePath(root, folder));
  for (const name of listing.files) {
    const at = names.length * wordsPerStamp;
    claim(name);
    const claimed = names.length * wordsPerStamp > at;
    if (root.ignores.ignoresFile(folder, name)) continue;
    if (inspector.stat(name) !== 'file') continue;
    const now = performance.now();
    if (claimed && sameStamp(inspector.words, words, at)) {
      memory.confirm(rootName, folder, name);
      continue;
    }
    const recent = memory.recent(rootName, folder, name, now);
    if (recent === undefined || recent === 'removed' || !sameStamp(inspector.words, recent)) found.push(name);
  }
  inspector.leave();
  const present = new Set(known.size > 0 ? listing.files : []);
  for (const name of known.keys()) {
    if (present.has(name)) continue;
    // Stays in the row until the ledger has forgotten it: a crash must not lose the removal.
    claim(name);
    settle.missing(root, folder, name, performance.now());
  }
  // Handed over, and gone before the ledger had it: it will have it, so it must hear of the end as well.
  const unconfirmed = memory.unconfirmedIn(rootName, folder, performance.now());
  const listed = new Set(unconfirmed.length > 0 ? listing.files : []);
  for (const name of unconfirmed)
    if (!listed.has(name) && !known.has(name)) settle.missing(root, folder, name, performance.now());
  const how = root.lastSweepAt === undefined ? 'first_sweep' : 'sweep';
  for (const [index, name] of found.entries()) {
    if (index % filesPerRoomCheck === 0) await outbox.room();
    settle.found(root, folder, name, how, performance.now());
  }
  memory.flush();
  return {
    names: names.join('/'),
    words: words.subarray(0, names.length * wordsPerStamp),
    rules: root.ignores.version(folder),
    // What the ledger is yet to confirm is asked about again, also when the folder has gone by then.
    stale: memory.isTouched(rootName, folder) || unconfirmed.length > 0,
  };
}
