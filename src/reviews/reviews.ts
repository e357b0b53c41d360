/** Work before several reviewers, and the decision that follows. */
import type { ReviewTerms, ReviewTrigger } from '../config/config.ts';
import type { ReviewRecord, ReviewSubject } from '../types/review.ts';

/** What the reviewers see. Everything in it is data to them, fenced. */
export interface ReviewWork {
  /** One line: what was asked for. */
  readonly title: string;
  /** The task as its author got it, as far as it is known. */
  readonly task: string;
  /** The author's own report: its result text. */
  readonly report: string;
  /** Unified diff of what it changed; empty: nothing, or it cannot be known. */
  readonly diff: string;
  /** Names and sizes of output files, and what they hold as far as they are short texts. */
  readonly outputs: readonly { readonly path: string; readonly bytes: number; readonly text?: string }[];
}

export interface ReviewRequest {
  readonly subject: ReviewSubject;
  readonly sessionId: string;
  readonly author: string;
  readonly trigger: ReviewTrigger;
  /**
   * 1 for the first of this trigger. The same attempt (of a step: the same job) in the same round is the same review, also
   * after a restart, whatever else has happened in the tree since. Unchanged work that comes again from its author is not
   * shown again: the verdicts of the round before stand.
   */
  readonly round: number;
  /** Rounds that began before this are of an earlier try (a run was resumed) and do not count. Epoch milliseconds. */
  readonly since?: number;
  /** Tells apart several reviews of the same work: the name of the `review` step. Absent: there is one. */
  readonly name?: string;
  /** What to look for besides the general; written by the owner, not data. */
  readonly lookFor?: string;
  /** Blocking findings may go back to the author. Absent: not. */
  readonly canRevise?: boolean;
  readonly work: ReviewWork;
  readonly config: ReviewTerms;
  /** Absolute (`reviews/`): here come `round-1.json` and `round-1.md`, or `milestone-1` …, with `<name>-` before it. */
  readonly artifactsDir: string;
  /** Nesting of the jobs of its reviewers. */
  readonly depth: number;
  readonly priority: number;
}

export interface Reviews {
  /**
   * One round: chooses reviewers, runs them as jobs, reads their verdicts, decides. Idempotent over restarts. Never
   * rejects for what reviewers do. Aborting leaves the round open: it goes on when it is asked for again.
   */
  conduct(request: ReviewRequest, signal: AbortSignal): Promise<ReviewRecord>;
  /**
   * Work is over before it was judged, or nobody wants to know any more: these open rounds of a session end without a
   * decision, and who is still asked is not asked any more.
   */
  letGo(sessionId: string, which: (review: ReviewRecord) => boolean): Promise<void>;
}
