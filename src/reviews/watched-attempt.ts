/**
 * An attempt that runs and may be reviewed meanwhile: what it has said, and whether somebody looks at it. When somebody is to
 * is decided in `live.ts`, which is pure; here is the clock.
 */
import type { ReviewsConfig, ReviewTrigger } from '../config/config.ts';
import type { AgentCall, AgentEvent } from '../types/agent.ts';
import type { JobId, JobRecord } from '../types/job.ts';
import { createLiveReviews, type LiveReviews, type LiveTrigger } from './live.ts';
import { cutChars } from './texts.ts';

export interface WatchedAttemptOptions {
  /** Of several files the first: the review is of all that is there, and told with it. */
  readonly job: JobRecord;
  readonly call: AgentCall;
  readonly config: ReviewsConfig;
  /** Epoch milliseconds. */
  readonly now: () => number;
  /** It is to be looked at. Whoever does that says when it `begins` and `ends`. */
  readonly review: (attempt: WatchedAttempt, trigger: LiveTrigger) => void;
}

/** Texts that are kept, and of each the beginning. */
const MAX_SAID = 100;
const SAID_CHARS = 4_000;
/** A due time that has passed, or is about to, is looked at after this. */
const MIN_TICK_MS = 100;
/** The longest that a timer takes. */
const MAX_TICK_MS = 0x7fffffff;

export class WatchedAttempt implements Disposable {
  readonly job: JobRecord;
  readonly call: AgentCall;
  readonly config: ReviewsConfig;
  /** Other files that are worked on with the first. */
  readonly others = new Set<JobId>();
  readonly #o: WatchedAttemptOptions;
  readonly #live: LiveReviews;
  readonly #said: string[] = [];
  /** Why somebody looks at it, or is about to. */
  #under: ReviewTrigger | undefined;
  #isStopped = false;
  #isOver = false;
  #timer: NodeJS.Timeout | undefined;

  constructor(o: WatchedAttemptOptions) {
    this.#o = o;
    this.job = o.job;
    this.call = o.call;
    this.config = o.config;
    this.#live = createLiveReviews({ on: o.config.on, quietMs: o.config.quietMs }, o.now());
    this.#arm();
  }

  /** The latest of what it said: all that is there of a report yet. */
  get said(): readonly string[] {
    return this.#said;
  }

  /** It has asked for a review that nobody has begun. */
  get isAsking(): boolean {
    return this.#live.pending !== undefined;
  }

  /**
   * It has asked for a review that has not come to its end, or not even begun, or it was to be ended by one. Its silence is
   * over when it ends: that needs nobody any more.
   */
  get isUnderReview(): boolean {
    return this.#isStopped || (this.#under !== undefined && this.#under !== 'quiet') || this.isAsking;
  }

  hear(event: AgentEvent): void {
    const { text } = event.payload;
    if (typeof text === 'string' && text !== '')
      this.#said.push(`${event.type}: ${cutChars(text, SAID_CHARS)}`);
    if (this.#said.length > MAX_SAID) this.#said.shift();
    this.#next(this.#live.event(event, this.#o.now()));
  }

  begins(trigger: ReviewTrigger): void {
    this.#under = trigger;
  }

  ends(): void {
    this.#under = undefined;
    if (!this.#isOver) this.#next(this.#live.ended(this.#o.now()));
  }

  /** A review has decided that it is to be ended; it may have ended by itself before that. */
  stop(): void {
    this.#isStopped = true;
  }

  [Symbol.dispose](): void {
    this.#isOver = true;
    clearTimeout(this.#timer);
  }

  #next(trigger: LiveTrigger | undefined): void {
    if (!trigger) return this.#arm();
    this.#under = trigger.trigger;
    this.#o.review(this, trigger);
  }

  #arm(): void {
    clearTimeout(this.#timer);
    const { nextAt } = this.#live;
    if (nextAt === undefined) return;
    const delayMs = Math.min(Math.max(MIN_TICK_MS, nextAt - this.#o.now()), MAX_TICK_MS);
    this.#timer = setTimeout(() => this.#next(this.#live.tick(this.#o.now())), delayMs).unref();
  }
}
