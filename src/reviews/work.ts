/** What an attempt left → what reviewers are shown: bounded, and without following what an agent may have put there. */
import { lstat, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { fsPath, pathFromBytes } from '../types/path-bytes.ts';
import type { FileChange } from '../workspace/workspaces.ts';
import { readText } from './bounded-file.ts';
import { copyDiff } from './copy-diff.ts';
import { gitDiff, type TreeOptions } from './git-diff.ts';
import type { ReviewWork } from './reviews.ts';
import { cutBytes } from './texts.ts';

export interface WorkSource {
  /** One line: what was asked for. */
  readonly title: string;
  readonly task: string;
  /** Absolute path of the author's result text; absent: it gave none. */
  readonly resultFile?: string;
  /** Absolute; outputs are in it. */
  readonly outputsDir?: string;
  /** Of those that are known; absent or empty: what is in `outputsDir`. */
  readonly outputs?: readonly OutputFile[];
  readonly changes: ChangeSource;
}

export interface OutputFile {
  /** Relative to `outputsDir`, with `/`. */
  readonly path: string;
  readonly bytes: number;
}

export type ChangeSource =
  | { readonly kind: 'none' }
  | {
      /** It worked on a copy: what changed there (`Workspaces.changesOf`), the tree as it was, and the copy. */
      readonly kind: 'copy';
      readonly files: readonly FileChange[];
      readonly before: string;
      readonly after: string;
    }
  /** It worked in the tree itself: against the last commit, where the tree is in a git repository. */
  | ({ readonly kind: 'in_place' } & TreeOptions);

const TASK_BYTES = 64 * 1024;
const REPORT_BYTES = 256 * 1024;
const OUTPUT_BYTES = 64 * 1024;
const OUTPUTS_BYTES = 512 * 1024;
/** Further outputs are named. */
const READ_OUTPUTS = 100;
const LISTED_OUTPUTS = 5_000;

/** Never fails for what is there or not there; what cannot be read is said in its place. @throws `signal.reason` on abort. */
export async function readWork(source: WorkSource, signal: AbortSignal): Promise<ReviewWork> {
  signal.throwIfAborted();
  const { title, task, resultFile } = source;
  return {
    title,
    task: cut(task, TASK_BYTES),
    report: resultFile === undefined ? '' : await readReport(resultFile),
    outputs: await readOutputs(source, signal),
    diff: await readChanges(source.changes, signal),
  };
}

async function readReport(file: string): Promise<string> {
  const report = await readText(file, REPORT_BYTES, true);
  if (report.kind === 'none') return '';
  if (report.kind !== 'text') return `(${report.bytes} bytes that are no text)`;
  const rest = report.bytes - Buffer.byteLength(report.text);
  return rest > 0 ? `${report.text}\n(${rest} more bytes)` : report.text;
}

async function readOutputs(
  { outputs = [], outputsDir }: WorkSource,
  signal: AbortSignal,
): Promise<ReviewWork['outputs']> {
  const found = outputs.length === 0 && outputsDir !== undefined ? await listOutputs(outputsDir) : outputs;
  const shown: ReviewWork['outputs'][number][] = [];
  let left = OUTPUTS_BYTES;
  let read = 0;
  for (const { path, bytes } of found) {
    signal.throwIfAborted();
    const isWanted = outputsDir !== undefined && read < READ_OUTPUTS && bytes <= Math.min(left, OUTPUT_BYTES);
    const file = isWanted ? await readText(join(outputsDir, path), OUTPUT_BYTES) : undefined;
    if (file?.kind === 'text') {
      left -= file.bytes;
      read += 1;
    }
    shown.push({ path, bytes, ...(file?.kind === 'text' && { text: file.text }) });
  }
  return shown;
}

/** Files alone: a link may lead anywhere. */
async function listOutputs(dir: string): Promise<readonly OutputFile[]> {
  const found: OutputFile[] = [];
  const open: string[] = [''];
  for (let folder = open.pop(); folder !== undefined && found.length < LISTED_OUTPUTS; folder = open.pop()) {
    const below = (name: string): string => (folder === '' ? name : `${folder}/${name}`);
    const entries = await readdir(fsPath(join(dir, folder)), {
      withFileTypes: true,
      encoding: 'buffer',
    }).catch(() => []);
    for (const entry of entries) {
      const path = below(pathFromBytes(entry.name));
      if (entry.isDirectory()) open.push(path);
      const stat = entry.isFile() ? await lstat(fsPath(join(dir, path))).catch(() => undefined) : undefined;
      if (stat) found.push({ path, bytes: stat.size });
    }
  }
  return found.toSorted((a, b) => (a.path < b.path ? -1 : 1)).slice(0, LISTED_OUTPUTS);
}

async function readChanges(changes: ChangeSource, signal: AbortSignal): Promise<string> {
  switch (changes.kind) {
    case 'none':
      return '';
    case 'copy':
      return copyDiff(changes.files, changes.before, changes.after, signal);
    case 'in_place':
      return (await gitDiff(changes, signal)) ?? '';
    default:
      return changes satisfies never;
  }
}

function cut(text: string, maxBytes: number): string {
  const { text: kept, leftOut } = cutBytes(text, maxBytes);
  return leftOut > 0 ? `${kept}\n(${leftOut} more bytes)` : kept;
}
