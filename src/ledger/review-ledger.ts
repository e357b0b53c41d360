/** The part of the ledger's port that keeps reviews: one row a round. */
import type { ReviewRecord } from '../types/review.ts';

export interface ReviewLedger {
  /** Adds it, or replaces the row of the same id. */
  put(review: ReviewRecord): Promise<void>;
  get(id: string): Promise<ReviewRecord | undefined>;
  /** Newest first. `sessionId`: of one run or job; `open`: those that have not ended. */
  list(query: {
    readonly sessionId?: string;
    readonly open?: boolean;
    readonly limit: number;
  }): Promise<readonly ReviewRecord[]>;
  /**
   * Removes those that ended before, and open ones that began before: what they were about is gone. Those of a run stay as
   * long as it. @returns how many.
   */
  prune(before: number): Promise<number>;
}
