/** What reviews are handed: everything that they do not do themselves. */
import type { AgentConfig } from '../config/config.ts';
import type { ReviewLedger } from '../ledger/review-ledger.ts';
import type { JobId, JobRecord } from '../types/job.ts';
import type { StepTask } from '../types/step-task.ts';
import type { FileText } from './bounded-file.ts';

/** Reviewers as jobs: the coordinator. */
export interface ReviewerJobs {
  /** Adds the job, or nothing when one with this id is there. @returns the job as it is then. */
  submitStep(
    task: StepTask,
    o: { readonly id: JobId; readonly priority: number; readonly force: boolean; readonly depth: number },
  ): Promise<JobRecord>;
  /**
   * Resolves when the job has ended, or when it will not go on by itself (`held`): the reviewer is missing then.
   * @throws `signal.reason` on abort; the job goes on.
   */
  follow(id: JobId, signal: AbortSignal): Promise<JobRecord>;
  /** A job that has ended already stays as it is. */
  cancel(id: JobId, reason: string): Promise<void>;
  /** The reviewer's answer; one that is longer is not read at all. A job that failed may have left one, too. */
  readResult(job: JobRecord, maxBytes: number): Promise<FileText>;
}

export interface ReviewsDeps {
  readonly ledger: { readonly reviews: ReviewLedger };
  readonly jobs: ReviewerJobs;
  /** Those of the configuration in force, in its order. */
  readonly agents: () => readonly AgentConfig[];
  /** Whether an agent can work now: installed, logged in, not parked, breaker closed. */
  readonly isAvailable: (agent: string) => boolean;
  readonly redact: (text: string) => string;
  readonly log: { warn(data: object, message: string): void };
  /** Epoch milliseconds. */
  readonly now: () => number;
  /** Of artifacts; default 0o644. */
  readonly fileMode?: () => number;
}
