/** What an agent changed in its copy, as a unified diff. Made here: git need not be there, and the copy is no repository. */
import { lstat } from 'node:fs/promises';
import { join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { createTwoFilesPatch, OMIT_HEADERS } from 'diff';
import { fsPath } from '../types/path-bytes.ts';
import type { FileChange } from '../workspace/workspaces.ts';
import { readText } from './bounded-file.ts';

/** Longer files are named, not compared. */
const FILE_BYTES = 256 * 1024;
/** Bound of the whole diff. The prompt of a reviewer has room for less. */
export const DIFF_BYTES = 512 * 1024;
/** Comparing blocks the event loop, and two files that differ throughout would take minutes. */
const COMPARE_MS = 100;
const CONTEXT_LINES = 3;
const MAX_ADDED = 1_000;

/** @throws `signal.reason` on abort. */
export async function copyDiff(
  files: readonly FileChange[],
  before: string,
  after: string,
  signal: AbortSignal,
): Promise<string> {
  const parts: string[] = [];
  let left = DIFF_BYTES;
  for (const [index, change] of files.entries()) {
    signal.throwIfAborted();
    const part = await fileDiff(change, before, after);
    left -= Buffer.byteLength(part);
    if (left < 0) {
      parts.push(restWords(files.slice(index)));
      break;
    }
    parts.push(part);
    await nextTurn();
  }
  return parts.join('');
}

/** Files that are new in a tree. @throws `signal.reason` on abort. */
export async function addedFiles(
  paths: readonly string[],
  dir: string,
  signal: AbortSignal,
): Promise<string> {
  const files = await Promise.all(
    paths.slice(0, MAX_ADDED).map(async (path): Promise<FileChange> => {
      const stat = await lstat(fsPath(join(dir, path))).catch(() => undefined);
      return { path, change: 'added', bytes: stat?.size ?? 0 };
    }),
  );
  const rest = paths.length - files.length;
  const shown = await copyDiff(files, dir, dir, signal);
  return `${shown}${rest > 0 ? `# and ${rest} more new files\n` : ''}`;
}

async function fileDiff(change: FileChange, before: string, after: string): Promise<string> {
  const { path } = change;
  const old = change.change === 'added' ? undefined : await readText(join(before, path), FILE_BYTES);
  const now = change.change === 'removed' ? undefined : await readText(join(after, path), FILE_BYTES);
  const [oldText, newText] = [textOf(old), textOf(now)];
  if (oldText === undefined || newText === undefined) {
    const kinds = [old?.kind, now?.kind];
    const why = kinds.includes('binary') ? 'binary' : kinds.includes('too_long') ? 'too long' : 'no file';
    return namedOnly(change, why);
  }
  const hunks = createTwoFilesPatch('', '', oldText, newText, undefined, undefined, {
    ...{ context: CONTEXT_LINES, timeout: COMPARE_MS, headerOptions: OMIT_HEADERS },
  });
  if (hunks === undefined) return namedOnly(change, 'changed throughout');
  if (hunks.trim() === '') return namedOnly(change, change.change === 'changed' ? 'its mode alone' : 'empty');
  const from = change.change === 'added' ? '/dev/null' : diffName(`a/${path}`);
  const to = change.change === 'removed' ? '/dev/null' : diffName(`b/${path}`);
  return `--- ${from}\n+++ ${to}\n${hunks}`;
}

function textOf(file: Awaited<ReturnType<typeof readText>> | undefined): string | undefined {
  if (file === undefined) return '';
  return file.kind === 'text' ? file.text : undefined;
}

function namedOnly({ path, change, bytes }: FileChange, why: string): string {
  return `# ${change}: ${diffName(path)} (${bytes} bytes, ${why}: not shown)\n`;
}

/** Further files, by name as far as that helps. */
function restWords(files: readonly FileChange[]): string {
  const named = files.slice(0, 100).map(({ path, change }) => `# ${change}: ${diffName(path)} (not shown)\n`);
  const rest = files.length - named.length;
  return `${named.join('')}${rest > 0 ? `# and ${rest} more files\n` : ''}`;
}

/** As git writes names where `core.quotePath` is off: what could end the line is escaped. */
function diffName(path: string): string {
  return /[\p{Cc}\p{Cf}\p{Co}\u2028\u2029"\\]/u.test(path) ? JSON.stringify(path) : path;
}
