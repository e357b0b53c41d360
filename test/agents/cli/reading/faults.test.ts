/** Patterns of errors, in order. */
import { expect, test } from 'vitest';
import { type FaultPattern, findFault, mostTelling } from '../../../../src/agents/cli/reading/faults.ts';

const now = Date.parse('2026-11-20T17:00:00Z');
const table: readonly FaultPattern[] = [
  { pattern: /daily quota/, class: 'quota' },
  { pattern: /429/, class: 'rate' },
  {
    pattern: /^unknown option '([^']+)'/m,
    class: 'flags',
    message: (match) => `does not know ${match[1]}`,
    fix: (match) => `Leave ${match[1]} out.`,
    cure: (match) => ({ kind: 'without_flag', flag: match[1] as string }),
  },
  { pattern: /401/, class: 'auth', fix: 'Log in.' },
];

test.each([
  [
    '429: daily quota used up, retry after 5s',
    { class: 'quota', message: '429: daily quota used up, retry after 5s', retryAfterMs: 5_000 },
  ],
  ['first\nsecond 429\nthird', { class: 'rate', message: 'second 429' }],
  ['429', { class: 'rate', message: '429' }],
  ['x\n429\n', { class: 'rate', message: '429' }],
  ['401, retry after 5s', { class: 'auth', message: '401, retry after 5s', fix: 'Log in.' }],
  [
    "hm\nunknown option '--effort'",
    {
      class: 'flags',
      message: 'does not know --effort',
      fix: 'Leave --effort out.',
      cure: { kind: 'without_flag', flag: '--effort' },
    },
  ],
  ['all is well', undefined],
])('%j', (message, fault) => {
  expect(findFault(message, table, now)).toEqual(fault);
});

test('the most telling comes first, and each once', () => {
  const fault = (kind: 'auth' | 'server' | 'network', message = kind as string) => ({ class: kind, message });
  expect(
    mostTelling([
      fault('network'),
      fault('server'),
      fault('auth'),
      fault('server'),
      fault('server', 'other'),
    ]),
  ).toEqual([fault('auth'), fault('server'), fault('server', 'other'), fault('network')]);
});
