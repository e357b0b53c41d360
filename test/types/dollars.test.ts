import { expect, test } from 'vitest';
import { formatDollars } from '../../src/types/dollars.ts';

test.each([
  [0, '$0.00'],
  [0.00472, '$0.0047'],
  [0.5, '$0.50'],
  [0.999, '$1.00'],
  [1, '$1.00'],
  [12.345, '$12.35'],
])('%d', (usd, text) => {
  expect(formatDollars(usd)).toBe(text);
});
