import { expect, test } from 'vitest';
import { sumCosts } from '../../src/types/usage.ts';

test.each<[string, readonly (number | null | undefined)[], number | null]>([
  ['no attempt', [], null],
  ['nobody knows', [null, undefined], null],
  ['all are known', [0.5, 0.25], 0.75],
  ['nothing, as is known', [0, 0], 0],
  ['at least', [0.5, null], 0.5],
  ['refused, then not told', [0, null], null],
])('%s', (_, costs, sum) => {
  expect(sumCosts(costs)).toBe(sum);
});
