/**
 * The globs of `workflows` → files, in the order of their names. The folders that were looked into are told too: whoever
 * watches them learns of files that come and go.
 */
import type { Dirent } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import picomatch from 'picomatch';
import { systemCode } from '../types/errors.ts';
import { compileGlob } from './glob.ts';
import { projectPath } from './resolving.ts';

/** A glob that covers a whole disk by mistake must not read it. */
const maxFolders = 2_000;

export interface FoundFiles {
  /** Absolute, sorted, each once. */
  readonly files: readonly string[];
  /** That were read, or would have been if they were there. */
  readonly folders: readonly string[];
  readonly problem?: string;
}

/** Patterns that begin with `!` only take away. */
export function isTaking(pattern: string): boolean {
  return pattern.startsWith('!') && !pattern.startsWith('!(');
}

/** @param except Patterns (without their `!`) of files that are left out. */
export async function findWorkflowFiles(
  at: { readonly projectDir: string },
  pattern: string,
  except: readonly string[] = [],
): Promise<FoundFiles> {
  const { base, glob } = split(pattern);
  const start = projectPath(at, base);
  if (glob === '') {
    // A file that is named: whether it is there is found when it is read.
    return { files: isLeftOut(at, start, except) ? [] : [start], folders: [] };
  }
  const isMatch = compileGlob(glob);
  const isDeep = glob.includes('**');
  const depth = glob.split('/').length;
  const files: string[] = [];
  const folders: string[] = [];
  const open: string[] = [''];
  for (let rel = open.shift(); rel !== undefined; rel = open.shift()) {
    if (folders.length >= maxFolders)
      return { files: [], folders, problem: `more than ${maxFolders} folders would have to be looked into` };
    const folder = join(start, rel);
    folders.push(folder);
    for (const entry of await list(folder)) {
      const path = rel === '' ? entry.name : `${rel}/${entry.name}`;
      const kind = await kindOf(entry, join(start, path));
      if (kind === 'file' && isMatch(path)) files.push(join(start, path));
      // Hidden folders, and those of packages, hold thousands of files and no workflows.
      else if (kind === 'folder' && !/^(\.|node_modules$)/.test(entry.name))
        if (isDeep || path.split('/').length < depth) open.push(path);
    }
  }
  return { files: files.filter((file) => !isLeftOut(at, file, except)).toSorted(), folders };
}

/** `./workflows/*.yaml` → `./workflows`, `*.yaml`. Without anything to match the glob is empty. */
function split(pattern: string): { readonly base: string; readonly glob: string } {
  const parts = pattern.split('/');
  const first = parts.findIndex((part) => picomatch.scan(part).isGlob);
  if (first < 0) return { base: pattern, glob: '' };
  // The folder above the first part that is a glob; of an absolute pattern at least the root.
  const base = parts.slice(0, first).join('/') || (pattern.startsWith('/') ? '/' : '.');
  return { base, glob: parts.slice(first).join('/') };
}

function isLeftOut(at: { readonly projectDir: string }, file: string, except: readonly string[]): boolean {
  return except.some((pattern) => {
    const { base, glob } = split(pattern);
    const start = projectPath(at, base);
    if (glob === '') return file === start;
    return file.startsWith(`${start}/`) && compileGlob(glob)(file.slice(start.length + 1));
  });
}

async function list(folder: string): Promise<readonly Dirent[]> {
  try {
    return await readdir(folder, { withFileTypes: true });
  } catch (error) {
    // Not there, or not for us: there is nothing in it that could be read.
    if (systemCode(error) === undefined) throw error;
    return [];
  }
}

/** Links are followed for files only: folders that hold themselves would never end. */
async function kindOf(entry: Dirent, path: string): Promise<'file' | 'folder' | 'other'> {
  if (entry.isFile()) return 'file';
  if (entry.isDirectory()) return 'folder';
  if (!entry.isSymbolicLink()) return 'other';
  const found = await stat(path).catch(() => undefined);
  return found?.isFile() ? 'file' : 'other';
}
