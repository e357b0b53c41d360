/** Events of running work and the clock → reviews of it while it goes on. */
import type { ReviewsConfig } from '../config/config.ts';
import type { AgentEvent } from '../types/agent.ts';

export type LiveKind = 'milestone' | 'blocker' | 'request' | 'quiet';

export interface LiveTrigger {
  readonly trigger: LiveKind;
  /** What the agent said; empty for `quiet`. */
  readonly text: string;
}

export interface LiveOptions {
  readonly on: ReviewsConfig['on'];
  readonly quietMs: number;
  /** Between the starts of two reviews; blockers do not wait. Default 1 min. */
  readonly minGapMs?: number;
  /** Of one attempt; default 20. */
  readonly maxReviews?: number;
}

/**
 * One attempt. Each trigger that is given out is a review that begins; `ended` tells that it is over, until then there is
 * no other.
 */
export interface LiveReviews {
  event(event: AgentEvent, now: number): LiveTrigger | undefined;
  tick(now: number): LiveTrigger | undefined;
  ended(now: number): LiveTrigger | undefined;
  /** When `tick` should be called next, epoch milliseconds; undefined: an event comes first. */
  readonly nextAt: number | undefined;
}

export function createLiveReviews(_o: LiveOptions, _now: number): LiveReviews {
  throw new TypeError('not there yet');
}
