/** Where a path leads, link by link: a mount goes to the real place, and links that lie in a hidden folder are made anew. */
import { lstatSync, readlinkSync, type Stats } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fsPath, pathFromBytes } from '../types/path-bytes.ts';

export interface RealPath {
  readonly path: string;
  readonly stat: Stats;
  /** The symbolic links on the way: where each lies, with its own real folder, and what stands in it. */
  readonly links: readonly { readonly path: string; readonly target: string }[];
}

const maxLinks = 40;

/**
 * @param path Absolute.
 * @returns undefined when nothing is there, or it may not be looked at.
 */
export function realPath(path: string): RealPath | undefined {
  const links: { path: string; target: string }[] = [];
  let pending = wordsOf(resolve('/', path));
  let at = '/';
  try {
    let stat = lstatSync('/');
    while (pending.length > 0) {
      const [word = '', ...rest] = pending;
      pending = rest;
      if (word === '..') {
        at = dirname(at);
        stat = lstatSync(fsPath(at));
        continue;
      }
      const next = join(at, word);
      stat = lstatSync(fsPath(next));
      if (!stat.isSymbolicLink()) {
        at = next;
        continue;
      }
      if (links.length >= maxLinks) return undefined;
      const target = pathFromBytes(readlinkSync(fsPath(next), 'buffer'));
      links.push({ path: next, target });
      if (target.startsWith('/')) at = '/';
      pending = [...wordsOf(target), ...rest];
      stat = lstatSync(fsPath(at));
    }
    return { path: at, stat, links };
  } catch {
    return undefined;
  }
}

function wordsOf(path: string): string[] {
  return path.split('/').filter((word) => word !== '' && word !== '.');
}
