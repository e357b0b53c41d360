/** `scanOnce`: what `sluice run` takes in. */
import { execFileSync } from 'node:child_process';
import { closeSync, mkdirSync, openSync, symlinkSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { AppError } from '../../src/types/errors.ts';
import { scanOnce } from '../../src/watch/scan.ts';
import { put, rootConfig, tempDir } from './watch-rig.ts';

const never = new AbortController().signal;

async function scan(
  o: Partial<Parameters<typeof scanOnce>[0]> & { roots: ReturnType<typeof rootConfig>[] },
): Promise<string[]> {
  const found: string[] = [];
  for await (const batch of scanOnce({ excluded: [], signal: never, ...o })) {
    expect(batch.length).toBeLessThanOrEqual(256);
    for (const { root, path } of batch) found.push(`${root}:${path}`);
  }
  return found.sort();
}

test('everything that is no ignored file, of all roots, each once', async () => {
  using temp = tempDir();
  put(temp.path, {
    'in/a': '',
    'in/sub/b': '',
    'in/x.tmp': '',
    'in/sub/own/c': '',
    'in/processed/d': '',
    'in/.sluiceignore': 'no\n',
    'in/no': '',
  });
  execFileSync('mkfifo', [join(temp.path, 'in/fifo')]);
  symlinkSync('a', join(temp.path, 'in/link'));
  const roots = [rootConfig(join(temp.path, 'in')), rootConfig(join(temp.path, 'in/sub/own'))];
  expect(await scan({ roots, excluded: [join(temp.path, 'in/processed')] })).toEqual([
    'in:a',
    'in:sub/b',
    'own:c',
  ]);
});

test('only what is named, ignore rules above it included; nothing twice', async () => {
  using temp = tempDir();
  const dir = join(temp.path, 'in');
  put(dir, { '.sluiceignore': 'd/skip\n', 'd/a': '', 'd/skip': '', 'd/e/b': '', 'f/c': '', top: '' });
  const roots = [rootConfig(dir)];
  expect(
    await scan({ roots, paths: [join(dir, 'd'), join(dir, 'd/e'), join(dir, 'top'), join(dir, 'top')] }),
  ).toEqual(['in:d/a', 'in:d/e/b', 'in:top']);
  expect(await scan({ roots, paths: [join(dir, 'd/skip')] })).toEqual([]);
  expect(await scan({ roots, paths: [temp.path] })).toEqual(['in:d/a', 'in:d/e/b', 'in:f/c', 'in:top']);
});

test.each([
  ['missing', 'in/nothing', 'NOT_FOUND'],
  ['outside', 'else', 'USAGE'],
])('a path that is %s is an error', async (_, path, code) => {
  using temp = tempDir();
  put(temp.path, { 'in/a': '', 'else/b': '' });
  const error = await scan({
    roots: [rootConfig(join(temp.path, 'in'))],
    paths: [join(temp.path, path)],
  }).catch((e) => e as AppError);
  expect(error).toMatchObject({ name: 'AppError', code, fix: expect.any(String) });
});

test('a missing root is an error', async () => {
  await expect(scan({ roots: [rootConfig('/nowhere/at/all')] })).rejects.toMatchObject({
    code: 'ROOT_MISSING',
  });
});

test('waits for a file that somebody is writing, and ends at once when aborted', async () => {
  using temp = tempDir();
  put(temp.path, { 'in/a': '' });
  const fd = openSync(join(temp.path, 'in/slow'), 'w');
  writeSync(fd, 'half');
  const roots = [rootConfig(join(temp.path, 'in'))];
  const abort = new AbortController();
  const aborted: string[] = [];
  for await (const batch of scanOnce({ roots, excluded: [], signal: abort.signal })) {
    aborted.push(...batch.map(({ path }) => path));
    abort.abort();
  }
  expect(aborted).toEqual(['a']);
  const sizes = new Map<string, number>();
  for await (const batch of scanOnce({ roots, excluded: [], signal: never })) {
    for (const change of batch) if (change.type !== 'removed') sizes.set(change.path, change.stamp.size);
    if (!sizes.has('a') || sizes.has('slow')) continue;
    writeSync(fd, ' whole');
    closeSync(fd);
  }
  expect([...sizes]).toEqual([
    ['a', 0],
    ['slow', 10],
  ]);
});

test('many files come in batches', async () => {
  using temp = tempDir();
  mkdirSync(join(temp.path, 'in'));
  put(join(temp.path, 'in'), Object.fromEntries(Array.from({ length: 600 }, (_, i) => [`f${i}`, ''])));
  expect((await scan({ roots: [rootConfig(join(temp.path, 'in'))] })).length).toBe(600);
});
