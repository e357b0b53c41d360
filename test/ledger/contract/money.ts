/** What was spent, and the small things that have to survive a restart. */
import { expect, test } from 'vitest';
import type { Lease, SpendingRow } from '../../../src/ledger/ledger.ts';
import type { MakePlace } from '../contract.ts';
import { attempt, claim, claimOne, spec } from '../specs.ts';

const DAY = 86_400_000;
const usage = { input_tokens: 1, cache_read_tokens: 20, cache_write_tokens: 300, output_tokens: 4_000 };
const plain = (rows: readonly SpendingRow[]): SpendingRow[] => rows.map((row) => ({ ...row }));

export function moneyContract(makePlace: MakePlace): void {
  test('spending is added up by day, agent and rule, once for each attempt', async () => {
    const place = makePlace();
    {
      await using ledger = await place.open(() => 1_000);
      await ledger.jobs.enqueue(spec({ id: 'one' }));
      const lease = await claimOne(ledger);
      expect(await ledger.spending.of('1970-01-01')).toEqual([]);
      await ledger.jobs.attempted(lease, attempt(1, { costUsd: 0.5, usage }), true);
      await ledger.jobs.attempted(lease, attempt(1, { costUsd: 0.5, usage }), true);
      await ledger.jobs.attempted({ ...lease, token: 9 }, attempt(9, { costUsd: 99 }), true);
      expect(plain(await ledger.spending.of('1970-01-01'))).toEqual([
        { day: '1970-01-01', agent: 'a', rule: 'all', attempts: 1, unknown: 0, costUsd: 0.5, tokens: 4_321 },
      ]);
      await ledger.jobs.release(lease, { interrupted: false, maxInterruptions: 5 });
    }
    await using ledger = await place.open(() => 1_000);
    const lease = await claimOne(ledger);
    await ledger.jobs.attempted(lease, attempt(1, { costUsd: 7 }), true);
    await ledger.jobs.attempted(lease, attempt(2), false);
    await ledger.jobs.attempted(lease, attempt(3, { agent: 'b', endedAt: DAY, costUsd: 0 }), true);
    expect(plain(await ledger.spending.of('1970-01-01'))).toEqual([
      { day: '1970-01-01', agent: 'a', rule: 'all', attempts: 2, unknown: 1, costUsd: 0.5, tokens: 4_321 },
    ]);
    const next = {
      day: '1970-01-02',
      agent: 'b',
      rule: 'all',
      attempts: 1,
      unknown: 0,
      costUsd: 0,
      tokens: 0,
    };
    expect(plain(await ledger.spending.of('1970-01-02'))).toEqual([next]);
    expect(await ledger.spending.prune('1970-01-02')).toBe(1);
    expect(await ledger.spending.of('1970-01-01')).toEqual([]);
    expect(plain(await ledger.spending.of('1970-01-02'))).toEqual([next]);
  });

  test('a batch is one attempt; what its files cost is added up', async () => {
    await using ledger = await makePlace().open(() => 1_000);
    for (let n = 0; n < 3; n++)
      await ledger.jobs.enqueue(spec({ id: `j${n}`, batch: { group: 'all', notBefore: 0, maxFiles: 9 } }));
    const query = { batchSizes: new Map([['all', 3]]) };
    const [lease] = (await claim(ledger, { query })) as [Lease];
    const batch = { id: 'b', files: 3 };
    for (const each of [...lease.companions, lease])
      await ledger.jobs.attempted(each, attempt(1, { batch, costUsd: 0.25, usage }), true);
    expect(await ledger.spending.of('1970-01-01')).toMatchObject([
      { attempts: 1, unknown: 0, costUsd: 0.75, tokens: 3 * 4_321 },
    ]);
  });

  test('small values are kept by kind and name', async () => {
    const place = makePlace();
    {
      await using ledger = await place.open(() => 1_000);
      expect(await ledger.kept.get('breaker', 'a')).toBeUndefined();
      await ledger.kept.put('breaker', 'b', { state: 'open' });
      await ledger.kept.put('breaker', 'b', { state: 'closed', faults: [1, 2] });
      await ledger.kept.put('breaker', 'a\0x', 7);
      await ledger.kept.put('size', 'a', null);
    }
    await using ledger = await place.open(() => 1_000);
    const { kept } = ledger;
    expect(await kept.get('breaker', 'b')).toEqual({ state: 'closed', faults: [1, 2] });
    expect((await kept.list('breaker')).map((row) => ({ ...row }))).toEqual([
      { name: 'a\0x', value: 7 },
      { name: 'b', value: { state: 'closed', faults: [1, 2] } },
    ]);
    expect(await kept.get('size', 'a')).toBeNull();
    await kept.forget('breaker', 'b');
    expect(await kept.list('breaker')).toHaveLength(1);
  });

  test('files of our own making are known until they are forgotten', async () => {
    await using ledger = await makePlace().open(() => 1_000);
    const record = {
      root: 'inbox',
      path: 'd/p',
      stamp: 's',
      sha256: 'ff',
      jobId: 'one',
      depth: 2,
      at: 1_000,
    };
    const { sha256, ...bare } = { ...record, path: 'q', at: 2_000 };
    expect(sha256).toBe('ff');
    await ledger.written.put({ ...record, depth: 1, jobId: 'zero' });
    await ledger.written.put(record);
    await ledger.written.put(bare);
    expect(await ledger.written.get('inbox', 'd/p')).toEqual(record);
    expect(await ledger.written.get('inbox', 'q')).toEqual(bare);
    expect(await ledger.written.get('outbox', 'q')).toBeUndefined();
    expect(await ledger.written.prune(2_000)).toBe(1);
    expect(await ledger.written.get('inbox', 'd/p')).toBeUndefined();
    await ledger.written.forget('inbox', 'q');
    expect(await ledger.written.get('inbox', 'q')).toBeUndefined();
  });

  test('metrics: a row a minute, whose values are replaced one by one', async () => {
    await using ledger = await makePlace().open(() => 1_000);
    const { metrics } = ledger;
    await metrics.put(120_000, { 'jobs.ended': 1, queued: 5 });
    await metrics.put(60_000, { queued: 9 });
    await metrics.put(120_000, { queued: 0, 'agent."x"\0y': 1.5 });
    await metrics.put(180_000, { queued: 1 });
    expect(await metrics.list(60_000, 180_000)).toEqual([
      { minute: 60_000, values: { queued: 9 } },
      { minute: 120_000, values: { 'jobs.ended': 1, queued: 0, 'agent."x"\0y': 1.5 } },
    ]);
    expect(await metrics.prune(120_000)).toBe(1);
    expect(await metrics.list(0, 1e9)).toHaveLength(2);
  });
}
