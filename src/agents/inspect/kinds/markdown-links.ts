/**
 * Which relative links lead to no file. Only names inside the watched root are looked up, one folder at a time and
 * never through a symbolic link: a link in a dropped file must not find out what is elsewhere on the disk.
 */
import { lstat } from 'node:fs/promises';
import { systemCode } from '../../../types/errors.ts';
import { pathToBytes } from '../../../types/path-bytes.ts';
import { bounds } from '../bounds.ts';
import type { Subject } from '../subject.ts';
import type { FoundLink } from './markdown.ts';

export interface CheckedLinks {
  readonly relative: number;
  readonly dead: readonly FoundLink[];
  /** They climb above the root. */
  readonly outside: number;
  /** Beyond the limit, or behind a symbolic link. */
  readonly skipped: number;
}

export async function checkLinks(
  links: readonly FoundLink[],
  { place, signal }: Pick<Subject, 'place' | 'signal'>,
): Promise<CheckedLinks> {
  const relative = links.flatMap(({ line, url }) => {
    const target = relativeTarget(url);
    return target === undefined ? [] : [{ line, url, target }];
  });
  const dead: FoundLink[] = [];
  let outside = 0;
  let skipped = 0;
  const root = place === undefined ? undefined : rootOf(place.path, place.rel);
  const verdicts = new Map<string, Verdict>();
  for (const { line, url, target } of relative) {
    signal.throwIfAborted();
    let verdict = verdicts.get(target);
    if (verdict === undefined) {
      const parts = place === undefined ? undefined : resolveInside(place.rel, target);
      if (parts === undefined) verdict = place === undefined ? 'unknown' : 'outside';
      else if (root === undefined || verdicts.size >= bounds.linksChecked) verdict = 'unknown';
      else verdict = await lookUp(root, parts);
      if (verdicts.size < bounds.linksChecked) verdicts.set(target, verdict);
    }
    if (verdict === 'dead') dead.push({ line, url });
    else if (verdict === 'outside') outside += 1;
    else if (verdict === 'unknown') skipped += 1;
  }
  return { relative: relative.length, dead, outside, skipped };
}

type Verdict = 'there' | 'dead' | 'outside' | 'unknown';

/** The path of a relative link without query and fragment; undefined for any other link. */
function relativeTarget(url: string): string | undefined {
  if (/^(?:[a-z][a-z0-9+.-]*:|[/\\#?])/i.test(url)) return undefined;
  const path = url.replace(/[?#].*$/s, '');
  if (path === '') return undefined;
  try {
    return decodeURIComponent(path);
  } catch {
    return path; // a lone percent sign: the name is meant as it stands
  }
}

/** The steps from the root to the target; undefined when it climbs out. */
function resolveInside(rel: string, target: string): string[] | undefined {
  const parts = rel.split('/').slice(0, -1);
  for (const part of target.split('/')) {
    if (part === '..') {
      if (parts.pop() === undefined) return undefined;
    } else if (part !== '' && part !== '.') parts.push(part);
  }
  return parts;
}

/** The root's folder as bytes: the path without its relative part. */
function rootOf(path: string | Buffer, rel: string): Buffer | undefined {
  const whole = typeof path === 'string' ? Buffer.from(path) : path;
  const end = pathToBytes(rel);
  const cut = whole.length - end.length;
  return cut > 0 && whole.subarray(cut).equals(end) ? whole.subarray(0, cut) : undefined;
}

async function lookUp(root: Buffer, parts: readonly string[]): Promise<Verdict> {
  let path = root;
  for (const [at, part] of parts.entries()) {
    if (part.includes('\0')) return 'dead';
    path = Buffer.concat([path, Buffer.from(at === 0 ? '' : '/'), pathToBytes(part)]);
    try {
      const stat = await lstat(path);
      if (stat.isSymbolicLink()) return at === parts.length - 1 ? 'there' : 'unknown';
    } catch (error) {
      const code = systemCode(error);
      return code === 'ENOENT' || code === 'ENOTDIR' || code === 'ENAMETOOLONG' ? 'dead' : 'unknown';
    }
  }
  return 'there';
}
