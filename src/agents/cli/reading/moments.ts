/**
 * Points in time as messages word them: `3pm (Europe/Berlin)`, `Nov 21, 3:30pm`, `Monday at 15:00 UTC`, `tomorrow`, ISO and
 * HTTP dates. What a text leaves out is filled in so that the moment lies ahead: a time of day without a day is the next
 * one, a day without a year too.
 */
import { machineTimezone } from '../../../config/cron.ts';
import { openZone, type Zone } from '../../../schedules/zone.ts';

export interface Moment {
  /** Where in the text it begins. */
  readonly index: number;
  /** Epoch milliseconds. */
  readonly instant: number;
}

const dayMs = 86_400_000;
/** A time of day that has passed so recently is that of today: the message was on its way. */
const graceMs = 5 * 60_000;

const months = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'];
const weekdays = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'];

const monthName =
  '(?:jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)';
const weekday =
  '(?:sun(?:day)?|mon(?:day)?|tue(?:s(?:day)?)?|wed(?:nesday)?|thu(?:rs?(?:day)?)?|fri(?:day)?|sat(?:urday)?)';
const daySource = String.raw`(?<iso>\d{4}-\d\d-\d\d)|(?<md>${monthName})\.? (?<mdDay>\d{1,2})(?:st|nd|rd|th)?\b(?:,? (?<mdYear>20\d\d)\b)?|(?<dmDay>\d{1,2})(?:st|nd|rd|th)? (?<dm>${monthName})\b\.?(?:,? (?<dmYear>20\d\d)\b)?|\b(?<week>${weekday})\b|\b(?<word>today|tomorrow)\b`;
const timeSource = String.raw`(?<![\d.:])(?<hour>\d{1,2})(?::(?<minute>[0-5]\d)(?::(?<second>[0-5]\d)(?:\.\d+)?)?)?\s?(?<half>[ap]\.?m\b\.?)|(?<![\d.:])(?<hour24>[01]?\d|2[0-4]):(?<minute24>[0-5]\d)(?::(?<second24>[0-5]\d)(?:\.\d+)?)?(?![\d:])|\b(?<named>noon|midnight)\b`;

const lead = String.raw`^[^\d\n]{0,48}?`;
const dayFirst = new RegExp(
  `${lead}(?:(?:${daySource})(?:(?:,|T| at|,? at|,? around| on)? ?(?:${timeSource}))?)`,
  'i',
);
const timeFirst = new RegExp(`${lead}(?:${timeSource})`, 'i');
const zoneAfter =
  /^ ?\(?(?:(?<iana>[A-Z][A-Za-z]+\/[A-Za-z_+\-0-9/]+)|(?<offset>(?:UTC|GMT)? ?[+-]\d{1,2}(?::?\d\d)?)\b|(?<short>Z|UTC|GMT|[PMCE][SD]?T|CES?T|BST|JST|IST|AE[SD]T|(?:Pacific|Eastern|Central|Mountain)(?: (?:Standard |Daylight )?Time)?)\b)/;
const dayAfterTime = new RegExp(`^,? (?:on )?(?:${daySource})`, 'i');
const httpDate =
  /^[^\d\n]{0,48}?((?:Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d{1,2} (?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) \d{4} \d\d:\d\d:\d\d GMT)/;

const zoneNames: Readonly<Record<string, string>> = {
  Z: 'UTC',
  UTC: 'UTC',
  GMT: 'UTC',
  PT: 'America/Los_Angeles',
  Pacific: 'America/Los_Angeles',
  MT: 'America/Denver',
  Mountain: 'America/Denver',
  CT: 'America/Chicago',
  Central: 'America/Chicago',
  ET: 'America/New_York',
  Eastern: 'America/New_York',
  PST: '-08:00',
  PDT: '-07:00',
  MST: '-07:00',
  MDT: '-06:00',
  CST: '-06:00',
  CDT: '-05:00',
  EST: '-05:00',
  EDT: '-04:00',
  BST: '+01:00',
  CET: '+01:00',
  CEST: '+02:00',
  IST: '+05:30',
  JST: '+09:00',
  AEST: '+10:00',
  AEDT: '+11:00',
};

/** The point in time that a text begins with, after a few words; undefined when there is none. */
export function momentAt(text: string, now: number): Moment | undefined {
  const http = httpDate.exec(text);
  if (http !== null)
    return { index: http[0].length - (http[1] as string).length, instant: Date.parse(http[1] as string) };
  const day = dayFirst.exec(text);
  const time = timeFirst.exec(text);
  const match = day !== null && (time === null || begin(day) <= begin(time)) ? day : time;
  if (match === null) return undefined;
  let groups = match.groups ?? {};
  let rest = text.slice(match[0].length);
  let zoneText = zoneAfter.exec(rest);
  if (match === time) {
    // "3:05 PM on Nov 21", also with the zone in between.
    const tail = zoneText === null ? rest : rest.slice(zoneText[0].length).replace(/^\)/, '');
    const on = dayAfterTime.exec(tail);
    if (on !== null) {
      groups = { ...groups, ...defined(on.groups) };
      rest = tail.slice(on[0].length);
      zoneText ??= zoneAfter.exec(rest);
    }
  }
  const instant = instantOf(groups, zoneOf(zoneText?.groups), now);
  return instant === undefined ? undefined : { index: begin(match), instant };
}

/** Where the day or the time itself begins, behind the words before it. */
function begin(match: RegExpExecArray): number {
  const at = /\d|\b(?:noon|midnight|today|tomorrow)\b/i.exec(match[0]);
  const named = new RegExp(String.raw`\b(?:${monthName}|${weekday})\b`, 'i').exec(match[0]);
  return Math.min(at?.index ?? match[0].length, named?.index ?? match[0].length);
}

type Groups = Readonly<Record<string, string | undefined>>;

function defined(groups: Groups | undefined): Record<string, string> {
  return Object.fromEntries(
    Object.entries(groups ?? {}).filter((one): one is [string, string] => one[1] !== undefined),
  );
}

/** What a clock on the wall of that zone shows, written as if it were UTC. */
interface WallZone {
  wall(instant: number): number;
  instant(wall: number): number;
}

function zoneOf(groups: Groups | undefined): WallZone {
  const short = groups?.short?.replace(/ .*/, '');
  const name = groups?.iana ?? groups?.offset ?? (short === undefined ? undefined : zoneNames[short]);
  const offset = /^(?:UTC|GMT)? ?([+-])(\d{1,2})(?::?(\d\d))?$/.exec(name ?? '');
  if (offset !== null) {
    const ms = (Number(offset[2]) * 60 + Number(offset[3] ?? 0)) * 60_000 * (offset[1] === '-' ? -1 : 1);
    return { wall: (instant) => instant + ms, instant: (wall) => wall - ms };
  }
  const zone = openKnown(name ?? machineTimezone());
  return {
    wall: (instant) => instant + zone.offsetAt(instant),
    instant: (wall) => wall - zone.offsetAt(wall - zone.offsetAt(wall)),
  };
}

function openKnown(name: string): Zone {
  try {
    return openZone(name);
  } catch {
    return openZone(machineTimezone());
  }
}

function instantOf(groups: Groups, zone: WallZone, now: number): number | undefined {
  const time = timeOf(groups);
  const today = Math.floor(zone.wall(now) / dayMs) * dayMs;
  const day = dayOf(groups, today);
  if (day === undefined && time === undefined) return undefined;
  const instant = zone.instant((day?.at ?? today) + (time ?? 0));
  if (day?.isFixed === true || instant >= now - graceMs) return instant;
  // It has passed today (or was meant of this weekday in a week).
  return zone.instant((day?.at ?? today) + (day?.every ?? dayMs) + (time ?? 0));
}

/** Milliseconds since midnight. */
function timeOf(groups: Groups): number | undefined {
  if (groups.named !== undefined) return groups.named.toLowerCase() === 'noon' ? dayMs / 2 : 0;
  const hour = groups.hour ?? groups.hour24;
  if (hour === undefined) return undefined;
  const minutes = Number(groups.minute ?? groups.minute24 ?? 0);
  const seconds = Number(groups.second ?? groups.second24 ?? 0);
  let hours = Number(hour);
  if (groups.half !== undefined) {
    if (hours < 1 || hours > 12) return undefined;
    hours = (hours % 12) + (groups.half[0]?.toLowerCase() === 'p' ? 12 : 0);
  }
  return ((hours * 60 + minutes) * 60 + seconds) * 1000;
}

interface Day {
  /** Its midnight, as a wall time. */
  readonly at: number;
  /** Its year is known: it is not moved. */
  readonly isFixed?: boolean;
  /** The next one like it comes after so long. */
  readonly every?: number;
}

function dayOf(groups: Groups, today: number): Day | undefined {
  if (groups.iso !== undefined) {
    const at = Date.parse(`${groups.iso}T00:00:00Z`);
    return Number.isNaN(at) ? undefined : { at, isFixed: true };
  }
  if (groups.word !== undefined)
    return groups.word.toLowerCase() === 'today'
      ? { at: today, isFixed: true }
      : { at: today + dayMs, isFixed: true };
  if (groups.week !== undefined) {
    const wanted = weekdays.indexOf(groups.week.slice(0, 3).toLowerCase());
    const ahead = (wanted - new Date(today).getUTCDay() + 7) % 7;
    return { at: today + ahead * dayMs, every: 7 * dayMs };
  }
  const month = months.indexOf((groups.md ?? groups.dm ?? '').slice(0, 3).toLowerCase());
  if (month < 0) return undefined;
  const date = Number(groups.mdDay ?? groups.dmDay);
  const year = groups.mdYear ?? groups.dmYear;
  if (year !== undefined) return { at: Date.UTC(Number(year), month, date), isFixed: true };
  const thisYear = Date.UTC(new Date(today).getUTCFullYear(), month, date);
  // A reset lies ahead: "Jan 2" in December is next year's.
  return {
    at: thisYear < today - dayMs ? Date.UTC(new Date(today).getUTCFullYear() + 1, month, date) : thisYear,
    isFixed: true,
  };
}
