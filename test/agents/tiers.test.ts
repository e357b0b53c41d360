import fc from 'fast-check';
import { expect, test } from 'vitest';
import { tierOf } from '../../src/agents/tiers.ts';

test.each<[string, number, string]>([
  ['gemini claude codex', 1, 'full'],
  ['codex claude command gemini opencode', 1, 'full'],
  ['gemini claude', 2, 'without codex'],
  ['codex gemini', 3, 'without claude'],
  ['claude codex copilot', 4, 'without gemini'],
  ['claude', 5, 'solo'],
  ['opencode copilot', 5, 'solo'],
  ['claude claude', 5, 'solo'],
  ['', 5, 'solo'],
])('%s: tier %d', (kinds, number, name) => {
  const tier = tierOf(kinds.split(' '));
  expect(tier).toEqual({ number, name, means: expect.stringMatching(/^[A-Z].*\.$/) });
});

test('one more kind never makes a tier worse', () => {
  const kinds = fc.constantFrom('gemini', 'claude', 'codex', 'opencode', 'builtin');
  fc.assert(
    fc.property(fc.array(kinds), kinds, (some, one) => {
      expect(tierOf([...some, one]).number).toBeLessThanOrEqual(tierOf(some).number);
    }),
  );
});
