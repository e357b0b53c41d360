/** From the paths a user names to what has to be read: in which root each lies, below which folder, and whose ignore rules hold. */
import { lstatSync, realpathSync, statSync } from 'node:fs';
import { basename, dirname, join, relative } from 'node:path';
import type { RootConfig } from '../config/config.ts';
import { contains } from '../config/contains.ts';
import { AppError } from '../types/errors.ts';
import { fsPath } from '../types/path-bytes.ts';
import { realPath } from './ignore.ts';
import { IgnoreTree, levels } from './ignore-tree.ts';
import { mountOf } from './mount.ts';

export interface ScanTarget {
  readonly root: RootConfig;
  /** The root's folder without symbolic links. */
  readonly dir: string;
  readonly ignores: IgnoreTree;
  readonly remote: boolean;
  /** Relative to the root. */
  readonly folder: string;
  /** Only this file of it. */
  readonly file?: string;
}

/** Ignored paths give no target: they are no inputs, whoever names them. */
export function findTargets(o: {
  readonly roots: readonly RootConfig[];
  readonly paths?: readonly string[];
  readonly excluded: readonly string[];
}): ScanTarget[] {
  const places = o.roots.map((root) => ({ root, dir: realPath(root.dir) }));
  const open = ({ root, dir }: { root: RootConfig; dir: string }): Omit<ScanTarget, 'folder'> => {
    if (statSync(dir, { throwIfNoEntry: false })?.isDirectory() !== true) {
      throw new AppError('ROOT_MISSING', `Root "${root.name}": the folder "${root.dir}" does not exist`, {
        fix: `Create it (\`mkdir -p '${root.dir}'\`), or correct \`path\` under \`watch\`.`,
      });
    }
    const others = places
      .filter((other) => other.dir !== dir)
      .flatMap((other) => [other.root.dir, other.dir]);
    const barred = new Set([...others, ...o.excluded.flatMap((folder) => [folder, realPath(folder)])]);
    return {
      root,
      dir,
      ignores: new IgnoreTree({ root, dir, barred }),
      remote: mountOf(dir)?.remote ?? false,
    };
  };
  if (o.paths === undefined) return places.map((place) => ({ ...open(place), folder: '' }));
  const named = o.paths.map(resolved);
  const targets: ScanTarget[] = [];
  for (const path of new Set(named)) {
    if (named.some((other) => other !== path && contains(other, path))) continue;
    const place = innermost(path, places);
    if (place === undefined) {
      if (places.some(({ dir }) => contains(path, dir))) continue;
      throw new AppError('USAGE', `"${path}" lies outside every watched root`, {
        fix: `Name a path under one of: ${o.roots.map((root) => root.dir).join(', ')}; or add its folder to \`watch\`.`,
      });
    }
    const target = open(place);
    const relativePath = relative(place.dir, path);
    const stats = lstatSync(fsPath(path));
    // Links, FIFOs and the like are no inputs, whoever names them.
    if (!stats.isFile() && !stats.isDirectory()) continue;
    const isFile = stats.isFile();
    const folder = isFile ? dirname(relativePath).replace(/^\.$/, '') : relativePath;
    for (const level of levels(folder)) if (level !== folder || isFile) target.ignores.load(level);
    if (!target.ignores.entersFolder(folder)) continue;
    if (!isFile) targets.push({ ...target, folder });
    else if (!target.ignores.ignoresFile(folder, basename(path)))
      targets.push({ ...target, folder, file: basename(path) });
  }
  // Roots below a named folder are roots of their own: their files are wanted too.
  for (const place of places) {
    const above = named.some((path) => path !== place.dir && contains(path, place.dir));
    const whole = named.includes(place.dir);
    if (above && !whole) targets.push({ ...open(place), folder: '' });
  }
  return targets;
}

/** The folder's links are resolved, the last name is not: a link that is named is no input. */
function resolved(path: string): string {
  try {
    const stats = lstatSync(fsPath(path));
    if (stats.isDirectory()) return realpathSync(path);
    return join(realpathSync(dirname(path)), basename(path));
  } catch (cause) {
    throw new AppError('NOT_FOUND', `Cannot take in "${path}": it does not exist or cannot be reached`, {
      cause,
      fix: 'Check the spelling; relative paths start at the current folder.',
    });
  }
}

function innermost<T extends { readonly dir: string }>(path: string, places: readonly T[]): T | undefined {
  return places.filter(({ dir }) => contains(dir, path)).sort((a, b) => b.dir.length - a.dir.length)[0];
}
