/** What is refused at load, in words that say how to write it. */
import { expect, test } from 'vitest';
import { checkCron, parseCron } from '../../src/config/cron.ts';

test.each([
  '* * * * *',
  '*/15 * * * *',
  '0 7 * * 1-5',
  '0 7 * * mon-fri',
  '  0   7 * *  1-5 ',
  '30 0 7 * * *',
  '@hourly',
  '@weekly',
  '0 0 L * *',
  '0 0 15W * *',
  '0 9 * * MON#1',
  '0 0 29 2 *',
  '0 0 31 * +MON',
  '0 0 30 2 1',
  '0 0 * * 7',
])('%s is a schedule', (cron) => {
  expect(checkCron(cron)).toBeUndefined();
});

test.each([
  ['', 'five or six fields'],
  ['0 7 * *', 'five or six fields'],
  ['* * * * * * *', 'five or six fields'],
  ['every day', 'five or six fields'],
  ['60 * * * *', 'a minute is 0 to 59'],
  ['0 24 * * *', 'an hour is 0 to 23'],
  ['0 0 0 * *', 'a day of the month is 1 to 31'],
  ['0 0 1 13 *', 'a month is 1 to 12'],
  ['0 0 * * 8', 'a weekday is 0 (Sunday) to 7'],
  ['*/0 * * * *', 'illegal stepping'],
  ['5/10 * * * *', 'numeric prefix'],
  ['0 22-4 * * *', 'From value is larger'],
  ['@reboot', '@reboot is not a time'],
  ['2030-01-23T00:00:00', 'a date is not a schedule'],
  [`${'1,'.repeat(10_000)}1 * * * *`, 'longer than 256 characters'],
  ['${{ inputs.cron }} * * * *', 'five or six fields'],
])('%s is refused: %s', (cron, words) => {
  const problem = checkCron(cron);
  expect(problem?.about).toBe('cron');
  expect(problem?.message.toLowerCase()).toContain(words.toLowerCase());
  expect(problem?.message.length).toBeLessThan(300);
  expect(problem?.fix).toContain('0 7 * * 1-5');
});

test.each(['0 0 30 2 *', '0 0 31 2,4,6,9,11 *', '0 0 31 4,6,9,11 +MON', '0 0 31W 2 *', '15 3 30 2 *'])(
  '%s never fires',
  (cron) => {
    expect(checkCron(cron)?.message).toContain('never fires');
  },
);

test.each([
  ['Europe/Belin', 'Europe/Berlin'],
  ['Berlin', 'Europe/Berlin'],
  ['new york', 'America/New_York'],
])('the time zone %s is refused; %s was meant', (zone, meant) => {
  const problem = checkCron('0 7 * * *', zone);
  expect(problem).toMatchObject({ about: 'timezone', message: expect.stringContaining(zone) });
  expect(problem?.fix).toContain(`did you mean "${meant}"?`);
});

test.each(['', 'Mars/Olympus_Mons_Base', '../../etc/passwd', 'x'.repeat(100_000)])(
  'a time zone that is none at all is refused',
  (zone) => {
    const problem = checkCron('0 7 * * *', zone);
    expect(problem?.about).toBe('timezone');
    expect(problem?.message.length).toBeLessThan(200);
    expect(problem?.fix).toContain('IANA');
  },
);

test.each(['Europe/Berlin', 'europe/berlin', 'UTC', 'Etc/GMT+5', 'Australia/Lord_Howe', 'CET'])(
  'the time zone %s is known',
  (zone) => {
    expect(checkCron('0 7 * * *', zone)).toBeUndefined();
  },
);

test('a text with an error and a zone with one: the text first', () => {
  expect(checkCron('60 * * * *', 'Nowhere')?.about).toBe('cron');
});

test.each([
  ['*/15 * * * *', true],
  ['0 0-23 * * *', true],
  ['@hourly', true],
  ['0 */2 * * *', false],
  ['*/15 2 * * *', false],
  ['@daily', false],
])('%s has every hour: %s', (cron, expected) => {
  expect(parseCron(cron).everyHour).toBe(expected);
});
