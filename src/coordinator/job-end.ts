/** A receipt read back: how its job ended, for a ledger that does not know it (any more). */
import type { JobEnd } from '../ledger/ledger.ts';
import type { CliRecord, FaultClass } from '../types/agent-cli.ts';
import { type AttemptRecord, type FailureReason, type FinalState, finalStates } from '../types/job.ts';
import type { Receipt, ReceiptCli } from '../types/receipt.ts';

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
    fallbacks,
    promoted,
  } = receipt;
  if (!finalStates.includes(state as FinalState)) return undefined;
  return {
    state: state as FinalState,
    ...(reason !== undefined && { reason: reason as FailureReason }),
    ...(message !== undefined && { message }),
    ...(fix !== undefined && { fix }),
    ...(usage && { usage }),
    ...(cachedFrom !== undefined && { cachedFrom }),
    ...(fallbacks && { fallbacks }),
    ...(promoted && { promoted }),
    proof,
    outputs,
    costUsd,
  };
}

/** The attempts that a receipt tells of, as the ledger keeps them. */
export function toAttempts({ attempts }: Receipt): readonly AttemptRecord[] {
  return attempts.map(
    ({
      started_at: startedAt,
      ended_at: endedAt,
      exit_code: exitCode,
      cost_usd: costUsd,
      cpu_ms: cpuMs,
      peak_memory_bytes: peakMemoryBytes,
      cli,
      ...same
    }) => ({
      ...same,
      startedAt: Date.parse(startedAt),
      endedAt: Date.parse(endedAt),
      ...(exitCode !== undefined && { exitCode }),
      ...(costUsd !== undefined && { costUsd }),
      ...(cpuMs !== undefined && { cpuMs }),
      ...(peakMemoryBytes !== undefined && { peakMemoryBytes }),
      ...(cli && { cli: toCliRecord(cli) }),
    }),
  );
}

function toCliRecord({
  session_id: sessionId,
  fault,
  denials = [],
  correction,
  ...same
}: ReceiptCli): CliRecord {
  return {
    ...same,
    ...(sessionId !== undefined && { sessionId }),
    ...(fault !== undefined && { fault: fault as FaultClass }),
    denials,
    ...(correction && { correction }),
  };
}
