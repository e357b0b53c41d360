/** kill -9 before every single step of a promotion and of an undo: then, after `recover`, all is old or all is new. */
import { type ExecFileException, execFile } from 'node:child_process';
import { mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { Condition } from '../../src/types/condition.ts';
import { beforeEveryCall } from './calls.ts';
import { createRig, elsewhere, type Rig, temporary, treeOf } from './rig.ts';

const start = { changed: 'old', removed: 'old', 'folder/inner': 'old', link: '-> same', same: 'same' };

function work({ copy }: Rig): void {
  writeFileSync(join(copy, 'changed'), 'new');
  rmSync(join(copy, 'folder'), { recursive: true });
  rmSync(join(copy, 'removed'));
  mkdirSync(join(copy, 'removed'));
  writeFileSync(join(copy, 'removed/x'), 'new');
  rmSync(join(copy, 'link'));
  writeFileSync(join(copy, 'link'), 'new');
}

/** Does its work on the rig up to the n-th call. @returns the number of calls when it got to the end. */
type Runner = (rig: Rig, n: number) => Promise<number | undefined>;

/** From the n-th call on no call reaches the file system: what a kill leaves, at a hundredth of its cost. */
function cutShort(work: (rig: Rig) => Promise<unknown>): Runner {
  return async (rig, n) => {
    let calls = 0;
    const dead = new Error('dead');
    const restore = beforeEveryCall(() => {
      if (calls++ >= n) throw dead;
    });
    try {
      await work(rig);
      return calls;
    } catch (error) {
      if (calls <= n) throw error;
      return undefined;
    } finally {
      restore();
    }
  };
}

const promotion = cutShort((rig) => rig.spaces.promote({ jobId: 'job', from: rig.copy }));
const undo = cutShort((rig) => rig.spaces.undo('job'));

const killed: Runner = ({ stateDir }, n) =>
  new Promise((resolve, reject) => {
    const child = join(import.meta.dirname, 'crash-child.ts');
    execFile(process.execPath, [child, stateDir, String(n)], (error: ExecFileException | null, stdout) => {
      if (error && error.signal !== 'SIGKILL') reject(error);
      else resolve(error ? undefined : Number(stdout));
    });
  });

const states = (rig: Rig): string[] => rig.spaces.list().map(({ state }) => state);

/** Cut short at every step; `judge` is told how the tree looks after the recovery. */
async function everyStep(
  run: Runner,
  judge: (rig: Rig, old: object, wanted: object, n: number) => Promise<'old' | 'new'>,
  o: { place?: 'root' | 'stateDir' | undefined; every?: number; isPromoted?: boolean } = {},
): Promise<Record<'old' | 'new', number>> {
  const seen = { old: 0, new: 0 };
  for (let n = 0; ; n += o.every ?? 1) {
    const dir = elsewhere() ?? temporary();
    const rig = createRig(start, { dir, ...(o.place && { [o.place]: temporary() }) });
    const old = treeOf(rig.root);
    await rig.prepare();
    work(rig);
    const wanted = treeOf(rig.copy);
    if (o.isPromoted) await rig.spaces.promote({ jobId: 'job', from: rig.copy });
    const calls = await run(rig, n);
    await rig.spaces.recover();
    seen[await judge(rig, old, wanted, n)]++;
    if (calls !== undefined) return seen;
  }
}

async function judgePromotion(rig: Rig, old: object, wanted: object, n: number): Promise<'old' | 'new'> {
  const isNew = states(rig).length > 0;
  expect([n, treeOf(rig.root)]).toEqual([n, isNew ? wanted : old]);
  // The job asks again: the same result, once.
  await rig.spaces.promote({ jobId: 'job', from: rig.copy });
  expect(treeOf(rig.root)).toEqual(wanted);
  expect(states(rig)).toEqual(['promoted']);
  expect((await rig.spaces.undo('job')).kept).toEqual([]);
  expect(treeOf(rig.root)).toEqual(old);
  return isNew ? 'new' : 'old';
}

test.each([
  ['on one file system', undefined],
  ['with the root on another one', 'root'],
] as const)('a promotion, %s', async (_where, place) => {
  const seen = await everyStep(promotion, judgePromotion, { place });
  expect(seen.old).toBeGreaterThan(5);
  expect(seen.new).toBeGreaterThan(5);
});

test('a promotion by a process that is killed', async () => {
  const seen = await everyStep(killed, judgePromotion, { every: 11 });
  expect(Math.min(seen.old, seen.new)).toBeGreaterThan(1);
});

test('an undo', async () => {
  const judge = async (rig: Rig, old: object, wanted: object, n: number): Promise<'old' | 'new'> => {
    const isOld = states(rig)[0] === 'undone';
    expect([n, treeOf(rig.root)]).toEqual([n, isOld ? old : wanted]);
    await rig.spaces.undo('job');
    expect(treeOf(rig.root)).toEqual(old);
    return isOld ? 'old' : 'new';
  };
  const seen = await everyStep(undo, judge, { isPromoted: true });
  expect(seen.old).toBeGreaterThan(5);
});

test('a crash, then an edit by somebody: the edit stays, and the rest is as it was', async () => {
  for (let n = 0; ; n++) {
    const rig = createRig({ a: 'old', b: 'old', c: 'old' }, { dir: elsewhere() ?? temporary() });
    await rig.prepare();
    for (const name of ['a', 'b']) writeFileSync(join(rig.copy, name), 'new');
    rmSync(join(rig.copy, 'c'));
    const calls = await promotion(rig, n);
    const { b } = treeOf(rig.root);
    writeFileSync(join(rig.root, 'b'), 'mine');
    await rig.spaces.recover();
    const { a, b: after, c } = treeOf(rig.root);
    expect(after).toBe('mine');
    // Where all was in place, only the record was missing: that edit came after the promotion, or looks like it.
    expect([n, b, `${a}${c ?? ''}`]).toEqual([n, b, expect.stringMatching(/^(oldold|new)$/)]);
    if (a === 'new') expect(b).toBe('new');
    if (calls !== undefined) break;
  }
});

test('a root that is away at the start is waited for, and then put right', async () => {
  // Late enough to be in the middle of it.
  const cut = async (n: number): Promise<Rig> => {
    const rig = createRig(start, { dir: elsewhere() ?? temporary() });
    await rig.prepare();
    work(rig);
    await promotion(rig, n);
    return states(rig)[0] === 'placing' ? rig : cut(n - 4);
  };
  const rig = await cut(60);
  const wanted = treeOf(rig.copy);
  expect(states(rig)).toEqual(['placing']);
  renameSync(rig.root, `${rig.root}-away`);
  mkdirSync(rig.root);
  const found: Omit<Condition, 'since'>[] = [];
  const conditions = {
    raise: (condition: Omit<Condition, 'since'>) => void found.push(condition),
    clear: (code: string, subject?: string) => void (code && subject === 'job' && found.pop()),
  };
  const { spaces } = createRig({}, { dir: rig.dir, options: { conditions } });
  await spaces.recover();
  expect(found).toMatchObject([{ code: 'PROMOTION_CONFLICT', subject: 'job' }]);
  expect(treeOf(rig.root)).toEqual({});
  rmSync(rig.root, { recursive: true });
  renameSync(`${rig.root}-away`, rig.root);
  await spaces.recover();
  expect(found).toEqual([]);
  expect(treeOf(rig.root)).toEqual(wanted);
});

test('a full disk at any one step: all is old and the error says so, or all is new', async () => {
  const seen = { old: 0, new: 0 };
  for (let n = 0, isOver = false; !isOver; n++) {
    const rig = createRig(start, { dir: elsewhere() ?? temporary() });
    const old = treeOf(rig.root);
    await rig.prepare();
    work(rig);
    let calls = 0;
    const restore = beforeEveryCall(() => {
      if (calls++ === n)
        throw Object.assign(new Error('ENOSPC: no space left on device'), { code: 'ENOSPC' });
    });
    const error = await rig.spaces.promote({ jobId: 'job', from: rig.copy }).then(
      () => undefined,
      (fault: unknown) => fault,
    );
    restore();
    isOver = calls <= n;
    if (error) expect(error).toMatchObject({ code: 'DISK_FULL' });
    expect([n, treeOf(rig.root)]).toEqual([n, error ? old : treeOf(rig.copy)]);
    expect([n, states(rig)]).toEqual([n, error ? [] : ['promoted']]);
    seen[error ? 'old' : 'new']++;
  }
  expect(seen.old).toBeGreaterThan(20);
});
