/** A running job that goes on elsewhere or later: another agent, a person, no time of its own; and what it put in place. */
import { expect, test } from 'vitest';
import type { MakePlace } from '../contract.ts';
import { attempt, claim, claimOne, ids, spec } from '../specs.ts';

export function movesContract(makePlace: MakePlace): void {
  test('a job that falls back has all its tries before it, and says whom it had', async () => {
    await using ledger = await makePlace().open(() => 1_000);
    const { jobs } = ledger;
    await jobs.enqueue(spec({ id: 'one', key: 'ka' }));
    await jobs.enqueue(spec({ id: 'same key', key: 'ka', path: 'other' }));
    const lease = await claimOne(ledger);
    expect(await claim(ledger)).toEqual([]);
    await jobs.attempted(lease, attempt(1), true);
    const to = { rule: 'all', agent: 'b', key: 'kb', priority: 2, lane: 'b\0all' };
    const because = { agent: 'a', reason: 'exit_code', message: 'exit code 1' } as const;
    expect(await jobs.fallBack(lease, to, because)).toBe(true);
    expect(await jobs.fallBack(lease, to, because)).toBe(false);
    expect(await jobs.end(lease, { state: 'succeeded' })).toBeUndefined();
    expect(ids(await claim(ledger)), 'its key is free').toEqual(['same key']);
    const lanes = new Map([['b\0all', { agent: 'b', limit: 1 }]]);
    const [again] = await claim(ledger, { agents: ['b'], query: { lanes } });
    expect(again).toMatchObject({
      token: 2,
      triesBefore: 0,
      job: { agent: 'b', lane: 'b\0all', key: 'kb', priority: 2, fallbacks: [because], attempts: [{ n: 1 }] },
    });
    const more = { agent: 'b', reason: 'breaker' } as const;
    await jobs.fallBack(again as never, { rule: 'all', agent: 'a', key: '', priority: 0 }, more);
    expect(await jobs.get('one')).toMatchObject({ agent: 'a', lane: 'a', fallbacks: [because, more] });
  });

  test('a running job moves on in one step, with its tries', async () => {
    await using ledger = await makePlace().open(() => 1_000);
    const { jobs } = ledger;
    await jobs.enqueue(spec({ id: 'one', key: 'old' }));
    const lease = await claimOne(ledger);
    await jobs.attempted(lease, attempt(1), true);
    expect(await jobs.moveOn(lease, { rule: 'all', agent: 'a', key: 'new', priority: 0 })).toBe(true);
    expect(await jobs.moveOn(lease, { rule: 'all', agent: 'a', key: 'newer', priority: 0 })).toBe(false);
    const [again] = await claim(ledger);
    expect(again).toMatchObject({ token: 2, triesBefore: 1, job: { key: 'new', fallbacks: [] } });
  });

  test('a running job can be put on hold, and a new one can be born there', async () => {
    await using ledger = await makePlace().open(() => 1_000);
    const { jobs } = ledger;
    const hold = { reason: 'loop', message: 'it goes round', fix: 'release it' } as const;
    await jobs.enqueue(spec({ id: 'one', key: 'k' }));
    await jobs.enqueue(spec({ id: 'next', key: 'k' }));
    const lease = await claimOne(ledger);
    expect(await claim(ledger)).toEqual([]);
    expect(await jobs.hold(lease, hold)).toBe(true);
    expect(await jobs.hold(lease, hold)).toBe(false);
    const batch = { group: 'g', notBefore: 0, maxFiles: 1 };
    await jobs.enqueue(spec({ id: 'born', hold, batch }));
    expect(await jobs.get('born')).toMatchObject({ state: 'held', batch: 'g', ...hold });
    expect(await jobs.get('one')).toMatchObject({ state: 'held', ...hold });
    expect(ids(await claim(ledger)), 'its key is free').toEqual(['next']);
    expect([await jobs.unhold('one'), await jobs.unhold('born')]).toEqual([true, true]);
    expect(ids(await claim(ledger))).toEqual(['born']);
  });

  test('without a time a job waits until it is woken; with one it goes on by itself, whatever it waits for', async () => {
    let now = 1_000;
    await using ledger = await makePlace().open(() => now);
    const { jobs } = ledger;
    for (const id of ['asleep', 'timed']) await jobs.enqueue(spec({ id }));
    const [asleep, timed] = await claim(ledger);
    await jobs.retry(asleep as never, { reason: 'approval', message: 'asked', fix: 'approve it' });
    await jobs.retry(timed as never, { reason: 'sandbox', notBefore: 2_000 });
    expect(await jobs.nextDueAt()).toBe(2_000);
    now = 1e9;
    expect(ids(await claim(ledger))).toEqual(['timed']);
    expect(await jobs.nextDueAt()).toBeUndefined();
    expect(await jobs.wake({ reason: 'approval' })).toBe(1);
    expect(ids(await claim(ledger))).toEqual(['asleep']);
  });

  test('what was put in place stays with the job, by its lease and from a receipt', async () => {
    const place = makePlace();
    const files = [
      { path: 'a.txt', change: 'changed', sha256: 'ff', bytes: 3 },
      { path: 'b.txt', change: 'removed' },
    ] as const;
    const fallbacks = [{ agent: 'b', reason: 'timeout' }] as const;
    {
      await using ledger = await place.open(() => 1_000);
      await ledger.jobs.enqueue(spec({ id: 'one' }));
      const lease = await claimOne(ledger);
      expect(await ledger.jobs.promoted(lease, files)).toBe(true);
      expect((await ledger.jobs.end(lease, { state: 'succeeded' }))?.promoted).toEqual(files);
      expect(await ledger.jobs.promoted(lease, [])).toBe(false);
      const end = { state: 'succeeded', promoted: files, fallbacks } as const;
      expect(await ledger.jobs.record(spec({ id: 'rebuilt' }), end)).toMatchObject({
        promoted: files,
        fallbacks,
      });
    }
    await using ledger = await place.open(() => 1_000);
    expect((await ledger.jobs.get('one'))?.promoted).toEqual(files);
    expect(await ledger.jobs.get('rebuilt')).toMatchObject({ promoted: files, fallbacks, lane: 'a' });
  });
}
