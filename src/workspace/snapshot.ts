/**
 * What a copy held when it was made: for each path the version in the root that it stands for, and a seal of the copy
 * itself. It is kept outside the copy, where the agent cannot write, so that an attempt that outlives the daemon can
 * still be judged. Checksums are not taken here: reading 2 GiB to find that nothing changed costs more than the copy.
 */
import { closeSync, openSync, readFileSync, readSync, writeFileSync } from 'node:fs';
import type { JobId } from '../types/job.ts';
import { lookAt } from './look.ts';

export type SnapshotEntry =
  | {
      readonly kind: 'file';
      /** `formatStamp` of the original that was copied. */
      readonly source: string;
      /** Of the copy; empty where it cannot tell: then contents are compared. */
      readonly seal: string;
      readonly mode: number;
      readonly bytes: number;
    }
  | { readonly kind: 'link'; readonly source: string; readonly target: string }
  | { readonly kind: 'folder'; readonly mode: number };

/** Paths are relative to the root, folders before what is in them. */
export type Snapshot = ReadonlyMap<string, SnapshotEntry>;

export interface Skipped {
  readonly path: string;
  readonly why: 'special' | 'unreadable' | 'name too long';
}

export interface SavedWorkspace {
  readonly schema: 1;
  readonly jobId: JobId;
  readonly attempt: number;
  /** The copy. */
  readonly dir: string;
  readonly root: { readonly name: string; readonly dir: string };
  /** Inodes of the root's folder and of the copy: a folder of the same name is not the same folder. */
  readonly rootIno: string;
  readonly copyIno: string;
  readonly entries: readonly (readonly [string, SnapshotEntry])[];
}

/** No sync: an attempt whose machine went down is run again, with a new copy. The first line says where the copy is. */
export function saveWorkspace(file: string, saved: SavedWorkspace): void {
  writeFileSync(file, `${JSON.stringify(saved.dir)}\n${JSON.stringify(saved)}`, { mode: 0o600 });
}

/** @returns undefined when there is none, or only a part of one. */
export function loadWorkspace(file: string): SavedWorkspace | undefined {
  try {
    const text = readFileSync(file, 'utf8');
    const saved = JSON.parse(text.slice(text.indexOf('\n'))) as SavedWorkspace;
    return saved.schema === 1 ? saved : undefined;
  } catch {
    return undefined;
  }
}

const longestPlace = 16 * 1024;

/** Where the copy is, without reading what was in it. */
export function loadPlace(file: string): string | undefined {
  const fd = openSync(file, 'r');
  try {
    const buffer = Buffer.alloc(longestPlace);
    const [line = ''] = buffer.toString('utf8', 0, readSync(fd, buffer)).split('\n', 1);
    return JSON.parse(line) as string;
  } catch {
    return undefined;
  } finally {
    closeSync(fd);
  }
}

export function folderId(dir: string): string | undefined {
  const look = lookAt(dir);
  return look?.kind === 'folder' ? `${look.dev}-${look.ino}` : undefined;
}

/** The device is left out: it may have another number after a restart of the machine. */
export function folderIno(dir: string): string | undefined {
  const look = lookAt(dir);
  return look?.kind === 'folder' ? `${look.ino}` : undefined;
}
