/** Bursts, a queue that overflows, watches that run out, a consumer that does not come: nothing is lost. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { startWatcher } from '../../src/watch/start.ts';
import { openRig, put, rootConfig, type Seen, tempDir } from './watch-rig.ts';

const child = fileURLToPath(new URL('./watch-child.ts', import.meta.url));

describe('bursts of 2,000 files by three ways', () => {
  const files = Array.from({ length: 700 }, (_, i) => `d${i % 20}/e${i % 4}/f${i}`);
  const ways: Readonly<Record<string, (dir: string, source: string) => unknown>> = {
    cp: (dir, source) => once(spawn('cp', ['-r', `${source}/.`, dir]), 'exit'),
    tar: (dir, source) => once(spawn('sh', ['-c', 'tar c -C "$0" . | tar x -C "$1"', source, dir]), 'exit'),
    'tmp and rename': (dir) => {
      for (const file of files) {
        writeFileSync(join(dir, `${file}.new`), 'x');
        renameSync(join(dir, `${file}.new`), join(dir, file));
      }
    },
  };
  test.each(['native', 'portable'] as const)('%s', async (mode) => {
    await using rig = await openRig({
      roots: (base) => Object.keys(ways).map((way) => rootConfig(join(base, way), { mode })),
      before: (_, base) => {
        for (const file of files) mkdirSync(join(base, 'tmp and rename', file, '..'), { recursive: true });
        for (const way of Object.keys(ways)) mkdirSync(join(base, way), { recursive: true });
        put(join(base, 'source'), Object.fromEntries(files.map((file) => [file, 'x'])));
      },
    });
    const questions = rig.questions.count;
    for (const [way, write] of Object.entries(ways)) {
      await write(join(rig.base, way), join(rig.base, 'source'));
      const arrived = new Set<string>();
      let read = 0;
      const allArrived = () => {
        for (; read < rig.seen.length; read++) {
          const { root, path } = rig.seen[read] as Seen;
          if (root === way) arrived.add(path);
        }
        return files.every((file) => arrived.has(file));
      };
      await rig.until(`700 files by ${way}`, allArrived);
    }
    if (mode === 'native') {
      await rig.settled();
      expect(rig.seen.filter(({ type, path }) => type === 'added' && !path.endsWith('.new')).length).toBe(
        2100,
      );
      expect(rig.questions.count).toBeGreaterThan(questions);
    }
  });
});

test('a queue that overflows while the process is stopped is answered by a sweep', async () => {
  using temp = tempDir();
  const dir = join(temp.path, 'in');
  mkdirSync(dir);
  const watcher = spawn(process.execPath, [child, dir], { stdio: ['pipe', 'pipe', 'inherit'] });
  try {
    const lines = createInterface({ input: watcher.stdout })[Symbol.asyncIterator]();
    expect((await lines.next()).value).toBe('watching');
    watcher.kill('SIGSTOP');
    // Two events a file; the kernel keeps 16,384.
    for (let i = 0; i < 9_000; i++) writeFileSync(join(dir, `f${i}`), '');
    watcher.kill('SIGCONT');
    const seen = new Set<string>();
    while (seen.size < 9_000) seen.add((await lines.next()).value ?? 'the end');
    expect(seen.size).toBe(9_000);
  } finally {
    watcher.stdin.end();
    await once(watcher, 'exit');
  }
});

test('without watches left the folders are swept, and the condition says what to do', async (context) => {
  using temp = tempDir();
  const dir = join(temp.path, 'in');
  for (let i = 0; i < 20; i++) mkdirSync(join(dir, `d${i}`), { recursive: true });
  // A user namespace of its own has a limit of its own.
  const script = 'echo 10 > /proc/sys/user/max_inotify_watches && exec "$0" "$@"';
  const watcher = spawn('unshare', ['-Ur', 'sh', '-c', script, process.execPath, child, dir], {
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  try {
    const lines = createInterface({ input: watcher.stdout })[Symbol.asyncIterator]();
    const first = await lines.next();
    if (first.done === true) return context.skip('user namespaces cannot be made here');
    expect(first.value).toMatch(
      /^WATCH_LIMIT in .*; 11 folders .* fix: Run `sudo sysctl fs\.inotify\.max_user_watches=/,
    );
    expect((await lines.next()).value).toBe('watching');
    for (let i = 0; i < 20; i++) put(dir, { [`d${i}/f`]: '' });
    put(dir, { 'd7/new/deep/f': '', 'd19/new/deep/f': '' });
    const seen = new Set<string>();
    while (seen.size < 22) {
      const { value = 'the end' } = await lines.next();
      expect(value).not.toBe('the end');
      if (!value.startsWith('WATCH_LIMIT')) seen.add(value);
    }
    expect(seen).toContain('d19/new/deep/f');
  } finally {
    watcher.stdin.end();
    watcher.kill();
    if (watcher.exitCode === null && watcher.signalCode === null) await once(watcher, 'exit');
  }
});

test('a consumer that does not come holds the worker back, and gets everything in the end', async () => {
  using temp = tempDir();
  const dir = join(temp.path, 'in');
  const stateDir = join(temp.path, 'state');
  mkdirSync(stateDir);
  put(dir, Object.fromEntries(Array.from({ length: 6_000 }, (_, i) => [`d${i % 30}/f${i}`, ''])));
  await using watcher = startWatcher({
    roots: [rootConfig(dir)],
    excluded: [],
    stateDir,
    ledgerId: 'x',
    known: async (_, folders) => folders.map(() => new Map()),
    conditions: { raise: () => undefined, clear: () => undefined },
  });
  await watcher.watching;
  const seen = new Set<string>();
  const stop = new AbortController();
  for await (const batch of watcher.changes(stop.signal)) {
    expect(batch.length).toBeLessThanOrEqual(256);
    for (const { path } of batch) seen.add(path);
    if (seen.size === 6_000) stop.abort();
  }
  expect(seen.size).toBe(6_000);
});

test('dispose leaves no thread, descriptor or timer, and may be called twice', async () => {
  using temp = tempDir();
  const dir = join(temp.path, 'in');
  mkdirSync(dir);
  const watcher = spawn(process.execPath, [child, dir], { stdio: ['pipe', 'pipe', 'inherit'] });
  const lines: string[] = [];
  createInterface({ input: watcher.stdout }).on('line', (line) => lines.push(line));
  await once(watcher.stdout, 'data');
  watcher.stdin.end('stop\n');
  const [code] = await once(watcher, 'exit');
  expect(code).toBe(0);
  expect(lines.at(-1)).toBe('left: {"descriptors":[],"resources":[]}');
});
