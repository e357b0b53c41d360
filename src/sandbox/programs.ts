/**
 * What programs on PATH need, where PATH leads into a folder that is hidden (`~/.nvm/…/bin`, `~/.local/bin`): the folder
 * itself, the installation around a `bin`, and what links in it point to. Showing the whole home for their sake was
 * rejected: keys and mail lie there.
 */
import { readdirSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { contains } from '../config/contains.ts';
import { fsPath, pathFromBytes } from '../types/path-bytes.ts';
import type { Mount } from './mounts.ts';
import { type RealPath, realPath } from './real-path.ts';

export interface ProgramPlaces {
  readonly mounts: readonly Mount[];
  /** Installations that are shown whole: what their owner alone may read must be hidden in them. */
  readonly prefixes: readonly string[];
}

const binNames = new Set(['bin', 'sbin', 'shims']);
const maxLinks = 200;

/**
 * @param folders Of PATH, and absolute paths of single programs.
 * @param hidden Real paths of the folders that are not shown.
 * @param homes Real paths of home folders: never shown as an installation.
 */
export function programPlaces(
  folders: readonly string[],
  programs: readonly string[],
  hidden: readonly string[],
  homes: readonly string[],
): ProgramPlaces {
  const mounts: Mount[] = [];
  const prefixes = new Set<string>();
  const isHidden = (path: string) => hidden.some((folder) => contains(folder, path));
  const show = (path: string) => void mounts.push({ kind: 'visible', path });
  const isTooMuch = (path: string) =>
    basename(path) === '.local' || hidden.some((folder) => contains(path, folder)) || homes.includes(path);
  const showPrefix = (path: string): boolean => {
    if (isTooMuch(path)) return false;
    prefixes.add(path);
    show(path);
    return true;
  };
  const showProgram = (path: string) => {
    const modules = path.indexOf('/node_modules/');
    if (modules > 0) show(path.slice(0, modules + '/node_modules'.length));
    else if (!(binNames.has(basename(dirname(path))) && showPrefix(dirname(dirname(path))))) show(path);
  };
  for (const folder of folders) {
    const found = realPath(folder);
    if (found === undefined || !found.stat.isDirectory()) continue;
    mounts.push(...linkMounts(found));
    if (!isHidden(found.path) || isTooMuch(found.path)) continue;
    show(found.path);
    const prefix = dirname(found.path);
    const isShownWhole = binNames.has(basename(found.path)) && showPrefix(prefix);
    if (!isShownWhole && basename(prefix) === '.local' && realPath(join(prefix, 'lib')) !== undefined)
      show(join(prefix, 'lib'));
    for (const target of linkTargets(found.path))
      if (isHidden(target) && !contains(isShownWhole ? prefix : found.path, target)) showProgram(target);
  }
  for (const program of programs) {
    const found = realPath(program);
    if (found === undefined) continue;
    mounts.push(...linkMounts(found));
    if (isHidden(found.path)) showProgram(found.path);
  }
  return { mounts, prefixes: [...prefixes] };
}

export function linkMounts({ links }: RealPath): Mount[] {
  return links.map(({ path, target }) => ({ kind: 'link', path, target }));
}

function linkTargets(folder: string): string[] {
  const links = entriesOf(folder).filter((entry) => entry.isSymbolicLink());
  return links.slice(0, maxLinks).flatMap((entry) => {
    const found = realPath(join(folder, pathFromBytes(entry.name)));
    return found?.stat.isFile() ? [found.path] : [];
  });
}

function entriesOf(folder: string) {
  try {
    return readdirSync(fsPath(folder), { withFileTypes: true, encoding: 'buffer' });
  } catch {
    return [];
  }
}
