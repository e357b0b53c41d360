/** Every spelling of "come back then" that services and CLIs are known to use. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { comeBack } from '../../../../src/agents/cli/reading/times.ts';

/** A Friday, 18:00 in Berlin, 9:00 in Los Angeles. */
const now = Date.parse('2026-11-20T17:00:00Z');
const s = 1_000;
const min = 60 * s;
const h = 60 * min;
const d = 24 * h;

describe('lengths of time', () => {
  test.each<[string, number]>([
    ['Rate limit reached for requests. Please try again in 1s.', s],
    ['Please try again in 1.898s. Visit https://example.com', 1_898],
    ['Please try again in 20ms.', 20],
    ['try again in 2h 13m', 2 * h + 13 * min],
    ['Try again in 2 days 3 hours 5 minutes.', 2 * d + 3 * h + 5 * min],
    ['Try again in 1 day, 2 hours and 3 minutes', d + 2 * h + 3 * min],
    ['try again in 1h2m3.5s', h + 2 * min + 3_500],
    ['Try again in an hour', h],
    ['Try again in a minute; if it keeps happening, close other windows', min],
    ['You have hit your limit. Come back in 5 minutes.', 5 * min],
    ['Suggested retry after 34s.', 34 * s],
    ['Retry after 34s', 34 * s],
    ['Retry-After: 34', 34 * s],
    ['retry-after: 2 minutes', 2 * min],
    ['{"retry_after": 12.5}', 12_500],
    ['{"error":{"code":429,"retry_after_seconds":90}}', 90 * s],
    ['{"retry_after_ms": 1500}', 1_500],
    ['"retryDelay":"34.074824224s"', 34_075],
    ['"retryDelay": "3600s"', h],
    ['Your quota will reset after 2h13m5s.', 2 * h + 13 * min + 5 * s],
    ['Fast limit reached, fast mode paused · resets in 4m 20s', 4 * min + 20 * s],
    ['{"type":"usage_limit_reached","plan_type":"plus","resets_in_seconds":7980}', 7_980 * s],
    ['Please wait 30 seconds before you try again.', 30 * s],
    ['Quota exceeded, wait for 2 min and then go on', 2 * min],
    ['Limit resets in 00:34:12', 34 * min + 12 * s],
    ['Rate limited. Retrying after 5807ms...', 5_807],
    ['available again in 3 hrs', 3 * h],
    ['The API is at capacity. Retry in 45 secs', 45 * s],
    ['x-ratelimit-reset-requests: 1m30s', 90 * s],
  ])('%s', (message, retryAfterMs) => {
    expect(comeBack(message, now)).toEqual({ retryAfterMs });
  });
});

describe('points in time', () => {
  test.each<[string, string]>([
    ['Claude AI usage limit reached|1795201200', '2026-11-20T19:00:00Z'],
    ['Claude AI usage limit reached|1795201200000', '2026-11-20T19:00:00Z'],
    ['{"resets_at":1795201200}', '2026-11-20T19:00:00Z'],
    ['{"resetsAt": 1795201200, "status": "rejected"}', '2026-11-20T19:00:00Z'],
    ["You've hit your session limit · resets 8pm (Europe/Berlin)", '2026-11-20T19:00:00Z'],
    ["You've hit your session limit · resets 8:30pm (Europe/Berlin)", '2026-11-20T19:30:00Z'],
    ['Your limit resets at 3pm (Europe/Berlin)', '2026-11-21T14:00:00Z'],
    ["You've hit your weekly limit · resets Nov 24, 3pm (Europe/Berlin)", '2026-11-24T14:00:00Z'],
    ["You've hit your weekly limit · resets Jan 2, 2027, 9am (America/New_York)", '2027-01-02T14:00:00Z'],
    ['limit resets Jan 2, 9am (UTC)', '2027-01-02T09:00:00Z'],
    ['spend limit reached · resets Dec 8 (UTC) · request an increase', '2026-12-08T00:00:00Z'],
    ['Your usage limit will reset at 7 p.m. UTC', '2026-11-20T19:00:00Z'],
    ['Try again at Nov 21st, 2026 3:05 PM UTC.', '2026-11-21T15:05:00Z'],
    ['Try again at 3:05 PM UTC on Nov 21.', '2026-11-21T15:05:00Z'],
    ['try again at 19:30 UTC', '2026-11-20T19:30:00Z'],
    ['try again at 16:58 UTC', '2026-11-20T16:58:00Z'],
    ['try again at 16:30 UTC', '2026-11-21T16:30:00Z'],
    ['Your quota resets at midnight Pacific time', '2026-11-21T08:00:00Z'],
    ['resets at noon PT', '2026-11-20T20:00:00Z'],
    ['Your quota will reset tomorrow at 9am UTC', '2026-11-21T09:00:00Z'],
    ['resets Monday at 9:00 GMT', '2026-11-23T09:00:00Z'],
    ['resets Friday at 9:00 GMT', '2026-11-27T09:00:00Z'],
    ['resets on 24 November at 15:00 UTC+2', '2026-11-24T13:00:00Z'],
    ['Limit reached. Resets on 2026-12-01 (UTC)', '2026-12-01T00:00:00Z'],
    ['quota reset at 2026-11-20T19:00:00Z', '2026-11-20T19:00:00Z'],
    ['quota reset at 2026-11-20T19:00:00.123+01:00', '2026-11-20T18:00:00Z'],
    ['"resetTime": "2026-11-20T19:00:00Z"', '2026-11-20T19:00:00Z'],
    ['blocked until 2026-11-20 19:00:00 UTC', '2026-11-20T19:00:00Z'],
    ['retry-after: Fri, 20 Nov 2026 19:00:00 GMT', '2026-11-20T19:00:00Z'],
    ['You can come back on Tuesday, 8am PST', '2026-11-24T16:00:00Z'],
  ])('%s', (message, until) => {
    expect(comeBack(message, now)).toEqual({ until: Date.parse(until) });
  });

  test('a time of day without a zone is one of this machine', () => {
    const local = new Date(now);
    local.setHours(local.getHours() + 2, 15, 0, 0);
    const text = `${local.getHours()}:${String(local.getMinutes()).padStart(2, '0')}`;
    expect(comeBack(`Your limit resets at ${text}`, now)).toEqual({ until: local.getTime() });
  });

  test('a clock that is changed in between is heeded', () => {
    // Berlin goes from summer to winter time in the night to 25 October.
    const eve = Date.parse('2026-10-24T12:00:00Z');
    expect(comeBack('resets Oct 25, 3pm (Europe/Berlin)', eve)).toEqual({
      until: Date.parse('2026-10-25T14:00:00Z'),
    });
  });
});

test.each([
  "This request would exceed your organization's rate limit of 50,000 input tokens per minute.",
  'Please wait and try again later. To increase your limits, request a quota increase',
  'API Error: 529 Overloaded. This is a server-side issue, usually temporary — try again in a moment.',
  'Credit balance is too low',
  'prompt is too long: 208310 tokens > 200000 maximum',
  'Reconnecting... 2/5 (exceeded retry limit, last status: 429 Too Many Requests)',
  'Attempt 1 failed with status 500. Retrying with backoff...',
  'You exceeded your current quota (20 requests per day), please check your plan',
  'Try again at 27:00 or at 15pm',
  'resets at 1',
  'retry 3 of 5',
  'Claude AI usage limit reached|1763683200',
  'resets_at: 2019-01-01T00:00:00Z',
  '',
])('no time: %s', (message) => {
  expect(comeBack(message, now)).toEqual({});
});

test('any text gives a time within a year, or none', () => {
  const word = fc.constantFrom(
    ...[
      'resets',
      'try again',
      'retry after',
      'in',
      'at',
      'on',
      ' ',
      ' ',
      '3pm',
      '15:00',
      'Nov',
      '31',
      'Feb 30',
      '|',
    ],
    ...[
      '(Europe/Berlin)',
      '(No/Where)',
      'UTC+99',
      '2h',
      '13m',
      '99999999',
      '1763683200',
      '9999999999999',
      'Monday',
    ],
    ...['2026-13-45', 'tomorrow', ',', '\n', '"', ':', 'ms', 'seconds', '1e9', '-5', '٣'],
  );
  fc.assert(
    fc.property(
      fc.oneof(
        fc.array(word, { maxLength: 30 }).map((all) => all.join('')),
        fc.string(),
      ),
      (text) => {
        const { until, retryAfterMs } = comeBack(text, now);
        if (until !== undefined) expect(until - now).toBeLessThanOrEqual(366 * d);
        if (until !== undefined) expect(until - now).toBeGreaterThanOrEqual(-d);
        if (retryAfterMs !== undefined) expect(retryAfterMs).toBeGreaterThanOrEqual(0);
        expect(until === undefined || retryAfterMs === undefined).toBe(true);
      },
    ),
    { numRuns: 2_000 },
  );
});

test('a long message costs little', () => {
  const begin = performance.now();
  for (const text of [
    'reset '.repeat(20_000),
    'retry after '.repeat(9_000),
    '1 h 2 m '.repeat(9_000),
    'resets a '.repeat(9_000),
    ...Array.from({ length: 8 }, () => `reset${' '.repeat(16_000)}`),
  ])
    comeBack(text, now);
  expect(performance.now() - begin).toBeLessThan(20_000);
});
