/** Who may change a running job: the holder of its latest token, and nobody else. */
import { expect, test } from 'vitest';
import type { MakePlace } from '../contract.ts';
import { attempt, claim, claimOne, ids, spec } from '../specs.ts';

export function leaseContract(makePlace: MakePlace): void {
  test('a stale token changes nothing', async () => {
    let now = 1_000;
    await using ledger = await makePlace().open(() => now);
    await ledger.jobs.enqueue(spec({ id: 'one' }));
    const stale = await claimOne(ledger);
    await ledger.jobs.release(stale, { interrupted: false, maxInterruptions: 5 });
    now = 2_000;
    const lease = await claimOne(ledger);
    expect(lease.token).toBe(stale.token + 1);
    const before = await ledger.jobs.get('one');
    expect(await ledger.jobs.attempted(stale, attempt(1), true)).toBe(false);
    expect(await ledger.jobs.end(stale, { state: 'succeeded' })).toBeUndefined();
    expect(await ledger.jobs.retry(stale, { reason: 'backoff', notBefore: 9 })).toBe(false);
    expect(await ledger.jobs.release(stale, { interrupted: true, maxInterruptions: 1 })).toBe('lost');
    expect(await ledger.jobs.get('one')).toEqual(before);
    expect(await ledger.jobs.tally()).toEqual([]);
    expect(await ledger.jobs.end(lease, { state: 'succeeded' })).toBeDefined();
    expect(await ledger.jobs.end(lease, { state: 'failed' })).toBeUndefined();
    expect(await ledger.jobs.tally()).toHaveLength(1);
  });

  test('an ended job is a whole record: attempts, proof, outputs, usage', async () => {
    let now = 1_000;
    await using ledger = await makePlace().open(() => now);
    const one = spec({ id: 'one', key: 'k', parent: 'p0', depth: 2, priority: 1.5, force: true });
    await ledger.jobs.enqueue(one);
    const lease = await claimOne(ledger);
    expect(lease).toMatchObject({ force: true, token: 1, triesBefore: 0 });
    const first = attempt(1, { exitCode: 7, message: 'seven', limits: { output: '64MiB' } });
    expect(await ledger.jobs.attempted(lease, first, true)).toBe(true);
    await ledger.jobs.retry(lease, { reason: 'backoff', notBefore: 1_000 });
    const again = await claimOne(ledger);
    expect(again).toMatchObject({ token: 2, triesBefore: 1, job: { attempts: [first] } });
    const second = attempt(2, { outcome: 'signalled', signal: 'SIGTERM', events: 3 });
    await ledger.jobs.attempted(again, second, true);
    now = 3_000;
    const usage = { input_tokens: 1, cache_read_tokens: 2, cache_write_tokens: 3, output_tokens: 4 };
    const outputs = [{ path: 'a/b.txt', sha256: 'ff', bytes: 2 }];
    const job = await ledger.jobs.end(again, {
      state: 'succeeded',
      proof: ['exit_code', 'outputs'],
      outputs,
      usage,
      costUsd: 0.25,
    });
    expect(job).toEqual({
      id: 'one',
      input: one.input,
      rule: 'all',
      agent: 'a',
      key: 'k',
      state: 'succeeded',
      proof: ['exit_code', 'outputs'],
      priority: 1.5,
      lane: 'a',
      fallbacks: [],
      promoted: [],
      depth: 2,
      parent: 'p0',
      queuedAt: 1_000,
      startedAt: 1_000,
      endedAt: 3_000,
      attempts: [first, second],
      usage,
      costUsd: 0.25,
      outputs,
    });
    expect(await ledger.jobs.get('one')).toEqual(job);
  });

  test('telling of an attempt twice counts it once', async () => {
    await using ledger = await makePlace().open(() => 1_000);
    await ledger.jobs.enqueue(spec({ id: 'one' }));
    const lease = await claimOne(ledger);
    await ledger.jobs.attempted(lease, attempt(1, { exitCode: 1 }), true);
    await ledger.jobs.attempted(lease, attempt(1, { exitCode: 2 }), true);
    await ledger.jobs.retry(lease, { reason: 'backoff', notBefore: 0 });
    const again = await claimOne(ledger);
    expect(again.triesBefore).toBe(1);
    expect(again.job.attempts).toEqual([attempt(1, { exitCode: 2 })]);
    await ledger.jobs.attempted(again, attempt(2), false);
    await ledger.jobs.release(again, { interrupted: false, maxInterruptions: 5 });
    const tried = await claimOne(ledger);
    expect(tried.triesBefore).toBe(1);
    // Other work is wanted of it, or a person lets it go on.
    await ledger.jobs.retry(tried, { reason: 'backoff', notBefore: 0, isAnew: true });
    const anew = await claimOne(ledger);
    expect(anew).toMatchObject({ triesBefore: 0, job: { attempts: [{ n: 1 }, { n: 2 }] } });
    await ledger.jobs.attempted(anew, attempt(anew.token), true);
    await ledger.jobs.hold(anew, { reason: 'clarify', message: 'which?', fix: 'say which' });
    await ledger.jobs.unhold(anew.job.id);
    expect((await claimOne(ledger)).triesBefore).toBe(0);
  });

  test('more than nine attempts stay in their order', async () => {
    await using ledger = await makePlace().open(() => 1_000);
    await ledger.jobs.enqueue(spec({ id: 'one' }));
    for (let n = 1; n <= 12; n++) {
      const lease = await claimOne(ledger);
      await ledger.jobs.attempted(lease, attempt(n), true);
      await ledger.jobs.retry(lease, { reason: 'backoff', notBefore: 0 });
    }
    const job = await ledger.jobs.get('one');
    expect(job?.attempts.map(({ n }) => n)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]);
  });

  test('five interruptions in a row hold a job until a person lets it go on; a counted attempt ends the row', async () => {
    await using ledger = await makePlace().open(() => 1_000);
    await ledger.jobs.enqueue(spec({ id: 'one' }));
    const interrupt = async (): Promise<string> =>
      ledger.jobs.release(await claimOne(ledger), { interrupted: true, maxInterruptions: 5 });
    for (let n = 1; n <= 4; n++) expect(await interrupt()).toBe('queued');
    const lease = await claimOne(ledger);
    await ledger.jobs.attempted(lease, attempt(lease.token), true);
    expect(await ledger.jobs.release(lease, { interrupted: false, maxInterruptions: 5 })).toBe('queued');
    for (let n = 1; n <= 4; n++) expect(await interrupt()).toBe('queued');
    expect(await interrupt()).toBe('held');
    expect(await claim(ledger)).toEqual([]);
    const held = await ledger.jobs.get('one');
    expect(held).toMatchObject({ state: 'held', reason: 'interrupted' });
    expect(held?.fix).toContain('sluice jobs release one');
    expect(await ledger.jobs.counts()).toMatchObject({ held: 1 });
    expect(await ledger.jobs.unhold('one')).toBe(true);
    expect(await ledger.jobs.unhold('one')).toBe(false);
    expect((await ledger.jobs.get('one'))?.message).toBeUndefined();
    expect(await interrupt()).toBe('queued');
  });

  test('what ran under another worker is found after a restart, with its token', async () => {
    const place = makePlace();
    {
      await using ledger = await place.open(() => 1_000);
      for (const id of ['one', 'two', 'three']) await ledger.jobs.enqueue(spec({ id }));
      await claim(ledger, { max: 2, worker: 'first' });
      await ledger.jobs.heartbeat('first', 30_000);
      expect(await ledger.jobs.orphaned('first')).toEqual([]);
    }
    await using ledger = await place.open(() => 2_000);
    expect(ids(await claim(ledger, { worker: 'second' }))).toEqual(['three']);
    const orphans = await ledger.jobs.orphaned('second');
    expect(ids(orphans)).toEqual(['one', 'two']);
    for (const orphan of orphans)
      expect(await ledger.jobs.release(orphan, { interrupted: true, maxInterruptions: 5 })).toBe('queued');
    expect(await ledger.jobs.orphaned('second')).toEqual([]);
  });

  test('an attempt that the ledger never heard of is adopted; one that is older than the latest claim is not', async () => {
    await using ledger = await makePlace().open(() => 1_000);
    const o = { token: 2, worker: 'w', leaseMs: 1 };
    const unheard = await ledger.jobs.adopt(spec({ id: 'unheard' }), o);
    expect(unheard).toMatchObject({ token: 2, job: { id: 'unheard', state: 'running' } });
    expect(await ledger.jobs.end(unheard as never, { state: 'succeeded' })).toBeDefined();
    expect(await ledger.jobs.adopt(spec({ id: 'unheard' }), o)).toBeUndefined();
    await ledger.jobs.enqueue(spec({ id: 'known' }));
    await claimOne(ledger);
    const known = await ledger.jobs.adopt(spec({ id: 'known' }), o);
    expect(known?.token).toBe(2);
    expect(await ledger.jobs.adopt(spec({ id: 'known' }), { ...o, token: 1 })).toBeUndefined();
  });

  test('endIdle ends what does not run, record ends what never ran', async () => {
    await using ledger = await makePlace().open(() => 1_000);
    await ledger.jobs.enqueue(spec({ id: 'one' }));
    const lease = await claimOne(ledger);
    expect(await ledger.jobs.endIdle('one', { state: 'cancelled' })).toBeUndefined();
    await ledger.jobs.release(lease, { interrupted: false, maxInterruptions: 5 });
    const end = { state: 'cancelled', reason: 'input_gone', message: 'm', fix: 'f' } as const;
    expect(await ledger.jobs.endIdle('one', end)).toMatchObject(end);
    expect(await ledger.jobs.endIdle('one', end)).toBeUndefined();
    const cached = await ledger.jobs.record(spec({ id: 'two' }), { state: 'cached', cachedFrom: 'one' });
    expect(cached).toMatchObject({ state: 'cached', cachedFrom: 'one', attempts: [], costUsd: null });
    expect(cached.startedAt).toBeUndefined();
    expect(await ledger.jobs.record(spec({ id: 'two' }), { state: 'failed' })).toEqual(cached);
  });
}
