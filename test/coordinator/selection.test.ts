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

const candidates = fc.uniqueArray(
  fc.record({
    name: fc.string({ minLength: 1, maxLength: 3 }),
    capabilities: fc.array(fc.constantFrom('x', 'y', 'z'), { maxLength: 3 }),
    priority: fc.integer({ min: -2, max: 2 }),
    maxLoad: fc.constantFrom(1, 2, 4, unlimited),
    open: fc.nat(5),
  }),
  { selector: ({ name }) => name, maxLength: 8 },
);

test('the order of the file only decides between those that the policy cannot tell apart', () => {
  fc.assert(
    fc.property(
      candidates.chain((all) =>
        fc.tuple(fc.constant(all), fc.shuffledSubarray(all, { minLength: all.length })),
      ),
      fc.constantFrom<SelectionPolicy>('least_loaded', 'specialized'),
      ([all, shuffled], policy) => {
        const order = (of: readonly Candidate[]) =>
          choose(policy, of).map((name) => {
            const { open, maxLoad, priority, capabilities } = all.find(
              (candidate) => candidate.name === name,
            ) as Candidate;
            // What a policy looks at.
            return { load: open / maxLoad, open, priority, capabilities: capabilities.length };
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
