/** What the ledger knows of a run, gathered for its report: bounded, whatever the size of the run. */
import type { StepConfig, WorkflowConfig } from '../../config/workflow.ts';
import type { JobRecord, Usage } from '../../types/job.ts';
import type { ReviewRecord } from '../../types/review.ts';
import type { RunRecord, StepRecord, StepState } from '../../types/run.ts';
import type { Tail } from '../failure-page.ts';

export interface RunFacts {
  readonly run: RunRecord;
  /** The version it started with; absent: nobody knows it any more. */
  readonly definition?: Pick<WorkflowConfig, 'description'>;
  /** In the order of the definition, those that have not begun included. */
  readonly steps: readonly StepFacts[];
  readonly spent: Spent & { readonly jobs: number; readonly attempts: number };
  readonly subRuns: number;
  /** The run that called this one. */
  readonly caller?: RunRecord;
  /** Of a run that a file started. */
  readonly triggerRule?: string;
  readonly now: number;
}

export interface Spent {
  readonly usage?: Usage;
  readonly costUsd: number | null;
}

export interface StepFacts {
  readonly name: string;
  readonly config?: StepConfig;
  readonly onFailure: boolean;
  readonly record?: StepRecord;
  readonly job?: JobRecord;
  /** The job whose result it shares. */
  readonly source?: JobRecord;
  readonly items?: ItemFacts;
  readonly files?: FileFacts;
  readonly subRun?: RunRecord;
  /** Of its items, files and sub-runs together; undefined: too many to be added up. */
  readonly spent?: Spent;
  readonly tails: readonly Tail[];
  /** Rounds of review of its work, or those that it held; oldest first. */
  readonly reviews?: readonly ReviewRecord[];
}

export interface ItemFacts {
  readonly total: number;
  readonly counts: Readonly<Partial<Record<StepState, number>>>;
  readonly shown: readonly ItemShown[];
  readonly load?: readonly { readonly running: number; readonly failed: number }[];
}

export interface ItemShown {
  readonly record: StepRecord;
  /** Whose job it is. */
  readonly agent?: string;
  readonly tails: readonly Tail[];
  readonly subRun?: RunRecord;
}

export interface FileFacts {
  readonly counts: Readonly<Record<string, number>>;
  readonly total: number;
  readonly shown: readonly FileShown[];
}

export interface FileShown {
  readonly job: JobRecord;
  readonly tails: readonly Tail[];
}
