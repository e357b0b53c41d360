/**
 * The copy of a tree that one attempt works on. The tree is listed first, so that one that is too large is refused before
 * the first byte is copied; then small files are copied in a row and large ones beside each other. `fs.cp` was rejected:
 * it copies devices, is slow, and cannot say what it copied. Overlay mounts were rejected: they need rights we do not have.
 */
import { chmodSync, constants, copyFileSync, mkdirSync, realpathSync, rmSync } from 'node:fs';
import { formatBytes } from '../types/bytes.ts';
import { AppError, messageOf, systemCode } from '../types/errors.ts';
import { fsPath, pathFromBytes } from '../types/path-bytes.ts';
import { copyLink, copyStill, linkTarget } from './copy-file.ts';
import { below, folderOf, type Look, lookAt, sealOf } from './look.ts';
import { folderId, type Skipped, type SnapshotEntry } from './snapshot.ts';
import { eachOf, Slice } from './turns.ts';
import { type Found, walk, whySkipped } from './walk.ts';

const largeBytes = 256 * 1024;
const largeAtOnce = 3;

export interface CopyTreeOptions {
  readonly name: string;
  readonly from: string;
  /** An empty folder. */
  readonly into: string;
  /** Copied even where they are excluded. */
  readonly inputs: readonly string[];
  readonly exclude: (path: string, isFolder: boolean) => boolean;
  /** Never entered, whatever else is said: our own. */
  readonly barred: readonly string[];
  readonly maxFiles: number;
  readonly maxBytes: number;
  readonly signal?: AbortSignal;
}

export interface CopiedTree {
  readonly entries: Map<string, SnapshotEntry>;
  readonly skipped: readonly Skipped[];
  /** Without those whose blocks are shared. */
  readonly copiedBytes: number;
}

/** @throws {AppError} `WORKSPACE_TOO_LARGE`; and what the file system throws. */
export async function copyTree(o: CopyTreeOptions): Promise<CopiedTree> {
  o.signal?.throwIfAborted();
  const slice = new Slice(o.signal);
  const skipped: Skipped[] = [];
  const skip = (one: Skipped): void => void skipped.push(one);
  const found = await list(o, slice, skip);
  const copiedBytes = bytesToCopy(o, found);
  if (copiedBytes > o.maxBytes)
    throw tooLarge(o, `${formatBytes(copiedBytes)}, and a copy may have ${formatBytes(o.maxBytes)}`);

  const entries = new Map<string, SnapshotEntry>();
  const large: Found[] = [];
  for (const one of found) {
    if (one.look.kind === 'file' && one.look.bytes > largeBytes) large.push(one);
    else await copyOne(o, one, entries, skip);
    if (slice.isOver) await slice.pause();
  }
  await eachOf(large, largeAtOnce, async (one) => {
    o.signal?.throwIfAborted();
    await copyOne(o, one, entries, skip);
  });
  await settle(o.into, entries);
  return { entries, skipped, copiedBytes };
}

async function list(o: CopyTreeOptions, slice: Slice, skip: (s: Skipped) => void): Promise<Found[]> {
  const found: Found[] = [];
  const barred = new Set(o.barred.map(folderId));
  const wanted = new Set(o.inputs.flatMap(withFolders));
  const outside = new Set<string>();
  const wants = (path: string, look: Look): boolean => {
    const isFolder = look.kind === 'folder';
    if (isFolder && barred.has(`${look.dev}-${look.ino}`)) return false;
    if (look.kind === 'special') {
      skip({ path, why: 'special' });
      return false;
    }
    const isOutside = outside.has(folderOf(path)) || o.exclude(path, isFolder);
    if (isOutside && !wanted.has(path)) return false;
    if (isOutside && isFolder) outside.add(path);
    return true;
  };
  for await (const some of walk({ dir: o.from, slice, wants, skip })) {
    found.push(...some);
    if (found.length > o.maxFiles)
      throw tooLarge(o, `more than ${o.maxFiles.toLocaleString('en')} files and folders`);
  }
  return found;
}

/** Files on a file system that shares blocks with ours cost nothing. Tried with one file of each, not guessed by name. */
function bytesToCopy(o: CopyTreeOptions, found: readonly Found[]): number {
  const shares = new Map<bigint, boolean>();
  let bytes = 0;
  for (const { path, look } of found) {
    if (look.kind !== 'file' || look.bytes === 0) continue;
    let isShared = shares.get(look.dev);
    if (isShared === undefined) {
      isShared = canShare(below(o.from, path), below(o.into, '.probe'));
      if (isShared !== undefined) shares.set(look.dev, isShared);
    }
    if (!isShared) bytes += look.bytes;
  }
  return bytes;
}

/** @returns undefined when this file cannot tell. */
function canShare(from: string, probe: string): boolean | undefined {
  try {
    copyFileSync(fsPath(from), fsPath(probe), constants.COPYFILE_FICLONE_FORCE);
    return true;
  } catch (error) {
    return whySkipped(error) === undefined ? false : undefined;
  } finally {
    rmSync(fsPath(probe), { force: true });
  }
}

async function copyOne(
  o: CopyTreeOptions,
  { path, look }: Found,
  entries: Map<string, SnapshotEntry>,
  skip: (s: Skipped) => void,
): Promise<void> {
  const to = below(o.into, path);
  try {
    if (look.kind === 'folder') {
      // The copy is ours: whatever the original says, we must be able to write into it and to remove it.
      mkdirSync(fsPath(to), { mode: look.mode | 0o700 });
      chmodSync(fsPath(to), look.mode | 0o700);
      entries.set(path, { kind: 'folder', mode: look.mode });
    } else if (look.kind === 'link') {
      copyLink(below(o.from, path), to);
      entries.set(path, { kind: 'link', source: look.stamp, target: linkTarget(to) });
    } else {
      const source = await copyStill(below(o.from, path), to);
      const copy = source && lookAt(to);
      if (!copy) return skip({ path, why: 'unreadable' });
      const { stamp, mode, bytes } = source;
      entries.set(path, { kind: 'file', source: stamp, seal: sealOf(copy), mode, bytes });
    }
  } catch (error) {
    const why = whySkipped(error);
    if (why === undefined) throw error;
    if (why !== 'gone') skip({ path, why });
  }
}

/**
 * Clocks of file systems tick every few milliseconds: a write in the tick of the copy would not change its seal. So the
 * next tick is waited for; where that takes long, the seals of the last tick are worth nothing.
 */
async function settle(into: string, entries: Map<string, SnapshotEntry>): Promise<void> {
  chmodSync(fsPath(into), 0o700);
  const last = ctimeOf(into);
  for (const end = performance.now() + 50; performance.now() < end; ) {
    chmodSync(fsPath(into), 0o700);
    if (ctimeOf(into) > last) return;
    await new Promise((done) => setTimeout(done, 1));
  }
  for (const [path, entry] of entries)
    if (entry.kind === 'file' && (lookAt(below(into, path))?.ctimeNs ?? last) >= last)
      entries.set(path, { ...entry, seal: '' });
}

function ctimeOf(folder: string): bigint {
  return lookAt(folder)?.ctimeNs ?? 0n;
}

function tooLarge({ name }: CopyTreeOptions, what: string): AppError {
  return new AppError(
    'WORKSPACE_TOO_LARGE',
    `The tree of root "${name}" is too large to be copied: ${what}`,
    {
      fix: 'Watch a smaller folder, list what agents need not see in `.sluiceignore`, or give the agent `workspace: in_place`.',
    },
  );
}

/** `a`, `a/b`, `a/b/c` for `a/b/c`. */
function withFolders(path: string): string[] {
  const levels = [path];
  for (let at = folderOf(path); at !== ''; at = folderOf(at)) levels.push(at);
  return levels;
}

/** @returns the folder without symbolic links. @throws {AppError} `ROOT_MISSING`, `ROOT_UNREADABLE`. */
export function realFolder(name: string, dir: string): string {
  try {
    const real = pathFromBytes(realpathSync(fsPath(dir), { encoding: 'buffer' }));
    if (lookAt(real)?.kind === 'folder') return real;
  } catch (error) {
    if (!['ENOENT', 'ENOTDIR'].includes(systemCode(error) ?? ''))
      throw new AppError('ROOT_UNREADABLE', `Cannot read root "${name}": ${messageOf(error)}`, {
        cause: error,
        fix: `Let the user of Sluice read "${dir}".`,
      });
  }
  throw new AppError('ROOT_MISSING', `The folder of root "${name}" is not there: "${dir}"`, {
    fix: 'Make the folder, or take the root out of `watch`.',
  });
}
