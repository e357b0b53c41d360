/** Agents that are left alone: until the time they named, a time of ours, or a person. */
import { expect, test } from 'vitest';
import type { AgentConfig, Config } from '../../src/config/config.ts';
import { type Parked, Parking, untilOf, waitReasonOf } from '../../src/coordinator/parking.ts';

const minute = 60_000;

function rig(kept = new Map<string, unknown>()) {
  const state = { now: 1_000_000 };
  const raised = new Map<string, string>();
  const woken: string[] = [];
  const waits: { agent: string; reason: string }[] = [];
  const parking = new Parking({
    ledger: {
      kept: {
        get: async (_kind: string, name: string) => kept.get(name),
        put: async (_kind: string, name: string, value: unknown) => void kept.set(name, value),
        forget: async (_kind: string, name: string) => void kept.delete(name),
        list: async () => [...kept].map(([name, value]) => ({ name, value })),
      },
      jobs: {
        wake: async ({ agent, reason }: { agent: string; reason: string }) =>
          woken.push(`${agent} ${reason}`),
        waits: async () => waits,
      },
    } as never,
    conditions: {
      raise: ({ code, subject }) => void raised.set(`${subject} ${code}`, code),
      clear: (code, subject = '') => void raised.delete(`${subject} ${code}`),
    },
    now: () => state.now,
  });
  const told = () => [...raised.values()];
  return { parking, state, told, woken, waits, kept };
}

const endOf = (parked: Parked): number => untilOf(parked) ?? 0;

const agent = (onQuota = 'wait') =>
  ({ name: 'a', kind: 'claude', cli: { onQuota } }) as unknown as AgentConfig;

test('until the time that was named, also after a restart; then it goes on by itself', async () => {
  const one = rig();
  const until = one.state.now + 3_600_000;
  await one.parking.park(agent(), { why: 'quota', message: 'used up', until });
  expect(one.parking.of('a')).toMatchObject({ why: 'quota', until: until + 1_000 });
  expect(one.told()).toEqual(['AGENT_PARKED']);

  const two = rig(one.kept);
  await two.parking.load();
  expect(two.parking.of('a')).toBeDefined();
  expect(two.told()).toEqual(['AGENT_PARKED']);
  two.state.now = until + 1_000;
  expect(two.parking.of('a')).toBeUndefined();
  two.parking.look();
  expect(two.told()).toEqual([]);
});

test('where no time is named pauses double, attempts of one moment count once, and work begins anew', async () => {
  const { parking, state } = rig();
  const pauses: number[] = [];
  for (let n = 0; n < 10; n += 1) {
    await parking.park(agent(), { why: 'rate', message: 'slow down' });
    const until = endOf(await parking.park(agent(), { why: 'rate', message: 'slow down' }));
    pauses.push(Math.round((until - state.now) / 60_000));
    state.now = until;
  }
  expect(pauses).toEqual([1, 2, 4, 8, 16, 32, 64, 128, 240, 240]);
  await parking.worked('a');
  const until = endOf(await parking.park(agent(), { why: 'rate', message: 'slow down' }));
  expect(Math.round((until - state.now) / 60_000)).toBe(1);
});

test('a short time that is named again and again is believed three times, then pauses grow', async () => {
  const { parking, state } = rig();
  const pauses: number[] = [];
  for (let n = 0; n < 7; n += 1) {
    const shortage = { why: 'rate', message: 'try again in 1 s', retryAfterMs: 1_000 } as const;
    const until = endOf(await parking.park(agent(), shortage));
    pauses.push((until - state.now) / 1_000);
    state.now = until;
  }
  expect(pauses).toEqual([2, 2, 2, 10, 20, 40, 80]);
  const far = state.now + 3_600_000;
  expect(endOf(await parking.park(agent(), { why: 'quota', message: '', until: far }))).toBe(far + 1_000);
});

test('a time beyond reason, or past, is no promise', async () => {
  const { parking, state } = rig();
  const far = await parking.park(agent(), { why: 'quota', message: '', until: state.now + 400 * 86_400_000 });
  expect(endOf(far) - state.now).toBe(8 * 86_400_000);
  await parking.resume('a');
  const past = await parking.park(agent(), { why: 'quota', message: '', until: state.now - 5 });
  expect(endOf(past) - state.now).toBe(1_000);
});

test('`on_quota: pause`, and a person: until somebody lets it go on', async () => {
  const { parking, state, told, woken } = rig();
  await parking.park(agent('pause'), { why: 'quota', message: 'used up', until: state.now + 5 });
  state.now += 1e9;
  expect(parking.of('a')).toBeDefined();
  expect(told()).toEqual(['AGENT_PAUSED']);
  expect(await parking.resume('a')).toBe(true);
  expect([parking.of('a'), told()]).toEqual([undefined, []]);
  // Also what an older version let wait for each of these as `quota`.
  expect(woken).toEqual(['a quota', 'a rate_limit', 'a paused', 'a auth']);
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
  const { parking, state, told } = rig();
  await parking.pause('a', 'ada');
  const until = state.now + 60_000;
  expect(await parking.park(agent(), { why: 'quota', message: 'used up', until })).toMatchObject({
    why: 'paused',
  });
  state.now = until + 10_000;
  parking.look();
  expect(parking.of('a')).toMatchObject({ why: 'paused' });
  expect(told()).toEqual(['AGENT_PAUSED']);
});

const refusal = (startedAt: number, evidence = 'the first key') => ({
  ...{ message: 'a is not let in: 401', fix: 'Run `a login`.', evidence, startedAt },
});

test('who is not let in is left alone, also after a restart, until its log-in changes; then one job tries', async () => {
  const one = rig();
  const { parking, state, told, woken } = one;
  expect(parking.isRefused('a')).toBe(false);
  await parking.refused('a', refusal(state.now - 10));
  // Those that ran beside it tell of the same.
  await parking.refused('a', refusal(state.now - 5));
  expect(parking.of('a')).toMatchObject({ why: 'auth', until: state.now + 15 * minute, times: 1 });
  expect([parking.isRefused('a'), parking.isTried('a'), told()]).toEqual([true, false, ['AGENT_AUTH']]);

  const two = rig(one.kept);
  two.state.now += minute;
  await two.parking.load();
  expect([two.parking.refusedAgents(), two.told()]).toEqual([['a'], ['AGENT_AUTH']]);
  for (const evidence of ['the first key', undefined]) await two.parking.seeEvidence('a', evidence);
  expect(two.parking.of('a'), 'nothing has changed').toBeDefined();
  await two.parking.seeEvidence('a', 'another key');
  expect([two.parking.of('a'), two.parking.isTried('a'), two.told()]).toEqual([undefined, true, []]);
  expect(two.parking.list().size).toBe(0);
  expect(two.woken).toContain('a auth');

  // Half of it may have happened before a crash.
  const three = rig(one.kept);
  three.state.now += minute;
  await three.parking.load();
  expect([three.parking.isTried('a'), three.told()]).toEqual([true, []]);
  await three.parking.letIn('a', three.state.now + 5);
  expect([three.parking.isTried('a'), three.parking.isRefused('a'), one.kept.size]).toEqual([
    false,
    false,
    0,
  ]);
  expect(woken).toEqual([]);
});

test('where nothing changes it is tried after a quarter of an hour, then less and less often', async () => {
  const { parking, state, told } = rig();
  await parking.refused('a', refusal(state.now));
  const pauses: number[] = [];
  for (let n = 0; n < 8; n += 1) {
    const parked = parking.of('a') as Parked;
    pauses.push((endOf(parked) - state.now) / minute);
    state.now = endOf(parked);
    expect([parking.of('a'), parking.isTried('a'), told()]).toEqual([undefined, true, ['AGENT_AUTH']]);
    expect(parking.list().get('a'), 'nobody knows of any change').toBeDefined();
    state.now += 1_000;
    await parking.refused('a', refusal(state.now - 500));
  }
  expect(pauses).toEqual([15, 30, 60, 120, 240, 240, 240, 240]);
});

test('changes that do not help are heeded less and less often, a person always', async () => {
  const { parking, state } = rig();
  await parking.refused('a', refusal(state.now, 'key 0'));
  const pauses: number[] = [];
  for (let n = 1; n < 12; n += 1) {
    const from = state.now;
    await parking.seeEvidence('a', `key ${n}`);
    while (!parking.isTried('a')) {
      state.now += 15_000;
      await parking.seeEvidence('a', `key ${n}`);
    }
    pauses.push((state.now - from) / 1_000);
    await parking.refused('a', refusal(state.now, `key ${n}`));
    expect(endOf(parking.of('a') as Parked) - state.now, 'not doubled').toBe(15 * minute);
  }
  expect(pauses.slice(0, 7)).toEqual([0, 30, 60, 120, 240, 480, 900]);
  expect(Math.max(...pauses)).toBe(900);
  expect(await parking.resume('a')).toBe(true);
  expect(parking.isTried('a')).toBe(true);
  expect(await parking.resume('a'), 'once is enough').toBe(false);
  await parking.refused('a', refusal(state.now, 'key 11'));
  await parking.seeEvidence('a', 'key 12');
  expect(parking.isTried('a'), 'the count begins anew').toBe(true);
});

test('one that began before it was not let in proves less than that', async () => {
  const { parking, state } = rig();
  await parking.refused('a', refusal(state.now - 10));
  await parking.letIn('a', state.now - 60_000);
  expect([parking.isRefused('a'), parking.isTried('a')]).toEqual([true, true]);
  // What began before the change fails as before: the change is still to be tried.
  await parking.refused('a', refusal(state.now - 5));
  expect(parking.isTried('a')).toBe(true);
  await parking.letIn('a', state.now + 1);
  expect(parking.isRefused('a')).toBe(false);
});

test('a pause of a person, a quota and a log-in do not end each other', async () => {
  const { parking, state, told } = rig();
  await parking.refused('a', refusal(state.now));
  await parking.pause('a', 'ada');
  expect([told().toSorted(), parking.refusedAgents()]).toEqual([['AGENT_AUTH', 'AGENT_PAUSED'], []]);
  await parking.refused('a', refusal(state.now));
  expect(parking.of('a')).toMatchObject({ why: 'paused' });
  expect(await parking.resume('a')).toBe(true);
  expect([parking.isTried('a'), told()]).toEqual([true, []]);
  await parking.refused('a', refusal(state.now));
  const short = { why: 'rate', message: 'slow down', until: state.now + minute } as const;
  expect(await parking.park(agent(), short)).toMatchObject({ why: 'auth' });
  await parking.tryLogIn('a');
  // It was let in, or it could not have used up its rate.
  expect(await parking.park(agent(), short)).toMatchObject({ why: 'rate', times: 1 });
  expect([parking.isRefused('a'), told()]).toEqual([false, ['AGENT_PARKED']]);
  await parking.tryLogIn('a');
  expect(parking.of('a'), 'a log-in does not lift a rate').toMatchObject({ why: 'rate' });
});

test.each<[Parked, string]>([
  [{ why: 'quota', message: '', times: 1, until: 5 }, 'quota'],
  [{ why: 'rate', message: '', times: 1, until: 5 }, 'rate_limit'],
  [{ why: 'quota', message: '', times: 1 }, 'paused'],
  [{ why: 'paused', message: '', times: 0 }, 'paused'],
  [{ why: 'auth', message: '', fix: '', at: 1, until: 5, times: 1, changes: 0 }, 'auth'],
])('the jobs of %o wait for %s', (parked, reason) => {
  expect(waitReasonOf(parked)).toBe(reason);
});

test('what waits for an agent that is not left alone any more goes on at the next start', async () => {
  const { parking, woken, waits, state } = rig();
  await parking.park(agent(), { why: 'quota', message: 'used up', until: state.now + minute });
  for (const reason of ['quota', 'paused', 'budget', 'auth']) waits.push({ agent: 'b', reason });
  waits.push({ agent: 'a', reason: 'quota' });
  await parking.wakeLeft();
  expect(new Set(woken)).toEqual(new Set(['b quota', 'b rate_limit', 'b paused', 'b auth']));
});

test.each([
  'nonsense',
  null,
  { why: 'auth', message: 'x' },
  { why: 'auth', message: 'x', fix: 'y', at: 'z', until: 1, times: 1 },
  { why: 'a reason of tomorrow', message: 'x' },
])('what is kept and no parking is none: %o', async (kept) => {
  const { parking } = rig(new Map([['a', kept]]));
  await parking.load();
  expect([parking.of('a'), parking.isTried('a'), parking.list().size]).toEqual([undefined, false, 0]);
});
