/**
 * Named locks of sessions, with a lease and in the order in which they were asked for. The ledger says who holds one; who
 * waits is known here alone, since nobody else writes to it: so the next is told when a lock is let go of or its lease
 * ends, and nothing looks again and again.
 *
 * The ledger knows a holder (an attempt); here each taking has an id of its own, so that two processes of one attempt
 * exclude each other, too.
 */
import { randomUUID } from 'node:crypto';
import type { SessionLedger } from '../ledger/session-ledger.ts';
import { AppError } from '../types/errors.ts';
import { limitError, type StateLimits } from './limits.ts';

export interface Place {
  readonly session: string;
  readonly name: string;
}

export interface TakenLock {
  /** To renew it and to let go of it. */
  readonly id: string;
  /** Epoch milliseconds. */
  readonly until: number;
}

interface Waiter {
  readonly id: string;
  readonly holder: string;
  readonly ttlMs: number;
  isOver: boolean;
  readonly give: (taken: TakenLock) => void;
  readonly refuse: (error: unknown) => void;
}

interface Line extends Place {
  readonly waiting: Waiter[];
  /** `id` undefined: taken before this process began. */
  held: { readonly holder: string; readonly id: string | undefined; readonly until: number } | undefined;
  timer: NodeJS.Timeout | undefined;
  isServing: boolean;
}

export interface LocksOptions {
  readonly ledger: Pick<SessionLedger, 'lock' | 'unlock' | 'unlockAll'>;
  readonly now: () => number;
  readonly limits: StateLimits;
}

/** The ledger's clock may be a little behind ours. */
const AGAIN_MS = 5;

export class Locks implements Disposable {
  readonly #options: LocksOptions;
  readonly #lines = new Map<string, Line>();

  constructor(options: LocksOptions) {
    this.#options = options;
  }

  /**
   * Waits for its turn.
   * @param o.waitMs At most; 0: not at all.
   * @throws {AppError} `LOCKED`, naming the holder; `STATE_LIMIT`. What `signal` was aborted with.
   */
  async take(
    place: Place,
    o: {
      readonly holder: string;
      readonly ttlMs: number;
      readonly waitMs: number;
      readonly signal?: AbortSignal;
    },
  ): Promise<TakenLock> {
    o.signal?.throwIfAborted();
    const { limits } = this.#options;
    const line = this.#lineOf(place);
    if (this.#heldBy(o.holder) >= limits.locks)
      throw limitError(`More than ${limits.locks} locks are held at once`, 'Let go of some first.');
    if (line.waiting.length >= limits.waiting)
      throw limitError(
        `${line.waiting.length} wait for the lock "${place.name}" already`,
        'Try again later.',
      );
    const { promise, resolve, reject } = Promise.withResolvers<TakenLock>();
    const waiter: Waiter = {
      ...{ id: randomUUID(), holder: o.holder, ttlMs: o.ttlMs, isOver: false },
      give: (taken) => end(() => resolve(taken)),
      refuse: (error) => end(() => reject(error)),
    };
    const onAbort = (): void => leave(o.signal?.reason);
    const end = (settle: () => void): void => {
      if (waiter.isOver) return;
      waiter.isOver = true;
      clearTimeout(timer);
      o.signal?.removeEventListener('abort', onAbort);
      settle();
    };
    const leave = (reason: unknown): void => {
      waiter.refuse(reason);
      const at = line.waiting.indexOf(waiter);
      // The first one may be asked for at this moment: whoever serves it finds that it has left.
      if (at > 0 || (at === 0 && !line.isServing)) line.waiting.splice(at, 1);
      this.#forgetIfIdle(line);
    };
    o.signal?.addEventListener('abort', onAbort, { once: true });
    line.waiting.push(waiter);
    let timer: NodeJS.Timeout | undefined;
    const serving = this.#serve(line);
    if (o.waitMs > 0) timer = setTimeout(() => leave(lockedError(line, this.#options.now())), o.waitMs);
    // What is free is given although nobody may wait for it.
    else void serving.then(() => waiter.isOver || leave(lockedError(line, this.#options.now())));
    return promise;
  }

  /** @throws {AppError} `LOCKED` when its lease ran out, or it was let go of. */
  async renew(place: Place, id: string, ttlMs: number): Promise<TakenLock> {
    const { ledger, now } = this.#options;
    const line = this.#lines.get(keyOf(place));
    const held = line?.held;
    if (!line || held?.id !== id || held.until <= now())
      throw new AppError('LOCKED', `The lock "${place.name}" is not held any more: its lease ran out`, {
        fix: 'Give a longer `ttl`, or renew it sooner.',
      });
    const { until } = await ledger.lock(place.session, place.name, held.holder, ttlMs);
    if (line.held?.id === id) line.held = { ...held, until };
    this.#arm(line);
    return { id, until };
  }

  /** @returns false when it was not held. */
  async release(place: Place, id: string): Promise<boolean> {
    const line = this.#lines.get(keyOf(place));
    const held = line?.held;
    if (!line || held?.id !== id) return false;
    line.held = undefined;
    await this.#options.ledger.unlock(place.session, place.name, held.holder);
    await this.#serve(line);
    return held.until > this.#options.now();
  }

  /** Those who wait are refused, what is held is free. */
  async releaseAll(holder: string, reason: unknown): Promise<void> {
    const lines = [...this.#lines.values()];
    for (const line of lines) this.#refuse(line, (waiter) => waiter.holder === holder, reason);
    await this.#options.ledger.unlockAll(holder);
    const free = lines.filter(({ held }) => held?.holder === holder);
    for (const line of free) line.held = undefined;
    for (const line of lines) if (free.includes(line)) await this.#serve(line);
    for (const line of lines) this.#forgetIfIdle(line);
  }

  /** The ledger has let go of the locks of this session itself. */
  closeSession(session: string, reason: unknown): void {
    for (const line of [...this.#lines.values()]) {
      if (line.session !== session) continue;
      this.#refuse(line, () => true, reason);
      line.held = undefined;
      this.#forgetIfIdle(line);
    }
  }

  /** Forgets what nobody has asked for since its lease ran out. */
  tidy(): void {
    const now = this.#options.now();
    for (const line of [...this.#lines.values()]) {
      if (line.held !== undefined && line.held.until <= now && line.waiting.length === 0)
        line.held = undefined;
      this.#forgetIfIdle(line);
    }
  }

  [Symbol.dispose](): void {
    for (const line of this.#lines.values()) {
      this.#refuse(line, () => true, new Error('stopped'));
      clearTimeout(line.timer);
    }
    this.#lines.clear();
  }

  /** Gives the lock to the first who waits, if it is free; else looks again when the lease ends. */
  async #serve(line: Line): Promise<void> {
    if (line.isServing) return;
    line.isServing = true;
    const { ledger, now } = this.#options;
    try {
      for (let first = line.waiting[0]; first !== undefined; first = line.waiting[0]) {
        if (first.isOver) {
          line.waiting.shift();
          continue;
        }
        if (line.held !== undefined && line.held.until > now()) break;
        line.held = undefined;
        const { isHeld, holder, until } = await ledger.lock(
          line.session,
          line.name,
          first.holder,
          first.ttlMs,
        );
        if (!isHeld) {
          line.held = { holder, id: undefined, until };
          break;
        }
        line.waiting.shift();
        if (first.isOver) {
          await ledger.unlock(line.session, line.name, first.holder);
          continue;
        }
        line.held = { holder, id: first.id, until };
        first.give({ id: first.id, until });
      }
    } catch (error) {
      this.#refuse(line, () => true, error);
    } finally {
      line.isServing = false;
    }
    this.#arm(line);
    this.#forgetIfIdle(line);
  }

  #arm(line: Line): void {
    clearTimeout(line.timer);
    line.timer = undefined;
    if (line.waiting.length === 0 || line.held === undefined) return;
    const inMs = Math.max(AGAIN_MS, line.held.until - this.#options.now());
    line.timer = setTimeout(() => void this.#serve(line), Math.min(inMs, 0x7fff_ffff)).unref();
  }

  #refuse(line: Line, which: (waiter: Waiter) => boolean, reason: unknown): void {
    for (const waiter of line.waiting.filter(which)) waiter.refuse(reason);
    if (line.isServing) return;
    const staying = line.waiting.filter(({ isOver }) => !isOver);
    line.waiting.splice(0, line.waiting.length, ...staying);
  }

  #heldBy(holder: string): number {
    const now = this.#options.now();
    let count = 0;
    for (const { held } of this.#lines.values()) if (held?.holder === holder && held.until > now) count += 1;
    return count;
  }

  #lineOf(place: Place): Line {
    const key = keyOf(place);
    const known = this.#lines.get(key);
    if (known) return known;
    const line: Line = { ...place, waiting: [], held: undefined, timer: undefined, isServing: false };
    this.#lines.set(key, line);
    return line;
  }

  #forgetIfIdle(line: Line): void {
    if (line.waiting.length > 0 || line.held !== undefined || line.isServing) return;
    clearTimeout(line.timer);
    this.#lines.delete(keyOf(line));
  }
}

function keyOf({ session, name }: Place): string {
  return `${session}\0${name}`;
}

function lockedError({ name, held }: Line, now: number): AppError {
  const who = held
    ? ` by ${held.holder} for ${Math.max(0, Math.ceil((held.until - now) / 1_000))} s more`
    : '';
  return new AppError('LOCKED', `The lock "${name}" is held${who}`, {
    fix: 'Wait longer (`--wait`), or let whoever holds it come to its end.',
  });
}
