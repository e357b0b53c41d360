/** Rounds of review as listings and `jobs show` tell them: the words of the files under `reviews/`. */
import type { ReviewLedger } from '../ledger/review-ledger.ts';
import type { JobRecord } from '../types/job.ts';
import { aboutJob, aboutStep, type ReviewFinding, type ReviewRecord } from '../types/review.ts';

export interface ReviewView {
  readonly id: string;
  readonly author: string;
  readonly trigger: string;
  readonly round: number;
  /** RFC 3339; `ended_at` absent: it goes on. */
  readonly started_at: string;
  readonly ended_at?: string;
  readonly verdicts: readonly {
    readonly agent: string;
    readonly weight: number;
    readonly verdict: string;
    readonly summary: string;
    readonly findings: readonly ReviewFinding[];
    readonly job_id?: string;
    readonly cost_usd: number | null;
  }[];
  readonly decision?: string;
  readonly why?: string;
  /** The author was asked to answer the findings. */
  readonly is_revised: boolean;
}

const MOST = 100;

/** Of a job's own work, and of a step's what `review` steps had said of it; oldest first. */
export async function reviewsOfJob(
  reviews: Pick<ReviewLedger, 'list'>,
  { id, step }: Pick<JobRecord, 'id' | 'step'>,
): Promise<readonly ReviewView[]> {
  const abouts = [aboutJob(id), ...(step ? [aboutStep(step.runId, step.step)] : [])];
  const rounds = await Promise.all(abouts.map((about) => reviews.list({ about, limit: MOST })));
  return rounds
    .flat()
    .toReversed()
    .toSorted((a, b) => a.startedAt - b.startedAt)
    .map(viewReview);
}

function viewReview(review: ReviewRecord): ReviewView {
  const { id, author, trigger, round, startedAt, endedAt, verdicts, decision, why, isRevised } = review;
  return {
    ...{ id, author, trigger, round },
    started_at: new Date(startedAt).toISOString(),
    ...(endedAt !== undefined && { ended_at: new Date(endedAt).toISOString() }),
    verdicts: verdicts.map(({ agent, weight, verdict, summary, findings, jobId, costUsd }) => ({
      ...{ agent, weight, verdict, summary, findings },
      ...(jobId !== undefined && { job_id: jobId }),
      cost_usd: costUsd,
    })),
    ...(decision !== undefined && { decision }),
    ...(why !== undefined && { why }),
    is_revised: isRevised ?? false,
  };
}
