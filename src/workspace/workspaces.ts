/**
 * `workspace: copy`: an agent works on a copy of its root's tree, and what it changed is put in place after its proof, all
 * or nothing, by renames; `undo` puts back what stood there. Working in the tree and backing up what changes was rejected:
 * an agent that fails half-way, or removes what it should not, has then already done it.
 */
import { join } from 'node:path';
import type { Conditions } from '../types/condition.ts';
import { AppError, messageOf } from '../types/errors.ts';
import type { JobId, PromotedFile } from '../types/job.ts';
import type { Changes } from './changes.ts';
import {
  type CopiesOptions,
  createCopies,
  type Exclude,
  type PrepareOptions,
  type Workspace,
} from './copies.ts';
import { lookAt } from './look.ts';
import type { OnPlaced } from './placed.ts';
import { planPromotion } from './plan.ts';
import { abandon, complete, dropRecord, promote, promotedFiles } from './promote.ts';
import { type Kept, load, loadJob, namesIn, type RecordState, type Standing } from './record.ts';
import { refusal, refuseProtected } from './refusals.ts';
import { beginUndo, revert } from './revert.ts';
import { folderIno } from './snapshot.ts';
import { createTurns, Slice } from './turns.ts';
import { walk } from './walk.ts';

export type { Changes, FileChange, Refused } from './changes.ts';
export type { Exclude, PrepareOptions, Workspace } from './copies.ts';
export type { OnPlaced, Placed } from './placed.ts';
export type { Kept } from './record.ts';

export interface PromoteOptions {
  readonly jobId: JobId;
  /** `into` of `prepare`. */
  readonly from: string;
  /** Of added files; absent: as the agent made them. */
  readonly fileMode?: number;
  /** Path of the job's input, for `list`. */
  readonly input?: string;
  readonly exclude?: Exclude;
  /** Told of every file before the first one gets its final name. */
  readonly onPlaced?: OnPlaced;
}

export interface PromotionView {
  readonly jobId: JobId;
  readonly attempt: number;
  readonly root: { readonly name: string; readonly dir: string };
  readonly input?: string;
  readonly state: RecordState;
  /** Epoch milliseconds. */
  readonly at: number;
  readonly undoneAt?: number;
  readonly files: readonly PromotedFile[];
}

export interface UndoResult {
  readonly restored: readonly string[];
  readonly kept: readonly Kept[];
}

export interface Workspaces {
  /**
   * Copies a root's tree: modes, times and links are kept, special files left out, nothing outside is followed.
   * @throws {AppError} `WORKSPACE_TOO_LARGE`, `DISK_FULL`, `ROOT_MISSING`, `ROOT_UNREADABLE`, `STATE_UNWRITABLE`; nothing
   * is left behind then, nor after an abort.
   */
  prepare(o: PrepareOptions): Promise<Workspace>;
  /**
   * What the agent changed in its copy, so far; also after a restart.
   * @throws {AppError} `WORKSPACE_LOST`, `OUTPUT_LIMIT`.
   */
  changesOf(from: string, exclude?: Exclude): Promise<Changes>;
  /**
   * Puts the changes in place, or changes nothing. Asked again for an attempt that was promoted, it says what it did.
   * @throws {AppError} `PROMOTION_CONFLICT`, `PROMOTION_REFUSED`, `WORKSPACE_LOST`, `OUTPUT_LIMIT`, `DISK_FULL`,
   * `OUTPUT_UNWRITABLE`.
   */
  promote(o: PromoteOptions): Promise<readonly PromotedFile[]>;
  /** Removes a copy and what is known of it. */
  discard(from: string): Promise<void>;
  /**
   * Puts back what the promotions of a job replaced, added or removed; again: what was kept the last time.
   * @param o.force Also files that changed since; their latest version stays in `.sluice/undo/<job>/` until it is forgotten.
   * @throws {AppError} `NOT_FOUND`, `ROOT_MISSING`, `DISK_FULL`, `OUTPUT_UNWRITABLE`.
   */
  undo(jobId: JobId, o?: { readonly force?: boolean; readonly onPlaced?: OnPlaced }): Promise<UndoResult>;
  /** Completes or puts back what a crash cut short; before anything is watched. What cannot be is a condition. */
  recover(onPlaced?: OnPlaced): Promise<void>;
  /** Promotions that can be or were undone. */
  list(): readonly PromotionView[];
  /** Their promotions cannot be undone any more. Those that were cut short stay. */
  forget(jobIds: readonly JobId[]): void;
  /** Bytes in the undo folder: older versions, and what is known of copies. */
  size(): Promise<number>;
}

export interface WorkspacesOptions extends CopiesOptions {
  /**
   * What of a root no agent changes, in a copy as little as in place; default nothing.
   * @param root `dir` without symbolic links. @returns asked for paths relative to the root.
   */
  readonly protectedOf?: (root: { readonly name: string; readonly dir: string }) => (path: string) => boolean;
  readonly conditions?: Conditions;
  readonly now: () => number;
}

export function createWorkspaces(o: WorkspacesOptions): Workspaces {
  const undoDir = join(o.stateDir, 'undo');
  const copies = createCopies(o);
  const inTurn = createTurns();

  const promoteCopy = async (p: PromoteOptions): Promise<readonly PromotedFile[]> => {
    const known = copies.known(p.from);
    const earlier = loadJob(undoDir, p.jobId).find(
      ({ state, promotion }) =>
        promotion.attempt === known.attempt && ['placing', 'promoted'].includes(state),
    );
    if (earlier?.state === 'placing') await complete(earlier, p.onPlaced);
    if (earlier) return promotedFiles(earlier.promotion);
    const changes = await copies.changesIn(known, p.exclude);
    refuseProtected(changes, known.root.name, o.protectedOf?.(known.root));
    const standing = planPromotion({
      undoDir,
      jobId: p.jobId,
      known,
      changes,
      copyDir: p.from,
      at: o.now(),
      input: p.input,
    });
    if (standing === undefined) return [];
    const { fileMode, onPlaced } = p;
    const done = await promote(standing, {
      copyDir: p.from,
      ...(fileMode !== undefined && { fileMode }),
      ...(onPlaced && { onPlaced }),
    });
    return promotedFiles(done.promotion);
  };

  const inRoot = <T>(
    root: { name: string; dir: string },
    action: string,
    work: () => Promise<T>,
  ): Promise<T> =>
    inTurn(root.dir, async () => {
      try {
        return await work();
      } catch (error) {
        throw refusal(error, `${action} root "${root.name}"`, {
          code: 'OUTPUT_UNWRITABLE',
          fix: `Let the user of Sluice write in "${root.dir}" and "${o.stateDir}".`,
        });
      }
    });

  const undoOne = async (
    standing: Standing,
    force: boolean,
    onPlaced: OnPlaced | undefined,
  ): Promise<UndoResult> => {
    const { root, rootIno } = standing.promotion;
    if (folderIno(root.dir) !== rootIno)
      throw new AppError(
        'ROOT_MISSING',
        `The folder of root "${root.name}" is not the one that was changed: "${root.dir}"`,
        {
          fix: `Bring it back (is its disk mounted?); older versions are in "${join(standing.dir, 'old')}".`,
        },
      );
    return revert(beginUndo(standing), { force, now: o.now, ...(onPlaced && { onPlaced }) });
  };

  const recoverOne = async (dir: string, onPlaced: OnPlaced | undefined): Promise<void> => {
    const standing = load(dir);
    if (standing === undefined) return dropRecord(dir);
    const { state, promotion } = standing;
    const { root, jobId } = promotion;
    if (state === 'promoted' || state === 'undone') return;
    await inRoot(root, 'put right', async () => {
      if (state === 'staging') return abandon(standing);
      if (state === 'undoing' || state === 'rollback') return void (await undoOne(standing, false, onPlaced));
      if (folderIno(root.dir) !== promotion.rootIno) return void (await undoOne(standing, false, onPlaced));
      try {
        await complete(standing, onPlaced);
      } catch (error) {
        // All is as it was, and the job will be told when it asks again.
        if (!(error instanceof AppError) || error.code !== 'PROMOTION_CONFLICT') throw error;
      }
    });
    o.conditions?.clear('PROMOTION_CONFLICT', jobId);
  };

  const standings = (): Standing[] =>
    namesIn(undoDir)
      .filter((name) => !name.startsWith('.'))
      .flatMap((name) => loadJob(undoDir, name));

  return {
    prepare: copies.prepare,
    discard: copies.discard,
    changesOf: async (from, exclude) => copies.changesIn(copies.known(from), exclude),
    promote: async (p) =>
      inRoot(copies.known(p.from).root, 'put the changes of the agent in place in', () => promoteCopy(p)),
    async undo(jobId, { force = false, onPlaced } = {}) {
      const found = loadJob(undoDir, jobId).filter(({ state }) => state !== 'staging');
      const [first] = found;
      if (first === undefined)
        throw new AppError('NOT_FOUND', `Job "${jobId}" put nothing in place that could be put back`, {
          fix: 'Only agents with `workspace: copy` can be undone, until `output_settings.retention`.',
        });
      return inRoot(first.promotion.root, 'put back what stood in', async () => {
        const results: UndoResult[] = [];
        for (const standing of found)
          results.push(await undoOne(load(standing.dir) ?? standing, force, onPlaced));
        return {
          restored: results.flatMap(({ restored }) => restored),
          kept: results.flatMap(({ kept }) => kept),
        };
      });
    },
    async recover(onPlaced) {
      copies.sweep();
      for (const jobId of namesIn(undoDir).filter((name) => !name.startsWith('.')))
        for (const name of namesIn(join(undoDir, jobId)))
          try {
            await recoverOne(join(undoDir, jobId, name), onPlaced);
          } catch (error) {
            o.conditions?.raise({
              code: 'PROMOTION_CONFLICT',
              subject: jobId,
              message: `What job ${jobId} changed was put in place in part, and cannot be completed: ${messageOf(error)}`,
              fix: `Mend that and restart; older versions are in "${join(undoDir, jobId, name)}".`,
            });
          }
    },
    list: () =>
      standings().map(({ state, promotion }) => {
        const { jobId, attempt, root, input, at, undoneAt } = promotion;
        const files = promotedFiles(promotion);
        return {
          jobId,
          attempt,
          root,
          state,
          at,
          files,
          ...(input !== undefined && { input }),
          ...(undoneAt !== undefined && { undoneAt }),
        };
      }),
    forget(jobIds) {
      copies.sweep();
      for (const jobId of jobIds)
        for (const { dir, state } of loadJob(undoDir, jobId))
          if (state === 'promoted' || state === 'undone') dropRecord(dir);
    },
    async size() {
      if (lookAt(undoDir)?.kind !== 'folder') return 0;
      let bytes = 0;
      const all = walk({ dir: undoDir, slice: new Slice(), wants: () => true, skip: () => {} });
      for await (const some of all)
        for (const { look } of some) if (look.kind === 'file') bytes += look.bytes;
      return bytes;
    },
  };
}
