/** How jobs come in, in which order they go out, and how they wait. */
import { expect, test } from 'vitest';
import type { MakePlace } from '../contract.ts';
import { claim, claimOne, ids, spec } from '../specs.ts';

const MINUTE = 60_000;

export function queueContract(makePlace: MakePlace): void {
  test('repeating an enqueue does nothing, also after a newer job of the path came', async () => {
    await using ledger = await makePlace().open(() => 1_000);
    expect(await ledger.jobs.enqueue(spec({ id: 'one', path: 'p' }))).toEqual([]);
    expect(await ledger.jobs.enqueue(spec({ id: 'one', path: 'p', priority: 9 }))).toEqual([]);
    expect((await ledger.jobs.get('one'))?.priority).toBe(0);
    expect(await ledger.jobs.enqueue(spec({ id: 'two', path: 'p' }))).toEqual(['one']);
    expect(await ledger.jobs.enqueue(spec({ id: 'one', path: 'p' }))).toEqual([]);
    expect((await ledger.jobs.get('two'))?.state).toBe('queued');
    expect((await ledger.jobs.get('one'))?.state).toBe('superseded');
  });

  test('a newer job supersedes queued, waiting and held ones of its path, but not the running one', async () => {
    await using ledger = await makePlace().open(() => 1_000);
    await ledger.jobs.enqueue(spec({ id: 'running', path: 'p' }));
    await claimOne(ledger);
    await ledger.jobs.enqueue(spec({ id: 'parked', path: 'p' }));
    expect(await claim(ledger)).toEqual([]);
    expect((await ledger.jobs.get('parked'))?.state).toBe('waiting');
    expect(await ledger.jobs.enqueue(spec({ id: 'newest', path: 'p' }))).toEqual(['parked']);
    expect(await ledger.jobs.enqueue(spec({ id: 'other', path: 'p', agent: 'b' }))).toEqual(['newest']);
    expect(ids(await ledger.jobs.openOf('inbox', 'p'))).toEqual(['running', 'other']);
    expect(await ledger.jobs.get('newest')).toMatchObject({
      state: 'superseded',
      message: 'A newer job of its file took its place.',
      endedAt: 1_000,
    });
  });

  test('priority goes before age, and a minute of waiting is worth one priority', async () => {
    let now = 0;
    await using ledger = await makePlace().open(() => now);
    await ledger.jobs.enqueue(spec({ id: 'old', priority: 0 }));
    now = 4 * MINUTE;
    await ledger.jobs.enqueue(spec({ id: 'mid', priority: 3 }));
    await ledger.jobs.enqueue(spec({ id: 'mid-later', priority: 3 }));
    await ledger.jobs.enqueue(spec({ id: 'high', priority: 5, agent: 'b' }));
    const leases = await claim(ledger, { agents: ['a', 'b'] });
    expect(ids(leases)).toEqual(['high', 'old', 'mid', 'mid-later']);
  });

  test('only agents with a limit are served, and never beyond it', async () => {
    await using ledger = await makePlace().open(() => 1_000);
    for (const id of ['a1', 'a2', 'a3']) await ledger.jobs.enqueue(spec({ id }));
    for (const id of ['b1', 'b2']) await ledger.jobs.enqueue(spec({ id, agent: 'b' }));
    const limits = new Map([
      ['a', 2],
      ['c', 5],
    ]);
    const query = { max: 10, limits, worker: 'w', leaseMs: 1 };
    expect(ids(await ledger.jobs.claim(query))).toEqual(['a1', 'a2']);
    expect(await ledger.jobs.claim(query)).toEqual([]);
    expect(await ledger.jobs.load()).toEqual(new Map([['a', 2]]));
    expect(ids(await claim(ledger, { agents: ['b'], max: 1, limit: Number.POSITIVE_INFINITY }))).toEqual([
      'b1',
    ]);
    expect(await ledger.jobs.counts()).toEqual({ queued: 2, running: 3, waiting: 0, held: 0 });
    expect([...(await ledger.jobs.openAgents())].sort()).toEqual(['a', 'b']);
  });

  test('a back-off is over at its time, and not before', async () => {
    let now = 1_000;
    await using ledger = await makePlace().open(() => now);
    await ledger.jobs.enqueue(spec({ id: 'one' }));
    const lease = await claimOne(ledger);
    expect(await ledger.jobs.nextDueAt()).toBeUndefined();
    await ledger.jobs.retry(lease, {
      reason: 'backoff',
      message: 'exit code 1',
      fix: 'wait',
      notBefore: 5_000,
    });
    expect(await ledger.jobs.get('one')).toMatchObject({
      state: 'waiting',
      reason: 'backoff',
      message: 'exit code 1',
      fix: 'wait',
      notBefore: 5_000,
    });
    expect(await ledger.jobs.nextDueAt()).toBe(5_000);
    now = 4_999;
    expect(await claim(ledger)).toEqual([]);
    now = 5_000;
    const again = await claimOne(ledger);
    expect(again).toMatchObject({ token: 2, job: { state: 'running', startedAt: 1_000 } });
    expect(again.job.message).toBeUndefined();
    expect(again.job.notBefore).toBeUndefined();
    expect(await ledger.jobs.nextDueAt()).toBeUndefined();
  });

  test('a clock that is set back makes nobody wait longer, also across a restart', async () => {
    const HOUR = 60 * MINUTE;
    let now = 10 * HOUR;
    const place = makePlace();
    {
      await using ledger = await place.open(() => now);
      await ledger.jobs.enqueue(spec({ id: 'old' }));
      await ledger.jobs.enqueue(spec({ id: 'tried' }));
      const [, tried] = await claim(ledger, { max: 2 });
      const [old] = await ledger.jobs.orphaned('nobody');
      await ledger.jobs.retry(tried as never, { reason: 'backoff', notBefore: now + 30_000 });
      await ledger.jobs.release(old as never, { interrupted: false, maxInterruptions: 5 });
      now -= HOUR;
      await ledger.jobs.enqueue(spec({ id: 'new' }));
      expect(await ledger.jobs.nextDueAt()).toBe(now + 30_000);
    }
    now -= HOUR;
    await using ledger = await place.open(() => now);
    expect(ids(await claim(ledger))).toEqual(['old', 'new']);
    expect(await ledger.jobs.nextDueAt()).toBe(now + 30_000);
  });

  test('wake lets those go on that wait for the reason, of the agent', async () => {
    await using ledger = await makePlace().open(() => 1_000);
    for (const agent of ['a', 'b']) await ledger.jobs.enqueue(spec({ id: agent, agent }));
    for (const lease of await claim(ledger, { agents: ['a', 'b'] }))
      await ledger.jobs.retry(lease, {
        reason: 'agent_unavailable',
        message: 'no such command',
      });
    expect(await claim(ledger, { agents: ['a', 'b'] })).toEqual([]);
    expect(await ledger.jobs.wake({ reason: 'backoff' })).toBe(0);
    expect(await ledger.jobs.wake({ reason: 'agent_unavailable', agent: 'b' })).toBe(1);
    expect(ids(await claim(ledger, { agents: ['a', 'b'] }))).toEqual(['b']);
    expect(await ledger.jobs.wake({ reason: 'agent_unavailable' })).toBe(1);
    expect((await ledger.jobs.get('a'))?.message).toBeUndefined();
  });

  test('a rerouted job goes where it is sent, keeps its age, and forgets what it waited for', async () => {
    let now = 0;
    await using ledger = await makePlace().open(() => now);
    await ledger.jobs.enqueue(spec({ id: 'one' }));
    const lease = await claimOne(ledger);
    const to = { rule: 'other', agent: 'b', key: 'k', priority: 1 };
    expect(await ledger.jobs.reroute('one', to)).toBe(false);
    await ledger.jobs.retry(lease, { reason: 'agent_unavailable', message: 'gone', notBefore: 9_000 });
    now = MINUTE;
    await ledger.jobs.enqueue(spec({ id: 'two', agent: 'b', priority: 1 }));
    expect(await ledger.jobs.reroute('one', to)).toBe(true);
    const record = await ledger.jobs.get('one');
    expect(record).toMatchObject({ state: 'queued', rule: 'other', agent: 'b', key: 'k', priority: 1 });
    expect([record?.reason, record?.message, record?.notBefore]).toEqual([undefined, undefined, undefined]);
    expect(ids(await claim(ledger, { agents: ['a', 'b'] }))).toEqual(['one', 'two']);
    expect(await ledger.jobs.reroute('nobody', to)).toBe(false);
  });
}
