/** Lanes, rates and parking: what keeps a job that is ready from being claimed. */
import { expect, test } from 'vitest';
import type { JobLedger, Lease } from '../../../src/ledger/ledger.ts';
import type { MakePlace } from '../contract.ts';
import { claim, claimOne, ids, spec } from '../specs.ts';

const LANE = 'a\0slow';
type Query = Partial<Parameters<JobLedger['claim']>[0]>;

export function limitContract(makePlace: MakePlace): void {
  test('a lane has a limit of its own within that of its agent, and hides nobody when it is full', async () => {
    await using ledger = await makePlace().open(() => 1_000);
    const { jobs } = ledger;
    for (let n = 0; n < 50; n++)
      await jobs.enqueue(spec({ id: `slow${n}`, rule: 'slow', lane: LANE, priority: 9 }));
    for (let n = 0; n < 5; n++) await jobs.enqueue(spec({ id: `j${n}` }));
    const query = { max: 10, limits: new Map([['a', 4]]), worker: 'w', leaseMs: 1 };
    const lanes = new Map([[LANE, { agent: 'a', limit: 2 }]]);
    expect(ids(await jobs.claim({ ...query, limits: new Map(), lanes }))).toEqual([]);
    const first = await jobs.claim({ ...query, lanes });
    expect(ids(first)).toEqual(['slow0', 'slow1', 'j0', 'j1']);
    expect(await jobs.load()).toEqual(new Map([['a', 4]]));
    expect(await jobs.loadByRule()).toEqual(
      new Map([
        ['slow', 2],
        ['all', 2],
      ]),
    );
    await jobs.end(first[2] as Lease, { state: 'succeeded' });
    expect(ids(await jobs.claim({ ...query, lanes }))).toEqual(['j2']);
    await jobs.end(first[0] as Lease, { state: 'succeeded' });
    expect(ids(await jobs.claim({ ...query, lanes }))).toEqual(['slow2']);
    await jobs.end(first[1] as Lease, { state: 'succeeded' });
    expect(ids(await jobs.claim(query)), 'its lane is not named any more').toEqual(['j3']);
    expect((await jobs.get('slow0'))?.lane).toBe(LANE);
  });

  test('after a reload jobs are in the lanes that the rules now ask for', async () => {
    await using ledger = await makePlace().open(() => 1_000);
    const { jobs } = ledger;
    await jobs.enqueue(spec({ id: 'running', rule: 'slow' }));
    await claimOne(ledger);
    await jobs.enqueue(spec({ id: 'waiting', rule: 'slow' }));
    await jobs.retry(await claimOne(ledger), { reason: 'breaker' });
    const hold = { reason: 'depth', message: 'm', fix: 'f' } as const;
    await jobs.enqueue(spec({ id: 'held', rule: 'slow', hold }));
    await jobs.enqueue(spec({ id: 'queued', rule: 'slow' }));
    await jobs.enqueue(spec({ id: 'other' }));
    const laneOf = ({ agent, rule }: { agent: string; rule: string }) => (rule === 'slow' ? LANE : agent);
    expect(await jobs.relane(laneOf)).toBe(4);
    expect(await jobs.relane(laneOf)).toBe(0);
    for (const id of ['running', 'waiting', 'held', 'queued']) expect((await jobs.get(id))?.lane).toBe(LANE);
    const query = { max: 10, limits: new Map([['a', 9]]), worker: 'w', leaseMs: 1 };
    const lanes = new Map([[LANE, { agent: 'a', limit: 1 }]]);
    expect(ids(await jobs.claim({ ...query, lanes })), 'the lane is full').toEqual(['other']);
    expect(await jobs.relane(({ agent }) => agent)).toBe(4);
    expect(ids(await jobs.claim(query))).toEqual(['queued']);
  });

  test('a rate lets no more attempts begin in any window, also after a restart', async () => {
    let now = 1_000;
    const place = makePlace();
    const rate = { count: 2, perMs: 1_000 };
    const query: Query = { rates: new Map([['a', rate]]) };
    {
      await using ledger = await place.open(() => now);
      for (let n = 0; n < 9; n++) await ledger.jobs.enqueue(spec({ id: `j${n}` }));
      await ledger.jobs.enqueue(spec({ id: 'b', agent: 'b' }));
      expect(await ledger.jobs.rateFreeAt('a', rate)).toBeUndefined();
      expect(ids(await claim(ledger, { agents: ['a', 'b'], max: 1, query }))).toEqual(['j0']);
      now = 1_600;
      expect(ids(await claim(ledger, { agents: ['a', 'b'], query }))).toEqual(['j1', 'b']);
      expect(await ledger.jobs.startedWithin('a', 1_000)).toBe(2);
      expect(await ledger.jobs.rateFreeAt('a', rate)).toBe(2_000);
      now = 1_999;
      expect(await claim(ledger, { query })).toEqual([]);
    }
    await using ledger = await place.open(() => now);
    expect(await claim(ledger, { query })).toEqual([]);
    now = 2_000;
    expect(ids(await claim(ledger, { query }))).toEqual(['j2']);
    expect(await ledger.jobs.rateFreeAt('a', rate)).toBe(2_600);
    now = 2_600;
    expect(ids(await claim(ledger, { query }))).toEqual(['j3']);
    expect(await ledger.jobs.startedWithin('a', 1_000)).toBe(2);
    now = 60_000;
    expect(await ledger.jobs.startedWithin('a', 1_000)).toBe(0);
    expect(ids(await claim(ledger, { query }))).toEqual(['j4', 'j5']);
  });

  test('a clock that was set back locks no agent out for longer than its window', async () => {
    const DAY = 86_400_000;
    let now = 2 * DAY;
    const rate = { count: 1, perMs: 60_000 };
    const query: Query = { rates: new Map([['a', rate]]) };
    const place = makePlace();
    {
      await using ledger = await place.open(() => now - DAY);
      for (let n = 0; n < 9; n++) await ledger.jobs.enqueue(spec({ id: `j${n}` }));
    }
    {
      await using ledger = await place.open(() => now);
      expect(await claim(ledger, { query })).toHaveLength(1);
      now -= 1_500;
      expect(await ledger.jobs.rateFreeAt('a', rate)).toBeLessThanOrEqual(now + 60_000);
      expect(await claim(ledger, { query })).toEqual([]);
    }
    now -= DAY / 2;
    await using ledger = await place.open(() => now);
    expect(await ledger.jobs.rateFreeAt('a', rate)).toBeLessThanOrEqual(now + 60_000);
    expect(await claim(ledger, { query })).toEqual([]);
    now += 60_000;
    expect(await claim(ledger, { query })).toHaveLength(1);
  });

  test('a parked agent is not claimed from until its time, or until it is woken', async () => {
    let now = 1_000;
    await using ledger = await makePlace().open(() => now);
    const { jobs } = ledger;
    for (const rule of ['x', 'y'])
      for (const agent of ['a', 'b'])
        await jobs.enqueue(spec({ id: `${agent}${rule}`, agent, rule, lane: `${agent}\0${rule}` }));
    const lanes = new Map(
      ['a\0x', 'a\0y', 'b\0x', 'b\0y'].map((lane) => [lane, { agent: lane[0] as string, limit: 9 }]),
    );
    const next = async () => ids(await claim(ledger, { agents: ['a', 'b'], query: { lanes } }));
    const open = { reason: 'breaker', message: 'it fails', fix: 'wait', notBefore: 5_000 } as const;
    expect(await jobs.park({ agent: 'a' }, open)).toBe(2);
    expect(await jobs.park({ rule: 'y' }, { reason: 'budget', message: 'spent', fix: 'wait' })).toBe(1);
    expect(await jobs.park({ agent: 'c' }, open)).toBe(0);
    expect(await jobs.get('ax')).toMatchObject({ ...open, state: 'waiting' });
    expect((await jobs.waits()).map((row) => ({ ...row }))).toEqual([
      { agent: 'a', rule: 'x', jobs: 1, ...open },
      { agent: 'a', rule: 'y', jobs: 1, ...open },
      { agent: 'b', rule: 'y', jobs: 1, reason: 'budget', message: 'spent', fix: 'wait' },
    ]);
    expect(await next()).toEqual(['bx']);
    expect(await jobs.nextDueAt()).toBe(5_000);
    expect(await jobs.wake({ reason: 'breaker', agent: 'a', rule: 'y' })).toBe(1);
    expect(await jobs.wake({ reason: 'budget', rule: 'x' })).toBe(0);
    expect(await next()).toEqual(['ay']);
    now = 5_000;
    expect(await next()).toEqual(['ax']);
    expect(await jobs.nextDueAt()).toBeUndefined();
    now = 1e9;
    expect(await next()).toEqual([]);
    expect(await jobs.wake({ reason: 'budget' })).toBe(1);
    expect(await next()).toEqual(['by']);
  });

  test('the age of the queue is that of its oldest job that could run', async () => {
    let now = 1_000;
    await using ledger = await makePlace().open(() => now);
    const { jobs } = ledger;
    expect(await jobs.oldestQueuedAt()).toBeUndefined();
    const hold = { reason: 'loop', message: 'm', fix: 'f' } as const;
    await jobs.enqueue(spec({ id: 'held', hold }));
    now = 2_000;
    await jobs.enqueue(spec({ id: 'old' }));
    now = 3_000;
    await jobs.enqueue(spec({ id: 'urgent', priority: 50, agent: 'b' }));
    expect(await jobs.oldestQueuedAt()).toBe(2_000);
    expect(await jobs.openByAgent()).toEqual(
      new Map([
        ['a', 2],
        ['b', 1],
      ]),
    );
    await jobs.end(await claimOne(ledger), { state: 'failed' });
    expect(await jobs.oldestQueuedAt()).toBe(3_000);
    expect(await jobs.openByAgent()).toEqual(
      new Map([
        ['a', 1],
        ['b', 1],
      ]),
    );
  });
}
