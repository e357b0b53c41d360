/** Tokens × prices → money. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { priceOf } from '../../../src/agents/cli/prices.ts';
import type { PriceConfig } from '../../../src/config/config.ts';

const day = (text: string) => Date.parse(`${text}T00:00:00Z`);
const usage = {
  input_tokens: 1_000_000,
  cache_read_tokens: 2_000_000,
  cache_write_tokens: 500_000,
  output_tokens: 100_000,
};
const price = (model: string, output: number, from = 0): PriceConfig => ({
  ...{ model, from, input: 0, cacheRead: 0, cacheWrite: 0, output },
});
/** Of a table where only output costs: the price that was taken, in dollars for a million. */
const taken = (prices: readonly PriceConfig[], model: string | undefined, at = day('2026-11-20')) => {
  const found = priceOf(prices, model, { ...usage, output_tokens: 1_000_000 }, at);
  return found;
};

test('each bucket has its price', () => {
  const prices = [{ model: 'gpt-5', from: 0, input: 1.25, cacheRead: 0.125, cacheWrite: 2, output: 10 }];
  expect(priceOf(prices, 'gpt-5', usage, 0)).toBeCloseTo(1.25 + 0.25 + 1 + 1, 12);
});

const table: readonly (readonly [
  name: string,
  prices: readonly PriceConfig[],
  model: string,
  at: number | null,
])[] = [
  ['nothing is said', [], 'gpt-5', null],
  ['another model', [price('gpt-4', 1)], 'gpt-5', null],
  ['the whole name', [price('gpt-5', 1)], 'gpt-5-mini', null],
  ['a beginning', [price('gpt-5*', 1)], 'gpt-5-mini', 1],
  ['also nothing more', [price('gpt-5*', 1)], 'gpt-5', 1],
  ['an end', [price('*-mini', 1)], 'gpt-5-mini', 1],
  ['the middle', [price('*sonnet*', 1)], 'openrouter/anthropic/claude-sonnet-4:free', 1],
  ['all', [price('*', 1)], 'x/y', 1],
  ['parts in order', [price('a*b*c', 1)], 'a-c-b', null],
  ['parts do not overlap', [price('ab*ba', 1)], 'aba', null],
  ['parts that meet', [price('ab*ba', 1)], 'abba', 1],
  ['case', [price('GPT-5', 1)], 'gpt-5', 1],
  ['brackets and dots are themselves', [price('sonnet[1m]', 1), price('s.nnet', 2)], 'sonnet[1m]', 1],
  ['a dot is no other letter', [price('gpt.5', 1)], 'gpt-5', null],
  ['the first that fits', [price('gpt-5-mini', 1), price('gpt-5*', 2)], 'gpt-5-mini', 1],
  ['in the order of the file', [price('gpt-5*', 2), price('gpt-5-mini', 1)], 'gpt-5-mini', 2],
  [
    'the latest that has come',
    [price('m', 1), price('m', 2, day('2026-01-01')), price('m', 3, day('2026-11-20'))],
    'm',
    3,
  ],
  ['not one that comes', [price('m', 1), price('m', 2, day('2026-11-21'))], 'm', 1],
  ['in any order', [price('m', 2, day('2026-01-01')), price('m', 1)], 'm', 2],
  ['only later ones', [price('m', 2, day('2026-11-21'))], 'm', null],
  ['a later one makes way for others', [price('m', 2, day('2026-11-21')), price('*', 1)], 'm', 1],
  ['dates of others do not count', [price('m*', 1), price('*', 2, day('2026-11-19'))], 'm', 1],
  ['for nothing', [price('m', 0)], 'm', 0],
];

test.each(table)('%s', (_name, prices, model, found) => {
  expect(taken(prices, model)).toBe(found);
});

test('without a model or without tokens nobody knows', () => {
  expect(priceOf([price('gpt*', 1)], undefined, usage, 0)).toBeNull();
  expect(priceOf([price('gpt*', 2), price('*', 1)], undefined, usage, 0)).toBeCloseTo(0.1, 12);
  expect(priceOf([price('*', 1)], 'm', undefined, 0)).toBeNull();
});

test('a pattern with stars fits as a regular expression would', () => {
  const letters = fc.string({ unit: fc.constantFrom('a', 'b', '-', '.'), maxLength: 8 });
  const pattern = fc.string({ unit: fc.constantFrom('a', 'b', '-', '.', '*'), minLength: 1, maxLength: 8 });
  fc.assert(
    fc.property(pattern, letters, (glob, name) => {
      const expression = new RegExp(`^${glob.replaceAll('.', '\\.').replaceAll('*', '.*')}$`);
      expect(taken([price(glob, 1)], name) !== null).toBe(expression.test(name));
    }),
    { numRuns: 2_000 },
  );
});
