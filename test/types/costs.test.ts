import { expect, test } from 'vitest';
import { credible, sumCosts, usageOf } from '../../src/types/usage.ts';

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

const tokens = (many: number) => usageOf(() => many);

test.each<[string, Parameters<typeof credible>[0], ReturnType<typeof credible>]>([
  ['what is told', { usage: tokens(3), costUsd: 0.5 }, { usage: tokens(3), costUsd: 0.5 }],
  ['nothing is told', { costUsd: null }, { costUsd: null }],
  ['nothing was used', { usage: tokens(0), costUsd: 0 }, { usage: tokens(0), costUsd: 0 }],
  ['tokens are whole', { usage: tokens(1.6), costUsd: 0 }, { usage: tokens(2), costUsd: 0 }],
  ['as many as can be', { usage: tokens(1e12), costUsd: 1e6 }, { usage: tokens(1e12), costUsd: 1e6 }],
  ['more than can be', { usage: { ...tokens(1), input_tokens: 2 ** 60 }, costUsd: 1e308 }, { costUsd: null }],
  [
    'a sum that is no number',
    { usage: tokens(Number.POSITIVE_INFINITY), costUsd: Number.NaN },
    { costUsd: null },
  ],
  ['less than nothing', { usage: tokens(-1), costUsd: -1 }, { costUsd: null }],
])('what an attempt can have used: %s', (_, told, believed) => {
  expect(credible(told)).toEqual(believed);
});
