import { execFileSync } from 'node:child_process';
import { linkSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { collectOutputs } from '../../src/aggregator/outputs.ts';
import { AppError } from '../../src/types/errors.ts';
import { memory, sha256 } from './rig.ts';

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(memory, 'sluice-outputs-'));
});
afterEach(() => rmSync(dir, { recursive: true }));

test('regular files are listed by path with size and checksum', async () => {
  mkdirSync(join(dir, 'b/c'), { recursive: true });
  const big = 'x'.repeat(700_000);
  for (const [path, text] of [
    ['b/c/z', 'z'],
    ['a', big],
    ['B', ''],
    ['b.txt', 'b'],
    ['line\nbreak', 'l'],
  ] as const)
    writeFileSync(join(dir, path), text);
  expect(await collectOutputs(dir)).toEqual([
    { path: 'B', sha256: sha256(''), bytes: 0 },
    { path: 'a', sha256: sha256(big), bytes: 700_000 },
    { path: 'b.txt', sha256: sha256('b'), bytes: 1 },
    { path: 'b/c/z', sha256: sha256('z'), bytes: 1 },
    { path: 'line\nbreak', sha256: sha256('l'), bytes: 1 },
  ]);
});

test('no folder, no outputs', async () => {
  expect(await collectOutputs(join(dir, 'missing'))).toEqual([]);
  expect(await collectOutputs(dir)).toEqual([]);
});

test.each([
  ['a link', (to: string) => symlinkSync(dir, to)],
  ['a file', (to: string) => writeFileSync(to, 'x')],
])(
  '%s in place of the folder is no folder: nothing is listed, nothing behind it is touched',
  async (_, put) => {
    writeFileSync(join(dir, 'secret'), 's');
    const place = `${dir}-link`;
    put(place);
    try {
      const cleaned: string[] = [];
      expect(await collectOutputs(place, undefined, async (file) => void cleaned.push(file))).toEqual([]);
      expect(cleaned).toEqual([]);
    } finally {
      rmSync(place);
    }
  },
);

test('what no path leads to is told', async () => {
  // Folder by folder: no call takes the whole path.
  const deep =
    'cd "$0"; for n in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17; do mkdir $1; cd -P $1; done; : > $1';
  execFileSync('bash', ['-c', deep, dir, 'd'.repeat(250)]);
  await expect(collectOutputs(dir)).rejects.toMatchObject({
    code: 'OUTPUT_LIMIT',
    message: expect.stringMatching(/^.{1,300}too long$/),
  });
});

test('names that are no text are kept byte for byte', async () => {
  writeFileSync(Buffer.concat([Buffer.from(`${dir}/`), Buffer.from([0x66, 0xff])]), 'x');
  expect((await collectOutputs(dir)).map(({ path }) => path)).toEqual(['f\uefff']);
});

test('links, pipes and sockets are neither listed nor opened', async () => {
  const outside = mkdtempSync(join(memory, 'sluice-outside-'));
  const server = createServer().listen(join(dir, 'socket'));
  try {
    writeFileSync(join(outside, 'secret'), 's');
    symlinkSync(join(outside, 'secret'), join(dir, 'link'));
    symlinkSync(outside, join(dir, 'folder'));
    symlinkSync('loop', join(dir, 'loop'));
    execFileSync('mkfifo', [join(dir, 'pipe')]);
    writeFileSync(join(dir, 'own'), 'o');
    linkSync(join(dir, 'own'), join(dir, 'second name'));
    expect((await collectOutputs(dir)).map(({ path }) => path)).toEqual(['own', 'second name']);
  } finally {
    await new Promise((resolve) => server.close(resolve));
    rmSync(outside, { recursive: true });
  }
});

test('more files or bytes than the bounds allow are refused, a sparse giant without being read', async () => {
  for (const name of ['a', 'b', 'c']) writeFileSync(join(dir, name), 'xyz');
  expect(await collectOutputs(dir, { maxFiles: 3, maxBytes: 9 })).toHaveLength(3);
  for (const bounds of [
    { maxFiles: 2, maxBytes: 9 },
    { maxFiles: 3, maxBytes: 8 },
  ]) {
    const error = await collectOutputs(dir, bounds).catch((error) => error);
    expect(error).toBeInstanceOf(AppError);
    expect(error.code).toBe('OUTPUT_LIMIT');
  }
  writeFileSync(join(dir, 'sparse'), '');
  truncateSync(join(dir, 'sparse'), 200 * 1024 ** 3);
  await expect(collectOutputs(dir)).rejects.toMatchObject({ code: 'OUTPUT_LIMIT' });
});
