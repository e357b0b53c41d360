/**
 * Opens result folders. Every component below the output folder must be a real folder: a link that was planted there
 * would lead our writes elsewhere. One `realpath` of the parent proves that for all components at once and needs no
 * cache of known folders (which a link planted later would deceive); only when it fails are they walked one by one.
 *
 * An input can be a file today and a folder tomorrow, so a component may be the `result.md`, the `outputs/` or the
 * `reviews/` of an older result: that result then goes to the history.
 */
import { chmodSync, mkdirSync, realpathSync } from 'node:fs';
import { join } from 'node:path';
import { systemCode } from '../types/errors.ts';
import type { History } from './history.ts';
import { lookAt } from './move.ts';
import { outputsName, pendingName, receiptName, resultName, reviewsName } from './places.ts';
import { lookInto, ownsFolder } from './standing.ts';

export interface Folders {
  /** The real path of the output folder; as configured while it does not exist. */
  base(): string;
  /** Makes the folder of a place. `fresh`: it is new, nothing stands in it. */
  open(place: readonly string[]): Promise<{ readonly folder: string; readonly fresh: boolean }>;
}

/** Below `files/<root>/<name>`: from here on a component's parent can be a result folder. */
const firstNested = 3;
const ownFolders: readonly string[] = [outputsName, reviewsName];

export function createFolders(o: {
  readonly dir: string;
  readonly folderMode: number;
  readonly history: History;
}): Folders {
  const known: { base?: string } = {};
  const base = (): string => known.base ?? realPath(o.dir) ?? o.dir;

  /** True: made; false: something has the name. */
  const make = (folder: string): boolean => {
    try {
      mkdirSync(folder);
    } catch (error) {
      if (systemCode(error) === 'EEXIST') return false;
      throw error;
    }
    chmodSync(folder, o.folderMode);
    return true;
  };

  /** Frees the name of `folder` when something of an older result has it. */
  const clear = async (parent: string, name: string, nested: boolean): Promise<boolean> => {
    const path = join(parent, name);
    const isFolder = lookAt(path)?.isDirectory() === true;
    const ours = ownFolders.includes(name)
      ? isFolder
      : !isFolder && [resultName, receiptName, pendingName].includes(name);
    if (nested && ours) {
      const standing = lookInto(parent);
      const { owner } = standing;
      const owned = ownFolders.includes(name) ? ownsFolder(owner, name) : owner !== undefined;
      if (owned) await o.history.take(parent, standing);
    }
    const left = lookAt(path);
    if (left !== undefined && !left.isDirectory()) await o.history.displace(path);
    return left?.isDirectory() !== true;
  };

  const walk = async (place: readonly string[]): Promise<{ folder: string; fresh: boolean }> => {
    if (mkdirSync(o.dir, { recursive: true }) !== undefined) chmodSync(o.dir, o.folderMode);
    known.base = realpathSync.native(o.dir);
    let folder = known.base;
    let fresh = false;
    for (const [i, name] of place.entries()) {
      const parent = folder;
      folder = join(parent, name);
      fresh = make(folder) || ((await clear(parent, name, i >= firstNested)) && make(folder));
    }
    return { folder, fresh };
  };

  const open = async (place: readonly string[]): Promise<{ folder: string; fresh: boolean }> => {
    if (known.base === undefined || place.slice(firstNested).some((name) => ownFolders.includes(name)))
      return walk(place);
    const parent = join(known.base, ...place.slice(0, -1));
    if (realPath(parent) !== parent) return walk(place);
    const folder = join(parent, place[place.length - 1] as string);
    try {
      if (make(folder)) return { folder, fresh: true };
    } catch (error) {
      // The parent is a file, or has just been removed.
      if (!['ENOTDIR', 'ENOENT'].includes(systemCode(error) ?? '')) throw error;
    }
    return lookAt(folder)?.isDirectory() ? { folder, fresh: false } : walk(place);
  };

  return { base, open };
}

function realPath(path: string): string | undefined {
  try {
    return realpathSync.native(path);
  } catch {
    return undefined;
  }
}
