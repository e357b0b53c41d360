/**
 * Every entry of a tree, folders before what is in them, links not followed. Written for this because `fs.readdir` with
 * `recursive` cannot leave a folder out, follows nothing it is told about names that are no text, and reads it all at once.
 */
import { readdirSync } from 'node:fs';
import { systemCode } from '../types/errors.ts';
import { fsPath, pathFromBytes } from '../types/path-bytes.ts';
import { below, type Look, lookAt } from './look.ts';
import type { Skipped } from './snapshot.ts';
import type { Slice } from './turns.ts';

export interface Found {
  readonly path: string;
  readonly look: Look;
}

export interface WalkOptions {
  readonly dir: string;
  readonly slice: Slice;
  /** False: neither it nor what is below it is shown. */
  readonly wants: (path: string, look: Look) => boolean;
  readonly skip: (skipped: Skipped) => void;
}

/** @throws when `dir` itself cannot be read. */
export async function* walk({ dir, slice, wants, skip }: WalkOptions): AsyncGenerator<Found[]> {
  const open = [''];
  for (let folder = open.pop(); folder !== undefined; folder = open.pop()) {
    const found: Found[] = [];
    const folders: string[] = [];
    for (const name of namesIn(dir, folder, skip)) {
      const path = below(folder, name);
      const look = tryLook(dir, path, skip);
      if (look === undefined || !wants(path, look)) continue;
      found.push({ path, look });
      if (look.kind === 'folder') folders.push(path);
      if (slice.isOver) await slice.pause();
    }
    open.push(...folders.reverse());
    yield found;
  }
}

function namesIn(dir: string, folder: string, skip: WalkOptions['skip']): string[] {
  try {
    return readdirSync(fsPath(below(dir, folder)), { encoding: 'buffer' })
      .map(pathFromBytes)
      .sort();
  } catch (error) {
    const why = whySkipped(error);
    if (folder === '' || why === undefined) throw error;
    if (why !== 'gone') skip({ path: folder, why });
    return [];
  }
}

function tryLook(dir: string, path: string, skip: WalkOptions['skip']): Look | undefined {
  try {
    return lookAt(below(dir, path));
  } catch (error) {
    const why = whySkipped(error);
    if (why === undefined) throw error;
    if (why !== 'gone') skip({ path, why });
    return undefined;
  }
}

/** @returns undefined for errors that are about more than one path. */
export function whySkipped(error: unknown): 'gone' | Exclude<Skipped['why'], 'special'> | undefined {
  switch (systemCode(error)) {
    case 'ENOENT':
    case 'ENOTDIR':
      return 'gone';
    case 'EACCES':
    case 'EPERM':
    case 'EIO':
    case 'ELOOP':
      return 'unreadable';
    case 'ENAMETOOLONG':
      return 'name too long';
    default:
      return undefined;
  }
}
