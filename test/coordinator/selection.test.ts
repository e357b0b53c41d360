import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { SelectionPolicy } from '../../src/config/config.ts';
import { type Candidate, choose, policies } from '../../src/coordinator/selection.ts';

const unlimited = Number.POSITIVE_INFINITY;
const one = (name: string, more: Partial<Candidate> = {}): Candidate => ({
  ...{ name, capabilities: ['x'], priority: 0, maxLoad: 2, open: 0 },
  ...more,
});

test.each<[string, SelectionPolicy, Candidate[], string]>([
  [
    'share of its load, not number',
    'least_loaded',
    [one('a', { open: 1 }), one('b', { open: 2, maxLoad: 8 })],
    'b a',
  ],
  [
    'unlimited agents: fewer jobs',
    'least_loaded',
    [one('a', { open: 5, maxLoad: unlimited }), one('b', { open: 3, maxLoad: unlimited })],
    'b a',
  ],
  [
    'more than its load is more loaded',
    'least_loaded',
    [one('a', { open: 5 }), one('b', { open: 2 })],
    'b a',
  ],
  ['then priority', 'least_loaded', [one('a'), one('b', { priority: 5 })], 'b a'],
  ['load before priority', 'least_loaded', [one('a'), one('b', { priority: 5, open: 1 })], 'a b'],
  ['then the specialist', 'least_loaded', [one('a', { capabilities: ['x', 'y'] }), one('b')], 'b a'],
  ['then the order of the file', 'least_loaded', [one('b'), one('a')], 'b a'],
  [
    'the specialist first',
    'specialized',
    [one('a', { capabilities: ['x', 'y'] }), one('b', { open: 2 })],
    'b a',
  ],
  ['then load', 'specialized', [one('a', { open: 1 }), one('b')], 'b a'],
  ['then priority', 'specialized', [one('a'), one('b', { priority: 1 })], 'b a'],
  ['whatever they are', 'in_order', [one('a', { open: 9, priority: -1 }), one('b', { priority: 9 })], 'a b'],
  ['nobody', 'least_loaded', [], ''],
])('%s (%s)', (_what, policy, candidates, order) => {
  expect(choose(policy, candidates).join(' ')).toBe(order);
});

const light = (name: string, more: Partial<Candidate> = {}): Candidate =>
  one(name, { load: 'light', tokensPerTask: 2_000, ...more });
const heavy = (name: string, more: Partial<Candidate> = {}): Candidate =>
  one(name, { load: 'heavy', ...more });

test.each<[string, SelectionPolicy, Candidate[], number | undefined, string]>([
  ['unknown size: it says nothing', 'least_loaded', [heavy('h'), light('l')], undefined, 'h l'],
  ['small: light first', 'least_loaded', [heavy('h'), light('l')], 8_000, 'l h'],
  ['a byte more: heavy first', 'least_loaded', [light('l'), heavy('h')], 8_001, 'h l'],
  [
    'large: heavy first, however loaded',
    'least_loaded',
    [light('l'), heavy('h', { open: 9 })],
    99_999,
    'h l',
  ],
  ['small: light before priority', 'least_loaded', [heavy('h', { priority: 9 }), light('l')], 4, 'l h'],
  ['small: light with a place free', 'least_loaded', [heavy('h'), light('l', { open: 1 })], 4, 'l h'],
  [
    'small: light without one is one of many',
    'least_loaded',
    [light('l', { open: 2 }), heavy('h')],
    4,
    'h l',
  ],
  ['both full: by load', 'least_loaded', [heavy('h', { open: 6 }), light('l', { open: 4 })], 4, 'l h'],
  ['an empty file is small', 'least_loaded', [heavy('h'), light('l')], 0, 'l h'],
  [
    'light without a number: 3,000 tokens',
    'least_loaded',
    [heavy('h'), one('l', { load: 'light' })],
    12_000,
    'l h',
  ],
  ['and above', 'least_loaded', [one('l', { load: 'light' }), heavy('h')], 12_001, 'h l'],
  ['neither heavy nor light', 'least_loaded', [light('l'), one('o')], 99_999, 'o l'],
  [
    'too large for a heavy one too',
    'least_loaded',
    [heavy('h', { tokensPerTask: 10_000 }), one('o')],
    80_000,
    'o h',
  ],
  [
    'too large for all: heavy first',
    'least_loaded',
    [light('l'), heavy('h', { tokensPerTask: 10_000, open: 9 })],
    80_000,
    'h l',
  ],
  [
    'specialized: the specialist first',
    'specialized',
    [light('l', { capabilities: ['x', 'y'] }), heavy('h')],
    4,
    'h l',
  ],
  ['specialized: then light', 'specialized', [heavy('h'), light('l', { open: 1 })], 4, 'l h'],
  [
    'specialized: unless too large',
    'specialized',
    [light('l'), heavy('h', { capabilities: ['x', 'y'] })],
    99_999,
    'h l',
  ],
  ['in_order: as they are written', 'in_order', [light('l'), heavy('h')], 99_999, 'l h'],
])('by size: %s (%s)', (_what, policy, all, bytes, order) => {
  expect(choose(policy, all, bytes).join(' ')).toBe(order);
});

const candidates = fc.uniqueArray(
  fc.record(
    {
      name: fc.string({ minLength: 1, maxLength: 3 }),
      capabilities: fc.array(fc.constantFrom('x', 'y', 'z'), { maxLength: 3 }),
      priority: fc.integer({ min: -2, max: 2 }),
      maxLoad: fc.constantFrom(1, 2, 4, unlimited),
      open: fc.nat(5),
      load: fc.constantFrom('heavy' as const, 'light' as const),
      tokensPerTask: fc.constantFrom(10, 1_000),
    },
    { requiredKeys: ['name', 'capabilities', 'priority', 'maxLoad', 'open'] },
  ),
  { selector: ({ name }) => name, maxLength: 8 },
);

function sizeFacts({ load, tokensPerTask, open, maxLoad }: Candidate, tokens: number): object {
  const isLight = load === 'light';
  const isTooLarge = tokens > (tokensPerTask ?? (isLight ? 3_000 : unlimited));
  return { isTooLarge, isFirst: !isTooLarge && isLight && open < maxLoad, isLast: isTooLarge && isLight };
}

test('the order of the file only decides between those that the policy cannot tell apart', () => {
  fc.assert(
    fc.property(
      candidates.chain((all) =>
        fc.tuple(fc.constant(all), fc.shuffledSubarray(all, { minLength: all.length })),
      ),
      fc.constantFrom<SelectionPolicy>('least_loaded', 'specialized'),
      fc.constantFrom(undefined, 20, 2_000, 20_000),
      ([all, shuffled], policy, bytes) => {
        const order = (of: readonly Candidate[]) =>
          choose(policy, of, bytes).map((name) => {
            const found = all.find((candidate) => candidate.name === name) as Candidate;
            const { open, maxLoad, priority, capabilities } = found;
            // What a policy looks at.
            const size = bytes === undefined ? {} : sizeFacts(found, bytes / 4);
            return { load: open / maxLoad, open, priority, capabilities: capabilities.length, ...size };
          });
        expect(order(shuffled)).toEqual(order(all));
      },
    ),
    { numRuns: 2_000 },
  );
});

test('everybody is named once, and nothing is changed', () => {
  fc.assert(
    fc.property(
      candidates,
      fc.constantFrom(...(Object.keys(policies) as SelectionPolicy[])),
      (all, policy) => {
        const before = structuredClone(all);
        expect([...choose(policy, all)].sort()).toEqual(all.map(({ name }) => name).sort());
        expect(all).toEqual(before);
      },
    ),
  );
});
