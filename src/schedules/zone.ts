/**
 * A time zone as a function from instants to offsets. Node 24 has no Temporal; `Intl` can say what time it is somewhere,
 * and from that follow offsets and, by halving, the moment at which they change.
 */
export interface Zone {
  /** Milliseconds to add to an instant to get its wall time (a local time written as if it were UTC). */
  offsetAt(instant: number): number;
  /** The first instant with another offset than the one before it, after `from` and up to `to`. */
  changeBetween(from: number, to: number): number | undefined;
}

/** No zone has changed twice within so short a time and meant it. */
const STEP_MS = 6 * 3_600_000;

/** @param name As `Intl` knows it. @throws RangeError for any other. */
export function openZone(name: string): Zone {
  const format = new Intl.DateTimeFormat('en-US', {
    timeZone: name,
    calendar: 'iso8601',
    numberingSystem: 'latn',
    hourCycle: 'h23',
    year: 'numeric',
    month: 'numeric',
    day: 'numeric',
    hour: 'numeric',
    minute: 'numeric',
    second: 'numeric',
  });
  const offsetAt = (instant: number): number => {
    const second = Math.floor(instant / 1_000) * 1_000;
    const at: Record<string, number> = {};
    for (const { type, value } of format.formatToParts(second)) at[type] = Number(value);
    const { year = 0, month = 1, day = 1, hour = 0, minute = 0, second: s = 0 } = at;
    return Date.UTC(year, month - 1, day, hour, minute, s) - second;
  };
  /** A stretch of time without a change: whoever asks for one due time after another stays in it for months. */
  let still = { from: 0, to: 0, offset: offsetAt(0) };
  return {
    offsetAt: (instant) => (instant >= still.from && instant <= still.to ? still.offset : offsetAt(instant)),
    changeBetween(from, to) {
      const isKnown = from >= still.from && from <= still.to;
      const offset = isKnown ? still.offset : offsetAt(from);
      let before = isKnown ? still.to : from;
      while (before < to) {
        const next = Math.min(to, before + STEP_MS);
        if (offsetAt(next) !== offset) return halve(before, next, (instant) => offsetAt(instant) !== offset);
        before = next;
      }
      still = { from: isKnown ? still.from : from, to: Math.max(before, from), offset };
      return undefined;
    },
  };
}

/** The first whole second in (from, to] for which it holds; it holds for `to`. */
function halve(from: number, to: number, holds: (instant: number) => boolean): number {
  let [no, yes] = [Math.floor(from / 1_000), Math.ceil(to / 1_000)];
  while (yes - no > 1) {
    const middle = Math.floor((no + yes) / 2);
    if (holds(middle * 1_000)) yes = middle;
    else no = middle;
  }
  return yes * 1_000;
}
