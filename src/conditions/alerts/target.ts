/**
 * One webhook: what it is to be told, sent one message after another, tried again with growing pauses. Nothing waits for
 * it; a target that hangs holds up itself alone.
 */
import type { AlertConfig } from '../../config/config.ts';
import type { Condition } from '../../types/condition.ts';
import { formatElapsed } from '../../types/elapsed.ts';
import { messageOf } from '../../types/errors.ts';
import { type Delivery, deliver, TIMEOUT_MS } from './deliver.ts';
import { formatAlert } from './formats.ts';
import type { AlertMemory, Told } from './memory.ts';
import { type AlertItem, type AlertMessage, makeMessage } from './message.ts';
import { Subjects } from './subjects.ts';

export interface TargetDeps {
  readonly project: string;
  readonly host: string;
  readonly memory: AlertMemory;
  readonly resolve: (text: string) => Promise<string>;
  readonly redact: (text: string) => string;
  readonly now: () => number;
  readonly random: () => number;
  /** Told after the third failure in a row, or at the first one that will last, and with undefined when it takes messages again. */
  readonly onTrouble: (problem: { readonly host: string; readonly message: string } | undefined) => void;
  /** Milliseconds: many at once become one message. */
  readonly gatherMs: number;
  readonly initialBackoffMs: number;
  readonly timeoutMs?: number;
}

/** What is told once and then done with. */
export interface Notice {
  readonly kind: 'success' | 'digest';
  readonly item: AlertItem;
  readonly at: number;
  readonly onSent?: () => void;
}

interface Sending {
  readonly message: AlertMessage;
  /** Delivered, or refused for good. */
  readonly done: () => void;
}

export const MAX_NOTICES = 1_000;
const MAX_BACKOFF_MS = 300_000;
/** Longer than any pause that a receiver may ask for. */
const MAX_PAUSE_MS = 2 * 3_600_000;
const MAX_AGE_MS = 24 * 3_600_000;
const TROUBLE_AFTER = 3;
const LAST_MS = 1_000;

export class AlertTarget implements AsyncDisposable {
  readonly #deps: TargetDeps;
  readonly #id: string;
  readonly #subjects = new Subjects();
  readonly #notices: Notice[] = [];
  readonly #end = new AbortController();
  #config: AlertConfig;
  #failures = 0;
  #retryAt = 0;
  #isLast = false;
  #wake: () => void = () => {};
  readonly #running: Promise<void>;

  constructor(id: string, config: AlertConfig, deps: TargetDeps) {
    this.#id = id;
    this.#config = config;
    this.#deps = deps;
    this.#running = this.#run();
  }

  get wantsDigest(): boolean {
    return this.#config.on.includes('digest');
  }

  get wantsSuccess(): boolean {
    return this.#config.on.includes('success');
  }

  configure(config: AlertConfig): void {
    this.#config = config;
    this.#wake();
  }

  change(condition: Condition, isOpen: boolean): void {
    const { on, minIntervalMs } = this.#config;
    if (!on.includes('all') && !on.includes(condition.code)) return;
    this.#subjects.change(condition, isOpen, this.#deps.now(), minIntervalMs);
    this.#wake();
  }

  notice(notice: Notice): void {
    this.#notices.push(notice);
    if (this.#notices.length > MAX_NOTICES) this.#notices.shift();
    this.#wake();
  }

  /** What was told before a restart and has not been raised again by now is over. */
  settle(): void {
    this.#subjects.settle(this.#deps.now());
    this.#wake();
  }

  /** What is due now may still be told for a second. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#isLast = true;
    this.#wake();
    const timer = setTimeout(() => this.#end.abort(), LAST_MS);
    await this.#running;
    clearTimeout(timer);
    this.#end.abort();
  }

  async #run(): Promise<void> {
    this.#subjects.load(await this.#deps.memory.load(this.#id).catch((): readonly Told[] => []));
    while (!this.#end.signal.aborted) {
      const now = this.#deps.now();
      // A clock that was set back must not silence it.
      if (this.#retryAt > now + MAX_PAUSE_MS) this.#retryAt = now;
      const sending = this.#retryAt > now ? undefined : this.#next(now);
      if (sending) await this.#send(sending);
      else if (this.#isLast) return;
      else await this.#wait(now);
    }
  }

  #times() {
    // A daemon that ends waits for no companions.
    return { minIntervalMs: this.#config.minIntervalMs, gatherMs: this.#isLast ? 0 : this.#deps.gatherMs };
  }

  #next(now: number): Sending | undefined {
    const { memory } = this.#deps;
    const group = this.#subjects.due(now, this.#times());
    if (group)
      return {
        message: this.#message(group.event, group.items),
        done: () => {
          for (const told of group.delivered(this.#deps.now())) memory.put(this.#id, told);
        },
      };
    const [head] = this.#notices;
    if (!head || (head.at + this.#times().gatherMs > now && head.at <= now)) return undefined;
    const together = head.kind === 'digest' ? [head] : this.#notices.filter(({ kind }) => kind === 'success');
    return {
      message: this.#message(
        head.kind,
        together.map(({ item }) => item),
      ),
      done: () => {
        for (const notice of together) {
          const at = this.#notices.indexOf(notice);
          if (at >= 0) this.#notices.splice(at, 1);
          notice.onSent?.();
        }
      },
    };
  }

  #message(event: AlertMessage['event'], items: readonly AlertItem[]): AlertMessage {
    const { project, host, redact } = this.#deps;
    return makeMessage({ event, items, project, host, redact });
  }

  async #send({ message, done }: Sending): Promise<void> {
    const { host, delivery } = await this.#attempt(message);
    const now = this.#deps.now();
    if (this.#end.signal.aborted && delivery.kind !== 'sent') return;
    if (delivery.kind !== 'failed') {
      done();
      this.#failures = 0;
      this.#retryAt = 0;
      this.#deps.onTrouble(
        delivery.kind === 'sent'
          ? undefined
          : { host, message: `${delivery.message}; the message was dropped` },
      );
      return;
    }
    this.#failures += 1;
    const { random, initialBackoffMs } = this.#deps;
    const grown = Math.min(initialBackoffMs * 2 ** Math.min(this.#failures - 1, 20), MAX_BACKOFF_MS);
    const backoffMs = delivery.lasting ? MAX_BACKOFF_MS : grown * (0.75 + random() / 2);
    this.#retryAt = now + Math.max(delivery.retryAfterMs ?? 0, Math.min(backoffMs, MAX_BACKOFF_MS));
    if (this.#failures >= TROUBLE_AFTER || delivery.lasting) {
      const next = formatElapsed(this.#retryAt - now);
      this.#deps.onTrouble({ host, message: `${delivery.message}; tried again in ${next}` });
    }
    this.#dropOld(now);
  }

  /** The reference is resolved each time: a webhook that was changed works from the next attempt on. */
  async #attempt(message: AlertMessage): Promise<{ host: string; delivery: Delivery }> {
    const { resolve, now, timeoutMs = TIMEOUT_MS } = this.#deps;
    let webhook: string;
    try {
      webhook = await resolve(this.#config.webhook);
    } catch (error) {
      return { host: '', delivery: { kind: 'failed', message: messageOf(error), lasting: true } };
    }
    const request = formatAlert(this.#config.format, message);
    const delivery = await deliver(webhook, request, { signal: this.#end.signal, now, timeoutMs });
    return { host: URL.parse(webhook)?.host ?? '', delivery };
  }

  #dropOld(now: number): void {
    while (this.#notices[0] && now - this.#notices[0].at > MAX_AGE_MS) this.#notices.shift();
  }

  async #wait(now: number): Promise<void> {
    for (const gone of this.#subjects.forget(now, this.#config.minIntervalMs))
      this.#deps.memory.forget(this.#id, gone);
    const times = this.#times();
    const notice = this.#notices[0] ? this.#notices[0].at + times.gatherMs : Number.POSITIVE_INFINITY;
    const nextAt = Math.max(Math.min(this.#subjects.nextAt(now, times), notice), this.#retryAt);
    await new Promise<void>((resolve) => {
      // An hour at most: clocks are set, and timers cannot wait for ever.
      const timer = setTimeout(resolve, Math.min(Math.max(nextAt - now, 1), 3_600_000)).unref();
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}
