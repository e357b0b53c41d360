/** The part of the ledger's port that keeps reviews: one row a round. */
import type { ReviewRecord } from '../types/review.ts';

export interface ReviewLedger {
  /** Adds it, or replaces the row of the same id. */
  put(review: ReviewRecord): Promise<void>;
  get(id: string): Promise<ReviewRecord | undefined>;
  /** Newest first. `about`: see `aboutOf`; `sessionId`: of one run or job; `open`: those that have not ended. */
  list(query: {
    readonly about?: string;
    readonly sessionId?: string;
    readonly open?: boolean;
    readonly limit: number;
  }): Promise<readonly ReviewRecord[]>;
  /**
   * Removes those that ended before, and open ones that began before. Those of a run or a job stay as long as it does.
   * @returns how many.
   */
  prune(before: number): Promise<number>;
}
