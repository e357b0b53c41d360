/**
 * What an agent did to its copy. A file whose seal is whole was not touched; of the others size, mode and at last content
 * decide, so that a file that was only rewritten as it was is no change. Watching the agent instead was rejected: events
 * can be lost, the tree cannot.
 */
import { AppError } from '../types/errors.ts';
import { linkTarget } from './copy-file.ts';
import { below, folderOf, type Look, lookAt, sealOf } from './look.ts';
import { haveSameContent } from './same-content.ts';
import type { Snapshot, SnapshotEntry } from './snapshot.ts';
import { folderIno } from './snapshot.ts';
import { Slice } from './turns.ts';
import { walk } from './walk.ts';

export interface FileChange {
  /** Relative to the root, with `/`, as `path-bytes.ts` writes it. */
  readonly path: string;
  readonly change: 'added' | 'changed' | 'removed';
  /** Of the new version; of the old one when it was removed. */
  readonly bytes: number;
}

/** Something that the agent left and that is not put into the tree; what stood there before stays. */
export interface Refused {
  readonly path: string;
  readonly why: 'link' | 'special' | 'unreadable' | 'name too long';
}

export interface Changes {
  readonly files: readonly FileChange[];
  /** New folders, outer ones first, and those that are gone, inner ones first. */
  readonly madeFolders: readonly string[];
  readonly goneFolders: readonly string[];
  readonly refused: readonly Refused[];
}

export interface ChangesOptions {
  readonly rootName: string;
  readonly rootDir: string;
  readonly dir: string;
  readonly copyIno: string;
  readonly snapshot: Snapshot;
  readonly exclude: (path: string, isFolder: boolean) => boolean;
  readonly maxFiles: number;
  readonly signal?: AbortSignal;
}

/** @throws {AppError} `WORKSPACE_LOST`, `OUTPUT_LIMIT`. */
export async function findChanges(o: ChangesOptions): Promise<Changes> {
  const { snapshot } = o;
  if (folderIno(o.dir) !== o.copyIno) throw lost(o.rootName, 'The copy of the tree is gone');
  const slice = new Slice(o.signal);
  const refused: Refused[] = [];
  const present = new Map<string, Look>();
  // What was left out of the copy is left out of the way back: caches and packages that agents make are nobody's work.
  const wants = (path: string, look: Look): boolean =>
    snapshot.has(path) || !o.exclude(path, look.kind === 'folder');
  const skip = (one: Refused): void => void refused.push(one);
  for await (const some of walk({ dir: o.dir, slice, wants, skip })) {
    for (const { path, look } of some) present.set(path, look);
    if (present.size > o.maxFiles + snapshot.size)
      throw new AppError('OUTPUT_LIMIT', `The agent left more than ${present.size - 1} files in its copy`, {
        fix: 'Let it write what nobody needs to $TMPDIR, or list it in `.sluiceignore`.',
      });
  }

  const files: FileChange[] = [];
  const madeFolders: string[] = [];
  for (const [path, look] of present) {
    const entry = snapshot.get(path);
    if (look.kind === 'folder') {
      if (entry?.kind !== 'folder') madeFolders.push(path);
    } else if (look.kind === 'file') {
      if (entry === undefined || entry.kind === 'folder')
        files.push({ path, change: 'added', bytes: look.bytes });
      else if (entry.kind === 'link' || !(await isUntouched(o, path, look, entry)))
        files.push({ path, change: 'changed', bytes: look.bytes });
    } else if (look.kind === 'special') refused.push({ path, why: 'special' });
    else if (entry?.kind !== 'link' || entry.target !== linkTarget(below(o.dir, path)))
      refused.push({ path, why: 'link' });
    if (slice.isOver) await slice.pause();
  }

  const inTheWay = new Set(refused.map(({ path }) => path));
  const goneFolders: string[] = [];
  for (const [path, entry] of snapshot) {
    const now = present.get(path);
    if (entry.kind === 'folder' ? now?.kind === 'folder' : now && now.kind !== 'folder') continue;
    if (levels(path).some((level) => inTheWay.has(level))) continue;
    if (entry.kind === 'folder') goneFolders.push(path);
    else files.push({ path, change: 'removed', bytes: entry.kind === 'file' ? entry.bytes : 0 });
  }
  refuseEmptied(o, present);
  files.sort((a, b) => (a.path < b.path ? -1 : 1));
  return { files, madeFolders, goneFolders: goneFolders.reverse(), refused };
}

async function isUntouched(
  o: ChangesOptions,
  path: string,
  look: Look,
  entry: Extract<SnapshotEntry, { kind: 'file' }>,
): Promise<boolean> {
  if (sealOf(look) === entry.seal) return true;
  if (look.bytes !== entry.bytes || look.mode !== entry.mode) return false;
  const original = below(o.rootDir, path);
  // Nobody knows any more what was copied: said to be changed, it will be refused rather than lost.
  if (lookAt(original)?.stamp !== entry.source) return false;
  return (await haveSameContent(original, below(o.dir, path))) && lookAt(original)?.stamp === entry.source;
}

/** An agent that removed all it was given did not do its work, whatever it says. One file alone may be meant. */
function refuseEmptied({ rootName, snapshot }: ChangesOptions, present: ReadonlyMap<string, Look>): void {
  let had = 0;
  for (const { kind } of snapshot.values()) if (kind === 'file') had++;
  if (had < 2) return;
  for (const { kind } of present.values()) if (kind === 'file') return;
  throw lost(rootName, `The agent removed all ${had} files of the tree`);
}

function lost(root: string, what: string): AppError {
  return new AppError('WORKSPACE_LOST', `${what}; nothing in root "${root}" was changed`, {
    fix: 'Look at what the agent did (`sluice jobs show`); run it again with `sluice jobs retry`.',
  });
}

function levels(path: string): string[] {
  const found = [path];
  for (let at = folderOf(path); at !== ''; at = folderOf(at)) found.push(at);
  return found;
}
