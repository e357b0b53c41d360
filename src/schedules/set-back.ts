/**
 * Clocks that were set back. By minutes or hours (a correction) schedules wait until the clock comes to where they have
 * been. By more than a week it was the date that was wrong before, and waiting for it would mean years: the present clock
 * is believed then, but only after ten minutes, since machines without a battery start in the past and are told the
 * time by the network a moment later.
 */
import type { Conditions } from '../types/condition.ts';

const TOLD_MS = 60_000;
const WRONG_MS = 7 * 24 * 3_600_000;
const BELIEVED_AFTER_MS = 10 * 60_000;

export class SetBack {
  readonly #conditions: Conditions;
  /** By schedule: since when (by this clock) it has been so, and until when it waits. */
  readonly #behind = new Map<string, { readonly since: number; readonly until: number }>();

  constructor(conditions: Conditions) {
    this.#conditions = conditions;
  }

  /** @returns true when what was dealt with shall be forgotten: the clock is as it is. */
  isWrong(schedule: string, doneUntil: number, now: number): boolean {
    const known = this.#behind.get(schedule);
    const isBehind = doneUntil - now > TOLD_MS;
    const since = known && known.since <= now ? known.since : now;
    const isWrong = doneUntil - now > WRONG_MS && now - since >= BELIEVED_AFTER_MS;
    if (isBehind && !isWrong) this.#behind.set(schedule, { since, until: doneUntil });
    else this.#behind.delete(schedule);
    this.#tell();
    return isWrong;
  }

  /** It is not there any more. */
  forget(schedule: string): void {
    this.#behind.delete(schedule);
    this.#tell();
  }

  #tell(): void {
    if (this.#behind.size === 0) return this.#conditions.clear('CLOCK_SET_BACK');
    const until = Math.max(...[...this.#behind.values()].map((one) => one.until));
    this.#conditions.raise({
      code: 'CLOCK_SET_BACK',
      subject: '',
      message: `The clock was set back: ${this.#behind.size} of the schedules have run up to ${new Date(until).toISOString()} and wait until then`,
      fix: 'Nothing, if the clock is right now: a date that is more than a week back is believed after ten minutes. Else set it.',
    });
  }
}
