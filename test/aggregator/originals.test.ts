import {
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { formatStamp } from '../../src/types/change.ts';
import type { JobRecord } from '../../src/types/job.ts';
import { fsPath } from '../../src/types/path-bytes.ts';
import { createRig, memory, type Rig, sha256, treeOf } from './rig.ts';

const drop = (rig: Rig, path: string, text: string): string => {
  const file = join(rig.dir, 'inbox', path);
  mkdirSync(fsPath(dirname(file)), { recursive: true });
  writeFileSync(fsPath(file), text);
  return file;
};

const jobFor = async (rig: Rig, path: string, file: string): Promise<JobRecord> => {
  const { ino, size, mtimeNs } = lstatSync(fsPath(file), { bigint: true });
  const { job } = await rig.endJob(path, { result: 'r' });
  return { ...job, input: { ...job.input, stamp: formatStamp({ ino, size: Number(size), mtimeNs }) } };
};

test('an original moves to the archive, and never over another one', async () => {
  await using rig = createRig({ preserveOriginal: false });
  await using aggregator = rig.start();
  const places = [];
  for (const [path, text] of [
    ['a/b.txt', '1'],
    ['a/b.txt', '2'],
    ['a', '3'],
    ['.rc', '4'],
    ['.rc', '5'],
  ] as const) {
    rmSync(join(rig.dir, 'inbox'), { recursive: true, force: true });
    const file = drop(rig, path, text);
    places.push(await aggregator.archiveOriginal(await jobFor(rig, path, file), file));
    expect(treeOf(join(rig.dir, 'inbox'))).toEqual({});
  }
  expect(treeOf(join(rig.output, 'archive'))).toEqual({
    'inbox/a/b.txt': '1',
    'inbox/a/b.2.txt': '2',
    'inbox/a.2': '3',
    'inbox/.rc': '4',
    'inbox/.rc.2': '5',
  });
  expect(places[1]).toBe(join(rig.output, 'archive/inbox/a/b.2.txt'));
});

test('a folder whose name a file has in the archive gets one number for all that comes into it', async () => {
  await using rig = createRig({ preserveOriginal: false });
  await using aggregator = rig.start();
  for (const path of ['x', 'x/a', 'x/b']) {
    if (path === 'x/a') rmSync(join(rig.dir, 'inbox/x'), { force: true });
    const file = drop(rig, path, path);
    await aggregator.archiveOriginal(await jobFor(rig, path, file), file);
  }
  expect(treeOf(join(rig.output, 'archive'))).toEqual({
    'inbox/x': 'x',
    'inbox/x.2/a': 'x/a',
    'inbox/x.2/b': 'x/b',
  });
});

test('a file that is not the version that was processed stays', async () => {
  await using rig = createRig({ preserveOriginal: false });
  await using aggregator = rig.start();
  const file = drop(rig, 'a', 'old');
  const job = await jobFor(rig, 'a', file);
  writeFileSync(file, 'newer');
  expect(await aggregator.archiveOriginal(job, file)).toBeUndefined();
  expect(readFileSync(file, 'utf8')).toBe('newer');
  rmSync(file);
  expect(await aggregator.archiveOriginal(job, file)).toBeUndefined();
  symlinkSync('/etc/passwd', file);
  expect(await aggregator.archiveOriginal(job, file)).toBeUndefined();
});

test.skipIf(statSync(memory).dev === statSync(tmpdir()).dev)(
  'across file systems it is copied, compared and only then removed (skipped where there is no second one)',
  async () => {
    const output = realpathSync(mkdtempSync(join(tmpdir(), 'sluice-archive-')));
    try {
      await using rig = createRig({ preserveOriginal: false, dir: output });
      await using aggregator = rig.start();
      const text = 'x'.repeat(300_000);
      const places: string[] = [];
      for (const path of ['a', 'bytes \uefff']) {
        const file = drop(rig, path, text);
        const { mtimeMs } = statSync(fsPath(file));
        const to = await aggregator.archiveOriginal(await jobFor(rig, path, file), file);
        places.push(to ?? 'it was not archived');
        expect(Math.abs(statSync(to ?? '').mtimeMs - mtimeMs)).toBeLessThan(2);
      }
      expect(treeOf(join(rig.dir, 'inbox'))).toEqual({});
      for (const to of places) expect(sha256(readFileSync(to))).toBe(sha256(text));
      expect(readdirSync(join(output, 'archive/inbox')).sort()).toEqual(['a', 'bytes \uefff']);
    } finally {
      rmSync(output, { recursive: true });
    }
  },
);

test.each([true, false])('quarantine, preserve_original: %s', async (preserveOriginal) => {
  await using rig = createRig({ preserveOriginal });
  await using aggregator = rig.start();
  const file = drop(rig, 'd/bad.exe', 'bad');
  await aggregator.quarantine('inbox', 'd/bad.exe', file);
  // Asked again, as after a crash; then another version.
  await aggregator.quarantine('inbox', 'd/bad.exe', file);
  const other = drop(rig, 'd/bad.exe', 'worse');
  await aggregator.quarantine('inbox', 'd/bad.exe', other);
  expect(treeOf(join(rig.output, 'quarantine'))).toEqual({
    'inbox/d/bad.exe': 'bad',
    'inbox/d/bad.2.exe': 'worse',
  });
  expect(treeOf(join(rig.dir, 'inbox'))).toEqual(preserveOriginal ? { 'd/bad.exe': 'worse' } : {});
});

test('a planted link in the archive is not followed', async () => {
  await using rig = createRig({ preserveOriginal: false });
  await using aggregator = rig.start();
  const outside = join(rig.dir, 'outside');
  mkdirSync(outside);
  mkdirSync(join(rig.output, 'archive/inbox'), { recursive: true });
  symlinkSync(outside, join(rig.output, 'archive/inbox/d'));
  const file = drop(rig, 'd/a', '1');
  await aggregator.archiveOriginal(await jobFor(rig, 'd/a', file), file);
  expect(treeOf(outside)).toEqual({});
  expect(treeOf(join(rig.output, 'archive'))).toEqual({ 'inbox/d.2/a': '1' });
});
