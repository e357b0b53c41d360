/** What has happened: listings, totals, results, and what is forgotten. */
import { expect, test } from 'vitest';
import type { Ledger } from '../../../src/ledger/ledger.ts';
import type { FinalState } from '../../../src/types/job.ts';
import type { MakePlace } from '../contract.ts';
import { claimOne, file, ids, type SpecFacts, spec } from '../specs.ts';

const DAY = 86_400_000;
const dayOf = (at: number): string => new Date(at).toISOString().slice(0, 10);

/** A job that has run to this end, and whose files are in place. */
async function past(ledger: Ledger, facts: SpecFacts, state: FinalState = 'succeeded'): Promise<void> {
  await ledger.jobs.record(spec(facts), { state });
  await ledger.jobs.published(facts.id);
}

export function historyContract(makePlace: MakePlace): void {
  test('jobs are listed newest first, by state, agent, root, path and end', async () => {
    let now = 1_000;
    await using ledger = await makePlace().open(() => now);
    await past(ledger, { id: 'j1', path: 'p' });
    await past(ledger, { id: 'j2', agent: 'b' }, 'failed');
    now = 2_000;
    await past(ledger, { id: 'j3', path: 'p' }, 'failed');
    await ledger.jobs.enqueue(spec({ id: 'j4' }));
    await ledger.jobs.enqueue(spec({ id: 'j5' }));
    await claimOne(ledger);
    const list = async (query: Omit<Parameters<typeof ledger.jobs.list>[0], 'limit'>, limit = 10) =>
      ids(await ledger.jobs.list({ ...query, limit }));
    expect(await list({})).toEqual(['j5', 'j4', 'j3', 'j2', 'j1']);
    expect(await list({}, 2)).toEqual(['j5', 'j4']);
    expect(await list({ states: ['failed'] })).toEqual(['j3', 'j2']);
    expect(await list({ states: ['failed', 'running', 'succeeded', 'failed'] }, 3)).toEqual([
      'j4',
      'j3',
      'j2',
    ]);
    expect(await list({ states: [] })).toEqual([]);
    expect(await list({ agent: 'b' })).toEqual(['j2']);
    expect(await list({ root: 'inbox', path: 'p' })).toEqual(['j3', 'j1']);
    expect(await list({ root: 'outbox' })).toEqual([]);
    expect(await list({ endedSince: 2_000 })).toEqual(['j3']);
    expect(await list({ endedSince: 1_000, states: ['failed'] }, 1)).toEqual(['j3']);
  });

  test('a job is found by the beginning of its id', async () => {
    await using ledger = await makePlace().open(() => 1_000);
    for (const id of ['ab12', 'ab34', 'b', '%']) await past(ledger, { id });
    expect(ids(await ledger.jobs.find('ab'))).toEqual(['ab12', 'ab34']);
    expect(ids(await ledger.jobs.find('ab1'))).toEqual(['ab12']);
    expect(ids(await ledger.jobs.find('%'))).toEqual(['%']);
    expect(await ledger.jobs.find('c')).toEqual([]);
  });

  test('ended jobs are unpublished until they are said to be', async () => {
    const place = makePlace();
    {
      await using ledger = await place.open(() => 1_000);
      await ledger.jobs.enqueue(spec({ id: 'open' }));
      await ledger.jobs.record(spec({ id: 'j1' }), { state: 'succeeded' });
      await ledger.jobs.record(spec({ id: 'j2' }), { state: 'failed' });
      await ledger.jobs.record(spec({ id: 'j3' }), { state: 'cached' });
      await ledger.jobs.published('j2');
    }
    await using ledger = await place.open(() => 1_000);
    expect(ids(await ledger.jobs.unpublished(10))).toEqual(['j1', 'j3']);
    expect(ids(await ledger.jobs.unpublished(1))).toEqual(['j1']);
  });

  test('the tally is kept by UTC day, root, agent and state', async () => {
    let now = DAY - 500;
    await using ledger = await makePlace().open(() => now);
    for (const id of ['j1', 'j2']) await ledger.jobs.enqueue(spec({ id }));
    const first = await claimOne(ledger);
    const second = await claimOne(ledger);
    now += 100;
    await ledger.jobs.end(first, { state: 'succeeded', costUsd: 0.5 });
    now += 1_000;
    await ledger.jobs.end(second, { state: 'succeeded', costUsd: null });
    await ledger.jobs.record(spec({ id: 'j3' }), { state: 'cached' });
    const row = { root: 'inbox', agent: 'a', jobs: 1 };
    expect((await ledger.jobs.tally()).map((found) => ({ ...found }))).toEqual([
      { ...row, day: '1970-01-01', state: 'succeeded', durationMs: 100, costUsd: 0.5 },
      { ...row, day: '1970-01-02', state: 'cached', durationMs: 0, costUsd: 0 },
      { ...row, day: '1970-01-02', state: 'succeeded', durationMs: 1_100, costUsd: 0 },
    ]);
  });

  test('days of long ago become one row each of the tally, and no total is lost', async () => {
    let now = 0;
    const place = makePlace();
    {
      await using ledger = await place.open(() => now);
      for (let day = 0; day < 6; day++) {
        now = day * DAY + 500;
        for (const agent of ['a', 'b'])
          await ledger.jobs.record(spec({ id: `${agent}${day}`, agent }), { state: 'failed' });
        // At each day's end what is older than two days; it may be done again at any time.
        for (let times = 0; times < 2; times++) await ledger.jobs.foldTally(dayOf(now - DAY));
      }
    }
    await using ledger = await place.open(() => now);
    const rows = await ledger.jobs.tally();
    expect(rows.map(({ day, agent, jobs }) => [day, agent, jobs])).toEqual([
      ['', 'a', 4],
      ['', 'b', 4],
      ...['1970-01-05', '1970-01-06'].flatMap((day) => [
        [day, 'a', 1],
        [day, 'b', 1],
      ]),
    ]);
  });

  test('prune keeps what is recent, open, unpublished, the latest of a present file, or a result', async () => {
    let now = 1_000;
    await using ledger = await makePlace().open(() => now);
    await ledger.files.put(file('p', { jobId: 'latest' }));
    await past(ledger, { id: 'earlier', path: 'p' });
    await past(ledger, { id: 'used', path: 'p', key: 'key' });
    await past(ledger, { id: 'latest', path: 'p' });
    await ledger.results.put('key', 'used');
    await ledger.jobs.record(spec({ id: 'unpublished', path: 'q' }), { state: 'failed' });
    await past(ledger, { id: 'latest of q', path: 'q' });
    await ledger.jobs.enqueue(spec({ id: 'open', path: 'r' }));
    now = 5_000;
    await past(ledger, { id: 'recent', path: 's' });
    await past(ledger, { id: 'recent 2', path: 's' });
    expect(await ledger.jobs.prune(2_000, 100)).toEqual(['earlier']);
    expect(await ledger.jobs.prune(2_000, 100)).toEqual([]);
    expect(await ledger.jobs.get('earlier')).toBeUndefined();
    await ledger.results.forget('key');
    expect(await ledger.jobs.prune(2_000, 100)).toEqual(['used']);
    expect(await ledger.jobs.list({ limit: 10 })).toHaveLength(6);
  });

  test('prune forgets files that are long gone, with their jobs, a few at a time', async () => {
    let now = 1_000;
    await using ledger = await makePlace().open(() => now);
    for (const path of ['d/p', 'q', 'r']) {
      await ledger.files.put(file(path, { jobId: path }));
      await past(ledger, { id: path, path });
      await ledger.files.setGone('inbox', path);
    }
    await ledger.files.put(file('q', { jobId: 'q' }));
    await past(ledger, { id: 'second r', path: 'r' });
    expect(await ledger.jobs.prune(2_000, 1)).toEqual(['r']);
    expect(await ledger.jobs.prune(2_000, 1)).toHaveLength(1);
    expect(await ledger.jobs.prune(2_000, 1)).toHaveLength(1);
    expect(await ledger.jobs.prune(2_000, 1)).toEqual([]);
    expect(await ledger.files.get('inbox', 'd/p')).toBeUndefined();
    expect(await ledger.files.get('inbox', 'r')).toBeUndefined();
    expect(await ledger.files.get('inbox', 'q')).toBeDefined();
    expect(ids(await ledger.jobs.list({ limit: 10 }))).toEqual(['q']);
    now = 2_000;
  });

  test('a result stands for its key until it is replaced or forgotten', async () => {
    let now = 1_000;
    const place = makePlace();
    {
      await using ledger = await place.open(() => now);
      expect(await ledger.results.get('k')).toBeUndefined();
      await ledger.results.put('k', 'one');
      now = 2_000;
      await ledger.results.put('k', 'two');
    }
    await using ledger = await place.open(() => now);
    expect({ ...(await ledger.results.get('k')) }).toEqual({ jobId: 'two', createdAt: 2_000 });
    await ledger.results.forget('k');
    expect(await ledger.results.get('k')).toBeUndefined();
  });

  test('results expire by the time they were put, and what they kept can go', async () => {
    let now = 1_000;
    await using ledger = await makePlace().open(() => now);
    await ledger.results.put('old', 'a');
    now = 5_000;
    await ledger.results.put('new', 'b');
    expect(await ledger.results.expire(5_000)).toBe(1);
    expect(await ledger.results.get('old')).toBeUndefined();
    expect(await ledger.results.get('new')).toBeDefined();
  });

  test('a record can say when it really was: its age and its day are those', async () => {
    const now = 10 * DAY;
    await using ledger = await makePlace().open(() => now);
    const at = { queuedAt: 3 * DAY, endedAt: 3 * DAY + 5 };
    const job = await ledger.jobs.record(spec({ id: 'then' }), { state: 'succeeded' }, at);
    expect([job.queuedAt, job.endedAt]).toEqual([at.queuedAt, at.endedAt]);
    expect((await ledger.jobs.tally()).map(({ day }) => day)).toEqual(['1970-01-04']);
    expect(await ledger.jobs.list({ endedSince: 4 * DAY, limit: 1 })).toEqual([]);
  });
}
