/** The tier follows what agents can do, when something about them changes and at each patrol. */
import { expect, onTestFinished, test } from 'vitest';
import { createConditionBoard } from '../../src/conditions/board.ts';
import type { AgentConfig, Config } from '../../src/config/config.ts';
import { closedBreaker } from '../../src/coordinator/breaker.ts';
import type { ParkedAgent } from '../../src/coordinator/parking.ts';
import { type Tiers, watchTiers } from '../../src/engine/tiers.ts';
import { AppError } from '../../src/types/errors.ts';

const names = ['gemini', 'claude', 'codex'] as const;
const configOf = (kinds: readonly string[]): Config =>
  ({
    agents: new Map(kinds.map((kind) => [kind, { name: kind, kind, breaker: {} } as unknown as AgentConfig])),
  }) as unknown as Config;

function rig(kinds: readonly string[] = names) {
  const missing = new Set<string>();
  const parked = new Map<string, ParkedAgent>();
  const errors: string[] = [];
  let config = configOf(kinds);
  let looks = 0;
  const conditions = createConditionBoard({ now: () => 1 });
  const tiers: Tiers = watchTiers({
    config: () => config,
    available: async ({ name }) => {
      looks += 1;
      return missing.has(name) ? new AppError('AGENT_UNAVAILABLE', 'gone', { fix: 'install it' }) : undefined;
    },
    coordinator: { parked: () => parked, breaker: () => closedBreaker },
    conditions,
    log: { error: (message) => void errors.push(message) },
    now: () => 1_000,
    patrolMs: 5,
  });
  onTestFinished(() => tiers[Symbol.asyncDispose]());
  const raise = (code: 'AGENT_UNAVAILABLE', subject: string) =>
    conditions.raise({ code, subject, message: '', fix: '' });
  const lowered = () => conditions.list().find(({ code }) => code === 'TIER_LOWERED');
  return {
    ...{ tiers, conditions, missing, parked, raise, lowered, errors },
    looks: () => looks,
    configure: (next: readonly string[]) => {
      config = configOf(next);
    },
  };
}

test('fewer than are configured are a condition, until they are back', async () => {
  const { tiers, missing, parked, raise, lowered } = rig();
  expect(await tiers.known()).toMatchObject({ number: 1, agents: names });
  expect(lowered()).toBeUndefined();

  missing.add('codex');
  raise('AGENT_UNAVAILABLE', 'codex');
  await expect.poll(() => tiers.current()).toMatchObject({ number: 2, agents: ['gemini', 'claude'] });
  expect(lowered()?.message).toMatch(
    /^tier 2 instead of 1, because of codex \(unavailable\)\. Gemini and Claude/,
  );

  // Nobody tells of the end of a quota: the patrol finds it.
  missing.clear();
  parked.set('claude', { reason: 'quota', message: 'used up', until: 2_000 });
  await expect.poll(() => tiers.current()).toMatchObject({ number: 3 });
  expect(lowered()?.message).toContain('claude (parked)');
  parked.set('claude', { reason: 'auth', message: 'no key', fix: 'log in', until: 2_000 });
  await expect.poll(() => lowered()?.message).toContain('claude (not logged in)');
  parked.clear();
  await expect.poll(() => tiers.current()).toMatchObject({ number: 1 });
  expect(lowered()).toBeUndefined();
});

test('what was never configured is not missing', async () => {
  const { tiers, lowered, configure, missing } = rig(['claude', 'command']);
  expect(await tiers.known()).toMatchObject({ number: 5, name: 'solo', agents: ['claude'] });
  expect(lowered()).toBeUndefined();
  missing.add('claude');
  expect(await tiers.look()).toMatchObject({ number: 5, agents: [] });
  expect(lowered(), 'a lower tier there is not').toBeUndefined();
  configure(['command', 'builtin']);
  expect(await tiers.look()).toBeUndefined();
  expect(tiers.current()).toBeUndefined();
});

test('the condition goes with the agents that it was about', async () => {
  const { tiers, lowered, configure, missing } = rig();
  missing.add('gemini');
  expect(await tiers.look()).toMatchObject({ number: 4 });
  expect(lowered()).toBeDefined();
  configure(['claude', 'codex']);
  expect(await tiers.look()).toMatchObject({ number: 4 });
  expect(lowered()).toBeUndefined();
});

test('after its end it tells nothing more', async () => {
  const { tiers, missing, lowered, looks, raise } = rig();
  await tiers.known();
  await tiers[Symbol.asyncDispose]();
  const before = looks();
  missing.add('gemini');
  raise('AGENT_UNAVAILABLE', 'gemini');
  expect(lowered()).toBeUndefined();
  expect(looks()).toBe(before);
});
