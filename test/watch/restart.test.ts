/** What survives a restart, and what a start finds that happened while nothing ran. */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { openRig, put } from './watch-rig.ts';

const before = (dir: string) => put(dir, { a: '1', 'd/b': '2', 'd/e/c': '3', 'gone/x': '4' });

test.concurrent('unchanged files give no change and no question', async () => {
  await using rig = await openRig({ before });
  expect(rig.seen.length).toBe(4);
  await rig.watcher.sweep();
  await rig.stop();
  const { count } = rig.questions;
  const atimes = () =>
    execFileSync('find', [rig.dir, '-type', 'f', '-printf', '%p %A@\n'], { encoding: 'utf8' });
  const untouched = atimes();
  await rig.restart();
  await rig.watcher.swept;
  expect(rig.seen.length).toBe(4);
  expect(rig.questions.count).toBe(count);
  expect(atimes()).toBe(untouched);
});

test.concurrent('what changed, came and went meanwhile is found', async () => {
  await using rig = await openRig({ before });
  await rig.watcher.sweep();
  await rig.stop();
  put(rig.dir, { a: 'changed', 'd/new': 'n' });
  rmSync(join(rig.dir, 'd/b'));
  rmSync(join(rig.dir, 'gone'), { recursive: true });
  const seen = rig.seen.length;
  await rig.restart();
  await rig.settled();
  await rig.until(
    'removals',
    () => rig.of('gone/x').at(-1)?.type === 'removed' && rig.of('d/b').at(-1)?.type === 'removed',
  );
  expect(
    rig.seen
      .slice(seen)
      .map(({ type, path }) => `${type} ${path}`)
      .sort(),
  ).toEqual(['added d/new', 'changed a', 'removed d/b', 'removed gone/x']);
});

test.concurrent('a removal right after an event is found although no sweep was between', async () => {
  await using rig = await openRig();
  put(rig.dir, { 'fresh/f': '' });
  await rig.until('f', () => rig.of('fresh/f').length === 1);
  await rig.stop();
  rmSync(join(rig.dir, 'fresh'), { recursive: true });
  await rig.restart();
  await rig.until('the removal', () => rig.of('fresh/f').at(-1)?.type === 'removed');
});

test.concurrent('what was handed over but never recorded comes again', async () => {
  await using rig = await openRig({ before, records: false });
  await rig.restart();
  await rig.watcher.swept;
  await rig.until('all again', () => rig.seen.length === 8);
});

test.concurrent('a damaged accelerator is thrown away', async () => {
  await using rig = await openRig({ before });
  await rig.watcher.sweep();
  await rig.stop();
  for (const suffix of ['-wal', '-shm']) rmSync(join(rig.stateDir, `folders.db${suffix}`), { force: true });
  writeFileSync(join(rig.stateDir, 'folders.db'), 'not a database '.repeat(1000));
  await rig.restart();
  await rig.watcher.swept;
  expect(rig.seen.length).toBe(4);
});

test.concurrent('a start that died in native code is followed by a portable one, and that by a native one', async () => {
  await using rig = await openRig({ root: { mode: 'auto' } });
  expect(rig.watcher.status()[0]?.mode).toBe('native');
  await rig.stop();
  const marker = join(rig.stateDir, 'native-watch.starting');
  expect(existsSync(marker)).toBe(false);
  writeFileSync(marker, '1');
  await rig.restart();
  await rig.watcher.swept;
  expect(rig.watcher.status()[0]?.mode).toBe('portable');
  expect(rig.conditions.has('NATIVE_WATCH_CRASHED ')).toBe(true);
  put(rig.dir, { f: '' });
  await rig.until('f', () => rig.of('f').length === 1);
  await rig.restart();
  await rig.watcher.swept;
  expect(rig.watcher.status()[0]?.mode).toBe('native');
});

test.concurrent('a path of many folders is watched to its end', async () => {
  await using rig = await openRig();
  const deep = Array.from({ length: 60 }, (_, i) => `level-${i}`).join('/');
  mkdirSync(join(rig.dir, deep), { recursive: true });
  writeFileSync(join(rig.dir, deep, 'f'), 'x');
  await rig.until('f', () => rig.of(`${deep}/f`).length === 1);
});

test.concurrent('what came by events is confirmed by the sweeps between, so that a restart asks nothing', async () => {
  await using rig = await openRig({ root: { sweepMs: 300 } });
  const asked = rig.questions.count;
  put(rig.dir, { 'a/b/c': '1', d: '2' });
  await rig.until('both', () => rig.seen.length === 2);
  await rig.until('the sweep to ask', () => rig.questions.count >= asked + 2);
  // The answer to the last question is written down before the next sweep ends.
  await rig.watcher.sweep();
  await rig.stop();
  const { count } = rig.questions;
  await rig.restart();
  await rig.watcher.swept;
  expect(rig.questions.count).toBe(count);
  expect(rig.seen.length).toBe(2);
});

test.concurrent('portable: a folder in the place of a file is watched like any other', async () => {
  await using rig = await openRig({
    root: { mode: 'portable' },
    before: (dir) => put(dir, { x: 'file', other: 'file' }),
  });
  rmSync(join(rig.dir, 'x'));
  mkdirSync(join(rig.dir, 'x'));
  await rig.until('x to be gone', () => rig.of('x').at(-1)?.type === 'removed');
  // From here on the sweep after a burst has ended: only a watch tells of what comes into the folder.
  writeFileSync(join(rig.dir, 'x/inner'), 'in');
  await rig.until('x/inner', () => rig.of('x/inner').length === 1);
});
