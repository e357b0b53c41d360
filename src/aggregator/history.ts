/**
 * Older results: `.sluice/history/<job id>/`, laid out as they stood. Nothing that was delivered is deleted to make room
 * for something newer; it comes here, and goes by retention. What stood in the way and is not ours (a planted link, a
 * file somebody put there) goes to `~displaced/`.
 */
import { mkdirSync, readdirSync, rmdirSync, symlinkSync } from 'node:fs';
import { basename, join } from 'node:path';
import { systemCode } from '../types/errors.ts';
import type { JobId } from '../types/job.ts';
import { freeName, lookAt, moveTree, removeFile } from './move.ts';
import { outputsName, pendingName, receiptName, resultName, reviewsName } from './places.ts';
import { isJobId } from './receipt.ts';
import { lookInto, ownsFolder, type Standing } from './standing.ts';

export interface History {
  /** Where the result of a job would be; undefined for an id that is no file name. */
  folder(id: JobId): string | undefined;
  /** Makes the folder of a job, empty or not. */
  open(id: JobId): string;
  /** Moves the result that stands in `folder` here. Cut short, it can be called again: the receipt goes last. */
  take(folder: string, standing: Standing): Promise<void>;
  /** Moves every result in `folder` and below here, and the rest of it out of the way: nothing has the name after it. */
  takeAll(folder: string): Promise<void>;
  /** Moves a thing that is not ours out of the way. */
  displace(path: string): Promise<void>;
}

export function createHistory(o: { readonly stateDir: string; readonly now: () => number }): History {
  const dir = join(o.stateDir, 'history');
  const displaced = join(dir, '~displaced');
  const folder = (id: JobId): string | undefined => (isJobId(id) ? join(dir, id) : undefined);

  const open = (id: JobId): string => {
    const own = folder(id);
    if (own === undefined) throw new TypeError(`"${id}" cannot be the name of a folder`);
    // An earlier cached copy may stand in for it by a link (see `take`): now the real one comes.
    if (lookAt(own)?.isSymbolicLink()) removeFile(own);
    mkdirSync(own, { recursive: true, mode: 0o700 });
    return own;
  };

  const take = async (from: string, standing: Standing): Promise<void> => {
    const { owner } = standing;
    if (owner === undefined) return;
    const to = open(owner.job_id);
    for (const name of [outputsName, reviewsName] as const)
      if (standing[name] === 'folder' && ownsFolder(owner, name))
        await moveTree(join(from, name), join(to, name));
    if (standing.result === 'file') await moveTree(join(from, resultName), join(to, resultName));
    const deed = standing.receipt === 'file' ? receiptName : pendingName;
    await moveTree(join(from, deed), join(to, receiptName));
    if (deed === receiptName && standing.pending === 'file') removeFile(join(from, pendingName));
    if (owner.cached_from !== undefined) standIn(owner.job_id, owner.cached_from);
  };

  /** A cached job at the same path took over the files of its source: whoever looks for the source must find them. */
  const standIn = (id: JobId, source: JobId): void => {
    const place = folder(source);
    if (place !== undefined && lookAt(place) === undefined) symlinkSync(id, place);
  };

  const displace = async (path: string): Promise<void> => {
    mkdirSync(displaced, { recursive: true, mode: 0o700 });
    const name = `${o.now()}-${basename(path).slice(0, 60)}`;
    await moveTree(path, join(displaced, freeName(displaced, name)));
  };

  const takeAll = async (from: string): Promise<void> => {
    const folders = [from];
    for (let next = folders.pop(); next !== undefined; next = folders.pop()) {
      await take(next, lookInto(next));
      for (const entry of readdirSync(next, { withFileTypes: true })) {
        // Names that are no text are not ours: they stay and are displaced with the rest.
        if (entry.isDirectory() && lookAt(join(next, entry.name))) folders.push(join(next, entry.name));
      }
    }
    if (!removeEmpty(from)) await displace(from);
  };

  return { folder, open, take, takeAll, displace };
}

/** True when the tree held no files and is gone. */
function removeEmpty(folder: string): boolean {
  let empty = true;
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    empty = entry.isDirectory() && lookAt(path) !== undefined && removeEmpty(path) && empty;
  }
  if (empty) rmdirSync(folder);
  return empty;
}

function _namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return [];
    throw error;
  }
}
