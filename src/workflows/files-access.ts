/**
 * Files by globs for `glob()` and `hashFiles()` in expressions, relative to the project folder. Folders of version control
 * and of installed packages are left out unless a pattern begins with them; our own folders always. Links are not followed,
 * also not by a pattern that begins with one: it would lead out of the project.
 */
import { hash } from 'node:crypto';
import { lstatSync } from 'node:fs';
import { join } from 'node:path';
import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises';
import { type Fingerprint, fingerprint } from '../cache/fingerprint.ts';
import { checkPattern } from '../config/check-pattern.ts';
import type { Config } from '../config/config.ts';
import { compileGlob } from '../config/glob.ts';
import * as expressions from '../expressions/file-value.ts';
import type { FileAccess, FileValue } from '../expressions/scope.ts';
import { AppError, messageOf, systemCode } from '../types/errors.ts';
import { fsPath } from '../types/path-bytes.ts';
import { type FolderListing, readFolder } from '../watch/folder-listing.ts';

export interface FileAccessOptions {
  readonly config: () => Pick<Config, 'projectDir'>;
  /** Absolute folders that are never looked into. */
  readonly excluded: () => readonly string[];
}

/** Not walked into; a pattern that begins with one of them is. The folders of `default-ignore.ts`. */
const leftOut: ReadonlySet<string> = new Set(
  '.git .hg .svn .bzr .jj CVS node_modules __pycache__ .venv'.split(' '),
);
/** `hashFiles()` reads contents: beyond this many files something is wrong with the pattern. */
const maxHashedFiles = 100_000;
/** Small files are read without waiting: others get their turn after so long. */
const turnMs = 10;
/** A file that is written to while it is read is read again, so often. */
const maxReads = 5;
const rereadMs = 50;

export function createFileAccess(o: FileAccessOptions): FileAccess {
  return {
    async glob(patterns, limit) {
      const { projectDir } = o.config();
      const files: FileValue[] = [];
      const turns = new Turns();
      for (const rel of await find(projectDir, patterns, limit, o.excluded(), turns)) {
        const read = await readStill(projectDir, rel, turns);
        // Gone or still written to: it is not there yet.
        if (read.kind === 'read')
          files.push(fileValue(projectDir, rel, { sha256: read.sha256, bytes: read.stamp.size }));
      }
      return files;
    },
    async hash(patterns) {
      const { projectDir } = o.config();
      const lines: string[] = [];
      const turns = new Turns();
      for (const rel of await find(projectDir, patterns, maxHashedFiles, o.excluded(), turns)) {
        const read = await readStill(projectDir, rel, turns);
        // A checksum that says "changing" would be that of any content.
        if (read.kind === 'changing')
          throw new AppError('EXPRESSION', `"${rel}" is written to all the time`, {
            fix: 'Leave it out of the pattern, or let its writer end first.',
          });
        if (read.kind === 'read') lines.push(`${JSON.stringify(rel)} ${read.sha256}\n`);
      }
      return lines.length === 0 ? '' : hash('sha256', lines.join(''), 'hex');
    },
  };
}

/** @param rel Relative to `rootDir`. */
export function fileValue(
  rootDir: string,
  rel: string,
  content: { readonly sha256: string; readonly bytes: number },
): FileValue {
  return expressions.fileValue({ root: rootDir, rel, path: join(rootDir, rel), ...content });
}

async function readStill(projectDir: string, rel: string, turns: Turns): Promise<Fingerprint> {
  for (let reads = 1; ; reads += 1) {
    await turns.give();
    const read = await fingerprint(join(projectDir, rel));
    if (read.kind === 'unreadable') throw unreadable(rel, read.message);
    if (read.kind !== 'changing' || reads === maxReads) return read;
    await sleep(rereadMs);
  }
}

async function find(
  projectDir: string,
  patterns: readonly string[],
  limit: number,
  excluded: readonly string[],
  turns: Turns,
): Promise<readonly string[]> {
  const wanted = patterns.filter((pattern) => !isNegation(pattern)).map(plain);
  const unwanted = patterns.filter(isNegation).map((pattern) => plain(pattern.slice(1)));
  if (wanted.length === 0)
    throw new AppError('EXPRESSION', `${patterns.join(', ')} only takes files away`, {
      fix: "Begin with a pattern of what is wanted: '**'.",
    });
  const isWanted = compileGlob(wanted);
  const isUnwanted = unwanted.length === 0 ? () => false : compileGlob(unwanted);
  const found = new Set<string>();
  const take = (rel: string): void => {
    if (!isWanted(rel) || isUnwanted(rel)) return;
    found.add(rel);
    if (found.size > limit)
      throw new AppError('EXPRESSION', `more than ${limit} files match ${patterns.join(', ')}`, {
        fix: 'Make the pattern narrower.',
      });
  };
  for (const base of basesOf(wanted)) {
    const kind = kindOf(projectDir, base, excluded);
    if (kind === 'file') take(base);
    const open = kind === 'folder' ? [base] : [];
    for (let folder = open.pop(); folder !== undefined; folder = open.pop()) {
      await turns.give();
      const { files, folders } = listing(join(projectDir, folder));
      const at = (name: string): string => (folder === '' ? name : `${folder}/${name}`);
      for (const name of files) take(at(name));
      for (const name of folders)
        if (!leftOut.has(name) && !excluded.includes(join(projectDir, at(name)))) open.push(at(name));
    }
  }
  return [...found].sort((a, b) => (a < b ? -1 : 1));
}

/** What stands at the beginning of a pattern; nothing, where a link leads there or where it is our own. */
function kindOf(
  projectDir: string,
  base: string,
  excluded: readonly string[],
): 'file' | 'folder' | 'nothing' {
  if (base === '') return 'folder';
  const parts = base.split('/');
  for (let count = 1; count <= parts.length; count += 1) {
    const path = join(projectDir, ...parts.slice(0, count));
    if (excluded.includes(path)) return 'nothing';
    const stats = lstat(path);
    if (stats?.isFile() && count === parts.length) return 'file';
    if (!stats?.isDirectory()) return 'nothing';
  }
  return 'folder';
}

function lstat(path: string): ReturnType<typeof lstatSync> | undefined {
  try {
    return lstatSync(fsPath(path));
  } catch (error) {
    const code = systemCode(error);
    if (code === 'EACCES' || code === 'EPERM') throw unreadable(path, messageOf(error));
    return undefined;
  }
}

/** Folders (or files) from which everything that can match is reached, none inside another. */
function basesOf(patterns: readonly string[]): readonly string[] {
  const bases = [...new Set(patterns.map(baseOf))];
  const isBelow = (folder: string, other: string): boolean => other === '' || folder.startsWith(`${other}/`);
  return bases.filter(
    (base) => !bases.some((other) => other !== base && isBelow(base, other) && !entersLeftOut(base, other)),
  );
}

/** The leading folders of a pattern that are plain names; all of it when nothing in it is special. */
function baseOf(pattern: string): string {
  const parts = pattern.split('/');
  const special = parts.findIndex((part) => /[\\*?[\](){}!+@|"]/.test(part));
  return parts.slice(0, special < 0 ? undefined : special).join('/');
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

/** @throws AppError for a pattern that leads out of the project folder, means nothing, or could take for ever. */
function plain(pattern: string): string {
  const inside = pattern.replace(/^(\.\/)+/, '');
  if (inside.startsWith('/') || inside.split('/').includes('..'))
    throw new AppError('EXPRESSION', `"${pattern}" leads out of the project folder`, {
      fix: 'Write it relative to the project folder, without "..".',
    });
  const problem = checkPattern(inside);
  if (problem === undefined) return inside;
  throw new AppError('EXPRESSION', problem.message.replaceAll('the watched root', 'the project folder'), {
    fix: problem.fix,
  });
}

function unreadable(path: string, message: string): AppError {
  return new AppError('EXPRESSION', `"${path}" cannot be read: ${message}`, {
    fix: 'Give the user Sluice runs as the right to read it, or leave it out of the pattern.',
  });
}

/** Lets the rest of the program go on between two looks at the disk. */
class Turns {
  #since = performance.now();

  async give(): Promise<void> {
    if (performance.now() - this.#since < turnMs) return;
    await nextTurn();
    this.#since = performance.now();
  }
}
