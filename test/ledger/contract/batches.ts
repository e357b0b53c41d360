/** Jobs that gather, go together, and may be parted again. */
import { expect, test } from 'vitest';
import type { Lease, Ledger } from '../../../src/ledger/ledger.ts';
import type { MakePlace } from '../contract.ts';
import { attempt, claim, ids, type SpecFacts, spec } from '../specs.ts';

const GROUP = 'all\0inbox';

function member(
  ledger: Ledger,
  facts: SpecFacts,
  notBefore = 5_000,
  maxFiles = 100,
): Promise<readonly string[]> {
  return ledger.jobs.enqueue(spec({ batch: { group: GROUP, notBefore, maxFiles }, ...facts }));
}

/** Each claimed batch as its ids. */
const batches = (leases: readonly Lease[]): string[][] =>
  leases.map((lease) => [lease.job.id, ...ids(lease.companions)]);

const sized = (size: number, maxFiles?: number) => ({
  query: { batchSizes: new Map([['all', size]]), ...(maxFiles !== undefined && { maxFiles }) },
});

export function batchContract(makePlace: MakePlace): void {
  test('a batch begins when nothing came for a while: each member moves the start of all', async () => {
    let now = 1_000;
    await using ledger = await makePlace().open(() => now);
    for (let n = 0; n < 4; n++) await member(ledger, { id: `j${n}` }, 5_000 + n);
    for (let n = 0; n < 4; n++)
      expect(await ledger.jobs.get(`j${n}`)).toMatchObject({
        state: 'waiting',
        reason: 'batch',
        batch: GROUP,
        notBefore: 5_003,
      });
    expect(await ledger.jobs.list({ states: ['waiting'], limit: 1 })).toMatchObject([{ notBefore: 5_003 }]);
    expect((await ledger.jobs.waits()).map((row) => ({ ...row }))).toEqual([
      { agent: 'a', rule: 'all', reason: 'batch', jobs: 4, notBefore: 5_003 },
    ]);
    expect(await ledger.jobs.nextDueAt()).toBe(5_003);
    now = 5_002;
    expect(await claim(ledger, sized(10))).toEqual([]);
    now = 5_003;
    expect(batches(await claim(ledger, sized(10)))).toEqual([['j0', 'j1', 'j2', 'j3']]);
    expect(await ledger.jobs.nextDueAt()).toBeUndefined();
  });

  test('repeating an enqueue does not move the start', async () => {
    await using ledger = await makePlace().open(() => 1_000);
    await member(ledger, { id: 'one' }, 5_000);
    await member(ledger, { id: 'one' }, 9_000);
    expect(await ledger.jobs.nextDueAt()).toBe(5_000);
  });

  test('a full group starts at once, and what comes later gathers anew', async () => {
    await using ledger = await makePlace().open(() => 1_000);
    for (let n = 0; n < 7; n++) await member(ledger, { id: `j${n}` }, 5_000, 3);
    expect(await ledger.jobs.counts()).toMatchObject({ queued: 6, waiting: 1 });
    expect(batches(await claim(ledger, sized(3)))).toEqual([
      ['j0', 'j1', 'j2'],
      ['j3', 'j4', 'j5'],
    ]);
    expect(await ledger.jobs.nextDueAt()).toBe(5_000);
    await member(ledger, { id: 'alone' }, 5_000, 1);
    expect((await ledger.jobs.counts()).queued).toBe(2);
  });

  test('a group without end by number gathers ten thousand files in linear time', async () => {
    await using ledger = await makePlace().open(() => 1_000);
    for (let n = 0; n < 10_000; n++)
      await member(ledger, { id: `j${n}` }, 5_000 + n, Number.POSITIVE_INFINITY);
    expect(await ledger.jobs.nextDueAt()).toBe(14_999);
    expect((await ledger.jobs.counts()).waiting).toBe(10_000);
  });

  test('a batch is one attempt for the limits of agent and lane, and as many files as it has', async () => {
    let now = 1_000;
    await using ledger = await makePlace().open(() => now);
    const rate = { count: 2, perMs: 1_000 };
    for (let n = 0; n < 20; n++) await member(ledger, { id: `j${n}` }, 0);
    const { query } = sized(4, 9);
    const options = { limit: 3, query: { ...query, rates: new Map([['a', rate]]) } };
    const leases = await claim(ledger, options);
    expect(batches(leases)).toEqual([
      ['j0', 'j1', 'j2', 'j3'],
      ['j4', 'j5', 'j6', 'j7'],
    ]);
    expect([await ledger.jobs.load(), await ledger.jobs.loadByRule()]).toEqual([
      new Map([['a', 2]]),
      new Map([['all', 2]]),
    ]);
    expect(await ledger.jobs.startedWithin('a', 1_000)).toBe(2);
    now = 2_000;
    const cut = await claim(ledger, { ...options, query: { ...options.query, maxFiles: 2 } });
    expect(batches(cut), 'cut to the files that are left').toEqual([['j8', 'j9']]);
    now = 3_000;
    expect(await claim(ledger, options), 'three attempts run').toEqual([]);
    for (const lease of leases[0]?.companions ?? []) await ledger.jobs.end(lease, { state: 'succeeded' });
    expect(await claim(ledger, options), 'the first of the batch still runs').toEqual([]);
    await ledger.jobs.end(leases[0] as Lease, { state: 'failed' });
    expect(await claim(ledger, { ...options, query: { ...options.query, maxFiles: 0 } })).toEqual([]);
    expect(batches(await claim(ledger, options))).toEqual([['j10', 'j11', 'j12', 'j13']]);
    expect(ids(await ledger.jobs.orphaned('nobody'))).toHaveLength(10);
  });

  test('companions are of one rule, agent, root and group; without a size nobody has any', async () => {
    await using ledger = await makePlace().open(() => 1_000);
    await member(ledger, { id: 'one' }, 0);
    await member(ledger, { id: 'other agent', agent: 'b' }, 0);
    await member(ledger, { id: 'other rule', rule: 'r' }, 0);
    await member(ledger, { id: 'other group', batch: { group: 'all\0else', notBefore: 0, maxFiles: 9 } }, 0);
    await member(ledger, { id: 'other lane', lane: 'a\0all' }, 0);
    const elsewhere = spec({ id: 'other root', batch: { group: GROUP, notBefore: 0, maxFiles: 9 } });
    await ledger.jobs.enqueue({ ...elsewhere, input: { ...elsewhere.input, root: 'outbox' } });
    await member(ledger, { id: 'two' }, 0);
    const lanes = new Map([['a\0all', { agent: 'a', limit: 9 }]]);
    const found = await claim(ledger, { agents: ['a', 'b'], query: { ...sized(9).query, lanes } });
    expect(batches(found)).toEqual([
      ['one', 'two'],
      ['other agent'],
      ['other rule'],
      ['other group'],
      ['other lane'],
      ['other root'],
    ]);
    await using another = await makePlace().open(() => 1_000);
    for (const id of ['x', 'y']) await member(another, { id }, 0);
    expect(batches(await claim(another, { max: 1 }))).toEqual([['x']]);
  });

  test('two of one key or path are not in one batch: the second waits and the batch is filled up', async () => {
    await using ledger = await makePlace().open(() => 1_000);
    for (const id of ['k1', 'k2', 'k3']) await member(ledger, { id, key: 'k' }, 0);
    for (const id of ['x', 'y', 'z']) await member(ledger, { id }, 0);
    const [lease] = await claim(ledger, { ...sized(3), max: 1 });
    expect(batches([lease as Lease])).toEqual([['k1', 'x', 'y']]);
    expect(await ledger.jobs.get('k2')).toMatchObject({ state: 'waiting', reason: 'single_flight' });
    await ledger.jobs.end(lease as Lease, { state: 'succeeded' });
    expect(batches(await claim(ledger, { ...sized(3), max: 1 }))).toEqual([['k2', 'z']]);
  });

  test('the halves of a batch stay apart, and none of them has used up a try', async () => {
    await using ledger = await makePlace().open(() => 1_000);
    for (let n = 0; n < 6; n++) await member(ledger, { id: `j${n}` }, 0);
    const [lease] = (await claim(ledger, { ...sized(6), max: 1 })) as [Lease];
    const all = [lease, ...lease.companions];
    for (const each of all)
      await ledger.jobs.attempted(each, attempt(1, { batch: { id: 'b', files: 6 } }), false);
    for (const [n, each] of all.entries())
      expect(await ledger.jobs.regroup(each, `${GROUP}\0${n < 3 ? 'left' : 'right'}`)).toBe(true);
    expect(await ledger.jobs.regroup(lease, 'again'), 'its lease is over').toBe(false);
    await member(ledger, { id: 'new' }, 0);
    const again = await claim(ledger, sized(6));
    expect(batches(again)).toEqual([['j0', 'j1', 'j2'], ['j3', 'j4', 'j5'], ['new']]);
    expect(again[0]).toMatchObject({ triesBefore: 0, token: 2, job: { batch: `${GROUP}\0left` } });
    expect(await ledger.jobs.load()).toEqual(new Map([['a', 3]]));
  });

  test('jobs that wait, or are held, can go on in another group, or by themselves', async () => {
    await using ledger = await makePlace().open(() => 1_000);
    for (let n = 0; n < 6; n++) await member(ledger, { id: `j${n}` }, 0);
    const [lease] = (await claim(ledger, { ...sized(6), max: 1 })) as [Lease];
    const [j1, j2, j3, j4, j5] = lease.companions as [Lease, Lease, Lease, Lease, Lease];
    const soon = { reason: 'backoff', notBefore: 0 } as const;
    for (const each of [lease, j1]) await ledger.jobs.retry(each, soon);
    await ledger.jobs.retry(j2, { ...soon, group: 'all\0alone' });
    for (const each of [j3, j4, j5])
      await ledger.jobs.hold(each, { reason: 'clarify', message: '', fix: '' });
    expect(await ledger.jobs.unhold('j3')).toBe(true);
    for (const id of ['j4', 'j5']) await ledger.jobs.unhold(id, 'all\0together');
    const again = await claim(ledger, sized(6));
    expect(batches(again)).toEqual([['j0', 'j1', 'j3'], ['j2'], ['j4', 'j5']]);
    expect(again.map(({ job }) => job.batch)).toEqual([GROUP, 'all\0alone', 'all\0together']);
  });

  test('a first job that runs again is another attempt than the companions it left', async () => {
    await using ledger = await makePlace().open(() => 1_000);
    for (let n = 0; n < 3; n++) await member(ledger, { id: `j${n}` }, 0);
    const [lease] = (await claim(ledger, { ...sized(3), max: 1 })) as [Lease];
    await ledger.jobs.regroup(lease, `${GROUP}\0left`);
    expect(await claim(ledger, { ...sized(3), limit: 1 })).toEqual([]);
    expect(await claim(ledger, { ...sized(3), limit: 2 })).toHaveLength(1);
    expect(await ledger.jobs.load()).toEqual(new Map([['a', 2]]));
  });

  test('a member that is superseded, cancelled or rerouted leaves its batch', async () => {
    let now = 1_000;
    await using ledger = await makePlace().open(() => now);
    for (const id of ['old', 'gone', 'moved', 'stays']) await member(ledger, { id, path: id });
    expect(await member(ledger, { id: 'newer', path: 'old' })).toEqual(['old']);
    await ledger.jobs.endIdle('gone', { state: 'cancelled' });
    await ledger.jobs.reroute('moved', { rule: 'other', agent: 'a', key: '', priority: 0 });
    expect((await ledger.jobs.get('moved'))?.batch).toBeUndefined();
    expect(ids(await claim(ledger, sized(9)))).toEqual(['moved']);
    now = 5_000;
    expect(batches(await claim(ledger, sized(9)))).toEqual([['stays', 'newer']]);
  });

  test('a clock that was set back delays no batch', async () => {
    let now = 10_000_000;
    await using ledger = await makePlace().open(() => now);
    await member(ledger, { id: 'one' }, now + 2_000);
    now -= 3_600_000;
    expect(await claim(ledger, sized(9))).toEqual([]);
    expect(await ledger.jobs.nextDueAt()).toBe(now + 2_000);
  });
}
