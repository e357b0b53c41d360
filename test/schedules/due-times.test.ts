/** Due times over real changes of clocks, and against every minute looked at one by one. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createDueTimes } from '../../src/schedules/due-times.ts';
import { type CronFields, dueTimes } from './oracle.ts';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;

/** The due times after `from` in local words: `29 03:00 +2`. */
function next(cron: string, timezone: string, from: string, count: number): string[] {
  const format = new Intl.DateTimeFormat('en-US', {
    timeZone: timezone,
    day: '2-digit',
    hour: '2-digit',
    minute: '2-digit',
    hourCycle: 'h23',
    timeZoneName: 'shortOffset',
  });
  return createDueTimes({ cron, timezone })
    .next(count, Date.parse(from))
    .map((at) => {
      const part = Object.fromEntries(format.formatToParts(at).map(({ type, value }) => [type, value]));
      return `${part.day} ${part.hour}:${part.minute} ${part.timeZoneName?.replace('GMT', '')}`.trim();
    });
}

describe('a time that does not exist is due once, right after the gap', () => {
  test.each([
    ['30 2 * * *', 'Europe/Berlin', '2026-03-28T00:00Z', ['28 02:30 +1', '29 03:00 +2', '30 02:30 +2']],
    ['0 2 * * *', 'Europe/Berlin', '2026-03-28T12:00Z', ['29 03:00 +2', '30 02:00 +2']],
    ['*/20 2 * * *', 'Europe/Berlin', '2026-03-28T12:00Z', ['29 03:00 +2', '30 02:00 +2']],
    ['0 2,3 * * *', 'Europe/Berlin', '2026-03-28T12:00Z', ['29 03:00 +2', '30 02:00 +2']],
    ['30 2 * * *', 'America/New_York', '2026-03-08T00:00Z', ['08 03:00 -4', '09 02:30 -4']],
    ['15 2 * * *', 'Australia/Lord_Howe', '2026-10-03T00:00Z', ['04 02:30 +11', '05 02:15 +11']],
    ['0 0 * * *', 'America/Sao_Paulo', '2018-11-03T12:00Z', ['04 01:00 -2', '05 00:00 -2']],
    ['@daily', 'America/Sao_Paulo', '2018-11-03T12:00Z', ['04 01:00 -2', '05 00:00 -2']],
    ['0 9 * * *', 'Pacific/Apia', '2011-12-29T12:00Z', ['29 09:00 -10', '31 00:00 +14', '31 09:00 +14']],
    ['0 */2 * * *', 'Europe/Berlin', '2026-03-28T23:30Z', ['29 03:00 +2', '29 04:00 +2']],
  ])('%s in %s', (cron, zone, from, expected) => {
    expect(next(cron, zone, from, expected.length)).toEqual(expected);
  });
});

describe('a time that exists twice is due once, the first time', () => {
  test.each([
    ['30 2 * * *', 'Europe/Berlin', '2026-10-24T12:00Z', ['25 02:30 +2', '26 02:30 +1']],
    ['*/30 2 * * *', 'Europe/Berlin', '2026-10-24T12:00Z', ['25 02:00 +2', '25 02:30 +2', '26 02:00 +1']],
    ['30 1 * * *', 'America/New_York', '2026-10-31T12:00Z', ['01 01:30 -4', '02 01:30 -5']],
    ['45 1 * * *', 'Australia/Lord_Howe', '2026-04-04T00:00Z', ['05 01:45 +11', '06 01:45 +10:30']],
    ['30 23 * * *', 'America/Sao_Paulo', '2018-02-17T12:00Z', ['17 23:30 -2', '18 23:30 -3']],
    // Asked in between.
    ['30 2 * * *', 'Europe/Berlin', '2026-10-25T00:31Z', ['26 02:30 +1']],
    ['30 2 * * *', 'Europe/Berlin', '2026-10-25T01:10Z', ['26 02:30 +1']],
    ['30 2,3 * * *', 'Europe/Berlin', '2026-10-25T01:10Z', ['25 03:30 +1']],
  ])('%s in %s', (cron, zone, from, expected) => {
    expect(next(cron, zone, from, expected.length)).toEqual(expected);
  });
});

describe('a text with every hour follows real time: no hole, no double', () => {
  test.each([
    [
      '*/15 * * * *',
      15,
      ['Europe/Berlin', 'America/New_York', 'America/Sao_Paulo', 'Australia/Lord_Howe', 'UTC'],
    ],
    [
      '* * * * *',
      1,
      ['Europe/Berlin', 'America/New_York', 'America/Sao_Paulo', 'Australia/Lord_Howe', 'UTC'],
    ],
    ['0 * * * *', 60, ['Europe/Berlin', 'America/New_York', 'America/Sao_Paulo', 'UTC']],
    ['7 * * * *', 60, ['Europe/Berlin', 'America/New_York', 'America/Sao_Paulo', 'UTC']],
  ])('%s', (cron, minutes, zones) => {
    const changes = ['2026-03-29', '2026-10-25', '2026-03-08', '2026-11-01', '2018-11-04', '2018-02-18'];
    for (const timezone of zones)
      for (const day of [...changes, '2026-04-04', '2026-10-03']) {
        const from = Date.parse(`${day}T00:00Z`) - 4 * HOUR_MS;
        const times = createDueTimes({ cron, timezone }).next((24 * 60) / minutes, from);
        const steps = new Set(times.slice(1).map((at, index) => (at - (times[index] as number)) / MINUTE_MS));
        expect({ timezone, day, steps: [...steps] }).toEqual({ timezone, day, steps: [minutes] });
      }
  });

  test('where the clock moves by half an hour, full hours are due right after the gap', () => {
    const due = ['04 01:00 +10:30', '04 02:30 +11', '04 03:00 +11'];
    expect(next('0 * * * *', 'Australia/Lord_Howe', '2026-10-03T14:00Z', 3)).toEqual(due);
  });
});

test('seconds: each of them, also through a repeated hour', () => {
  const from = Date.parse('2026-10-25T00:59:50Z');
  const { next: take } = createDueTimes({ cron: '* * * * * *', timezone: 'Europe/Berlin' });
  expect(take(20, from)).toEqual(Array.from({ length: 20 }, (_, n) => from + (n + 1) * 1_000));
});

test('days that are rare are found, before and after a change', () => {
  expect(next('0 0 29 2 *', 'Europe/Berlin', '2026-01-01T00:00Z', 2)).toEqual(['29 00:00 +1', '29 00:00 +1']);
  expect(next('30 2 29 3 *', 'Europe/Berlin', '2025-04-01T00:00Z', 2)).toEqual([
    '29 03:00 +2',
    '29 02:30 +2',
  ]);
  const { after } = createDueTimes({ cron: '0 12 29 2 MON#5', timezone: 'UTC' });
  expect(after(0)).toBeDefined();
});

test('without a time zone it is the machine’s', () => {
  expect(createDueTimes({ cron: '0 7 * * *' }).timezone).toBe(
    new Intl.DateTimeFormat().resolvedOptions().timeZone,
  );
});

/** Zones, each with the days on which its clock was changed; and some on which it was not. */
const changes: readonly (readonly [zone: string, day: string])[] = [
  ['UTC', '2026-03-29'],
  ['Europe/Berlin', '2026-03-29'],
  ['Europe/Berlin', '2026-10-25'],
  ['Europe/Berlin', '2026-07-01'],
  ['Europe/Dublin', '2026-10-25'],
  ['America/New_York', '2026-03-08'],
  ['America/New_York', '2026-11-01'],
  ['America/St_Johns', '1988-04-03'],
  ['America/Sao_Paulo', '2018-11-04'],
  ['America/Sao_Paulo', '2018-02-18'],
  ['America/Caracas', '2007-12-09'],
  ['Australia/Lord_Howe', '2026-10-03'],
  ['Australia/Lord_Howe', '2026-04-04'],
  ['Africa/Cairo', '2026-04-24'],
  ['Africa/Casablanca', '2026-02-15'],
  ['Antarctica/Troll', '2026-03-29'],
  ['Antarctica/Troll', '2026-10-25'],
  ['Asia/Pyongyang', '2018-05-04'],
  ['Asia/Kathmandu', '1985-12-31'],
  ['Pacific/Apia', '2011-12-30'],
];

interface Field {
  readonly text: string;
  readonly values: ReadonlySet<number>;
}

const everyValue = (low: number, high: number): number[] =>
  Array.from({ length: high - low + 1 }, (_, n) => low + n);

function field(low: number, high: number): fc.Arbitrary<Field> {
  const value = fc.integer({ min: low, max: high });
  return fc.oneof(
    fc.constant({ text: '*', values: new Set(everyValue(low, high)) }),
    fc.integer({ min: 1, max: Math.floor((high - low + 1) / 2) }).map((step) => ({
      text: `*/${step}`,
      values: new Set(everyValue(low, high).filter((n) => (n - low) % step === 0)),
    })),
    fc.uniqueArray(value, { minLength: 1, maxLength: 4 }).map((list) => ({
      text: list.join(','),
      values: new Set(list),
    })),
    fc.tuple(value, value).map(([a, b]) => ({
      text: `${Math.min(a, b)}-${Math.max(a, b)}`,
      values: new Set(everyValue(Math.min(a, b), Math.max(a, b))),
    })),
  );
}

/** Hours near those at which clocks are changed come often. */
const hours: fc.Arbitrary<Field> = fc.oneof(
  field(0, 23),
  fc.constantFrom(0, 1, 2, 3, 23).map((hour) => ({ text: String(hour), values: new Set([hour]) })),
  fc.constant({ text: '*', values: new Set(everyValue(0, 23)) }),
);

const crons = fc.record({
  minute: field(0, 59),
  hour: hours,
  day: fc.option(field(1, 31), { freq: 4, nil: undefined }),
  weekday: fc.option(field(0, 6), { freq: 4, nil: undefined }),
});

test('for any text, zone and start: exactly the times that looking at every minute finds', () => {
  fc.assert(
    fc.property(
      crons,
      fc.constantFrom(...changes),
      fc.integer({ min: -20 * 60, max: 20 * 60 }),
      ({ minute, hour, day, weekday }, [timezone, date], startMinutes) => {
        const text = [minute, hour, day, undefined, weekday].map((one) => one?.text ?? '*').join(' ');
        // A field that is `*` in the text says nothing, though it holds every value.
        const fields: CronFields = {
          minute: minute.values,
          hour: hour.values,
          ...(day && !day.text.startsWith('*') && { day: day.values }),
          ...(weekday && !weekday.text.startsWith('*') && { weekday: weekday.values }),
        };
        fc.pre(!(day?.text.startsWith('*/') || weekday?.text.startsWith('*/')));
        const middle = Date.parse(`${date}T00:00Z`);
        const [begin, until] = [middle - 30 * HOUR_MS, middle + 30 * HOUR_MS];
        const from = middle + startMinutes * MINUTE_MS;
        const expected = dueTimes(fields, timezone, begin, until);
        const times = createDueTimes({ cron: text, timezone });

        const found: number[] = [];
        for (let at = times.after(begin); at !== undefined && at <= until; at = times.after(at))
          found.push(at);
        expect(found).toEqual(expected);
        // From anywhere in between the answer is the same: there is no memory.
        expect(times.after(from)).toBe(expected.find((at) => at > from) ?? times.after(until));
        expect(times.after(from - 1)).toBe(expected.find((at) => at > from - 1) ?? times.after(until));
        expect(times.latest(begin, from)).toBe(expected.findLast((at) => at <= from));
        expect(times.latest(begin, from + 999)).toBe(expected.findLast((at) => at <= from));
        expect(times.latest(from, until)).toBe(expected.findLast((at) => at > from));
      },
    ),
    { numRuns: 200 },
  );
});

test('years of a busy schedule cost no more to look back on than a minute', () => {
  const { latest } = createDueTimes({ cron: '* * * * * *', timezone: 'Europe/Berlin' });
  const now = Date.parse('2026-11-20T10:00:00.500Z');
  expect(latest(now - 20 * 366 * 24 * HOUR_MS, now)).toBe(now - 500);
  expect(latest(now, now)).toBeUndefined();
  expect(latest(now, now - HOUR_MS)).toBeUndefined();
  expect(latest(now - 400, now)).toBeUndefined();
});
