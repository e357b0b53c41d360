/**
 * What a promotion is about to do, does or has done: `undo/<job>/<attempt>/` with the older versions in `old/` and one
 * record. Its state is the record's file name, because a rename is all or nothing and needs no space on a full disk:
 *
 *     staging ──► placing ──► promoted ──► undoing ──► undone
 *                    └──────► rollback ──► (gone)
 *
 * `staging`: nothing can be seen yet. `placing`: all that is needed to go on, or back, is on disk.
 */
import { randomUUID } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { AppError, systemCode } from '../types/errors.ts';
import type { JobId } from '../types/job.ts';
import { syncFolder } from './copy-file.ts';
import { below } from './look.ts';

const states = ['undone', 'undoing', 'rollback', 'promoted', 'placing', 'staging'] as const;
export type RecordState = (typeof states)[number];

export interface OldVersion {
  readonly kind: 'file' | 'link';
  readonly stamp: string;
  readonly mode: number;
  readonly bytes: number;
}

export interface NewVersion {
  readonly stamp: string;
  readonly sha256: string;
  readonly bytes: number;
}

export interface Entry {
  readonly path: string;
  readonly change: 'added' | 'changed' | 'removed';
  /** What stood there; absent for `added`. Its copy is `old/<index>`. */
  readonly old?: OldVersion;
  /** The agent set this mode; absent: that of the file that is replaced, or the default. */
  readonly mode?: number;
  /** Where in the tree the new version waits for its rename; absent for `removed`. */
  readonly stage?: string;
  readonly now?: NewVersion;
  readonly isUndone?: boolean;
}

export interface Folder {
  readonly path: string;
  readonly mode: number;
}

/** A file that `undo` left alone. */
export interface Kept {
  readonly path: string;
  /** `changed`: it is not what was put in place any more. `in_the_way`: something else stands on its path. */
  readonly why: 'changed' | 'in_the_way';
}

export interface Promotion {
  readonly schema: 1;
  readonly jobId: JobId;
  readonly attempt: number;
  /** `dir` without symbolic links. */
  readonly root: { readonly name: string; readonly dir: string };
  readonly rootIno: string;
  /** The path of the job's input, for whoever looks. */
  readonly input?: string;
  /** Part of the names of temporary files. */
  readonly token: string;
  /** Epoch milliseconds. */
  readonly at: number;
  readonly undoneAt?: number;
  readonly entries: readonly Entry[];
  readonly madeFolders: readonly Folder[];
  readonly goneFolders: readonly Folder[];
}

export interface Standing {
  /** `undo/<job>/<attempt>`. */
  readonly dir: string;
  readonly state: RecordState;
  readonly promotion: Promotion;
}

export function newToken(): string {
  return randomUUID().slice(0, 13);
}

/** The default ignore list knows `*.tmp`. */
export function temporaryName(token: string, index: number, which: 'new' | 'old'): string {
  return `.sluice-${token}-${index}${which === 'new' ? 'n' : 'o'}.tmp`;
}

export function stagedFile({ promotion }: Standing, index: number): string {
  const { root, token, entries } = promotion;
  return below(below(root.dir, entries[index]?.stage ?? ''), temporaryName(token, index, 'new'));
}

export function backupFile({ dir }: Standing, index: number): string {
  return join(dir, 'old', String(index));
}

/** @returns `undo/<job>`. @throws {AppError} `NOT_FOUND` for an id that is no file name. */
export function folderOfJob(undoDir: string, jobId: JobId): string {
  if (/^[A-Za-z0-9_-][A-Za-z0-9_.-]{0,127}$/.test(jobId)) return join(undoDir, jobId);
  throw new AppError('NOT_FOUND', `There is no job "${jobId}"`, { fix: 'List jobs with `sluice jobs`.' });
}

/** Writes the record, on disk on return. An earlier state is left behind. */
export async function save(standing: Standing): Promise<void> {
  const { dir, state, promotion } = standing;
  mkdirSync(join(dir, 'old'), { recursive: true, mode: 0o700 });
  const part = join(dir, 'record.part');
  {
    await using handle = await open(part, 'w', 0o600);
    await handle.writeFile(JSON.stringify(promotion));
    await handle.sync();
  }
  renameSync(part, fileOf(dir, state));
  syncFolder(dir);
  for (const other of states) if (other !== state) rmSync(fileOf(dir, other), { force: true });
}

/** The next state of a record that stays as it is. */
export function turnTo(standing: Standing, state: RecordState): Standing {
  if (standing.state === state) return standing;
  renameSync(fileOf(standing.dir, standing.state), fileOf(standing.dir, state));
  try {
    syncFolder(standing.dir);
  } catch {
    // It has happened; at worst the machine goes down, and the state before it is taken up again.
  }
  return { ...standing, state };
}

/** @returns undefined when there is none. @throws what reading throws, or a `SyntaxError`. */
export function load(dir: string): Standing | undefined {
  for (const state of states)
    try {
      const promotion = JSON.parse(readFileSync(fileOf(dir, state), 'utf8')) as Promotion;
      return { dir, state, promotion };
    } catch (error) {
      if (!['ENOENT', 'ENOTDIR'].includes(systemCode(error) ?? '')) throw error;
    }
  return undefined;
}

/** The records of one job, latest attempt first. */
export function loadJob(undoDir: string, jobId: JobId): Standing[] {
  const folder = folderOfJob(undoDir, jobId);
  return namesIn(folder)
    .filter((name) => /^\d+$/.test(name))
    .sort((a, b) => Number(b) - Number(a))
    .flatMap((name) => load(join(folder, name)) ?? []);
}

export function namesIn(dir: string): string[] {
  try {
    return readdirSync(dir);
  } catch (error) {
    if (['ENOENT', 'ENOTDIR'].includes(systemCode(error) ?? '')) return [];
    throw error;
  }
}

function fileOf(dir: string, state: RecordState): string {
  return join(dir, `${state}.json`);
}
