/** What takes the place of something else: links, folders, whole roots, rules that come and go. `interleavings.long.ts` looks for more. */
import { mkdirSync, renameSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { openRig, put, type Rig } from './watch-rig.ts';

const told = (rig: Rig, path: string, type: 'added' | 'changed' | 'removed') => () =>
  rig.of(path).at(-1)?.type === type;

test.concurrent.each(['native', 'portable', 'poll'] as const)(
  '%s: what is behind a link in the place of a folder is no input',
  async (mode) => {
    await using rig = await openRig({
      root: { mode },
      before: (dir, base) => {
        put(dir, { 'd/f': 'in', 'd/e/g': 'in' });
        put(join(base, 'outside'), { f: 'out', secret: 'out', 'e/g': 'out', 'e/secret': 'out' });
      },
    });
    renameSync(join(rig.dir, 'd'), join(rig.base, 'gone'));
    symlinkSync(join(rig.base, 'outside'), join(rig.dir, 'd'));
    await rig.until('d/f to be gone', told(rig, 'd/f', 'removed'));
    await rig.until('d/e/g to be gone', told(rig, 'd/e/g', 'removed'));
    await rig.settled();
    expect(rig.seen.length).toBe(4);
  },
);

test.concurrent.each(['native', 'portable'] as const)(
  '%s: a root that is made anew at once is watched',
  async (mode) => {
    await using rig = await openRig({ root: { mode }, before: (dir) => put(dir, { a: '1' }) });
    makeAnew(rig);
    await rig.until('a to be gone', told(rig, 'a', 'removed'));
    put(rig.dir, { b: '2', 'd/c': '3' });
    await rig.until('b', told(rig, 'b', 'added'));
    await rig.until('d/c', told(rig, 'd/c', 'added'));
    writeFileSync(join(rig.dir, 'd/later'), '4');
    await rig.until('d/later', told(rig, 'd/later', 'added'));
  },
);

test.concurrent('a file that was handed over a moment ago goes away with its folder', async () => {
  await using rig = await openRig({ before: (dir) => put(dir, { 'd/e/other': '0' }) });
  put(rig.dir, { 'd/e/f': '1' });
  await rig.until('d/e/f', told(rig, 'd/e/f', 'added'));
  renameSync(join(rig.dir, 'd'), join(rig.base, 'gone'));
  await rig.until('d/e/f to be gone', told(rig, 'd/e/f', 'removed'));
});

test.concurrent('what goes while it is ignored is told when it is not ignored any more', async () => {
  await using rig = await openRig({ before: (dir) => put(dir, { 'd/f': '1', 'd/e/g': '2' }) });
  put(rig.dir, { '.sluiceignore': 'd/' });
  await rig.settled();
  rmSync(join(rig.dir, 'd/f'));
  rmSync(join(rig.dir, 'd/e'), { recursive: true });
  await rig.settled();
  rmSync(join(rig.dir, '.sluiceignore'));
  await rig.until('d/f to be gone', told(rig, 'd/f', 'removed'));
  await rig.until('d/e/g to be gone', told(rig, 'd/e/g', 'removed'));
});

test.concurrent.each(['native', 'portable'] as const)(
  '%s: rules that ignore themselves end with their file, and what was ignored is watched',
  async (mode) => {
    await using rig = await openRig({
      root: { mode },
      before: (dir) => put(dir, { '.sluiceignore': '*', a: '1', 'd/f': '2' }),
    });
    expect(rig.seen.length).toBe(0);
    rmSync(join(rig.dir, '.sluiceignore'));
    await rig.until('a', told(rig, 'a', 'added'));
    await rig.until('d/f', told(rig, 'd/f', 'added'));
    // The sweep that found them has entered their folders.
    await rig.settled();
    writeFileSync(join(rig.dir, 'd/later'), '3');
    await rig.until('d/later', told(rig, 'd/later', 'added'));
  },
);

test.concurrent('a removal is told although the ledger had not taken the file in when it was asked', async () => {
  await using rig = await openRig({ root: { mode: 'poll' }, records: false });
  put(rig.dir, { 'd/f': '1', 'e/g': '2', 'e/stays': '3' });
  await rig.until('all', () => ['d/f', 'e/g', 'e/stays'].every((path) => rig.of(path).length > 0));
  await rig.settled();
  rmSync(join(rig.dir, 'd'), { recursive: true });
  rmSync(join(rig.dir, 'e/g'));
  await rig.until('d/f to be gone', told(rig, 'd/f', 'removed'));
  await rig.until('e/g to be gone', told(rig, 'e/g', 'removed'));
  expect(rig.of('e/stays').length).toBe(1);
});

/** A folder in the place of the root, with the same number wherever the file system gives it out again. */
function makeAnew({ dir, base }: Rig): void {
  const { ino } = statSync(dir);
  rmSync(dir, { recursive: true });
  let other = join(base, 'other-0');
  for (let n = 1; n < 100; n++) {
    mkdirSync(other);
    if (statSync(other).ino === ino) break;
    other = join(base, `other-${n}`);
  }
  mkdirSync(other, { recursive: true });
  renameSync(other, dir);
}
