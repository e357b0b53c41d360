/** Why a path is not an input, for `sluice why`: reads the ignore files on the way to it, needs no watcher. */
import { lstatSync, realpathSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import type { RootConfig } from '../config/config.ts';
import { contains } from '../config/contains.ts';
import { fsPath } from '../types/path-bytes.ts';
import { IgnoreTree, levels } from './ignore-tree.ts';
import { isMarker } from './ready-marker.ts';

export interface IgnoredBy {
  /** As it is written; for `excluded` the folder, for `marker` the root's `ready` pattern. */
  readonly pattern: string;
  /** `default`, `watch[0].ignore`, `<file>:<line>`, `excluded`, `marker`, `not a regular file`. */
  readonly source: string;
}

/**
 * @param path Relative to the root, with `/`; need not exist.
 * @param excluded Absolute folders that are never inputs.
 * @param index Of the root in the configuration, for the words of the answer.
 * @returns undefined when nothing ignores it.
 */
export async function explainIgnored(
  root: RootConfig,
  path: string,
  excluded: readonly string[],
  index?: number,
): Promise<IgnoredBy | undefined> {
  const dir = realPath(root.dir);
  const file = join(dir, path);
  const bar = excluded.find((folder) => [folder, realPath(folder)].some((bad) => contains(bad, file)));
  if (bar !== undefined) return { pattern: bar, source: 'excluded' };
  const label = index === undefined ? 'watch.ignore' : `watch[${index}].ignore`;
  const tree = new IgnoreTree({ root, dir, barred: new Set(), label });
  for (const level of levels(path)) {
    if (level !== '') {
      const isFolder = level !== path || kindOf(join(dir, level)) === 'folder';
      const above = dirname(level);
      const verdict = tree.verdict(above === '.' ? '' : above, basename(level), isFolder);
      if (verdict.ignored) return verdict.line ?? { pattern: level, source: 'default' };
    }
    if (level !== path) tree.load(level);
  }
  if (root.ready !== undefined && isMarker(root.ready, basename(path)))
    return { pattern: root.ready, source: 'marker' };
  if (kindOf(file) === 'other') return { pattern: path, source: 'not a regular file' };
  return undefined;
}

/** Without symbolic links; the path itself when it does not exist. */
export function realPath(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    return path;
  }
}

function kindOf(path: string): 'folder' | 'file' | 'other' | undefined {
  try {
    const stats = lstatSync(fsPath(path));
    return stats.isDirectory() ? 'folder' : stats.isFile() ? 'file' : 'other';
  } catch {
    // Not there, below what is a file by now, or out of reach: what the patterns say of it is all there is.
    return undefined;
  }
}
