/**
 * Originals on their way out of a root: into `archive/` after success (only with `preserve_original: false`), or into
 * `quarantine/`. Nothing here ever overwrites, and a file that is not the version that was processed stays where it is:
 * losing an original is the one fault that no rebuild mends.
 */
import { chmodSync, linkSync, lstatSync, mkdirSync, renameSync, rmSync, unlinkSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Config } from '../config/config.ts';
import { formatStamp } from '../types/change.ts';
import { systemCode } from '../types/errors.ts';
import type { JobRecord } from '../types/job.ts';
import { fsPath } from '../types/path-bytes.ts';
import { copyDurably, haveSameContent } from './durable-copy.ts';
import { freeName, lookAt, renameWithin } from './move.ts';
import type { OutputGuard } from './output-guard.ts';
import { longPlace, resultPlace } from './places.ts';

export interface Originals {
  /**
   * Moves the input of a succeeded job to `archive/<root>/<path>`, with a number when the name is taken.
   * @param file The original, absolute.
   * @returns where it is now; undefined when it is gone, or not the version that the job processed: nothing happened.
   * @throws AppError `OUTPUT_UNWRITABLE` or `DISK_FULL`; the original is untouched then.
   */
  archiveOriginal(job: JobRecord, file: string): Promise<string | undefined>;
  /**
   * Puts a file into `quarantine/<root>/<path>`: a copy, or with `preserve_original: false` the file itself, with a
   * number when the name is taken.
   * @returns where it is now; undefined when the file is gone.
   * @throws AppError `OUTPUT_UNWRITABLE` or `DISK_FULL`; the original is untouched then.
   */
  quarantine(root: string, path: string, file: string): Promise<string | undefined>;
}

export interface OriginalsOptions {
  readonly output: Config['output'];
  readonly folderMode: number;
  readonly guard: OutputGuard;
  readonly inTurn: <T>(work: () => Promise<T>) => Promise<T>;
}

export function createOriginals(o: OriginalsOptions): Originals {
  const { dir, fileMode, preserveOriginal } = o.output;

  /** Where a file of this path goes: real folders only, each name with a number when something else has it. */
  const destination = (kind: 'archive' | 'quarantine', root: string, path: string): string => {
    mkdirSync(dir, { recursive: true, mode: o.folderMode });
    try {
      return claim(dir, [kind, ...resultPlace(dir, root, path).slice(1)], o.folderMode);
    } catch (error) {
      if (systemCode(error) !== 'ENAMETOOLONG') throw error;
      return claim(dir, [kind, ...longPlace(root, path).slice(1)], o.folderMode);
    }
  };

  const archive = async (job: JobRecord, from: string | Buffer): Promise<string | undefined> => {
    const { root, path, stamp } = job.input;
    return stampOf(from) === stamp ? move(from, destination('archive', root, path), stamp) : undefined;
  };

  const setAside = async (root: string, path: string, from: string | Buffer): Promise<string | undefined> => {
    const stamp = stampOf(from);
    if (stamp === undefined) return undefined;
    const to = destination('quarantine', root, path);
    if (!preserveOriginal) return move(from, to, stamp);
    // Asked again after a crash: one copy is enough.
    const plain = join(dirname(to), path.slice(path.lastIndexOf('/') + 1));
    if (plain !== to && (await isCopy(from, plain))) return plain;
    if (!(await copyOf(from, to, stamp))) return undefined;
    chmodSync(to, fileMode);
    return to;
  };

  return {
    archiveOriginal: (job, file) =>
      o.guard.run(`archive "${job.input.path}"`, () => o.inTurn(() => archive(job, fsPath(file)))),
    quarantine: (root, path, file) =>
      o.guard.run(`quarantine "${path}"`, () => o.inTurn(() => setAside(root, path, fsPath(file)))),
  };
}

async function move(from: string | Buffer, to: string, stamp: string): Promise<string | undefined> {
  if (renameWithin(from, to)) {
    if (stampOf(to) === stamp) return to;
    giveBack(to, from);
    return undefined;
  }
  if (!(await copyOf(from, to, stamp))) return undefined;
  if (stampOf(from) === stamp) {
    unlinkSync(from);
    return to;
  }
  rmSync(to, { force: true });
  return undefined;
}

/** It was replaced at the last moment: the new version belongs where it was, unless a still newer one stands there. */
function giveBack(from: string, to: string | Buffer): void {
  try {
    linkSync(from, to);
  } catch (error) {
    if (systemCode(error) === 'EEXIST') return;
    // No hard links on this file system.
    renameSync(from, to);
    return;
  }
  unlinkSync(from);
}

async function isCopy(from: string | Buffer, to: string): Promise<boolean> {
  return (
    lookAt(to)?.isFile() === true &&
    lookAt(to)?.size === lookAt(from)?.size &&
    (await haveSameContent(from, to))
  );
}

/** @returns undefined when there is no regular file. */
function stampOf(file: string | Buffer): string | undefined {
  if (lookAt(file)?.isFile() !== true) return undefined;
  const { ino, size, mtimeNs } = lstatSync(file, { bigint: true });
  return formatStamp({ ino, size: Number(size), mtimeNs });
}

/** False, with nothing at `to`, when the file is no longer the version that `stamp` stands for. */
async function copyOf(from: string | Buffer, to: string, stamp: string): Promise<boolean> {
  if ((await copyDurably(from, to)) && stampOf(from) === stamp) return true;
  rmSync(to, { force: true });
  return false;
}

function claim(dir: string, place: readonly string[], mode: number): string {
  let at = dir;
  for (const name of place.slice(0, -1)) {
    at = join(at, freeName(at, name, 'folder'));
    if (lookAt(at) !== undefined) continue;
    mkdirSync(at);
    chmodSync(at, mode);
  }
  return join(at, freeName(at, place[place.length - 1] as string));
}
