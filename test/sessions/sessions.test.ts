/** State over a real ledger: who sees what, all or nothing, limits, ends. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { openSqliteLedger } from '../../src/ledger/sqlite/open.ts';
import { readChanges } from '../../src/sessions/changes.ts';
import { stateLimits } from '../../src/sessions/limits.ts';
import { Sessions } from '../../src/sessions/sessions.ts';
import type { SessionState } from '../../src/sessions/state.ts';
import { viewEntry } from '../../src/sessions/view.ts';
import { openBench } from './rig.ts';

const write = (state: SessionState, ...changes: object[]) => state.commit(readChanges(changes, stateLimits));
const set = (key: string, value: unknown, more: object = {}) => ({ op: 'set', key, value, ...more });

test('shared is seen by all of a session, private by one agent, and no other session sees either', async () => {
  const { as, sessions } = await openBench();
  const [lint, docs, other] = [as('lint'), as('docs'), as('lint', 'two')];
  await write(lint, set('a', { n: 1 }), set('a', 'mine', { type: 'private' }));
  expect(await docs.get('a')).toMatchObject({ value: { n: 1 }, revision: 1, by: 'lint', owner: '' });
  expect(await lint.get('a', 'private')).toMatchObject({ value: 'mine', owner: 'lint' });
  expect(await docs.get('a', 'private')).toBeUndefined();
  expect(await docs.list()).toHaveLength(1);
  expect(await lint.list()).toHaveLength(2);
  expect(await other.get('a')).toBeUndefined();
  expect(await other.get('a', 'private')).toBeUndefined();
  const owner = sessions.stateOf({ session: 'one', by: 'cli', holder: 'the owner' });
  expect(await owner.list()).toHaveLength(2);
  await expect(owner.get('a', 'private')).rejects.toMatchObject({ code: 'USAGE' });
});

test('compare-and-set: a stale revision changes nothing, of nothing in the transaction', async () => {
  const { as } = await openBench();
  const state = as('lint');
  expect(await write(state, set('a', 1, { if_revision: 0 }))).toEqual({
    kind: 'committed',
    revisions: [{ type: 'shared', key: 'a', revision: 1 }],
  });
  expect(await write(state, set('b', 1), set('a', 2, { if_revision: 0 }))).toEqual({
    ...{ kind: 'conflict', type: 'shared', key: 'a', revision: 1 },
  });
  expect(await state.get('b')).toBeUndefined();
  await write(state, { op: 'delete', key: 'a', if_revision: 1 });
  // Over a deletion the number goes on: who has read revision 1 does not take this for it.
  await write(state, set('a', 3, { if_revision: 0 }));
  expect((await state.get('a'))?.revision).toBeGreaterThan(1);
  expect(await write(state, set('c', 1), { op: 'check', key: 'a', if_revision: 9 })).toMatchObject({
    kind: 'conflict',
  });
});

test('add counts on, whoever else does, and keeps the end of a temporary counter', async () => {
  const { as, pass } = await openBench();
  await Promise.all(
    Array.from({ length: 50 }, (_, n) => write(as(`agent ${n % 3}`), { op: 'add', key: 'n', by: 2 })),
  );
  expect((await as('x').get('n'))?.value).toBe(100);
  await write(as('x'), set('t', 5, { ttl: '1m' }), set('word', 'text'));
  await write(as('x'), { op: 'add', key: 't' });
  expect((await as('x').get('t'))?.value).toBe(6);
  await expect(write(as('x'), { op: 'add', key: 'word' })).rejects.toMatchObject({ code: 'NOT_POSSIBLE' });
  pass(60_001);
  expect(await as('x').get('t')).toBeUndefined();
});

test('an add goes on although somebody writes to the ledger beside us', async () => {
  const { as, ledger } = await openBench();
  const besides = async () => {
    for (let n = 0; n < 20; n += 1)
      await ledger.sessions.commit('one', 'step a', [{ op: 'set', owner: '', key: 'n', value: 1_000 + n }]);
  };
  await Promise.all([
    besides(),
    ...Array.from({ length: 20 }, () => write(as('x'), { op: 'add', key: 'n' })),
  ]);
  const value = (await as('x').get('n'))?.value as number;
  expect(value).toBeGreaterThanOrEqual(1_000);
});

test('temporary values are gone after their time, and are cleaned up', async () => {
  const { as, sessions, pass } = await openBench();
  await write(as('a'), set('soon', 1, { ttl: '30s' }), set('stays', 1));
  await as('a').lock('l', { ttlMs: 30_000, waitMs: 0 });
  expect((await sessions.entries('one')).map((entry) => viewEntry(entry).type)).toEqual([
    'temporary',
    'shared',
  ]);
  pass(30_001);
  expect(await as('a').list()).toHaveLength(1);
  expect(await sessions.expire()).toBe(2);
  expect(await sessions.expire()).toBe(0);
});

test('limits: number and size of values; what is replaced or deleted counts no more', async () => {
  const { as } = await openBench({ entries: 3, sessionBytes: 100 });
  const state = as('a');
  for (const key of ['a', 'b', 'c']) await write(state, set(key, 1));
  await expect(write(state, set('d', 1))).rejects.toMatchObject({
    code: 'STATE_LIMIT',
    message: expect.stringContaining('would have 4 values; at most 3'),
  });
  for (let n = 0; n < 20; n += 1) await write(state, set('a', n));
  await write(state, { op: 'delete', key: 'b' }, set('d', 1));
  await expect(write(state, set('a', 'x'.repeat(100)))).rejects.toMatchObject({ code: 'STATE_LIMIT' });
  await write(state, set('a', 'x'.repeat(90)));
  await expect(write(state, set('c', 'x'.repeat(10)))).rejects.toMatchObject({ code: 'STATE_LIMIT' });
  await write(state, set('a', 1), set('c', 'x'.repeat(80)));
  expect(await state.list()).toHaveLength(3);
});

test('twenty who write at once do not pass the limit together', async () => {
  const { as } = await openBench({ entries: 7 });
  const done = await Promise.allSettled(
    Array.from({ length: 20 }, (_, n) => write(as(`a${n}`), set(`k${n}`, n))),
  );
  expect(done.filter(({ status }) => status === 'fulfilled')).toHaveLength(7);
  expect(await as('x').list()).toHaveLength(7);
});

test('a session that has ended is read, and written no more; resumed it goes on', async () => {
  const { as, sessions } = await openBench();
  const token = await sessions.grant({ session: 'one', agent: 'a', holder: 'h' });
  const { state, signal } = sessions.access(token);
  await write(state, set('a', 1), set('t', 1, { ttl: '1h' }));
  await as('b').lock('l', { ttlMs: 60_000, waitMs: 0 });
  const waiting = state.lock('l', { ttlMs: 1_000, waitMs: 60_000 });
  await sessions.close('one');
  await expect(waiting).rejects.toMatchObject({ code: 'NOT_POSSIBLE' });
  expect(signal.aborted).toBe(true);
  expect(() => sessions.access(token)).toThrow(expect.objectContaining({ code: 'FORBIDDEN' }));
  expect((await as('a').list()).map(({ key }) => key)).toEqual(['a']);
  await expect(write(as('a'), set('a', 2))).rejects.toMatchObject({ code: 'NOT_POSSIBLE' });
  await expect(as('a').lock('l', { ttlMs: 1_000, waitMs: 0 })).rejects.toMatchObject({
    code: 'NOT_POSSIBLE',
  });
  await expect(sessions.grant({ session: 'one', agent: 'a', holder: 'h' })).rejects.toMatchObject({
    code: 'NOT_POSSIBLE',
  });
  await sessions.open({ id: 'one', kind: 'run', title: '' });
  await write(as('a'), set('a', 2));
  await as('a').lock('l', { ttlMs: 1_000, waitMs: 0 });
});

test('a token is void the moment its attempt ends, and only that', async () => {
  const { sessions } = await openBench();
  const grant = (holder: string) => sessions.grant({ session: 'one', agent: 'a', holder });
  const [first, second, other] = [await grant('job.1'), await grant('job.1'), await grant('job.2')];
  const ended = sessions.revoke('job.1');
  for (const token of [first, second, '', `${other}x`, 'x'.repeat(100_000)])
    expect(() => sessions.access(token)).toThrow(expect.objectContaining({ code: 'FORBIDDEN' }));
  expect(sessions.access(other).state.party).toMatchObject({ session: 'one', agent: 'a' });
  await ended;
  await expect(sessions.grant({ session: 'none', agent: 'a', holder: 'h' })).rejects.toMatchObject({
    code: 'NOT_FOUND',
  });
});

test('sessions are found by the beginning of their id', async () => {
  const { sessions } = await openBench();
  for (const id of ['20261120-101500-aa', '20261120-101500-ab'])
    await sessions.open({ id, kind: 'run', title: '' });
  expect((await sessions.find('one')).id).toBe('one');
  expect((await sessions.find('20261120-101500-aa')).id).toBe('20261120-101500-aa');
  await expect(sessions.find('20261120')).rejects.toMatchObject({ code: 'USAGE' });
  for (const nobody of ['zero', ''])
    await expect(sessions.find(nobody)).rejects.toMatchObject({ code: 'NOT_FOUND' });
});

test('what was committed is there after the ledger was opened anew', async () => {
  const { as, dir, ledger, sessions } = await openBench();
  await write(as('a'), set('k', ['v']), set('p', 1, { type: 'private' }));
  await sessions[Symbol.asyncDispose]();
  await ledger[Symbol.asyncDispose]();
  await using again = openSqliteLedger({ stateDir: dir }).ledger;
  await using anew = new Sessions({ ledger: again.sessions, durable: () => again.durable(), now: Date.now });
  expect((await anew.entries('one')).map(({ owner, key, value }) => [owner, key, value])).toEqual([
    ['', 'k', ['v']],
    ['a', 'p', 1],
  ]);
});

test('texts are shown redacted, and only shown', () => {
  const entry = {
    ...{ owner: 'a', key: 'hush', revision: 1, by: 'a', at: 0, expiresAt: 1_000 },
    value: { hush: ['a hush b', 5, { x: 'hush' }] },
  };
  const redact = (text: string) => text.replaceAll('hush', '[redacted]');
  expect(viewEntry(entry, redact)).toMatchObject({
    ...{ type: 'private', agent: 'a', key: '[redacted]', expires_at: '1970-01-01T00:00:01.000Z' },
    value: { '[redacted]': ['a [redacted] b', 5, { x: '[redacted]' }] },
  });
  expect(viewEntry(entry).value).toBe(entry.value);
});

test('any order of transactions leaves what a plain map would hold', async () => {
  const key = fc.constantFrom('a', 'b', 'c');
  const change = fc.oneof(
    fc.record({ op: fc.constant('set'), key, value: fc.integer() }),
    fc.record({ op: fc.constant('set'), key, value: fc.integer(), if_revision: fc.nat({ max: 4 }) }),
    fc.record({ op: fc.constant('delete'), key }),
    fc.record({ op: fc.constant('add'), key, by: fc.integer() }),
    fc.record({ op: fc.constant('check'), key, if_revision: fc.nat({ max: 4 }) }),
  );
  const transaction = fc.uniqueArray(change, { minLength: 1, maxLength: 3, selector: ({ key }) => key });
  await fc.assert(
    fc.asyncProperty(fc.array(transaction, { maxLength: 12 }), async (transactions) => {
      const { as, sessions, ledger } = await openBench();
      const state = as('x');
      const known = new Map<string, { value: number; revision: number }>();
      const revisions = new Map<string, number>();
      for (const changes of transactions) {
        const holds = changes.every(
          (one) => !('if_revision' in one) || (known.get(one.key)?.revision ?? 0) === one.if_revision,
        );
        const { kind } = await write(state, ...changes);
        expect(kind).toBe(holds ? 'committed' : 'conflict');
        if (!holds) continue;
        for (const one of changes) {
          const before = known.get(one.key);
          const revision = (revisions.get(one.key) ?? 0) + 1;
          if (one.op === 'check' || (one.op === 'delete' && !before)) continue;
          revisions.set(one.key, revision);
          if (one.op === 'delete') known.delete(one.key);
          else if ('by' in one) known.set(one.key, { value: (before?.value ?? 0) + one.by, revision });
          else if ('value' in one) known.set(one.key, { value: one.value, revision });
        }
        const found = (await state.list()).map((e) => [e.key, { value: e.value, revision: e.revision }]);
        expect(new Map(found as never)).toEqual(new Map([...known].toSorted()));
      }
      await sessions[Symbol.asyncDispose]();
      await ledger[Symbol.asyncDispose]();
    }),
    { numRuns: 15 },
  );
});
