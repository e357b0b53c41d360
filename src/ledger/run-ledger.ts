/** The part of the ledger's port that keeps workflow runs. Writes share commits with everything else. */
import type { JobId } from '../types/job.ts';
import type { RunId, RunRecord, RunState, Spending, StepRecord, StepState } from '../types/run.ts';

export interface RunLedger {
  /** Keeps a definition (JSON) under its checksum, once. */
  define(definition: unknown): Promise<string>;
  /** @returns what `define` was given; undefined when no run refers to it any more. */
  definition(id: string): Promise<unknown>;

  /** Repeating it with the same id does nothing. */
  create(run: RunRecord): Promise<void>;
  /** @returns the run as it is then; undefined when there is no such run. Absent keys stay; `null` removes one. */
  update(id: RunId, change: RunChange): Promise<RunRecord | undefined>;
  get(id: RunId): Promise<RunRecord | undefined>;
  /** By unique part of the id (beginning or end), as people type them. */
  find(part: string): Promise<readonly RunRecord[]>;
  /** Newest first. */
  list(query: RunQuery): Promise<readonly RunRecord[]>;
  /** Not ended, oldest first. */
  open(): Promise<readonly RunRecord[]>;
  /** The runs that a file's job started, newest first. */
  ofJob(jobId: JobId): Promise<readonly RunRecord[]>;

  /** Inserts or replaces. */
  putStep(step: StepRecord): Promise<void>;
  /** In one commit. */
  putSteps(steps: readonly StepRecord[]): Promise<void>;
  step(runId: RunId, id: string): Promise<StepRecord | undefined>;
  /**
   * Steps themselves, without the items of `for_each`, in the order in which they were first put.
   * @param o.withResults Default true. Of ten thousand steps the results' texts may be hundreds of megabytes: whoever
   * only needs to know how they stand leaves them out.
   */
  steps(runId: RunId, o?: { readonly withResults?: boolean }): Promise<readonly StepRecord[]>;
  /** Items of one step by index, from `from` on. */
  items(runId: RunId, name: string, from: number, limit: number): Promise<readonly StepRecord[]>;
  /** Indexes of items in these states; bounded memory: numbers only. */
  itemIndexes(runId: RunId, name: string, states: readonly StepState[]): Promise<readonly number[]>;
  itemCounts(runId: RunId, name: string): Promise<Readonly<Partial<Record<StepState, number>>>>;
  /** Forgets these steps, their items and which files they took in, so that they run again (`resume`). Not what was spent. */
  forgetSteps(runId: RunId, names: readonly string[]): Promise<void>;
  /** Forgets the items in these states only. */
  forgetItems(runId: RunId, name: string, states: readonly StepState[]): Promise<void>;

  /** Jobs of files that a `file_processing` step took in; again with the same job: nothing. */
  addFiles(runId: RunId, step: string, jobs: readonly JobId[]): Promise<void>;
  /** In the order in which they were added; `after`: the last id of the page before. */
  files(
    runId: RunId,
    step: string,
    page: { readonly after?: JobId; readonly limit: number },
  ): Promise<readonly JobId[]>;

  /** What all jobs of this run used since it began, those of its files included (not those of sub-runs). */
  spent(runId: RunId): Promise<Spending & { readonly jobs: number; readonly attempts: number }>;
  /**
   * Removes ended top-level runs that ended before, oldest first, with sub-runs, steps, sessions and definitions of their
   * own; but not the latest of a workflow, none in which anything is open, nor one with a result that the cache refers to.
   * @param limit Of top-level runs.
   * @param keep Of the others at most so many top-level runs stay, the newest, and no more than have so many jobs of steps
   * together (the newest one always); default: all.
   * @returns those that went, sub-runs after their callers.
   */
  prune(before: number, limit: number, keep?: number): Promise<readonly Pick<RunRecord, 'id' | 'workflow'>[]>;
}

export type RunChange = Partial<
  Pick<RunRecord, 'state' | 'inputs' | 'group' | 'outputs' | 'warnings' | 'startedAt'>
> & {
  readonly reason?: RunRecord['reason'] | null;
  readonly message?: string | null;
  readonly fix?: string | null;
  readonly endedAt?: number | null;
};

export interface RunQuery {
  readonly workflow?: string;
  readonly states?: readonly RunState[];
  /** Only those that a step of this run called; `null`: only those that nobody called. */
  readonly parent?: RunId | null;
  readonly endedSince?: number;
  readonly limit: number;
}
