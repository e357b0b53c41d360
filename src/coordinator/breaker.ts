/**
 * The circuit breaker of one agent, as values: an agent that fails again and again is left alone for a while, then one
 * call tries whether it works again. Every decision takes the time; the coordinator keeps the state (in memory and, so
 * that a restart does not send a broken agent its whole backlog, in the ledger as JSON).
 *
 * Only calls that ended by themselves are recorded. One that was cancelled, superseded or interrupted says nothing about
 * the agent: it is abandoned.
 */
import type { BreakerConfig } from '../config/config.ts';
import { formatDuration } from '../config/duration.ts';
import type { FailureReason } from '../types/job.ts';

export type BreakerState =
  | { readonly at: 'closed'; readonly buckets: readonly Bucket[] }
  | { readonly at: 'open'; readonly until: number; readonly pauseMs: number; readonly reason: string }
  /** The pause is over; `probe` is the job that tries, absent until one is there. */
  | { readonly at: 'half_open'; readonly pauseMs: number; readonly reason: string; readonly probe?: string };

/** Calls that ended in one tenth of the window: what is kept does not grow with the number of calls. */
interface Bucket {
  readonly start: number;
  readonly calls: number;
  readonly faults: number;
}

/** One call that ended by itself. */
export interface BreakerCall {
  /** The job it was for: only the end of the probe decides about a half-open breaker. */
  readonly job: string;
  /** When it ended. */
  readonly at: number;
  /** As `isAgentFault` says. */
  readonly isFault: boolean;
  readonly durationMs: number;
  /** For people: what went wrong, if something did. */
  readonly message?: string;
}

const maxPauseMs = 600_000;
const bucketsPerWindow = 10;

export const closedBreaker: BreakerState = { at: 'closed', buckets: [] };

/**
 * Whether the agent may be called. `probe`: once; `beginProbe` must be told before anybody else asks.
 * @returns `until`: when to ask again at the latest. While a probe runs its end may come sooner: wake what waits then.
 */
export function mayCall(state: BreakerState, now: number): 'yes' | 'probe' | { readonly until: number } {
  switch (state.at) {
    case 'closed':
      return 'yes';
    case 'open':
      return now >= state.until || isFromTheFuture(state, now) ? 'probe' : { until: state.until };
    case 'half_open':
      return state.probe === undefined ? 'probe' : { until: now + state.pauseMs };
    default:
      return state satisfies never;
  }
}

/** The clock was set back by more than the pause: it would last as long as the clock needs to catch up. */
function isFromTheFuture({ until, pauseMs }: Extract<BreakerState, { at: 'open' }>, now: number): boolean {
  return now < until - pauseMs;
}

/** Job `job` is the one that tries. Nothing changes unless `mayCall` says `probe`. */
export function beginProbe(state: BreakerState, now: number, job: string): BreakerState {
  if (state.at === 'closed' || mayCall(state, now) !== 'probe') return state;
  return { at: 'half_open', pauseMs: state.pauseMs, reason: state.reason, probe: job };
}

/** The call of this job ended without saying anything about the agent: if it was the probe, another may try. */
export function abandon(state: BreakerState, job: string): BreakerState {
  if (state.at !== 'half_open' || state.probe !== job) return state;
  return { at: 'half_open', pauseMs: state.pauseMs, reason: state.reason };
}

/**
 * Counts one call. While open, and half-open but for the probe, nothing changes: those calls began before it opened, and
 * a late success of one does not say that the agent works again.
 */
export function record(state: BreakerState, config: BreakerConfig, call: BreakerCall): BreakerState {
  const isSlow = config.slowMs !== undefined && call.durationMs > config.slowMs;
  const isFault = call.isFault || isSlow;
  switch (state.at) {
    case 'open':
      return state;
    case 'half_open': {
      if (state.probe !== call.job) return state;
      if (!isFault) return closedBreaker;
      const pauseMs = Math.max(config.resetMs, Math.min(state.pauseMs * 2, maxPauseMs));
      return open(call, pauseMs, `the call that tried it again ${howItFailed(config, call)}`);
    }
    case 'closed': {
      const buckets = counted(state.buckets, config.windowMs, call.at, isFault);
      const calls = sum(buckets, 'calls');
      const faults = sum(buckets, 'faults');
      // Asked at a fault only: good calls that raise the number to the minimum open nothing.
      if (!isFault || calls < config.minimum || faults < config.errorRate * calls)
        return { at: 'closed', buckets };
      const share = `${faults} of ${calls} calls within ${formatDuration(config.windowMs)} failed or were slow`;
      return open(call, config.resetMs, `${share}; the last ${howItFailed(config, call)}`);
    }
    default:
      return state satisfies never;
  }
}

function open({ at }: BreakerCall, pauseMs: number, reason: string): BreakerState {
  return { at: 'open', until: at + pauseMs, pauseMs, reason };
}

function howItFailed({ slowMs }: BreakerConfig, { isFault, message }: BreakerCall): string {
  if (!isFault) return `took longer than ${formatDuration(slowMs ?? 0)}`;
  return message === undefined ? 'failed' : `failed: ${message}`;
}

function counted(
  buckets: readonly Bucket[],
  windowMs: number,
  at: number,
  isFault: boolean,
): readonly Bucket[] {
  const widthMs = Math.max(1, Math.ceil(windowMs / bucketsPerWindow));
  // Those far ahead are from before the clock was set back.
  const kept = buckets.filter(({ start }) => start + widthMs > at - windowMs && start <= at + windowMs);
  const last = kept.at(-1);
  const faults = isFault ? 1 : 0;
  if (last === undefined || at >= last.start + widthMs) return [...kept, { start: at, calls: 1, faults }];
  return [...kept.slice(0, -1), { ...last, calls: last.calls + 1, faults: last.faults + faults }];
}

function sum(buckets: readonly Bucket[], what: 'calls' | 'faults'): number {
  return buckets.reduce((total, bucket) => total + bucket[what], 0);
}

/**
 * What an earlier process kept. A probe of then is not running any more, so another may try; anything that is no state
 * of a breaker is a closed one.
 */
export function parseBreaker(kept: unknown): BreakerState {
  if (typeof kept !== 'object' || kept === null) return closedBreaker;
  const { at, until, pauseMs, reason, buckets } = kept as Record<string, unknown>;
  if (at === 'closed') {
    const good = Array.isArray(buckets) ? buckets.filter(isBucket) : [];
    return { at, buckets: good.map(({ start, calls, faults }) => ({ start, calls, faults })) };
  }
  if (!isCount(pauseMs) || typeof reason !== 'string') return closedBreaker;
  if (at === 'half_open') return { at, pauseMs, reason };
  return at === 'open' && isCount(until) ? { at, until, pauseMs, reason } : closedBreaker;
}

function isBucket(value: unknown): value is Bucket {
  const { start, calls, faults } = (value ?? {}) as Record<string, unknown>;
  return isCount(start) && isCount(calls) && isCount(faults) && faults <= calls;
}

function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value) && value >= 0;
}

/** Answers of an endpoint that speak about the request, not about the endpoint. */
const requestStatuses: ReadonlySet<number> = new Set([400, 409, 411, 413, 414, 415, 422, 431]);

/**
 * Whether a failure is the agent's own: it could not be started or reached, was not in time, has no access or no quota.
 * A failure that a bad input can cause is not (an exit code, a wrong schema, a missing output, a bound that was crossed):
 * one folder of broken files would take the agent away from everybody else.
 * @param code The exit code for `exit_code` (absent: ended by a signal), the status for `http_error` (absent: unreachable).
 */
export function isAgentFault(reason: FailureReason, code?: number): boolean {
  switch (reason) {
    case 'spawn_failed':
    case 'timeout':
    case 'stalled':
    case 'auth':
    case 'api_error':
    case 'quota':
      return true;
    case 'http_error':
      return code === undefined || !requestStatuses.has(code);
    case 'exit_code':
      // The shell's and env's words for "cannot be run" and "not found".
      return code === 126 || code === 127;
    // Not a matter of how well it works: its permissions, our confinement.
    case 'permission_denied':
    case 'sandbox_unavailable':
    case 'stuck':
    case 'empty_result':
    case 'missing_output':
    case 'schema_invalid':
    case 'limit_exceeded':
    case 'input_gone':
    case 'input_unreadable':
    case 'input_too_large':
    case 'interrupted':
      return false;
    default:
      return reason satisfies never;
  }
}

/**
 * Whether the next agent of the chain may have a job that failed for good. Not when it would fail there too (the input),
 * when it would spend a second time what was already too much, or when somebody said no.
 */
export function mayFallBack(reason: FailureReason): boolean {
  switch (reason) {
    case 'input_gone':
    case 'input_unreadable':
    case 'input_too_large':
    case 'limit_exceeded':
    case 'interrupted':
    case 'permission_denied':
      return false;
    case 'exit_code':
    case 'spawn_failed':
    case 'http_error':
    case 'timeout':
    case 'stalled':
    case 'stuck':
    case 'empty_result':
    case 'auth':
    case 'api_error':
    case 'quota':
    case 'missing_output':
    case 'schema_invalid':
    case 'sandbox_unavailable':
      return true;
    default:
      return reason satisfies never;
  }
}
