/** What was held back at the last claim is claimed when it comes free, also when that was a moment ago. */
import { expect, test } from 'vitest';
import { ClaimGate, type ClaimGateOptions } from '../../src/coordinator/claim-gate.ts';

function gateOf(state: {
  rateFreeAt: number | undefined;
  loopDueAt: number | undefined;
  dueAt?: number;
}): ClaimGate {
  const agent = { name: 'a', kind: 'command', maxLoad: 1, rate: { count: 1, perMs: 1_000, text: '1/s' } };
  const known = {
    recipes: { config: { agents: new Map([['a', agent]]) }, batchRules: new Map() },
    gates: { of: () => ({ kind: 'open' }), stopped: () => [] },
    slots: { roomFor: () => ({ files: true, steps: true }), freeFiles: 1 },
    lanes: { open: () => new Map(), nextDueAt: () => state.loopDueAt },
    ledger: { jobs: { nextDueAt: async () => state.dueAt, rateFreeAt: async () => state.rateFreeAt } },
  };
  return new ClaimGate(known as unknown as ClaimGateOptions);
}

test.each(['rateFreeAt', 'loopDueAt'] as const)('%s: free since the claim is due at once', async (which) => {
  const state = { rateFreeAt: undefined, loopDueAt: undefined, [which]: 1_005 };
  const gate = gateOf(state);
  await gate.query();
  // The clock has passed it: nobody is held back any more, and nobody was claimed.
  state[which] = undefined;
  expect(await gate.nextDueAt()).toBe(1_005);
  await gate.query();
  expect(await gate.nextDueAt()).toBeUndefined();
});

test('the earliest of all', async () => {
  const gate = gateOf({ rateFreeAt: 30, loopDueAt: 20, dueAt: 10 });
  await gate.query();
  expect(await gate.nextDueAt()).toBe(10);
});

test('restricted to one agent: only its steps may be claimed', async () => {
  const agentOf = (name: string) => ({ name, kind: 'command', maxLoad: 3 });
  const parked: unknown[] = [];
  const known = {
    recipes: {
      config: { agents: new Map(['a', 'b'].map((name) => [name, agentOf(name)])) },
      batchRules: new Map(),
    },
    gates: {
      of: ({ name }: { name: string }) =>
        name === 'b' ? { kind: 'closed', mayDivert: false, park: {} } : { kind: 'open' },
      stopped: () => [{ rule: 'r', gate: { park: {} } }],
    },
    slots: { roomFor: () => ({ files: true, steps: true }), freeFiles: 1 },
    lanes: { open: () => new Map([['a\u0000r', { agent: 'a', limit: 1 }]]), nextDueAt: () => undefined },
    ledger: {
      jobs: { park: async (which: unknown) => parked.push(which), nextDueAt: async () => undefined },
    },
    only: () => 'a',
  };
  const query = await new ClaimGate(known as unknown as ClaimGateOptions).query();
  expect(query?.limits).toEqual(new Map([['a', 3]]));
  // What waits in its own queue, and in those of rules, is closed.
  expect(query?.lanes).toEqual(
    new Map([
      ['a', { agent: 'a', limit: 0 }],
      ['a\u0000', { agent: 'a', limit: Number.POSITIVE_INFINITY }],
    ]),
  );
  expect(parked, 'nobody else is touched').toEqual([]);
});
