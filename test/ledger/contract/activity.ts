/** What agents did, by day: successes, failures, how long attempts took, and the last failure. */
import { expect, test } from 'vitest';
import { latencyBucket } from '../../../src/ledger/latency.ts';
import type { Lease } from '../../../src/ledger/ledger.ts';
import type { MakePlace } from '../contract.ts';
import { attempt, claim, claimOne, spec } from '../specs.ts';

const DAY = 86_400_000;
const usage = { input_tokens: 1, cache_read_tokens: 2, cache_write_tokens: 3, output_tokens: 4 };
const to = { rule: 'all', agent: 'b', key: '', priority: 0 };

export function activityContract(makePlace: MakePlace): void {
  test('attempts and ends are counted by agent from a day on, once each, over a restart', async () => {
    let now = 1_000;
    const place = makePlace();
    {
      await using ledger = await place.open(() => now);
      const { jobs, activity } = ledger;
      expect([await activity.since('1970-01-01'), await activity.failures()]).toEqual([[], new Map()]);
      await jobs.enqueue(spec({ id: 'good' }));
      const good = await claimOne(ledger);
      const told = attempt(good.token, { startedAt: 0, endedAt: 250, costUsd: 0.5, usage });
      await jobs.attempted(good, told, true);
      await jobs.attempted(good, told, true);
      await jobs.end(good, { state: 'succeeded' });
      expect(await jobs.end(good, { state: 'succeeded' }), 'again').toBeUndefined();

      now = DAY;
      await jobs.enqueue(spec({ id: 'bad' }));
      const bad = await claimOne(ledger);
      await jobs.attempted(bad, attempt(bad.token, { startedAt: DAY, endedAt: DAY + 2_000 }), true);
      await jobs.end(bad, { state: 'failed', reason: 'missing_output', message: 'no report.json' });
    }
    await using ledger = await place.open(() => now);
    const [all] = await ledger.activity.since('1970-01-01');
    expect(all).toEqual({
      agent: 'a',
      attempts: 2,
      unknown: 1,
      costUsd: 0.5,
      tokens: 10,
      succeeded: 1,
      failed: 1,
      latency: new Map([
        [latencyBucket(250), 1],
        [latencyBucket(2_000), 1],
      ]),
    });
    expect(await ledger.activity.since('1970-01-02')).toMatchObject([
      { agent: 'a', attempts: 1, succeeded: 0, failed: 1, latency: new Map([[latencyBucket(2_000), 1]]) },
    ]);
    expect(await ledger.activity.since('1970-01-03')).toEqual([]);
    const failure = {
      agent: 'a',
      at: DAY,
      jobId: 'bad',
      reason: 'missing_output',
      message: 'no report.json',
    };
    expect(await ledger.activity.failures()).toEqual(new Map([['a', failure]]));
  });

  test('what says nothing about an agent is not counted', async () => {
    await using ledger = await makePlace().open(() => 1_000);
    const { jobs, activity } = ledger;
    await jobs.record(spec({ id: 'cached' }), { state: 'cached' });
    await jobs.enqueue(spec({ id: 'refused' }));
    await jobs.end(await claimOne(ledger), {
      state: 'failed',
      reason: 'limit_exceeded',
      message: 'no money',
    });
    await jobs.enqueue(spec({ id: 'diverted' }));
    const diverted = await claimOne(ledger);
    expect(await jobs.fallBack(diverted, to, { agent: 'a', reason: 'breaker' })).toBe(true);
    await jobs.enqueue(spec({ id: 'cancelled' }));
    const lease = await claimOne(ledger);
    await jobs.attempted(lease, attempt(lease.token, { outcome: 'cancelled' }), false);
    await jobs.end(lease, { state: 'cancelled', message: 'no' });
    const [only, ...others] = await activity.since('1970-01-01');
    expect(others).toEqual([]);
    expect(only).toMatchObject({ agent: 'a', attempts: 1, succeeded: 0, failed: 0, latency: new Map() });
    expect(await activity.failures()).toEqual(new Map());
  });

  test('a failed attempt whose job goes on is the last failure; one that another agent took over has failed', async () => {
    let now = 1_000;
    await using ledger = await makePlace().open(() => now);
    const { jobs, activity } = ledger;
    await jobs.enqueue(spec({ id: 'one' }));
    const lease = await claimOne(ledger);
    await jobs.attempted(lease, attempt(lease.token, { message: 'exit 3' }), true);
    expect(await activity.failures()).toEqual(
      new Map([['a', { agent: 'a', at: 1_250, jobId: 'one', message: 'exit 3' }]]),
    );
    now = 1_300;
    expect(await jobs.fallBack(lease, to, { agent: 'a', reason: 'exit_code', message: 'exit 3' })).toBe(true);
    expect(await jobs.fallBack(lease, to, { agent: 'a', reason: 'exit_code' }), 'lost').toBe(false);
    const [next] = (await claim(ledger, { agents: ['b'] })) as [Lease];
    await jobs.attempted(next, attempt(next.token, { agent: 'b', startedAt: now, endedAt: now + 1 }), true);
    await jobs.end(next, { state: 'succeeded' });
    expect(await activity.since('1970-01-01')).toMatchObject([
      { agent: 'a', succeeded: 0, failed: 1 },
      { agent: 'b', succeeded: 1, failed: 0 },
    ]);
    expect((await activity.failures()).get('a')).toMatchObject({ at: 1_300, reason: 'exit_code' });
  });

  test('a batch is one attempt, and each of its files an end', async () => {
    await using ledger = await makePlace().open(() => 1_000);
    const { jobs, activity } = ledger;
    for (let n = 0; n < 3; n++)
      await jobs.enqueue(spec({ id: `j${n}`, batch: { group: 'all', notBefore: 0, maxFiles: 9 } }));
    const [lease] = (await claim(ledger, { query: { batchSizes: new Map([['all', 3]]) } })) as [Lease];
    const leases = [lease, ...lease.companions];
    for (const each of leases) await jobs.attempted(each, attempt(each.token), true);
    for (const each of leases) await jobs.end(each, { state: 'succeeded' });
    expect(await activity.since('1970-01-01')).toMatchObject([
      { attempts: 1, succeeded: 3, latency: new Map([[latencyBucket(250), 1]]) },
    ]);
  });

  test('open jobs are counted by agent and state', async () => {
    await using ledger = await makePlace().open(() => 1_000);
    const { jobs } = ledger;
    expect(await jobs.openStates()).toEqual(new Map());
    for (const id of ['q1', 'q2', 'runs', 'waits', 'ends']) await jobs.enqueue(spec({ id }));
    await jobs.enqueue(spec({ id: 'h', agent: 'b', hold: { reason: 'loop', message: '', fix: '' } }));
    const leases = await claim(ledger, { max: 5 });
    const of = (id: string): Lease => leases.find(({ job }) => job.id === id) as Lease;
    for (const id of ['q1', 'q2']) await jobs.release(of(id), { interrupted: false, maxInterruptions: 5 });
    await jobs.retry(of('waits'), { reason: 'backoff', notBefore: 2_000 });
    await jobs.end(of('ends'), { state: 'succeeded' });
    expect(await jobs.openStates()).toEqual(
      new Map([
        ['a', { queued: 2, running: 1, waiting: 1, held: 0 }],
        ['b', { queued: 0, running: 0, waiting: 0, held: 1 }],
      ]),
    );
  });

  test('what is old is forgotten', async () => {
    let now = 1_000;
    await using ledger = await makePlace().open(() => now);
    const { jobs, activity } = ledger;
    for (const [id, agent, at] of [
      ['old', 'b', 1_000],
      ['new', 'a', DAY],
    ] as const) {
      now = at;
      await jobs.enqueue(spec({ id, agent }));
      const [lease] = (await claim(ledger, { agents: [agent] })) as [Lease];
      await jobs.attempted(lease, attempt(lease.token, { agent, startedAt: at, endedAt: at + 5 }), true);
      await jobs.end(lease, { state: 'failed', reason: 'exit_code', message: id });
    }
    expect(await activity.prune('1970-01-02')).toBe(3);
    await ledger.spending.prune('1970-01-02');
    expect((await activity.since('1970-01-01')).map(({ agent }) => agent)).toEqual(['a']);
    expect([...(await activity.failures()).keys()]).toEqual(['a']);
    expect(await activity.prune('1970-01-02')).toBe(0);
  });
}
