/**
 * What a cron text says, without a time zone: which local times match it. croner reads the text and knows the calendar
 * (last days, nearest weekdays, leap years); it is only ever asked in UTC, so that a "wall time" below is a local time
 * written as if it were UTC, in milliseconds. What becomes of local times that do not exist or exist twice is decided in
 * `schedules/due-times.ts`, by one rule that is ours.
 */
import { Cron, CronPattern } from 'croner';
import { nearest } from './suggest.ts';

export interface CronProblem {
  readonly about: 'cron' | 'timezone';
  readonly message: string;
  readonly fix: string;
}

export interface WallCron {
  /** The first matching wall time after this one; undefined: none is left before the year 10000. */
  after(wall: number): number | undefined;
  matches(wall: number): boolean;
  /** Its hours are all 24: it follows real time rather than naming hours of a day. */
  readonly everyHour: boolean;
}

/** UTC as an offset, not as a zone: croner then counts by itself instead of asking `Intl`, seven times faster. */
const options = { utcOffset: 0, paused: true, mode: '5-or-6-parts' } as const;
/** No text that means something is longer; croner's time grows with lists of values. */
const MAX_LENGTH = 256;
const FIX = 'Write five fields: minute hour day month weekday, such as "0 7 * * 1-5"; or @hourly, @daily …';

const ranges: Readonly<Record<string, string>> = {
  second: 'a second is 0 to 59',
  minute: 'a minute is 0 to 59',
  hour: 'an hour is 0 to 23',
  day: 'a day of the month is 1 to 31',
  month: 'a month is 1 to 12 or JAN to DEC',
  dayOfWeek: 'a weekday is 0 (Sunday) to 7 or SUN to SAT',
};

/** At load: syntax, values out of range, a time zone that is not known here, a text that never comes true. */
export function checkCron(text: string, timezone?: string): CronProblem | undefined {
  const zoneProblem = timezone === undefined ? undefined : checkTimezone(timezone);
  try {
    // Some day that does not matter: what matches at all matches within 28 years of it, nearly always within 8.
    if (parseCron(text).after(0) !== undefined) return zoneProblem;
  } catch (error) {
    return { about: 'cron', message: `"${shorten(text)}" is no cron text: ${reasonOf(error)}`, fix: FIX };
  }
  return {
    about: 'cron',
    message: `"${text}" never fires: no year has such a day`,
    fix: 'The last day of each month is L: "0 0 L * *". Day and weekday together need a day on which both can be.',
  };
}

/** @throws when `checkCron` has something to say about its syntax. */
export function parseCron(text: string): WallCron {
  if (text.length > MAX_LENGTH) throw new Error(`it is longer than ${MAX_LENGTH} characters`);
  // croner takes a date for something that happens once.
  if (/^\s*\d{4}-/.test(text)) throw new Error('a date is not a schedule');
  const cron = new Cron(text, options);
  const { hour } = new CronPattern(text, undefined, { mode: options.mode });
  return {
    after: (wall) => cron.nextRun(new Date(wall))?.getTime(),
    matches: (wall) => cron.match(new Date(wall)),
    everyHour: hour.every((value) => value === 1),
  };
}

/** The machine's, as Node knows it (`TZ`, else the system's). */
export function machineTimezone(): string {
  return new Intl.DateTimeFormat().resolvedOptions().timeZone;
}

function checkTimezone(name: string): CronProblem | undefined {
  try {
    new Intl.DateTimeFormat('en', { timeZone: name });
    return undefined;
  } catch {
    const near = nearZone(name);
    return {
      about: 'timezone',
      message: `"${shorten(name)}" is no time zone that is known here`,
      fix: `${near === undefined ? '' : `did you mean "${near}"? `}Write an IANA name such as Europe/Berlin, America/New_York or UTC.`,
    };
  }
}

/** By the whole name, or by its city alone: `Berlin`. */
function nearZone(name: string): string | undefined {
  if (name.length > MAX_LENGTH) return undefined;
  const zones = [...Intl.supportedValuesOf('timeZone'), 'UTC'];
  const plain = name.toLowerCase().replaceAll(' ', '_');
  const city = zones.find((zone) => zone.toLowerCase().split('/').at(-1) === plain.split('/').at(-1));
  return city ?? nearest(name, zones);
}

function reasonOf(error: unknown): string {
  const text = error instanceof Error ? error.message.replace(/^CronPattern: /, '') : String(error);
  const field = /^Invalid value for (\w+)/.exec(text)?.[1];
  const range = field === undefined ? undefined : ranges[field];
  if (range !== undefined) return range;
  if (text.includes('space separated parts') || text.startsWith('mode '))
    return 'it needs five or six fields';
  if (text.startsWith('@reboot')) return '@reboot is not a time';
  return text.charAt(0).toLowerCase() + text.slice(1);
}

function shorten(text: string): string {
  return text.length > 80 ? `${text.slice(0, 79)}…` : text;
}
