/**
 * What git runs by itself later, outside of any sandbox: hooks, and the programs that a configuration names. Protecting the
 * whole of `.git` was rejected: agents are asked to commit. So this is against accidents and the ordinary ways; who may
 * write in `.git` can also make another one of it (`commondir`).
 */
import { lstatSync, mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fsPath, pathFromBytes } from '../types/path-bytes.ts';

const maxModules = 50;
const maxLooks = 500;

/** @param dir A folder that may be a work tree. @returns paths that are not to be written; some may not be there. */
export function gitPlaces(dir: string): readonly string[] {
  const git = join(dir, '.git');
  switch (kindOf(git)) {
    case 'folder':
      return [git, ...modulesIn(join(git, 'modules'))].flatMap((one) => [hooksOf(one), join(one, 'config')]);
    case 'link':
      return [join(git, 'hooks'), join(git, 'config')];
    case 'file':
      // It says where the real one is.
      return [git];
    case undefined:
      return [];
  }
}

/** What is not there cannot be protected: it would be made. */
function hooksOf(git: string): string {
  const hooks = join(git, 'hooks');
  try {
    if (kindOf(join(git, 'HEAD')) === 'file') mkdirSync(fsPath(hooks));
  } catch {
    // It is there, or nobody can make it.
  }
  return hooks;
}

/** Repositories of submodules: their names may have slashes. */
function modulesIn(folder: string): string[] {
  const found: string[] = [];
  const open = [folder];
  let looks = 0;
  for (let at = open.pop(); at !== undefined && found.length < maxModules; at = open.pop()) {
    if (++looks > maxLooks) break;
    if (kindOf(join(at, 'HEAD')) === 'file') {
      found.push(at);
      open.push(join(at, 'modules'));
    } else open.push(...foldersIn(at).slice(0, maxModules));
  }
  return found;
}

function foldersIn(folder: string): string[] {
  try {
    return readdirSync(fsPath(folder), { withFileTypes: true, encoding: 'buffer' })
      .filter((entry) => entry.isDirectory())
      .map(({ name }) => join(folder, pathFromBytes(name)));
  } catch {
    return [];
  }
}

function kindOf(path: string): 'folder' | 'file' | 'link' | undefined {
  try {
    const stat = lstatSync(fsPath(path), { throwIfNoEntry: false });
    if (stat?.isSymbolicLink()) return 'link';
    return stat?.isDirectory() ? 'folder' : stat?.isFile() ? 'file' : undefined;
  } catch {
    return undefined;
  }
}
