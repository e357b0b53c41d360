/**
 * A job as its receipt says it, and back from disk. Pure. Receipts are read again to learn whose result stands in a
 * folder and to rebuild a ledger, and anybody can have edited them: `parseReceipt` believes nothing it has not checked.
 * A JSON Schema for this was rejected: loading the validator costs more than all receipts of a run.
 */
import type { CliRecord } from '../types/agent-cli.ts';
import { type AttemptRecord, type JobRecord, waitsUntil } from '../types/job.ts';
import type { Receipt, ReceiptAttempt, ReceiptCli, ReceiptReview } from '../types/receipt.ts';
import { sumCosts, sumUsage } from '../types/usage.ts';

export interface BesideReceipt {
  /** Size of the `result.md` that stands beside the receipt; absent: none does. */
  readonly resultBytes?: number;
  readonly reviews?: readonly ReceiptReview[];
}

export function toReceipt(job: JobRecord, { resultBytes, reviews = [] }: BesideReceipt = {}): Receipt {
  // Of one that has not ended: so far.
  const usage = job.usage ?? sumUsage(job.attempts.map((one) => one.usage));
  const costUsd = job.costUsd ?? sumCosts(job.attempts.map((one) => one.costUsd));
  const until = waitsUntil(job);
  return {
    schema: 1,
    job_id: job.id,
    input: { root: job.input.root, path: job.input.path, sha256: job.input.sha256, bytes: job.input.bytes },
    ...(job.step && {
      run: { run_id: job.step.runId, workflow: job.step.workflow, step: job.step.step },
    }),
    rule: job.rule,
    agent: job.agent,
    state: job.state,
    ...(job.reason !== undefined && { reason: job.reason }),
    ...(job.message !== undefined && { message: job.message }),
    ...(job.fix !== undefined && { fix: job.fix }),
    ...(until !== undefined && { waits_until: rfc3339(until) }),
    proof: job.proof,
    depth: job.depth,
    ...(job.parent !== undefined && { parent: job.parent }),
    queued_at: rfc3339(job.queuedAt),
    ...(job.startedAt !== undefined && { started_at: rfc3339(job.startedAt) }),
    ...(job.endedAt !== undefined && { ended_at: rfc3339(job.endedAt) }),
    ...durationOf(job),
    attempts: job.attempts.map(toReceiptAttempt),
    ...(usage && { usage }),
    cost_usd: costUsd,
    ...(resultBytes !== undefined && { result_bytes: resultBytes }),
    outputs: job.outputs,
    ...(job.key !== '' && { key: job.key }),
    ...(job.cachedFrom !== undefined && { cached_from: job.cachedFrom }),
    ...(job.fallbacks.length > 0 && { fallbacks: job.fallbacks }),
    ...(job.promoted.length > 0 && { promoted: job.promoted }),
    ...(reviews.length > 0 && { reviews }),
  };
}

/** The text of `receipt.json`: made to be read by people too. */
export function formatReceipt(receipt: Receipt): string {
  return `${JSON.stringify(receipt, undefined, 2)}\n`;
}

/** @returns undefined for anything that is not a whole receipt with a job id that is safe as a file name. */
export function parseReceipt(text: string): Receipt | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  return isReceipt(value) ? value : undefined;
}

/** Job ids become folder names in the history; what a receipt claims must not lead out of it. */
export function isJobId(id: unknown): id is string {
  return typeof id === 'string' && /^[A-Za-z0-9_-][A-Za-z0-9_.-]{0,127}$/.test(id);
}

export function rfc3339(epochMs: number): string {
  return new Date(epochMs).toISOString();
}

function isReceipt(value: unknown): value is Receipt {
  const receipt = value as Partial<Receipt> | null;
  return (
    typeof receipt === 'object' &&
    receipt !== null &&
    receipt.schema === 1 &&
    isJobId(receipt.job_id) &&
    typeof receipt.input?.root === 'string' &&
    typeof receipt.input.path === 'string' &&
    typeof receipt.input.sha256 === 'string' &&
    typeof receipt.input.bytes === 'number' &&
    typeof receipt.rule === 'string' &&
    typeof receipt.agent === 'string' &&
    typeof receipt.state === 'string' &&
    typeof receipt.queued_at === 'string' &&
    Array.isArray(receipt.proof) &&
    Array.isArray(receipt.attempts) &&
    Array.isArray(receipt.outputs) &&
    receipt.outputs.every((output) => typeof output?.path === 'string' && typeof output.bytes === 'number') &&
    (receipt.reviews === undefined || Array.isArray(receipt.reviews)) &&
    (receipt.cached_from === undefined || isJobId(receipt.cached_from))
  );
}

/** From the first attempt's start to the end, back-off included. A clock that was set back gives 0, never less. */
function durationOf(job: JobRecord): { duration_ms?: number } {
  if (job.startedAt === undefined || job.endedAt === undefined) return {};
  return { duration_ms: Math.max(0, Math.round(job.endedAt - job.startedAt)) };
}

function toReceiptAttempt(attempt: AttemptRecord): ReceiptAttempt {
  return {
    n: attempt.n,
    agent: attempt.agent,
    started_at: rfc3339(attempt.startedAt),
    ended_at: rfc3339(attempt.endedAt),
    outcome: attempt.outcome,
    ...(attempt.exitCode !== undefined && { exit_code: attempt.exitCode }),
    ...(attempt.signal !== undefined && { signal: attempt.signal }),
    ...(attempt.message !== undefined && { message: attempt.message }),
    sandbox: attempt.sandbox,
    limits: attempt.limits,
    events: attempt.events,
    ...(attempt.usage !== undefined && { usage: attempt.usage }),
    ...(attempt.costUsd !== undefined && { cost_usd: attempt.costUsd }),
    ...(attempt.cpuMs !== undefined && { cpu_ms: attempt.cpuMs }),
    ...(attempt.peakMemoryBytes !== undefined && { peak_memory_bytes: attempt.peakMemoryBytes }),
    ...(attempt.cli !== undefined && { cli: toReceiptCli(attempt.cli) }),
    ...(attempt.batch !== undefined && { batch: attempt.batch }),
  };
}

function toReceiptCli(cli: CliRecord): ReceiptCli {
  const { kind, version, model, sessionId, resume, flags, fault, denials, correction } = cli;
  return {
    kind,
    ...(version !== undefined && { version }),
    ...(model !== undefined && { model }),
    ...(sessionId !== undefined && { session_id: sessionId }),
    ...(resume !== undefined && { resume }),
    flags,
    ...(fault !== undefined && { fault }),
    ...(denials.length > 0 && { denials }),
    ...(correction && { correction: { added: correction.added, removed: correction.removed } }),
  };
}
