/** Agents that are left alone: until the time they named, a time of ours, or a person. */
import { expect, test } from 'vitest';
import type { AgentConfig, Config } from '../../src/config/config.ts';
import { Parking } from '../../src/coordinator/parking.ts';

function rig(kept = new Map<string, unknown>()) {
  const state = { now: 1_000_000 };
  const raised = new Map<string, string>();
  const woken: string[] = [];
  const parking = new Parking({
    ledger: {
      kept: {
        get: async (_kind: string, name: string) => kept.get(name),
        put: async (_kind: string, name: string, value: unknown) => void kept.set(name, value),
        forget: async (_kind: string, name: string) => void kept.delete(name),
        list: async () => [...kept].map(([name, value]) => ({ name, value })),
      },
      jobs: { wake: async ({ agent }: { agent?: string }) => woken.push(agent ?? '') },
    } as never,
    conditions: {
      raise: ({ code, subject }) => void raised.set(subject, code),
      clear: (code, subject = '') => void (raised.get(subject) === code && raised.delete(subject)),
    },
    now: () => state.now,
  });
  return { parking, state, raised, woken, kept };
}

const agent = (onQuota = 'wait') =>
  ({ name: 'a', kind: 'claude', cli: { onQuota } }) as unknown as AgentConfig;

test('until the time that was named, also after a restart; then it goes on by itself', async () => {
  const one = rig();
  const until = one.state.now + 3_600_000;
  await one.parking.park(agent(), { why: 'quota', message: 'used up', until });
  expect(one.parking.of('a')).toMatchObject({ why: 'quota', until: until + 1_000 });
  expect(one.raised.get('a')).toBe('AGENT_PARKED');

  const two = rig(one.kept);
  await two.parking.load();
  expect(two.parking.of('a')).toBeDefined();
  expect(two.raised.get('a')).toBe('AGENT_PARKED');
  two.state.now = until + 1_000;
  expect(two.parking.of('a')).toBeUndefined();
  two.parking.look();
  expect(two.raised.size).toBe(0);
});

test('where no time is named pauses double, attempts of one moment count once, and work begins anew', async () => {
  const { parking, state } = rig();
  const pauses: number[] = [];
  for (let n = 0; n < 10; n += 1) {
    await parking.park(agent(), { why: 'rate', message: 'slow down' });
    const { until = 0 } = await parking.park(agent(), { why: 'rate', message: 'slow down' });
    pauses.push(Math.round((until - state.now) / 60_000));
    state.now = until;
  }
  expect(pauses).toEqual([1, 2, 4, 8, 16, 32, 64, 128, 240, 240]);
  await parking.worked('a');
  const { until = 0 } = await parking.park(agent(), { why: 'rate', message: 'slow down' });
  expect(Math.round((until - state.now) / 60_000)).toBe(1);
});

test('a time beyond reason, or past, is no promise', async () => {
  const { parking, state } = rig();
  const far = await parking.park(agent(), { why: 'quota', message: '', until: state.now + 400 * 86_400_000 });
  expect((far.until ?? 0) - state.now).toBe(8 * 86_400_000);
  await parking.resume('a');
  const past = await parking.park(agent(), { why: 'quota', message: '', until: state.now - 5 });
  expect((past.until ?? 0) - state.now).toBe(1_000);
});

test('`on_quota: pause`, and a person: until somebody lets it go on', async () => {
  const { parking, state, raised, woken } = rig();
  await parking.park(agent('pause'), { why: 'quota', message: 'used up', until: state.now + 5 });
  state.now += 1e9;
  expect(parking.of('a')).toBeDefined();
  expect(raised.get('a')).toBe('AGENT_PAUSED');
  expect(await parking.resume('a')).toBe(true);
  expect([parking.of('a'), raised.size, woken]).toEqual([undefined, 0, ['a']]);
  expect(await parking.resume('a')).toBe(false);
  await parking.pause('a', 'the owner');
  expect(parking.list().get('a')).toMatchObject({ why: 'paused', message: 'paused by the owner' });
});

test('an agent that left the configuration is not parked any more', async () => {
  const { parking } = rig();
  await parking.park(agent(), { why: 'quota', message: 'used up' });
  await parking.configure({ agents: new Map([['a', agent()]]) } as unknown as Config);
  expect(parking.of('a')).toBeDefined();
  await parking.configure({ agents: new Map() } as unknown as Config);
  expect(parking.of('a')).toBeUndefined();
});

test('a shortage of an attempt that was under way does not end the pause of a person', async () => {
  const { parking, state, raised } = rig();
  await parking.pause('a', 'ada');
  const until = state.now + 60_000;
  expect(await parking.park(agent(), { why: 'quota', message: 'used up', until })).toMatchObject({
    why: 'paused',
  });
  state.now = until + 10_000;
  parking.look();
  expect(parking.of('a')).toMatchObject({ why: 'paused' });
  expect(raised.get('a')).toBe('AGENT_PAUSED');
});
