/** One execution of a workflow, and one node of it, as the ledger keeps them. Times: epoch milliseconds. */
import type { JobId, Usage } from './job.ts';

export type RunId = string;

/** `queued`: another run of its concurrency group goes first. `waiting`: nothing goes on before a person answers. */
export type RunState = 'queued' | 'running' | 'waiting' | 'succeeded' | 'failed' | 'cancelled';
export const finalRunStates: readonly RunState[] = ['succeeded', 'failed', 'cancelled'];

/** A step that has not begun has no record: it is pending. `waiting`: for a person, or with a job that waits. */
export type StepState = 'running' | 'waiting' | 'succeeded' | 'cached' | 'failed' | 'skipped' | 'cancelled';
export const finalStepStates: readonly StepState[] = [
  'succeeded',
  'cached',
  'failed',
  'skipped',
  'cancelled',
];

export type RunTrigger =
  | { readonly kind: 'manual'; readonly who: string }
  /** A routing rule sent this file; the run is the attempt of that job. */
  | { readonly kind: 'file'; readonly jobId: JobId; readonly file: RunFile }
  | { readonly kind: 'schedule'; readonly schedule: string; readonly dueAt: number }
  /** A step of another run called it. */
  | { readonly kind: 'workflow'; readonly runId: RunId; readonly step: string };

/** What `file` is in its expressions. */
export interface RunFile {
  readonly root: string;
  /** Absolute folder of the root. */
  readonly rootDir: string;
  /** Relative to the root. */
  readonly path: string;
  readonly sha256: string;
  readonly bytes: number;
}

export interface RunRecord {
  /** Sorts by time: `20261120-164501-3fa2c1`. Also the id of its session. */
  readonly id: RunId;
  /** The workflow's name. */
  readonly workflow: string;
  /** Checksum under which the ledger keeps the version that it started with. */
  readonly definition: string;
  readonly state: RunState;
  readonly reason?: RunReason;
  readonly message?: string;
  readonly fix?: string;
  readonly inputs: Readonly<Record<string, unknown>>;
  readonly trigger: RunTrigger;
  /** Nothing is taken from the cache. */
  readonly force: boolean;
  readonly depth: number;
  /** Its concurrency group, already a plain text. */
  readonly group?: string;
  /** Of the workflow, once it has ended. */
  readonly outputs?: Readonly<Record<string, unknown>>;
  /** What did not keep it from succeeding: failed steps with `continue_on_error`. */
  readonly warnings: readonly string[];
  readonly createdAt: number;
  readonly startedAt?: number;
  readonly endedAt?: number;
}

export type RunReason = 'step_failed' | 'timeout' | 'cancelled' | 'replaced' | 'invalid' | 'on_file_changed';

export interface StepRecord {
  readonly runId: RunId;
  /** The step's name, for an item of `for_each` with its index: `lint[3]`. */
  readonly id: string;
  readonly name: string;
  /** Of an item. */
  readonly index?: number;
  readonly item?: unknown;
  readonly state: StepState;
  /** A job's reason, or one of a step's own. */
  readonly reason?: string;
  readonly message?: string;
  readonly fix?: string;
  /** Its job, known before the job is put in the queue. */
  readonly jobId?: JobId;
  readonly subRunId?: RunId;
  /** The result's text, up to 64 KiB; longer ones stand only in its folder. */
  readonly result?: string;
  readonly resultBytes?: number;
  readonly outputs?: Readonly<Record<string, unknown>>;
  readonly cachedFrom?: JobId;
  /** Of `for_each`: how many items there are. Of `file_processing`: files by disposition. */
  readonly counts?: Readonly<Record<string, number>>;
  /** Until when it waits: an approval for its answer, a job for its agent or budget. */
  readonly waitUntil?: number;
  /** Of an approval: who answered and what they said. */
  readonly answer?: {
    readonly verdict: 'approved' | 'rejected';
    readonly by: string;
    readonly comment?: string;
  };
  readonly startedAt?: number;
  readonly endedAt?: number;
}

/** Reasons of steps that are not those of a job. */
export type StepReason =
  | 'need_failed'
  | 'need_skipped'
  | 'condition'
  | 'item_failed'
  | 'files_failed'
  | 'run_failed'
  | 'rejected'
  | 'approval_timeout'
  | 'review_stopped'
  /** It succeeded, and its reviewers have a concern. */
  | 'review_warning'
  | 'expression'
  | 'template'
  | 'cancelled';

export interface Spending {
  readonly usage?: Usage;
  /** Null: nothing of it said what it cost. */
  readonly costUsd: number | null;
}
