/**
 * Events of running work and the clock → reviews of it while it goes on. Pure: who calls it holds the timer. An agent that
 * announces a milestone a second must not cost a review a second, and what it says meanwhile must not be lost either.
 */
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
 * no other. Times are epoch milliseconds.
 */
export interface LiveReviews {
  event(event: AgentEvent, now: number): LiveTrigger | undefined;
  tick(now: number): LiveTrigger | undefined;
  ended(now: number): LiveTrigger | undefined;
  /** What was said and nobody has looked at yet: its time had not come. */
  readonly pending: LiveTrigger | undefined;
  /** When `tick` should be called next; undefined: not before the next event, or the end of the review that goes on. */
  readonly nextAt: number | undefined;
}

export function createLiveReviews(o: LiveOptions, now: number): LiveReviews {
  return new Live(o, now);
}

const TEXT_CHARS = 4_000;
/** Words that are remembered: the latest. */
const MAX_SEEN = 200;

class Live implements LiveReviews {
  readonly #on: LiveOptions['on'];
  readonly #quietMs: number;
  readonly #gapMs: number;
  #left: number;
  /** What was said, or a review ended: silence counts from then. */
  #heardAt: number;
  /** A silence is reviewed once, however long it lasts. */
  #isSilenceTold = false;
  #isUnderReview = false;
  #beganAt = Number.NEGATIVE_INFINITY;
  /** The most urgent of what came meanwhile: a review looks at all there is. */
  #pending: LiveTrigger | undefined;
  readonly #seen = new Set<string>();

  constructor({ on, quietMs, minGapMs = 60_000, maxReviews = 20 }: LiveOptions, now: number) {
    this.#on = on;
    this.#quietMs = quietMs;
    this.#gapMs = minGapMs;
    this.#left = maxReviews;
    this.#heardAt = now;
  }

  event(event: AgentEvent, now: number): LiveTrigger | undefined {
    this.#heardAt = now;
    this.#isSilenceTold = false;
    const trigger = triggerOf(event);
    if (trigger && this.#on.has(trigger.trigger) && this.#isNew(trigger))
      this.#pending = this.#pending && urgency(this.#pending) > urgency(trigger) ? this.#pending : trigger;
    return this.#next(now);
  }

  tick(now: number): LiveTrigger | undefined {
    return this.#next(now);
  }

  ended(now: number): LiveTrigger | undefined {
    this.#isUnderReview = false;
    this.#heardAt = Math.max(this.#heardAt, now);
    return this.#next(now);
  }

  get pending(): LiveTrigger | undefined {
    return this.#left > 0 ? this.#pending : undefined;
  }

  get nextAt(): number | undefined {
    if (this.#isUnderReview || this.#left <= 0) return undefined;
    if (this.#pending) return this.#dueAt(this.#pending);
    if (!this.#on.has('quiet') || this.#isSilenceTold) return undefined;
    return Math.max(this.#heardAt + this.#quietMs, this.#beganAt + this.#gapMs);
  }

  #next(now: number): LiveTrigger | undefined {
    const { nextAt } = this;
    if (nextAt === undefined || now < nextAt) return undefined;
    const trigger = this.#pending ?? { trigger: 'quiet', text: '' };
    if (!this.#pending) this.#isSilenceTold = true;
    this.#pending = undefined;
    this.#isUnderReview = true;
    this.#beganAt = now;
    this.#left -= 1;
    return trigger;
  }

  #dueAt({ trigger }: LiveTrigger): number {
    return trigger === 'blocker' ? this.#heardAt : this.#beganAt + this.#gapMs;
  }

  /** The same words again are no news. */
  #isNew({ trigger, text }: LiveTrigger): boolean {
    const words = `${trigger} ${text.toLowerCase().replace(/\s+/g, ' ').trim()}`;
    if (this.#seen.has(words)) return false;
    this.#seen.add(words);
    const [oldest] = this.#seen;
    if (this.#seen.size > MAX_SEEN) this.#seen.delete(oldest as string);
    return true;
  }
}

/** What starts no review: the last word, which is judged with the result, and a wish for a permission, which a person grants. */
export function triggerOf({ type, payload }: AgentEvent): LiveTrigger | undefined {
  if (payload.final === true || payload.permission === true) return undefined;
  const text = typeof payload.text === 'string' ? payload.text.slice(0, TEXT_CHARS) : '';
  if (type === 'blocker') return { trigger: 'blocker', text };
  if (type === 'review' || payload.review_requested === true) return { trigger: 'request', text };
  return type === 'milestone' ? { trigger: 'milestone', text } : undefined;
}

function urgency({ trigger }: LiveTrigger): number {
  return ['quiet', 'milestone', 'request', 'blocker'].indexOf(trigger);
}
