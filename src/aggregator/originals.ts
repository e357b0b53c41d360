/**
 * Originals on their way out of a root: into `archive/` after success (only with `preserve_original: false`), or into
 * `quarantine/`. Nothing here ever overwrites, and a file that is not the version that was processed stays where it is:
 * losing an original is the one fault that no rebuild mends.
 */
import { chmodSync, linkSync, lstatSync, mkdirSync, rmSync, unlinkSync } from 'node:fs';
import { join } from 'node:path';
import type { Config } from '../config/config.ts';
import { formatStamp } from '../types/change.ts';
import { systemCode } from '../types/errors.ts';
import type { JobRecord } from '../types/job.ts';
import { fsPath } from '../types/path-bytes.ts';
import { copyDurably } from './durable-copy.ts';
import { freeName, lookAt, renameWithin } from './move.ts';
import type { OutputGuard } from './output-guard.ts';
import { longPlace, resultPlace } from './places.ts';

export interface Originals {
  /**
   * Moves the input of a succeeded job to `archive/<root>/<path>`, with a number when the name is taken.
   * @param file The original, absolute.
   * @returns where it is now; undefined when the file is gone, or is not the version that the job processed.
   * @throws AppError `OUTPUT_UNWRITABLE` or `DISK_FULL`; the original is untouched then.
   */
  archiveOriginal(job: JobRecord, file: string): Promise<string | undefined>;
  /**
   * Puts a file into `quarantine/<root>/<path>`: a copy, or with `preserve_original: false` the file itself.
   * @returns where it is; undefined when the file is gone.
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

  const move = async (from: string | Buffer, to: string, stamp: string): Promise<string | undefined> => {
    if (!renameWithin(from, to)) return (await copyOf(from, to, stamp)) && remove(from, to, stamp);
    if (stampOf(to) === stamp) return to;
    // It was replaced at the last moment. The new version goes back, unless a still newer one stands there already.
    try {
      linkSync(to, from);
    } catch (error) {
      if (systemCode(error) !== 'EEXIST') throw error;
    }
    unlinkSync(to);
    return undefined;
  };

  return {
    archiveOriginal: (job, file) =>
      o.guard.run(`archive "${job.input.path}"`, () =>
        o.inTurn(async () => {
          const from = fsPath(file);
          if (stampOf(from) !== job.input.stamp) return undefined;
          return move(from, destination('archive', job.input.root, job.input.path), job.input.stamp);
        }),
      ),
    quarantine: (root, path, file) =>
      o.guard.run(`quarantine "${path}"`, () =>
        o.inTurn(async () => {
          const from = fsPath(file);
          const stamp = stampOf(from);
          if (stamp === undefined) return undefined;
          const to = destination('quarantine', root, path);
          if (!preserveOriginal) return move(from, to, stamp);
          if (!(await copyOf(from, to, stamp))) return undefined;
          chmodSync(to, fileMode);
          return to;
        }),
      ),
  };
}

/** @returns undefined when there is no regular file. */
function stampOf(file: string | Buffer): string | undefined {
  if (lookAt(file)?.isFile() !== true) return undefined;
  const { ino, size, mtimeNs } = lstatSync(file, { bigint: true });
  return formatStamp({ ino, size: Number(size), mtimeNs });
}

/** The copy's name, when it is that of the version `stamp` stands for. */
async function copyOf(from: string | Buffer, to: string, stamp: string): Promise<string | undefined> {
  return (await copyDurably(from, to)) && stampOf(from) === stamp ? to : void rmSync(to, { force: true });
}

function remove(from: string | Buffer, to: string, stamp: string): string | undefined {
  if (stampOf(from) !== stamp) return void rmSync(to, { force: true });
  unlinkSync(from);
  return to;
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
