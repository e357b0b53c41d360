/** Locks: in turn, one at a time, and never for longer than somebody lives. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { openBench } from './rig.ts';

const long = { ttlMs: 60_000, waitMs: 60_000 };

test('those who wait get it in the order in which they asked', async () => {
  const { as } = await openBench();
  const first = await as('a').lock('build', long);
  const order: string[] = [];
  const waiting = ['b', 'c', 'a', 'd'].map(async (agent) => {
    const state = as(agent);
    const { id } = await state.lock('build', long);
    order.push(agent);
    expect(await state.unlock('build', id)).toBe(true);
  });
  expect(await as('a').unlock('build', first.id)).toBe(true);
  await Promise.all(waiting);
  expect(order).toEqual(['b', 'c', 'a', 'd']);
});

test('two processes of one attempt exclude each other; other names and sessions are free', async () => {
  const { as } = await openBench();
  const { id } = await as('a').lock('l', long);
  await expect(as('a').lock('l', { ttlMs: 1_000, waitMs: 0 })).rejects.toMatchObject({
    code: 'LOCKED',
    message: expect.stringContaining('held by attempt of a'),
  });
  await as('a').lock('m', { ttlMs: 1_000, waitMs: 0 });
  await as('a', 'two').lock('l', { ttlMs: 1_000, waitMs: 0 });
  expect(await as('b').unlock('l', 'another')).toBe(false);
  expect(await as('a').unlock('l', id)).toBe(true);
  expect(await as('a').unlock('l', id)).toBe(false);
});

test('whoever waits too long is told who has it, and is not given it later', async () => {
  const { as } = await openBench();
  const { id } = await as('a').lock('l', long);
  const before = Date.now();
  await expect(as('b').lock('l', { ttlMs: 60_000, waitMs: 30 })).rejects.toMatchObject({ code: 'LOCKED' });
  expect(Date.now() - before).toBeGreaterThanOrEqual(29);
  const third = as('c').lock('l', long);
  await as('a').unlock('l', id);
  await third;
});

test('a holder that died: the lease ends and the next has it, without anybody asking again', async () => {
  const { as } = await openBench();
  const { id } = await as('a').lock('l', { ttlMs: 50, waitMs: 0 });
  const before = Date.now();
  const { until } = await as('b').lock('l', long);
  expect(until).toBeGreaterThanOrEqual(before + 60_000);
  await expect(as('a').renew('l', id, 60_000)).rejects.toMatchObject({ code: 'LOCKED' });
  expect(await as('a').unlock('l', id)).toBe(false);
});

test('renewed it lasts', async () => {
  const { as, pass } = await openBench();
  const state = as('a');
  const { id } = await state.lock('l', { ttlMs: 10_000, waitMs: 0 });
  for (let n = 0; n < 5; n += 1) {
    pass(8_000);
    await state.renew('l', id, 10_000);
  }
  await expect(as('b').lock('l', { ttlMs: 1, waitMs: 0 })).rejects.toMatchObject({ code: 'LOCKED' });
  pass(10_001);
  await expect(state.renew('l', id, 10_000)).rejects.toMatchObject({ code: 'LOCKED' });
  await as('b').lock('l', { ttlMs: 1_000, waitMs: 0 });
});

test('the end of an attempt frees its locks and refuses what it waits for', async () => {
  const { as, sessions } = await openBench();
  const token = await sessions.grant({ session: 'one', agent: 'a', holder: 'job.1' });
  const { state, signal } = sessions.access(token);
  await state.lock('l', long);
  await as('c').lock('other', long);
  const second = as('b').lock('l', long);
  const waits = state.lock('other', { ...long, signal });
  const refused = expect(waits).rejects.toMatchObject({ code: 'FORBIDDEN' });
  // One that is asked for at this moment, and one that waits for long already.
  const free = as('a').lock('third', long);
  await free;
  const late = expect(state.lock('third', { ...long, signal })).rejects.toMatchObject({ code: 'FORBIDDEN' });
  await sessions.revoke('job.1');
  await refused;
  await late;
  await second;
});

test('locks that an earlier process left are free by the holder’s name, or by their lease', async () => {
  const { as, ledger, sessions, pass } = await openBench();
  await ledger.sessions.lock('one', 'l', 'attempt of a', 3_600_000);
  await ledger.sessions.lock('one', 'm', 'somebody', 60_000);
  await expect(as('a').lock('m', { ttlMs: 1, waitMs: 0 })).rejects.toMatchObject({
    message: expect.stringContaining('held by somebody'),
  });
  pass(60_001);
  await as('b').lock('m', long);
  await sessions.revoke('attempt of a');
  await as('b').lock('l', { ttlMs: 1_000, waitMs: 0 });
  await ledger.sessions.lock('one', 'n', 'a job of before', 60_000);
  await sessions.start();
  await as('b').lock('n', { ttlMs: 1_000, waitMs: 0 });
});

test('aborted it waits no longer, and what comes too late is given back', async () => {
  const { as } = await openBench();
  const { id } = await as('a').lock('l', long);
  const gone = new AbortController();
  const waiting = as('b').lock('l', { ...long, signal: gone.signal });
  const third = as('c').lock('l', long);
  gone.abort(new Error('gone'));
  await expect(waiting).rejects.toThrow('gone');
  await as('a').unlock('l', id);
  await third;
  await expect(as('d').lock('l', { ...long, signal: gone.signal })).rejects.toThrow('gone');
});

test('limits: how many are held and wait, how long', async () => {
  const { as } = await openBench({ locks: 2, waiting: 1 });
  await as('a').lock('1', long);
  await as('a').lock('2', long);
  await expect(as('a').lock('3', long)).rejects.toMatchObject({ code: 'STATE_LIMIT' });
  const gone = new AbortController();
  const waiting = as('b').lock('1', { ...long, signal: gone.signal });
  await expect(as('c').lock('1', long)).rejects.toMatchObject({ code: 'STATE_LIMIT' });
  gone.abort(new Error('gone'));
  await expect(waiting).rejects.toThrow('gone');
  for (const times of [
    { ttlMs: 0, waitMs: 0 },
    { ttlMs: 86_400_001, waitMs: 0 },
    { ttlMs: 1_000, waitMs: -1 },
  ])
    await expect(as('b').lock('9', times)).rejects.toMatchObject({ code: 'USAGE' });
});

test('whatever happens to holders, never do two have it, and everybody is answered', async () => {
  const actor = fc.record({
    agent: fc.constantFrom('a', 'b', 'c'),
    waitMs: fc.constantFrom(0, 5, 60_000),
    end: fc.constantFrom('unlock', 'die', 'revoke'),
    abort: fc.boolean(),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(actor, { minLength: 1, maxLength: 12 }), async (actors) => {
      const { as, sessions } = await openBench();
      const holding = new Map<string, number>();
      const act = async ({ agent, waitMs, end, abort }: (typeof actors)[0]): Promise<void> => {
        const state = as(agent);
        const gone = new AbortController();
        const asked = state.lock('l', { ttlMs: 40, waitMs, signal: gone.signal });
        if (abort) setImmediate(() => gone.abort(new Error('gone')));
        const taken = await asked.catch(() => undefined);
        if (!taken) return;
        for (const until of holding.values()) expect(until).toBeLessThanOrEqual(Date.now());
        holding.set(taken.id, taken.until);
        if (end === 'die') return;
        await new Promise(setImmediate);
        holding.delete(taken.id);
        if (end === 'unlock') await state.unlock('l', taken.id);
        else {
          holding.clear();
          await sessions.revoke(state.party.holder);
        }
      };
      await Promise.all(actors.map(act));
      await as('last').lock('l', { ttlMs: 1_000, waitMs: 5_000 });
    }),
    { numRuns: 20 },
  );
});
