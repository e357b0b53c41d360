/** Whether an agent can work now and, if not, for which of several reasons: one answer for tiers, listings and reviews. Pure. */
import type { BreakerState } from '../coordinator/breaker.ts';
import type { ParkedAgent } from '../coordinator/parking.ts';
import type { AppError } from '../types/errors.ts';

export type AgentStanding =
  | { readonly at: 'active' }
  /** A person said so, or `on_quota: pause` did. */
  | { readonly at: 'paused'; readonly message: string }
  | { readonly at: 'unavailable'; readonly message: string; readonly fix: string }
  /** Its service does not let it in; `until`: it is tried again then. */
  | {
      readonly at: 'not_logged_in';
      readonly until?: number;
      readonly message: string;
      readonly fix: string;
    }
  | { readonly at: 'parked'; readonly until: number; readonly reason: string; readonly message: string }
  | { readonly at: 'breaker_open'; readonly until: number; readonly message: string }
  /** One call tries whether it works again. */
  | { readonly at: 'breaker_half_open'; readonly message: string };

export interface StandingFacts {
  /** Why it cannot be started, if so. */
  readonly problem?: Pick<AppError, 'message' | 'fix'> | undefined;
  readonly parked?: ParkedAgent | undefined;
  /** Absent: it has none. */
  readonly breaker?: BreakerState | undefined;
  readonly now: number;
}

/** Of several reasons that which lasts longest: what a person said, what is missing, a log-in, a quota, a breaker. */
export function standingOf({ problem, parked, breaker, now }: StandingFacts): AgentStanding {
  const isRefused = parked?.reason === 'auth';
  if (parked && !isRefused && parked.until === undefined) return { at: 'paused', message: parked.message };
  if (problem) return { at: 'unavailable', message: problem.message, fix: problem.fix };
  if (isRefused) {
    const { until, message, fix = '' } = parked;
    return { at: 'not_logged_in', ...(until !== undefined && until > now && { until }), message, fix };
  }
  if (parked?.until !== undefined && parked.until > now) {
    const { until, reason, message } = parked;
    return { at: 'parked', until, reason, message };
  }
  if (breaker?.at === 'half_open') return { at: 'breaker_half_open', message: breaker.reason };
  if (breaker?.at !== 'open') return { at: 'active' };
  const { until, reason } = breaker;
  // When its time has come, the next job is the call that tries it.
  if (until <= now) return { at: 'breaker_half_open', message: reason };
  return { at: 'breaker_open', until, message: reason };
}

/** An agent that is being tried again is still one to reckon with. */
export function canWork({ at }: AgentStanding): boolean {
  return at === 'active' || at === 'breaker_half_open';
}
