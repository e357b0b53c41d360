/** Where a path leads when all links in it are followed, also if its last parts are not there yet. */
import { lstatSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { realPath } from '../../sandbox/real-path.ts';
import { fsPath } from '../../types/path-bytes.ts';

/**
 * @param path Absolute.
 * @returns undefined: a link in it leads to nothing, so that whoever makes its target decides; or a part cannot be entered.
 */
export function leadsTo(path: string): string | undefined {
  const missing: string[] = [];
  for (let at = resolve('/', path); ; at = dirname(at)) {
    const found = realPath(at);
    if (found) return join(found.path, ...missing);
    if (isThere(at)) return undefined;
    missing.unshift(basename(at));
  }
}

function isThere(path: string): boolean {
  try {
    return lstatSync(fsPath(path), { throwIfNoEntry: false }) !== undefined;
  } catch {
    return true;
  }
}
