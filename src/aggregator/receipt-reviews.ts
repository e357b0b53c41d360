/** Rounds of review as a receipt tells them: who said what, and what was made of it. What was found stands in `reviews/`. */
import type { ReviewLedger } from '../ledger/review-ledger.ts';
import type { JobRecord } from '../types/job.ts';
import type { ReceiptReview } from '../types/receipt.ts';
import { aboutJob, type ReviewRecord, type ReviewVerdict } from '../types/review.ts';

/** A receipt tells of the latest rounds alone. */
const MOST_TOLD = 50;

/** Of the work of a job, oldest first; those that have ended. */
export async function receiptReviews(
  reviews: Pick<ReviewLedger, 'list'>,
  { id }: Pick<JobRecord, 'id'>,
): Promise<readonly ReceiptReview[]> {
  const rounds = await reviews.list({ about: aboutJob(id), limit: MOST_TOLD });
  return rounds
    .filter(({ endedAt }) => endedAt !== undefined)
    .map(toReceiptReview)
    .toReversed();
}

function toReceiptReview({
  round,
  trigger,
  decision,
  why,
  isRevised,
  verdicts,
}: ReviewRecord): ReceiptReview {
  return {
    ...{ round, trigger },
    ...(decision !== undefined && { decision }),
    ...(why !== undefined && { why }),
    ...(isRevised && { is_revised: true as const }),
    verdicts: verdicts.map(({ agent, verdict, summary, findings }) => ({
      ...{ agent, verdict, summary },
      findings: countOf(findings),
    })),
  };
}

function countOf(findings: ReviewVerdict['findings']): ReceiptReview['verdicts'][number]['findings'] {
  const counts: Partial<Record<'blocking' | 'major' | 'minor', number>> = {};
  for (const severity of ['blocking', 'major', 'minor'] as const) {
    const count = findings.filter((finding) => finding.severity === severity).length;
    if (count > 0) counts[severity] = count;
  }
  return counts;
}
