/**
 * When a schedule is due: a cron text in a time zone, as instants. Pure; asked with any time, it knows no present.
 *
 * Clocks that change are where schedulers lose and double runs, and libraries differ about it, so the rule is our own:
 * - A text that names hours means local times. One that does not exist (the clock is put forward) is due once, at the
 *   moment after the gap; one that exists twice (it is put back) is due once, the first time.
 * - A text whose hours are all 24 follows real time: due whenever a clock on the wall shows a matching time, both times
 *   where it shows it twice. What falls into a gap is left out if the clock, had it not been changed, would be due at the
 *   same instant anyway (each quarter of an hour still is each quarter), else due at its end (full hours on Lord Howe
 *   Island, which shifts by half an hour).
 */
import { machineTimezone, parseCron, type WallCron } from '../config/cron.ts';
import { openZone, type Zone } from './zone.ts';

export interface DueTimes {
  /** IANA name. */
  readonly timezone: string;
  /** The first due time after this instant; undefined: none is left. */
  after(instant: number): number | undefined;
  /** The last due time after `from` and not after `until`. Its cost does not grow with their number. */
  latest(from: number, until: number): number | undefined;
  /** The next `count` of them. */
  next(count: number, from: number): readonly number[];
}

const HOUR_MS = 3_600_000;
/** Longer than any change of a clock: Samoa once left out a whole day. */
const NEAR_MS = 26 * HOUR_MS;

/** @param o Checked (`checkCron`). */
export function createDueTimes({ cron, timezone }: { cron: string; timezone?: string }): DueTimes {
  const name = timezone ?? machineTimezone();
  const wall = parseCron(cron);
  const zone = openZone(name);
  const after = (instant: number): number | undefined => dueAfter(wall, zone, instant);
  return {
    timezone: name,
    after,
    latest(from, until) {
      if (until <= from || !isDueIn(from, until)) return undefined;
      // There is one in (low, high]; whole seconds, so that the middle comes to an end.
      let [low, high] = [Math.floor(from / 1_000), Math.floor(until / 1_000)];
      while (high - low > 1) {
        const middle = Math.floor((low + high) / 2);
        if (isDueIn(middle * 1_000, high * 1_000)) low = middle;
        else high = middle;
      }
      return high * 1_000;
    },
    next(count, from) {
      const times: number[] = [];
      for (let at = after(from); at !== undefined && times.length < count; at = after(at)) times.push(at);
      return times;
    },
  };

  function isDueIn(from: number, until: number): boolean {
    const first = after(from);
    return first !== undefined && first <= until;
  }
}

function dueAfter(wall: WallCron, zone: Zone, instant: number): number | undefined {
  let from = instant;
  let offset = zone.offsetAt(from);
  /** Wall times up to this one are done with. */
  let done = Math.max(from + offset, wall.everyHour ? Number.NEGATIVE_INFINITY : shownBefore(zone, from));
  for (;;) {
    const match = wall.after(done);
    if (match === undefined && !wall.everyHour) return undefined;
    // No match is left, but a repeated hour may lie ahead.
    const due = match === undefined ? from + NEAR_MS : match - offset;
    const near = Math.min(due, from + NEAR_MS);
    const change = zone.changeBetween(from, near);
    if (change === undefined) {
      if (match === undefined) return undefined;
      if (due <= near) return due;
      // Nothing matches in between: what the clock does there does not matter.
      from = due - NEAR_MS;
      offset = zone.offsetAt(from);
      done = Math.max(from + offset, done);
      continue;
    }
    const next = zone.offsetAt(change);
    const [shown, shows] = [change + offset, change + next];
    if (shows > shown) {
      if (match !== undefined && match < shows && gapIsDue(wall, match, shown, shows)) return change;
      done = shows - 1;
    } else done = wall.everyHour ? shows - 1 : Math.max(done, shown - 1);
    [from, offset] = [change, next];
  }
}

/** @param match The first wall time in the gap from `shown` to `shows` that matches. */
function gapIsDue(wall: WallCron, match: number, shown: number, shows: number): boolean {
  if (!wall.everyHour) return true;
  for (let at: number | undefined = match; at !== undefined && at < shows; at = wall.after(at))
    if (!wall.matches(at + (shows - shown))) return true;
  return false;
}

/** After a clock was put back it shows times that it has shown: the latest of them. */
function shownBefore(zone: Zone, instant: number): number {
  let latest = Number.NEGATIVE_INFINITY;
  let from = instant - NEAR_MS;
  for (;;) {
    const change = zone.changeBetween(from, instant);
    if (change === undefined) return latest;
    latest = Math.max(latest, change - 1 + zone.offsetAt(change - 1));
    from = change;
  }
}
