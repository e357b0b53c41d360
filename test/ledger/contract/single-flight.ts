/** Jobs of one key or one path take turns. */
import { expect, test } from 'vitest';
import type { MakePlace } from '../contract.ts';
import { claim, claimOne, ids, spec } from '../specs.ts';

export function singleFlightContract(makePlace: MakePlace): void {
  test('of jobs with one key one runs, whoever its agent is, and its end lets the next go on', async () => {
    await using ledger = await makePlace().open(() => 1_000);
    for (const [id, agent] of [
      ['one', 'a'],
      ['two', 'b'],
      ['three', 'a'],
    ] as const)
      await ledger.jobs.enqueue(spec({ id, agent, key: 'k' }));
    await ledger.jobs.enqueue(spec({ id: 'free' }));
    const agents = ['a', 'b'];
    const [lease, free] = await claim(ledger, { agents });
    expect(ids([lease as never, free as never])).toEqual(['one', 'free']);
    expect(await ledger.jobs.get('two')).toMatchObject({ state: 'waiting', reason: 'single_flight' });
    await ledger.jobs.end(lease as never, { state: 'succeeded' });
    const [next, ...none] = await claim(ledger, { agents });
    expect([next?.job.id, none]).toEqual(['two', []]);
    await ledger.jobs.retry(next as never, { reason: 'backoff', notBefore: 9_000 });
    expect(ids(await claim(ledger, { agents }))).toEqual(['three']);
  });

  test('those that wait can be claimed after a wake by key, by path or by nothing', async () => {
    await using ledger = await makePlace().open(() => 1_000);
    const park = async (id: string): Promise<void> => {
      await ledger.jobs.enqueue(spec({ id, key: id }));
      const lease = await claimOne(ledger);
      await ledger.jobs.retry(lease, { reason: 'single_flight', notBefore: 0 });
      await ledger.jobs.enqueue(spec({ id: `${id}-2`, key: id }));
      await ledger.jobs.wake({ reason: 'single_flight', key: id });
    };
    await park('x');
    expect(ids(await claim(ledger))).toContain('x');
    await park('y');
    expect(await ledger.jobs.wake({ reason: 'single_flight', root: 'inbox', path: 'nothing' })).toBe(0);
    expect(await ledger.jobs.wake({ reason: 'single_flight' })).toBeLessThanOrEqual(1);
    expect(ids(await claim(ledger))).toContain('y');
  });

  test('two versions of one path take turns', async () => {
    await using ledger = await makePlace().open(() => 1_000);
    await ledger.jobs.enqueue(spec({ id: 'old', path: 'p' }));
    const lease = await claimOne(ledger);
    await ledger.jobs.enqueue(spec({ id: 'new', path: 'p' }));
    expect(await claim(ledger)).toEqual([]);
    await ledger.jobs.end(lease, { state: 'superseded' });
    expect(ids(await claim(ledger))).toEqual(['new']);
  });

  test('nobody waits for one that is gone: cancelled, rerouted, held or superseded', async () => {
    await using ledger = await makePlace().open(() => 1_000);
    const next = async (): Promise<string | undefined> => (await claim(ledger, { max: 1 }))[0]?.job.id;
    for (const n of [1, 2, 3, 4, 5]) await ledger.jobs.enqueue(spec({ id: `j${n}`, key: 'k' }));
    const lease = await claimOne(ledger);
    expect(await claim(ledger)).toEqual([]);
    expect(await ledger.jobs.release(lease, { interrupted: true, maxInterruptions: 1 })).toBe('held');
    await ledger.jobs.endIdle('j2', { state: 'cancelled' });
    await ledger.jobs.reroute('j3', { rule: 'r', agent: 'b', key: 'other', priority: 0 });
    await ledger.jobs.enqueue(spec({ id: 'j4-new', path: 'j4.txt' }));
    expect(await next()).toBe('j5');
  });

  test('a thousand jobs of one key cost a turn each, not a wake of all for each', async () => {
    await using ledger = await makePlace().open(() => 1_000);
    for (let n = 0; n < 1_000; n++) await ledger.jobs.enqueue(spec({ id: `j${n}`, key: 'k' }));
    for (let n = 0; n < 1_000; n++) {
      const [lease, ...more] = await claim(ledger, { max: 4 });
      expect([lease?.job.id, more.length]).toEqual([`j${n}`, 0]);
      await ledger.jobs.end(lease as never, { state: 'cached', cachedFrom: 'j0' });
      expect(await ledger.jobs.wake({ reason: 'single_flight', key: 'k' })).toBeLessThanOrEqual(1);
    }
    expect((await ledger.jobs.counts()).waiting).toBe(0);
  });
}
