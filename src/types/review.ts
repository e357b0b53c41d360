/** What agents say of another's work, and what is made of it. Plain JSON: it stands in the ledger and in `reviews/`. */
import type { ReviewDecision, ReviewTrigger } from '../config/config.ts';
import type { JobId } from './job.ts';

export interface ReviewFinding {
  /** Only `blocking` ones are sent back to the author. */
  readonly severity: 'blocking' | 'major' | 'minor';
  readonly text: string;
  /** `src/a.ts:12`, or a heading. */
  readonly place?: string;
  /** What shows it: a quotation, an output. */
  readonly evidence?: string;
}

export interface ReviewVerdict {
  readonly agent: string;
  readonly weight: number;
  /** `missing`: no valid answer came; it approves nothing. */
  readonly verdict: 'approved' | 'concern' | 'blocker' | 'missing';
  readonly summary: string;
  readonly findings: readonly ReviewFinding[];
  /** The reviewer's own job; absent for checks of our own. */
  readonly jobId?: JobId;
  readonly costUsd: number | null;
}

/** What is reviewed: a job's work, or that of a step of a run. */
export type ReviewSubject =
  | {
      readonly kind: 'job';
      readonly jobId: JobId;
      /** Which of its attempts did it. */
      readonly attempt: number;
      /** Of a step of a run: `lint`, `lint[3]`. */
      readonly step?: string;
    }
  | {
      readonly kind: 'step';
      readonly runId: string;
      readonly workflow: string;
      readonly step: string;
      /** Whose work it is in this round: the step's own, or the latest revision of it. */
      readonly jobId: JobId;
    };

/**
 * What a round is about, in one word by which the ledger finds the others about the same: a job, or a step of a run whose
 * revisions are jobs of their own.
 */
export function aboutOf(subject: ReviewSubject): string {
  return subject.kind === 'job' ? aboutJob(subject.jobId) : aboutStep(subject.runId, subject.step);
}

export function aboutJob(id: JobId): string {
  return `job ${id}`;
}

export function aboutStep(runId: string, step: string): string {
  return `step ${runId} ${step}`;
}

/** One round: the same work before several reviewers, and the decision that follows. */
export interface ReviewRecord {
  readonly id: string;
  /** The run that the work belongs to; of a file's job: that job. */
  readonly sessionId: string;
  readonly subject: ReviewSubject;
  /** Who did the work; never among the reviewers. */
  readonly author: string;
  readonly trigger: ReviewTrigger;
  /** Of a `review` step: its name. */
  readonly name?: string;
  /** 1 for the first. */
  readonly round: number;
  /** Epoch milliseconds. */
  readonly startedAt: number;
  /** Absent: it goes on. */
  readonly endedAt?: number;
  /** Hex SHA-256 over the work as it was first shown: equal means that its author has changed nothing. */
  readonly workSha256: string;
  /** While it goes on: those who are asked, as `missing`. */
  readonly verdicts: readonly ReviewVerdict[];
  /** Absent in one that has ended: the work was over before anything was decided. */
  readonly decision?: ReviewDecision;
  /** Why, in a sentence. */
  readonly why?: string;
  /** The author is asked to answer the blocking findings, and another round follows. */
  readonly isRevised?: boolean;
}
