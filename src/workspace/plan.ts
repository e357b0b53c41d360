/** Turns what an agent changed into a promotion that is about to begin. */
import { join } from 'node:path';
import type { JobId } from '../types/job.ts';
import type { Changes } from './changes.ts';
import { below, lookAt } from './look.ts';
import { type Entry, folderOfJob, namesIn, newToken, type Standing } from './record.ts';
import type { SavedWorkspace, SnapshotEntry } from './snapshot.ts';
import { stageFolder } from './stage.ts';

export interface PlanOptions {
  readonly undoDir: string;
  readonly jobId: JobId;
  readonly known: SavedWorkspace;
  readonly changes: Changes;
  readonly copyDir: string;
  readonly at: number;
  readonly input: string | undefined;
}

/** @returns undefined when there is nothing to do. */
export function planPromotion(o: PlanOptions): Standing | undefined {
  const { known, changes, copyDir } = o;
  const { root } = known;
  if (changes.files.length + changes.madeFolders.length + changes.goneFolders.length === 0) return undefined;
  const snapshot = new Map(known.entries);
  const modeIn = (path: string): number => lookAt(below(copyDir, path))?.mode ?? 0;
  const entries = changes.files.map(({ path, change }): Entry => {
    const before = snapshot.get(path);
    const old = change === 'added' || before === undefined ? undefined : oldVersion(before, root.dir, path);
    if (change === 'removed') return { path, change, ...(old && { old }) };
    const mode = modeIn(path);
    const isOwn = change === 'changed' && (before?.kind !== 'file' || before.mode !== mode);
    const stage = stageFolder(root.dir, path);
    return { path, change, ...(old && { old }), ...(isOwn && { mode }), stage };
  });
  const folder = folderOfJob(o.undoDir, o.jobId);
  const last = Math.max(0, ...namesIn(folder).map(Number).filter(Number.isInteger));
  return {
    dir: join(folder, String(last + 1)),
    state: 'staging',
    promotion: {
      schema: 1,
      jobId: o.jobId,
      attempt: known.attempt,
      root,
      rootIno: known.rootIno,
      ...(o.input !== undefined && { input: o.input }),
      token: newToken(),
      at: o.at,
      entries,
      madeFolders: changes.madeFolders.map((path) => ({ path, mode: modeIn(path) })),
      goneFolders: changes.goneFolders.map((path) => {
        const entry = snapshot.get(path);
        return { path, mode: entry?.kind === 'folder' ? entry.mode : 0o700 };
      }),
    },
  };
}

/** An original that never stood still while it was copied has no version: nothing equals it. */
function oldVersion(entry: SnapshotEntry, rootDir: string, path: string): Entry['old'] {
  if (entry.kind === 'folder') return undefined;
  const look = lookAt(below(rootDir, path));
  return { kind: entry.kind, stamp: entry.source, mode: look?.mode ?? 0, bytes: look?.bytes ?? 0 };
}
