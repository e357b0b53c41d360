/** Copies of trees, from their making to their removal, and what is known of each: `undo/.copies/`. */
import { createHash } from 'node:crypto';
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { AppError } from '../types/errors.ts';
import type { JobId } from '../types/job.ts';
import { type Changes, findChanges } from './changes.ts';
import { copyTree, realFolder } from './copy-tree.ts';
import { discardTree } from './discard.ts';
import { below, lookAt } from './look.ts';
import { namesIn } from './record.ts';
import { refusal } from './refusals.ts';
import {
  folderIno,
  loadPlace,
  loadWorkspace,
  type SavedWorkspace,
  type Skipped,
  saveWorkspace,
} from './snapshot.ts';

/** @param path Relative to the root. */
export type Exclude = (path: string, isFolder: boolean) => boolean;

export interface Workspace {
  /** The copy of the root's tree. */
  readonly dir: string;
  readonly root: { readonly name: string; readonly dir: string };
  /** `stamp`: of the original that was copied; absent when it was not there. */
  readonly inputs: readonly { readonly path: string; readonly file: string; readonly stamp?: string }[];
  /** Files, links and folders in it. */
  readonly files: number;
  /** Without files whose blocks are shared with the original. */
  readonly copiedBytes: number;
  /** What is in the tree and not in the copy, beside what is excluded. */
  readonly skipped: readonly Skipped[];
}

export interface PrepareOptions {
  readonly jobId: JobId;
  readonly attempt: number;
  readonly root: { readonly name: string; readonly dir: string };
  /** Relative to the root; copied even where they are excluded. */
  readonly inputs: readonly string[];
  /** Instead of what `excludeOf` says about the root. */
  readonly exclude?: Exclude;
  /** Where the copy will be; what is there is removed. */
  readonly into: string;
  readonly signal?: AbortSignal;
}

export interface CopiesOptions {
  readonly stateDir: string;
  /** What of a root is not copied; default nothing but our own state. */
  readonly excludeOf?: (root: string) => Exclude;
  /** Default 100,000 files and folders, 2 GiB. */
  readonly maxFiles?: number;
  readonly maxBytes?: number;
}

export interface Copies {
  prepare(o: PrepareOptions): Promise<Workspace>;
  discard(from: string): Promise<void>;
  /** @throws {AppError} `WORKSPACE_LOST`. */
  known(from: string): SavedWorkspace;
  changesIn(known: SavedWorkspace, exclude?: Exclude): Promise<Changes>;
  /** Forgets copies that somebody else removed. */
  sweep(): void;
}

export function createCopies(o: CopiesOptions): Copies {
  const { maxFiles = 100_000, maxBytes = 2 ** 31 } = o;
  const savedDir = join(o.stateDir, 'undo/.copies');
  const nothing: Exclude = () => false;
  const excludeFor = (root: string, own?: Exclude): Exclude => own ?? o.excludeOf?.(root) ?? nothing;
  const savedFile = (from: string): string =>
    join(savedDir, `${createHash('sha256').update(from).digest('hex').slice(0, 32)}.json`);

  const discard = async (from: string): Promise<void> => {
    await discardTree(from);
    rmSync(savedFile(from), { force: true });
  };

  const prepare = async (p: PrepareOptions): Promise<Workspace> => {
    const rootDir = realFolder(p.root.name, p.root.dir);
    try {
      await discard(p.into);
      mkdirSync(p.into, { recursive: true, mode: 0o700 });
      mkdirSync(savedDir, { recursive: true, mode: 0o700 });
      const tree = await copyTree({
        name: p.root.name,
        from: rootDir,
        into: p.into,
        inputs: p.inputs,
        exclude: excludeFor(p.root.name, p.exclude),
        barred: [o.stateDir, p.into],
        maxFiles,
        maxBytes,
        ...(p.signal && { signal: p.signal }),
      });
      const { copiedBytes, skipped } = tree;
      saveWorkspace(savedFile(p.into), {
        schema: 1,
        jobId: p.jobId,
        attempt: p.attempt,
        root: { name: p.root.name, dir: rootDir },
        rootIno: folderIno(rootDir) ?? '',
        copyIno: folderIno(p.into) ?? '',
        dir: p.into,
        entries: [...tree.entries],
      });
      const inputs = p.inputs.map((path) => {
        const entry = tree.entries.get(path);
        const file = below(p.into, path);
        return entry?.kind === 'file' ? { path, file, stamp: entry.source } : { path, file };
      });
      return { dir: p.into, root: p.root, inputs, files: tree.entries.size, copiedBytes, skipped };
    } catch (error) {
      await discard(p.into).catch(() => {});
      throw refusal(error, `copy the tree of root "${p.root.name}"`, {
        code: 'STATE_UNWRITABLE',
        fix: `Let the user of Sluice read "${rootDir}" and write "${o.stateDir}".`,
      });
    }
  };

  const known = (from: string): SavedWorkspace => {
    const found = loadWorkspace(savedFile(from));
    if (found) return found;
    throw new AppError('WORKSPACE_LOST', `Nothing is known of the copy "${from}"; nothing was put in place`, {
      fix: 'Run the job again with `sluice jobs retry`.',
    });
  };

  const changesIn = ({ root, dir, copyIno, entries }: SavedWorkspace, exclude?: Exclude): Promise<Changes> =>
    findChanges({
      rootName: root.name,
      rootDir: root.dir,
      dir,
      copyIno,
      snapshot: new Map(entries),
      exclude: excludeFor(root.name, exclude),
      maxFiles,
    });

  const sweep = (): void => {
    for (const name of namesIn(savedDir)) {
      const file = join(savedDir, name);
      const dir = loadPlace(file);
      if (dir === undefined || lookAt(dir) === undefined) rmSync(file, { force: true });
    }
  };

  return { prepare, discard, known, changesIn, sweep };
}
