/** State of sessions: values with revisions, commits that happen whole or not at all, locks with an end. */
import { expect, test } from 'vitest';
import type { Ledger } from '../../../src/ledger/ledger.ts';
import type { StateChange } from '../../../src/ledger/session-ledger.ts';
import type { MakePlace } from '../contract.ts';
import { run } from '../run-specs.ts';

const HOUR = 3_600_000;

const set = (key: string, value: unknown, more: Partial<StateChange> = {}): StateChange =>
  ({ op: 'set', owner: '', key, value, ...more }) as StateChange;
const remove = (key: string, more: Partial<StateChange> = {}): StateChange =>
  ({ op: 'delete', owner: '', key, ...more }) as StateChange;
const check = (key: string, ifRevision: number): StateChange => ({ op: 'check', owner: '', key, ifRevision });

async function open(ledger: Ledger, id = 's'): Promise<Ledger['sessions']> {
  await ledger.sessions.open({ id, kind: 'manual', title: `session ${id}` });
  return ledger.sessions;
}

export function sessionContract(makePlace: MakePlace): void {
  test('a session is opened once, closed, opened again, and listed newest first', async () => {
    let now = 1_000;
    const place = makePlace();
    {
      await using ledger = await place.open(() => now);
      const sessions = await open(ledger);
      await sessions.open({ id: 's', kind: 'run', title: 'another' });
      await open(ledger, 't');
      await sessions.commit('s', 'me', [set('a', 1), set('b', 2, { ttlMs: 10 }), set('c', 3)]);
      await sessions.commit('s', 'me', [remove('c')]);
      now = 2_000;
      await sessions.close('t');
      await sessions.close('none');
    }
    await using ledger = await place.open(() => now);
    const { sessions } = ledger;
    const s = { id: 's', kind: 'manual', title: 'session s', createdAt: 1_000, entries: 1 };
    const t = { id: 't', kind: 'manual', title: 'session t', createdAt: 1_000, entries: 0 };
    expect(await sessions.list(9)).toEqual([{ ...t, endedAt: 2_000 }, s]);
    expect(await sessions.list(1)).toHaveLength(1);
    expect(await sessions.get('s')).toEqual(s);
    expect(await sessions.get('none')).toBeUndefined();
    await open(ledger, 't');
    expect(await sessions.get('t')).toEqual(t);
  });

  test('values come back whole, shared and private apart', async () => {
    const place = makePlace();
    const values = { '': null, a: 'text \0', b: [1, { c: '\ud800' }], 'key/with ☃': 0.1 };
    {
      await using ledger = await place.open(() => 1_000);
      const sessions = await open(ledger);
      await open(ledger, 't');
      for (const [key, value] of Object.entries(values)) await sessions.commit('s', 'me', [set(key, value)]);
      await sessions.commit('s', 'lint', [{ op: 'set', owner: 'lint', key: 'a', value: 'mine', ttlMs: 500 }]);
      await sessions.commit('s', 'me', [set('nothing', undefined)]);
    }
    await using ledger = await place.open(() => 1_000);
    const { sessions } = ledger;
    for (const [key, value] of Object.entries(values))
      expect(await sessions.read('s', '', key)).toEqual({
        owner: '',
        key,
        value,
        revision: 1,
        by: 'me',
        at: 1_000,
      });
    const mine = {
      owner: 'lint',
      key: 'a',
      value: 'mine',
      revision: 1,
      by: 'lint',
      at: 1_000,
      expiresAt: 1_500,
    };
    expect(await sessions.read('s', 'lint', 'a')).toEqual(mine);
    expect(await sessions.entries('s', 'lint')).toEqual([mine]);
    const keys = (await sessions.entries('s')).map(({ owner, key }) => [owner, key]);
    expect(keys).toEqual([
      ['', ''],
      ['', 'a'],
      ['', 'b'],
      ['', 'key/with ☃'],
      ['', 'nothing'],
      ['lint', 'a'],
    ]);
    expect((await sessions.read('s', '', 'nothing'))?.value).toBeNull();
    expect(await sessions.entries('t')).toEqual([]);
    expect(await sessions.read('t', '', 'a')).toBeUndefined();
    expect(await sessions.size('t')).toEqual({ entries: 0, bytes: 0 });
    await sessions.commit('t', 'me', [set('k', 'ä'), set('l', [1])]);
    expect(await sessions.size('t')).toEqual({ entries: 2, bytes: 4 + 3 });
  });

  test('a commit happens whole or not at all, and later changes of it see earlier ones', async () => {
    await using ledger = await makePlace().open(() => 1_000);
    const sessions = await open(ledger);
    const commit = (...changes: StateChange[]) => sessions.commit('s', 'me', changes);
    const read = async (key: string): Promise<unknown> => (await sessions.read('s', '', key))?.value;
    expect(await commit(set('a', 1), set('b', 1), set('a', 2, { ifRevision: 1 }))).toEqual({
      kind: 'committed',
      entries: [
        { owner: '', key: 'a', revision: 2 },
        { owner: '', key: 'b', revision: 1 },
      ],
    });
    const conflict = { kind: 'conflict', owner: '', key: 'b', revision: 1 };
    expect(await commit(set('a', 3), set('c', 3), check('b', 2))).toEqual(conflict);
    expect(await commit(remove('a'), set('b', 3, { ifRevision: 0 }))).toEqual(conflict);
    expect(await commit(set('b', 3), remove('b', { ifRevision: 1 }))).toEqual(conflict);
    expect([await read('a'), await read('b'), await read('c')]).toEqual([2, 1, undefined]);
    expect(await commit(check('a', 2), check('c', 0), remove('c'))).toEqual({
      kind: 'committed',
      entries: [],
    });
    expect(await commit()).toEqual({ kind: 'committed', entries: [] });
    expect(await commit(set('c', 1, { ifRevision: 0 }), remove('c'), check('c', 0))).toMatchObject({
      kind: 'committed',
      entries: [{ key: 'c', revision: 2 }],
    });
    expect(await read('c')).toBeUndefined();
    await expect(sessions.commit('none', 'me', [set('a', 1)])).rejects.toMatchObject({ code: 'NOT_FOUND' });
    await expect(sessions.lock('none', 'l', 'me', 1)).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });

  test('revisions grow over deletions and ends, also when nothing is left of them', async () => {
    let now = 1_000;
    await using ledger = await makePlace().open(() => now);
    const sessions = await open(ledger);
    const revision = async (...changes: StateChange[]): Promise<number | undefined> => {
      const result = await sessions.commit('s', 'me', changes);
      return result.kind === 'committed' ? result.entries[0]?.revision : undefined;
    };
    expect(await revision(set('a', 1))).toBe(1);
    expect(await revision(remove('a'))).toBe(2);
    expect(await sessions.commit('s', 'me', [check('a', 2)])).toMatchObject({
      kind: 'conflict',
      revision: 0,
    });
    expect(await revision(set('a', 1, { ifRevision: 0, ttlMs: 100 }))).toBe(3);
    now += 100;
    expect(await sessions.read('s', '', 'a')).toBeUndefined();
    expect(await revision(set('a', 1, { ifRevision: 0, ttlMs: 100 }))).toBe(4);
    now += 100;
    expect(await sessions.expire()).toBe(1);
    expect(await revision(set('b', 1)), 'another key begins with one').toBe(1);
    now += HOUR + 1;
    expect(await sessions.expire()).toBe(0);
    expect(await revision(set('a', 1))).toBe(5);
    expect(await revision(remove('a'))).toBe(6);
    await sessions.close('s');
    await open(ledger);
    expect(await revision(set('a', 1))).toBe(7);
    expect(await revision(set('b', 2))).toBe(2);
    expect(await revision(remove('a'))).toBe(8);
    now += HOUR + 1;
    await sessions.expire();
    expect(await revision(remove('b'))).toBe(3);
    now += HOUR + 1;
    await sessions.expire();
    expect(await revision(set('a', 1)), 'above all that was ever forgotten').toBe(9);
  });

  test('what was for a time is gone after it; a value without an end has none', async () => {
    let now = 1_000;
    await using ledger = await makePlace().open(() => now);
    const sessions = await open(ledger);
    await sessions.commit('s', 'me', [
      set('short', 1, { ttlMs: 10 }),
      set('long', 1, { ttlMs: 100 }),
      set('never', 1, { ttlMs: Number.POSITIVE_INFINITY }),
      set('made lasting', 1, { ttlMs: 10 }),
    ]);
    await sessions.commit('s', 'me', [set('made lasting', 2)]);
    await sessions.lock('s', 'l', 'a', 10);
    now += 10;
    const keys = async (): Promise<string[]> => (await sessions.entries('s')).map(({ key }) => key);
    expect(await keys()).toEqual(['long', 'made lasting', 'never']);
    expect((await sessions.get('s'))?.entries).toBe(3);
    expect(await sessions.size('s')).toEqual({ entries: 3, bytes: 3 });
    expect(await sessions.expire()).toBe(2);
    expect(await sessions.expire()).toBe(0);
    await sessions.lock('s', 'l', 'a', 1_000);
    await sessions.close('s');
    expect(await keys(), 'what was temporary goes at the end').toEqual(['made lasting', 'never']);
    await open(ledger);
    expect((await sessions.lock('s', 'l', 'b', 10)).isHeld, 'and so do locks').toBe(true);
  });

  test('a lock has one holder, who may renew it; it is free when it was let go or ran out', async () => {
    let now = 1_000;
    await using ledger = await makePlace().open(() => now);
    const sessions = await open(ledger);
    await open(ledger, 't');
    expect(await sessions.lock('s', 'l', 'a', 100)).toEqual({ isHeld: true, holder: 'a', until: 1_100 });
    expect(await sessions.lock('s', 'l', 'b', 100)).toEqual({ isHeld: false, holder: 'a', until: 1_100 });
    for (const [session, name] of [
      ['s', 'm'],
      ['t', 'l'],
    ] as const)
      expect((await sessions.lock(session, name, 'b', 100)).isHeld).toBe(true);
    now += 50;
    expect(await sessions.lock('s', 'l', 'a', 100)).toMatchObject({ isHeld: true, until: 1_150 });
    expect(await sessions.unlock('s', 'l', 'b')).toBe(false);
    now += 99;
    expect((await sessions.lock('s', 'l', 'b', 100)).isHeld).toBe(false);
    now += 1;
    expect(await sessions.unlock('s', 'l', 'a'), 'it ran out').toBe(false);
    expect((await sessions.lock('s', 'l', 'b', 100)).isHeld).toBe(true);
    expect(await sessions.unlock('s', 'l', 'b')).toBe(true);
    expect(await sessions.unlock('s', 'l', 'b')).toBe(false);
    await sessions.lock('t', 'l', 'b', 100);
    await sessions.lock('s', 'l', 'a', 100);
    expect(await sessions.unlockAll('b')).toBe(2);
    expect(await sessions.unlockAll('b')).toBe(0);
    expect((await sessions.lock('s', 'm', 'a', 1)).isHeld).toBe(true);
    expect((await sessions.lock('s', 'l', 'c', 1)).isHeld).toBe(false);
    await sessions.lock('s', 'left', 'c', HOUR);
    await sessions.unlockAll();
    expect(await sessions.lock('s', 'left', 'd', HOUR)).toMatchObject({ isHeld: true });
  });

  test('of twenty that compare and set at once, one wins each round', async () => {
    await using ledger = await makePlace().open(() => 1_000);
    const sessions = await open(ledger);
    const rounds = 15;
    for (let round = 0; round < rounds; round++) {
      const writers = Array.from({ length: 20 }, async (_, writer) => {
        const before = await sessions.read('s', '', 'n');
        await new Promise((resolve) => setImmediate(resolve));
        const value = ((before?.value as number | undefined) ?? 0) + 1;
        return sessions.commit('s', `w${writer}`, [
          set('n', value, { ifRevision: before?.revision ?? 0 }),
          set(`won ${round}`, writer, { ifRevision: 0 }),
        ]);
      });
      const results = await Promise.all(writers);
      expect(results.filter(({ kind }) => kind === 'committed')).toHaveLength(1);
      expect(results.find(({ kind }) => kind === 'conflict')).toMatchObject({
        key: 'n',
        revision: round + 1,
      });
    }
    expect(await sessions.read('s', '', 'n')).toMatchObject({ value: rounds, revision: rounds });
    expect(await sessions.size('s')).toMatchObject({ entries: rounds + 1 });
  });

  test('sessions that ended long ago go; those in use and those of runs that are there stay', async () => {
    let now = 1_000;
    await using ledger = await makePlace().open(() => now);
    const { sessions, runs } = ledger;
    for (const id of ['old', 'of a run', 'in use', 'recent']) {
      await open(ledger, id);
      await sessions.commit(id, 'me', [set('k', 1)]);
    }
    await runs.create(run('of a run'));
    await sessions.close('old');
    await sessions.close('of a run');
    now = 5_000;
    await sessions.close('recent');
    expect(await sessions.prune(5_000)).toBe(1);
    expect(await sessions.prune(5_000)).toBe(0);
    expect((await sessions.list(9)).map(({ id }) => id)).toEqual(['recent', 'in use', 'of a run']);
    expect(await sessions.entries('old')).toEqual([]);
    expect(await sessions.entries('of a run')).toHaveLength(1);
  });
}
