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
    }) => {
      const record = cli && toCliRecord(cli);
      return {
        ...same,
        startedAt: Date.parse(startedAt),
        endedAt: Date.parse(endedAt),
        ...(exitCode !== undefined && { exitCode }),
        ...(costUsd !== undefined && { costUsd }),
        ...(cpuMs !== undefined && { cpuMs }),
        ...(peakMemoryBytes !== undefined && { peakMemoryBytes }),
        ...(record && { cli: record }),
      };
    },
  );
}

/** Anybody can have edited a receipt, and what stands here is printed: what is no such record is left out. */
function toCliRecord(cli: ReceiptCli): CliRecord | undefined {
  const { kind, version, model, session_id: sessionId, resume, fault, correction } = cli;
  if (typeof kind !== 'string') return undefined;
  return {
    kind,
    ...(typeof version === 'string' && { version }),
    ...(typeof model === 'string' && { model }),
    ...(typeof sessionId === 'string' && { sessionId }),
    ...(typeof resume === 'string' && { resume }),
    flags: texts(cli.flags),
    ...(typeof fault === 'string' && { fault: fault as FaultClass }),
    denials: texts(cli.denials),
    ...(correction && {
      correction: { added: texts(correction.added), removed: texts(correction.removed) },
    }),
  };
}

function texts(list: unknown): readonly string[] {
  return Array.isArray(list) ? list.filter((text) => typeof text === 'string') : [];
}
