/** Promotion is all or nothing; undo gives back what nobody has changed since. */
import {
  chmodSync,
  chownSync,
  linkSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { fillUp } from '../badinput/fill-up.ts';
import { mountSmall } from '../badinput/rig.ts';
import { createRig, elsewhere, type Rig, temporary, treeOf } from './rig.ts';

const start = { changed: 'old', removed: 'old', same: 'same', 'folder/inner': 'old', link: '-> same' };

/** One change of every kind. */
function work({ copy }: Rig): void {
  writeFileSync(join(copy, 'changed'), 'new!');
  rmSync(join(copy, 'removed'));
  rmSync(join(copy, 'folder'), { recursive: true });
  mkdirSync(join(copy, 'a/b'), { recursive: true });
  writeFileSync(join(copy, 'a/b/added'), 'new');
  // A file where a folder was, a folder where a file was, a file where a link was.
  writeFileSync(join(copy, 'folder'), 'a file now');
  mkdirSync(join(copy, 'removed'));
  writeFileSync(join(copy, 'removed/x'), 'new');
  rmSync(join(copy, 'link'));
  writeFileSync(join(copy, 'link'), 'no link');
}

const promote = (rig: Rig) => rig.spaces.promote({ jobId: 'job', from: rig.copy });

test.each([
  ['beside the root', undefined],
  ['on another file system', 'stateDir'],
  ['of a root on another file system', 'root'],
])('state %s: promoted and undone', async (_where, what) => {
  const other = what && elsewhere();
  const rig = createRig(start, other ? { [what]: other } : {});
  const first = treeOf(rig.root);
  const { mtimeMs, uid } = statSync(join(rig.root, 'changed'));
  await rig.prepare();
  work(rig);
  const wanted = treeOf(rig.copy);
  const files = await promote(rig);
  expect(treeOf(rig.root)).toEqual(wanted);
  expect(files.find(({ path }) => path === 'changed')).toEqual({
    path: 'changed',
    change: 'changed',
    sha256: expect.stringMatching(/^[0-9a-f]{64}$/),
    bytes: 4,
  });
  // The older versions do not need the copy.
  await rig.spaces.discard(rig.copy);
  const { restored, kept } = await rig.spaces.undo('job');
  expect(kept).toEqual([]);
  expect([...restored].sort()).toEqual(files.map(({ path }) => path).sort());
  expect(treeOf(rig.root)).toEqual(first);
  const back = statSync(join(rig.root, 'changed'));
  expect(back.uid).toBe(uid);
  expect(Math.abs(back.mtimeMs - mtimeMs)).toBeLessThan(0.01);
  expect(rig.spaces.list()[0]).toMatchObject({ state: 'undone', undoneAt: 1_000 });
  expect(await rig.spaces.undo('job')).toEqual({ restored: [], kept: [] });
  expect(treeOf(rig.root)).toEqual(first);
});

test.each([
  ['a file that was edited', (root: string) => writeFileSync(join(root, 'changed'), 'mine')],
  ['a removed file that was edited', (root: string) => writeFileSync(join(root, 'removed'), 'mine')],
  ['a file that is gone', (root: string) => rmSync(join(root, 'changed'))],
  [
    'a file that came',
    (root: string) => (
      mkdirSync(join(root, 'a/b'), { recursive: true }), writeFileSync(join(root, 'a/b/added'), 'mine')
    ),
  ],
  ['a file in a folder that goes', (root: string) => writeFileSync(join(root, 'folder/mine'), 'mine')],
  [
    'a folder that became a link',
    (root: string) => (
      renameSync(join(root, 'folder'), join(root, 'f2')), symlinkSync('f2', join(root, 'folder'))
    ),
  ],
  ['a link on the way', (root: string) => symlinkSync('/tmp', join(root, 'a'))],
  ['a file on the way', (root: string) => writeFileSync(join(root, 'a'), 'mine')],
  [
    'a file that became a folder',
    (root: string) => (rmSync(join(root, 'changed')), mkdirSync(join(root, 'changed'))),
  ],
])('%s is a conflict, and nothing is changed', async (_what, edit) => {
  const rig = createRig(start);
  await rig.prepare();
  work(rig);
  edit(rig.root);
  const mine = treeOf(rig.root);
  await expect(promote(rig)).rejects.toMatchObject({ code: 'PROMOTION_CONFLICT' });
  expect(treeOf(rig.root)).toEqual(mine);
  expect(rig.spaces.list()).toEqual([]);
});

test('an edit at the last moment is a conflict too, and stays', async () => {
  const rig = createRig(start);
  await rig.prepare();
  work(rig);
  const edited = rig.spaces.promote({
    jobId: 'job',
    from: rig.copy,
    onPlaced: ({ path }) => void (path === 'changed' && writeFileSync(join(rig.root, 'changed'), 'mine')),
  });
  await expect(edited).rejects.toThrow('"changed"');
  expect(treeOf(rig.root)).toEqual({ ...start, 'folder/': '', changed: 'mine' });
});

test('what somebody edited elsewhere, and what was ignored, is no conflict', async () => {
  const rig = createRig(
    { ...start, 'folder/cache.tmp': 'c' },
    { options: { excludeOf: () => (path) => path.endsWith('.tmp') } },
  );
  await rig.prepare();
  rmSync(join(rig.copy, 'folder'), { recursive: true });
  writeFileSync(join(rig.root, 'same'), 'mine');
  await promote(rig);
  expect(treeOf(rig.root)).toMatchObject({ same: 'mine', 'folder/': '', 'folder/cache.tmp': 'c' });
  expect(treeOf(rig.root)['folder/inner']).toBeUndefined();
});

test('modes: those of the originals, those the agent set, and the configured one for new files', async (t) => {
  const rig = createRig({ a: '1', b: '1' });
  chmodSync(join(rig.root, 'a'), 0o640);
  await rig.prepare();
  for (const name of ['a', 'b', 'new', 'tool']) writeFileSync(join(rig.copy, name), '2');
  chmodSync(join(rig.copy, 'b'), 0o755);
  chmodSync(join(rig.copy, 'tool'), 0o700);
  const isRoot = process.getuid?.() === 0;
  if (isRoot) chownSync(join(rig.root, 'a'), 65534, 65534);
  await rig.spaces.promote({ jobId: 'job', from: rig.copy, fileMode: 0o644 });
  expect(treeOf(rig.root)).toEqual({ a: '2 (640)', b: '2 (755)', new: '2', tool: '2 (755)' });
  if (!isRoot) return t.skip('only root gives files away');
  expect(statSync(join(rig.root, 'a')).uid).toBe(65534);
});

test('an older version with a second name is kept as it was', async () => {
  const rig = createRig({ a: 'old', keep: '' });
  linkSync(join(rig.root, 'a'), join(rig.dir, 'elsewhere'));
  await rig.prepare();
  writeFileSync(join(rig.copy, 'a'), 'new');
  await promote(rig);
  writeFileSync(join(rig.dir, 'elsewhere'), 'later');
  await rig.spaces.undo('job');
  expect(readFileSync(join(rig.root, 'a'), 'utf8')).toBe('old');
});

test('undo leaves alone what changed since, unless it is told to', async () => {
  const rig = createRig(start);
  const first = treeOf(rig.root);
  await rig.prepare();
  work(rig);
  await promote(rig);
  writeFileSync(join(rig.root, 'changed'), 'mine');
  writeFileSync(join(rig.root, 'a/b/added'), 'mine');
  writeFileSync(join(rig.root, 'a/own'), 'mine');
  expect((await rig.spaces.undo('job')).kept).toEqual([
    { path: 'a/b/added', why: 'changed' },
    { path: 'changed', why: 'changed' },
  ]);
  const { link: _link, ...rest } = first;
  expect(treeOf(rig.root)).toMatchObject({ ...rest, changed: 'mine', 'a/b/added': 'mine' });

  writeFileSync(join(rig.root, 'same'), 'mine');
  const told: string[] = [];
  const { restored, kept } = await rig.spaces.undo('job', {
    force: true,
    onPlaced: ({ path }) => void told.push(path),
  });
  expect([kept, [...restored].sort(), told]).toEqual([[], ['a/b/added', 'changed'], ['changed']]);
  expect(treeOf(rig.root)).toEqual({ ...first, same: 'mine', 'a/': '', 'a/own': 'mine' });
  // Even what was overwritten on demand is not lost.
  const state = treeOf(join(rig.stateDir, 'undo'));
  expect(Object.values(state).filter((text) => text === 'mine')).toHaveLength(2);
});

test('undo brings folders back that somebody removed, and goes around what stands in the way', async () => {
  const rig = createRig({ 'a/removed': '1', 'b/removed': '1', 'c/changed': '1' });
  await rig.prepare();
  rmSync(join(rig.copy, 'a/removed'));
  rmSync(join(rig.copy, 'b/removed'));
  writeFileSync(join(rig.copy, 'c/changed'), '2');
  await promote(rig);
  for (const name of ['a', 'b', 'c']) rmSync(join(rig.root, name), { recursive: true });
  symlinkSync('/tmp', join(rig.root, 'b'));
  expect(await rig.spaces.undo('job')).toEqual({
    restored: ['a/removed'],
    kept: [
      { path: 'b/removed', why: 'in_the_way' },
      { path: 'c/changed', why: 'changed' },
    ],
  });
  expect(treeOf(rig.root)).toEqual({ 'a/': '', 'a/removed': '1', b: '-> /tmp' });
});

test('two promotions of a job are undone together; what is forgotten cannot be undone', async () => {
  const rig = createRig({ a: '1', b: '1' });
  for (const n of [1, 2]) {
    await rig.prepare({ attempt: n });
    writeFileSync(join(rig.copy, 'a'), `attempt ${n}`);
    await promote(rig);
  }
  expect(await rig.spaces.size()).toBeGreaterThan(1);
  await rig.spaces.undo('job');
  expect(treeOf(rig.root)).toEqual({ a: '1', b: '1' });
  rig.spaces.forget(['job', 'unknown']);
  expect(rig.spaces.list()).toEqual([]);
  await expect(rig.spaces.undo('job')).rejects.toMatchObject({ code: 'NOT_FOUND' });
  await expect(rig.spaces.undo('../..')).rejects.toMatchObject({ code: 'NOT_FOUND' });
});

test('of two agents that change one file, one wins', async () => {
  const rig = createRig({ a: '1', b: '1' });
  const copies = ['x', 'y'].map((name) => join(rig.stateDir, 'work', name));
  for (const into of copies) {
    await rig.spaces.prepare({
      jobId: into.slice(-1),
      attempt: 1,
      root: { name: 'inbox', dir: rig.root },
      inputs: [],
      into,
    });
    for (const name of ['a', 'b']) writeFileSync(join(into, name), into.slice(-1));
  }
  const ends = await Promise.allSettled(
    copies.map((from) => rig.spaces.promote({ jobId: from.slice(-1), from })),
  );
  expect(ends.map(({ status }) => status)).toEqual(['fulfilled', 'rejected']);
  expect(treeOf(rig.root)).toEqual({ a: 'x', b: 'x' });
});

test('asked again after somebody has edited what it put in place, it does nothing', async () => {
  const rig = createRig({ a: '1', b: '1' });
  await rig.prepare();
  writeFileSync(join(rig.copy, 'a'), '2');
  const files = await promote(rig);
  writeFileSync(join(rig.root, 'a'), 'mine');
  expect(await promote(rig)).toEqual(files);
  expect(treeOf(rig.root)).toEqual({ a: 'mine', b: '1' });
});

test('a copy that somebody removed is forgotten', async () => {
  const rig = createRig({ a: '1' });
  await rig.prepare();
  rig.spaces.forget([]);
  expect(await rig.spaces.size()).toBeGreaterThan(0);
  rmSync(rig.copy, { recursive: true });
  rig.spaces.forget([]);
  expect(await rig.spaces.size()).toBe(0);
});

test('without space nothing is changed', async (t) => {
  const disk = temporary();
  const refused = mountSmall(disk, '1m');
  if (refused) return t.skip(refused.reason);
  const rig = createRig(start, { root: disk });
  const first = treeOf(rig.root);
  await rig.prepare();
  work(rig);
  writeFileSync(join(rig.copy, 'large'), 'x'.repeat(600_000));
  fillUp(join(disk, '.ballast.tmp'));
  await expect(promote(rig)).rejects.toMatchObject({ code: 'DISK_FULL' });
  rmSync(join(disk, '.ballast.tmp'));
  expect(treeOf(rig.root)).toEqual(first);
  expect(rig.spaces.list()).toEqual([]);
  await promote(rig);
  expect(treeOf(rig.root)).toEqual(treeOf(rig.copy));
});
