/**
 * What one target knows of the conditions it wants: pure, time is handed in. It compares what is so with what was told,
 * and not a list of events, so that a target which was down for a day hears the present, and flapping costs at most one
 * pair of messages per `min_interval`.
 *
 * An opening is told at once, but not again within the interval; that it is over is told at once after an opening that
 * was told. What opened and cleared before anybody could be told is told once, as over.
 */
import type { Condition } from '../../types/condition.ts';
import type { Told } from './memory.ts';
import type { AlertItem } from './message.ts';

export interface SubjectTimes {
  readonly minIntervalMs: number;
  /** Many at once become one message: a change waits so long for others of its kind. */
  readonly gatherMs: number;
}

export interface DueGroup {
  readonly event: 'opened' | 'cleared';
  readonly items: readonly AlertItem[];
  /** Call when it was delivered. */
  readonly delivered: (now: number) => readonly Told[];
}

interface Entry {
  readonly code: string;
  readonly subject: string;
  /** What is known of it, open or not. */
  last: Pick<Condition, 'message' | 'fix' | 'since'>;
  isOpen: boolean;
  told: 'opened' | 'cleared' | undefined;
  /** When an opening was told. */
  openedAt: number;
  changedAt: number;
  /** It opened and cleared, and nobody has been told of either. */
  isMissed: boolean;
  /** From before the restart: whether it is still so is not known yet. */
  isUnknown: boolean;
}

const FORGET_MS = 24 * 3_600_000;
const MAX_ENTRIES = 1_000;

export class Subjects {
  readonly #entries = new Map<string, Entry>();
  /** Had to make room, and nobody has been told so. */
  #displaced: Entry[] = [];

  load(told: readonly Told[]): void {
    for (const { code, subject, told: state, openedAt, message, since } of told) {
      const id = idOf(code, subject);
      const known = this.#entries.get(id);
      // It was raised while the ledger was read: only what was told is news.
      if (known) Object.assign(known, { told: state, openedAt });
      else
        this.#entries.set(id, {
          code,
          subject,
          last: { message, fix: '', since },
          isOpen: false,
          told: state,
          openedAt,
          changedAt: since,
          isMissed: false,
          isUnknown: state === 'opened',
        });
    }
  }

  change({ code, subject, ...last }: Condition, isOpen: boolean, now: number, minIntervalMs: number): void {
    const id = idOf(code, subject);
    const entry = this.#entries.get(id);
    if (!entry) {
      if (!isOpen) return;
      this.#makeRoom();
      this.#entries.set(id, {
        code,
        subject,
        last,
        isOpen,
        told: undefined,
        openedAt: Number.NEGATIVE_INFINITY,
        changedAt: now,
        isMissed: false,
        isUnknown: false,
      });
      return;
    }
    entry.isMissed =
      !isOpen && entry.isOpen && entry.told !== 'opened' && freeAt(entry, minIntervalMs, now) <= now;
    entry.isOpen = isOpen;
    entry.isUnknown = false;
    entry.changedAt = now;
    entry.last = last;
  }

  /** Whatever has not been raised again since the restart is over. */
  settle(now: number): void {
    for (const entry of this.#entries.values())
      if (entry.isUnknown) {
        entry.isUnknown = false;
        entry.changedAt = now;
      }
  }

  /** What is to be told now: of one code and event, the one that has waited longest and all that it waited for. */
  due(now: number, times: SubjectTimes): DueGroup | undefined {
    const changed = [...this.#entries.values()]
      .map((entry) => ({ entry, at: dueAt(entry, now, { ...times, gatherMs: 0 }) }))
      .filter(({ at }) => at <= now)
      .toSorted((a, b) => a.at - b.at)
      .map(({ entry }) => entry);
    const head = changed.find((entry) => dueAt(entry, now, times) <= now);
    if (!head) return undefined;
    const event = eventOf(head);
    const group = changed.filter((entry) => entry.code === head.code && eventOf(entry) === event);
    return {
      event,
      items: group.map(({ code, subject, last }) => ({ code, subject, ...last })),
      // What made room meanwhile is not remembered again.
      delivered: (at) =>
        group
          .filter((entry) => this.#entries.get(idOf(entry.code, entry.subject)) === entry)
          .map((entry) => markTold(entry, event, at)),
    };
  }

  /** When something may become due that is not due now. */
  nextAt(now: number, times: SubjectTimes): number {
    let next = Number.POSITIVE_INFINITY;
    for (const entry of this.#entries.values()) next = Math.min(next, dueAt(entry, now, times));
    return next;
  }

  /**
   * Drops what is over and was told long ago, or could not be told for a day.
   * @returns what it was, and what had to make room since the last time.
   */
  forget(now: number, minIntervalMs: number): readonly Pick<Told, 'code' | 'subject'>[] {
    const forgotten = this.#displaced.filter(({ code, subject }) => !this.#entries.has(idOf(code, subject)));
    this.#displaced = [];
    for (const [id, entry] of this.#entries) {
      if (entry.isOpen || entry.isUnknown) continue;
      if (now - entry.changedAt < FORGET_MS || freeAt(entry, minIntervalMs, now) > now) continue;
      this.#entries.delete(id);
      forgotten.push(entry);
    }
    return forgotten;
  }

  #makeRoom(): void {
    if (this.#entries.size < MAX_ENTRIES) return;
    const oldest = [...this.#entries].toSorted(
      ([, a], [, b]) => Number(a.isOpen) - Number(b.isOpen) || a.changedAt - b.changedAt,
    )[0];
    if (!oldest) return;
    const [id, entry] = oldest;
    this.#entries.delete(id);
    this.#displaced.push(entry);
  }
}

function idOf(code: string, subject: string): string {
  return `${code} ${subject}`;
}

function eventOf({ isOpen }: Entry): 'opened' | 'cleared' {
  return isOpen ? 'opened' : 'cleared';
}

function dueAt(entry: Entry, now: number, { minIntervalMs, gatherMs }: SubjectTimes): number {
  const { isOpen, told, changedAt, isMissed, isUnknown } = entry;
  const never = Number.POSITIVE_INFINITY;
  if (isUnknown) return never;
  const gatheredAt = changedAt > now ? now : changedAt + gatherMs;
  if (isOpen) return told === 'opened' ? never : Math.max(gatheredAt, freeAt(entry, minIntervalMs, now));
  return told === 'opened' || isMissed ? gatheredAt : never;
}

/** When it may be told again that it opened. A clock that was set back must not silence it. */
function freeAt({ openedAt }: Entry, minIntervalMs: number, now: number): number {
  return openedAt > now ? now : openedAt + minIntervalMs;
}

function markTold(entry: Entry, event: 'opened' | 'cleared', now: number): Told {
  const { code, subject, last, told } = entry;
  if (event === 'opened' || told !== 'opened') entry.openedAt = now;
  entry.told = event;
  entry.isMissed = false;
  return { code, subject, told: event, openedAt: entry.openedAt, message: last.message, since: last.since };
}
