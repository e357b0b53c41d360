/**
 * Files by globs for `glob()` and `hashFiles()` in expressions, relative to the project folder. Folders of version control
 * and of installed packages are left out unless a pattern names them; our own folders always. Links are not followed.
 */
import { hash } from 'node:crypto';
import { basename, dirname, extname, join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import picomatch from 'picomatch';
import { fingerprint, stampOf } from '../cache/fingerprint.ts';
import type { Config } from '../config/config.ts';
import { globOptions } from '../config/glob.ts';
import type { FileAccess, FileValue } from '../expressions/scope.ts';
import { AppError, messageOf, systemCode } from '../types/errors.ts';
import { type FolderListing, readFolder } from '../watch/folder-listing.ts';

export interface FileAccessOptions {
  readonly config: () => Pick<Config, 'projectDir'>;
  /** Absolute folders that are never looked into. */
  readonly excluded: () => readonly string[];
}

/** Not walked into; a pattern that begins with one of them is. */
const leftOut: ReadonlySet<string> = new Set(['.git', '.hg', '.svn', '.jj', 'CVS', 'node_modules']);
/** `hashFiles()` reads contents: beyond this many files something is wrong with the pattern. */
const HASHED_FILES = 100_000;
const FOLDERS_PER_TURN = 64;

export function createFileAccess(o: FileAccessOptions): FileAccess {
  return {
    async glob(patterns, limit) {
      const { projectDir } = o.config();
      const files: FileValue[] = [];
      for (const rel of await find(projectDir, patterns, limit, o.excluded())) {
        const path = join(projectDir, rel);
        const read = await fingerprint(path);
        if (read.kind === 'unreadable') throw unreadable(rel, read.message);
        // Gone or written to just now: it is not there yet.
        if (read.kind === 'read')
          files.push(fileValue(projectDir, rel, { sha256: read.sha256, bytes: read.stamp.size }));
      }
      return files;
    },
    async hash(patterns) {
      const { projectDir } = o.config();
      const lines: string[] = [];
      for (const rel of await find(projectDir, patterns, HASHED_FILES, o.excluded())) {
        const read = await fingerprint(join(projectDir, rel));
        if (read.kind === 'unreadable') throw unreadable(rel, read.message);
        lines.push(`${JSON.stringify(rel)} ${read.kind === 'read' ? read.sha256 : read.kind}\n`);
      }
      return lines.length === 0 ? '' : hash('sha256', lines.join(''), 'hex');
    },
  };
}

/** @param rel Relative to `rootDir`. */
export function fileValue(
  rootDir: string,
  rel: string,
  { sha256, bytes }: { readonly sha256: string; readonly bytes: number },
): FileValue {
  const path = join(rootDir, rel);
  const name = basename(path);
  const ext = extname(name);
  const stem = ext === '' ? name : name.slice(0, -ext.length);
  return { path, rel, name, stem, ext, dir: dirname(path), root: rootDir, sha256, bytes };
}

async function find(
  projectDir: string,
  patterns: readonly string[],
  limit: number,
  excluded: readonly string[],
): Promise<readonly string[]> {
  const wanted = patterns.filter((pattern) => !isNegation(pattern)).map(plain);
  const unwanted = patterns.filter(isNegation).map((pattern) => plain(pattern.slice(1)));
  if (wanted.length === 0) return [];
  const isWanted = picomatch(wanted, globOptions);
  const isUnwanted = unwanted.length === 0 ? () => false : picomatch(unwanted, globOptions);
  const found = new Set<string>();
  let seen = 0;
  for (const base of basesOf(wanted)) {
    const stack = [base];
    for (let folder = stack.pop(); folder !== undefined; folder = stack.pop()) {
      if (excluded.includes(join(projectDir, folder))) continue;
      if (++seen % FOLDERS_PER_TURN === 0) await nextTurn();
      const at = (name: string): string => (folder === '' ? name : `${folder}/${name}`);
      const { files, folders: below } = listing(join(projectDir, folder));
      for (const name of below) if (!leftOut.has(name)) stack.push(at(name));
      for (const rel of files.map(at)) if (isWanted(rel) && !isUnwanted(rel)) found.add(rel);
      if (found.size > limit)
        throw new AppError('EXPRESSION', `more than ${limit} files match ${patterns.join(', ')}`, {
          fix: 'Make the pattern narrower.',
        });
    }
    // A pattern without wildcards is a file itself.
    if (base !== '' && isWanted(base) && !isUnwanted(base) && stampOf(join(projectDir, base)))
      found.add(base);
  }
  return [...found].sort((a, b) => (a < b ? -1 : 1));
}

/** Folders from which everything that can match is reached, none inside another. */
function basesOf(patterns: readonly string[]): readonly string[] {
  const bases = [...new Set(patterns.map((pattern) => picomatch.scan(pattern).base.replace(/\/+$/, '')))];
  const isBelow = (folder: string, other: string): boolean => other === '' || folder.startsWith(`${other}/`);
  return bases.filter(
    (base) => !bases.some((other) => other !== base && isBelow(base, other) && !entersLeftOut(base, other)),
  );
}

/** `node_modules/x` below the project: the walk from above would not come there. */
function entersLeftOut(base: string, from: string): boolean {
  return base
    .slice(from.length)
    .split('/')
    .some((name) => leftOut.has(name));
}

function listing(dir: string): FolderListing {
  try {
    return readFolder(dir);
  } catch (error) {
    const code = systemCode(error);
    if (code === 'ENOENT' || code === 'ENOTDIR') return { files: [], folders: [] };
    throw unreadable(dir, messageOf(error));
  }
}

function isNegation(pattern: string): boolean {
  return pattern.startsWith('!') && !pattern.startsWith('!(');
}

/** @throws AppError for a pattern that leads out of the project folder. */
function plain(pattern: string): string {
  const inside = pattern.replace(/^(\.\/)+/, '');
  if (inside === '' || inside.startsWith('/') || inside.split('/').includes('..'))
    throw new AppError('EXPRESSION', `"${pattern}" is no pattern below the project folder`, {
      fix: 'Write it relative to the project folder, without "..".',
    });
  return inside;
}

function unreadable(path: string, message: string): AppError {
  return new AppError('EXPRESSION', `"${path}" cannot be read: ${message}`, {
    fix: 'Give the user Sluice runs as the right to read it, or leave it out of the pattern.',
  });
}
