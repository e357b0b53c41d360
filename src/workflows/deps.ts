/** What the engine is handed: everything that it does not do itself. */

import type { ConditionBoard } from '../conditions/board.ts';
import type { Config, SelectionPolicy } from '../config/config.ts';
import type { CoordinatorEvent } from '../coordinator/events.ts';
import type { FileAccess } from '../expressions/scope.ts';
import type { JobLedger } from '../ledger/ledger.ts';
import type { ReviewLedger } from '../ledger/review-ledger.ts';
import type { RunLedger } from '../ledger/run-ledger.ts';
import type { SessionLedger } from '../ledger/session-ledger.ts';
import type { Reviews } from '../reviews/reviews.ts';
import type { ChangeSource } from '../reviews/work.ts';
import type { JobId, JobRecord } from '../types/job.ts';
import type { RunId, RunRecord } from '../types/run.ts';
import type { StepTask } from '../types/step-task.ts';

/** The part of `Config` that is looked at. */
export type WorkflowsConfig = Pick<Config, 'projectDir' | 'roots' | 'daemon' | 'workflows'>;

export interface WorkflowsDeps {
  readonly config: WorkflowsConfig;
  readonly ledger: {
    readonly runs: RunLedger;
    readonly sessions: SessionLedger;
    readonly reviews: ReviewLedger;
    readonly jobs: Pick<JobLedger, 'get'>;
    durable(): Promise<void>;
  };
  readonly jobs: StepJobs;
  readonly files: FileWork;
  /** Candidates with the best first. */
  readonly selectAgents: (
    candidates: readonly string[],
    policy: SelectionPolicy,
    /** Of its file or prompt; absent: unknown. */
    bytes?: number,
  ) => Promise<readonly string[]>;
  readonly publish: RunPublisher;
  /** The process's own: `${{ env.X }}` reads of it what every command sees, and what an `env` names. Default: nothing. */
  readonly env?: NodeJS.ProcessEnv;
  /** Rounds of reviews, for `review` steps. */
  readonly reviews: Reviews;
  /** Where what the job of a step has changed can be seen. */
  readonly changesOf: (job: JobRecord) => ChangeSource;
  readonly conditions: Pick<ConditionBoard, 'raise' | 'clear'>;
  readonly redact: (text: string) => string;
  readonly log: {
    info(data: object, message: string): void;
    warn(data: object, message: string): void;
  };
  /** Epoch milliseconds. */
  readonly now: () => number;
  readonly random: () => number;
}

/** Steps as jobs: the coordinator. */
export interface StepJobs {
  /** Again with the same id: nothing is added. @returns the job as it is then, perhaps ended already (`cached`). */
  submit(
    task: StepTask,
    o: {
      readonly id: JobId;
      readonly priority: number;
      readonly force: boolean;
      readonly depth: number;
      readonly parent?: JobId;
    },
  ): Promise<JobRecord>;
  /** One that has ended already: nothing. */
  cancel(id: JobId, reason: string): Promise<void>;
  subscribe(listener: (event: CoordinatorEvent) => void): () => void;
  /** Where the result of an ended job stands; undefined when there is none. */
  resultOf(
    job: JobRecord,
  ): Promise<{ readonly file?: string; readonly bytes: number; readonly outputsDir?: string } | undefined>;
}

export interface FileWork {
  /**
   * Takes in every file of a directory, by the rules, page by page; jobs are known to the ledger when they are told.
   * Again after a crash: `isTaken` knows the files that this step took in before, they are left out; what has no job
   * (unrouted, ignored, quarantined) is told again. A job may be told twice.
   * @throws AppError when the directory cannot be read.
   */
  process(o: {
    /** Absolute. */
    readonly directory: string;
    readonly recursive: boolean;
    readonly runId: RunId;
    readonly step: string;
    readonly force: boolean;
    readonly depth: number;
    /** Files that rules send to workflows are left as they are, and counted as `left`. */
    readonly leaveWorkflows?: boolean;
    /** Absent: none were. */
    readonly isTaken?: (root: string, path: string) => boolean;
    readonly signal: AbortSignal;
  }): AsyncIterable<FilePage>;
  /** The version that took the place of a file whose job was superseded; undefined: there is none. */
  again(job: JobRecord): Promise<JobRecord | undefined>;
  readonly access: FileAccess;
}

export interface FilePage {
  readonly jobs: readonly JobRecord[];
  readonly unrouted: number;
  readonly ignored: number;
  readonly quarantined: number;
  readonly left?: number;
}

/** Where reports and what `report` steps write are put: the output folder is not ours. */
export interface RunPublisher {
  /** Writes the reports of a run as it is now: told when it has gone on for a moment, when it waits and at its end. */
  run(id: RunId): Promise<void>;
  /** False: the reports of this ended run are not there (a crash in between), they are written again at the start. */
  isPublished?(run: RunRecord): Promise<boolean>;
  /**
   * Puts a file into the `outputs/` of a step, by rename; again: it is replaced.
   * @returns where it stands (absolute).
   */
  writeOutput(o: {
    readonly run: RunRecord;
    /** `overview`, or `overview[3]` for an item. */
    readonly stepId: string;
    /** Relative to the step's `outputs/`, and inside it. */
    readonly path: string;
    readonly text: string;
  }): Promise<{ readonly file: string; readonly bytes: number }>;
  /** Absolute folder of a run: `${{ run.dir }}`. */
  folder(run: Pick<RunRecord, 'id' | 'workflow'>): string;
  /** Link from the `result.md` of this file to the report of the run. */
  reportLink(
    run: Pick<RunRecord, 'id' | 'workflow'>,
    input: { readonly root: string; readonly path: string },
  ): string;
}
