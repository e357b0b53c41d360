/** A receipt read back: how its job ended, for a ledger that does not know it (any more). */
import type { JobEnd } from '../ledger/ledger.ts';
import { type FailureReason, type FinalState, finalStates } from '../types/job.ts';
import type { Receipt } from '../types/receipt.ts';

/** @returns undefined when the receipt is of a job that had not ended. */
export function toJobEnd(receipt: Receipt): JobEnd | undefined {
  const {
    state,
    reason,
    message,
    fix,
    usage,
    cached_from: cachedFrom,
    proof,
    outputs,
    cost_usd: costUsd,
  } = receipt;
  if (!finalStates.includes(state as FinalState)) return undefined;
  return {
    state: state as FinalState,
    ...(reason !== undefined && { reason: reason as FailureReason }),
    ...(message !== undefined && { message }),
    ...(fix !== undefined && { fix }),
    ...(usage && { usage }),
    ...(cachedFrom !== undefined && { cachedFrom }),
    proof,
    outputs,
    costUsd,
  };
}
