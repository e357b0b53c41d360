/** Every way in which programs write files, against every mode: what arrives, how often, with which content. */
import { execFile } from 'node:child_process';
import {
  appendFileSync,
  closeSync,
  ftruncateSync,
  linkSync,
  mkdirSync,
  openSync,
  renameSync,
  rmSync,
  utimesSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openRig, put, type Rig, rootConfig, type Seen } from './watch-rig.ts';

const run = promisify(execFile);
const shell = (script: string, dir: string, outside: string) =>
  run('sh', ['-ec', script], { cwd: dir, env: { ...process.env, OUT: outside } });

interface Writer {
  readonly name: string;
  /**
   * `outside` lies on the same disk, but is not watched.
   * @returns a number: how often it was stopped for so long that nobody can tell it from a writer that has ended.
   */
  readonly write: (dir: string, outside: string) => unknown;
  /** Path → content of its last change; undefined: its last change is a removal. */
  readonly gives: Readonly<Record<string, string | undefined>>;
  /** Changes of one path in native mode. Default 1. */
  readonly atMost?: number;
  readonly before?: Readonly<Record<string, string>>;
  /** Paths that may be told too, when somebody looks between two steps. */
  readonly passing?: readonly string[];
}

/** @returns whether it took longer than `mostMs`, as it does when the machine is busy. */
async function pause(ms: number, mostMs: number): Promise<boolean> {
  const began = performance.now();
  await delay(ms);
  return performance.now() - began > mostMs;
}

const tree =
  'for d in a a/b a/b/c a/b/c/d x; do mkdir -p $OUT/t/$d; for i in 1 2 3; do echo $d-$i > $OUT/t/$d/$i.txt; done; done';
const treeFiles = Object.fromEntries(
  ['a', 'a/b', 'a/b/c', 'a/b/c/d', 'x'].flatMap((d) =>
    [1, 2, 3].map((i) => [`t/${d}/${i}.txt`, `${d}-${i}\n`]),
  ),
);

const writers: readonly Writer[] = [
  { name: 'plain write', write: (dir) => put(dir, { 'a.txt': 'one' }), gives: { 'a.txt': 'one' } },
  { name: 'empty file', write: (dir) => put(dir, { 'a.txt': '' }), gives: { 'a.txt': '' } },
  {
    name: 'slow writer that keeps it open',
    async write(dir) {
      const fd = openSync(join(dir, 'slow.txt'), 'w');
      for (const gapMs of [50, 250, 700]) {
        writeSync(fd, 'part ');
        await delay(gapMs);
      }
      writeSync(fd, 'end');
      closeSync(fd);
    },
    gives: { 'slow.txt': 'part part part end' },
  },
  {
    name: 'atomic save',
    before: { 'doc.md': 'old' },
    write(dir) {
      writeFileSync(join(dir, 'doc.md.new'), 'new');
      renameSync(join(dir, 'doc.md.new'), join(dir, 'doc.md'));
    },
    // A busy machine can stop us between the two steps for longer than a rename is waited for.
    passing: ['doc.md.new'],
    gives: { 'doc.md': 'new' },
  },
  {
    name: 'move in, old mtime',
    write(dir, outside) {
      put(outside, { f: 'moved' });
      utimesSync(join(outside, 'f'), 1_000_000, 1_000_000);
      renameSync(join(outside, 'f'), join(dir, 'f'));
    },
    gives: { f: 'moved' },
  },
  {
    name: 'cp -p of an old file',
    write: (d, o) => shell('echo x > $OUT/o; touch -d 2001-01-01 $OUT/o; cp -p $OUT/o o', d, o),
    gives: { o: 'x\n' },
  },
  { name: 'cp -r of a deep tree', write: (d, o) => shell(`${tree}; cp -r $OUT/t .`, d, o), gives: treeFiles },
  {
    name: 'tar x',
    write: (d, o) => shell(`${tree}; tar cf $OUT/t.tar -C $OUT t; tar xf $OUT/t.tar`, d, o),
    gives: treeFiles,
  },
  { name: 'mv of a tree', write: (d, o) => shell(`${tree}; mv $OUT/t .`, d, o), gives: treeFiles },
  {
    name: 'mkdir -p and write at once',
    write: (d, o) => shell('mkdir -p p/q/r/s; echo deep > p/q/r/s/f', d, o),
    gives: { 'p/q/r/s/f': 'deep\n' },
  },
  {
    name: 'hard link',
    write(dir, outside) {
      put(outside, { f: 'linked' });
      linkSync(join(outside, 'f'), join(dir, 'f'));
    },
    gives: { f: 'linked' },
  },
  {
    name: 'rename over an old file',
    before: { a: 'old', b: 'new' },
    write: (dir) => renameSync(join(dir, 'b'), join(dir, 'a')),
    gives: { a: 'new', b: undefined },
  },
  {
    name: 'rename of a folder',
    before: { 'd/e/f': 'same', 'd/g': 'too' },
    write: (dir) => renameSync(join(dir, 'd'), join(dir, 'n')),
    gives: { 'n/e/f': 'same', 'n/g': 'too', 'd/e/f': undefined, 'd/g': undefined },
  },
  {
    name: 'reopen and append',
    async write(dir) {
      let stops = 0;
      for (let i = 0; i < 12; i++) {
        appendFileSync(join(dir, 'log'), `${i}\n`);
        if (await pause(60, 150)) stops++;
      }
      return stops;
    },
    gives: { log: Array.from({ length: 12 }, (_, i) => `${i}\n`).join('') },
    atMost: 2,
  },
  {
    name: 'truncate',
    before: { t: 'long content' },
    write(dir) {
      const fd = openSync(join(dir, 't'), 'r+');
      ftruncateSync(fd, 4);
      closeSync(fd);
    },
    gives: { t: 'long' },
  },
  {
    name: 'delete and create',
    before: { x: 'old' },
    async write(dir) {
      rmSync(join(dir, 'x'));
      const isLong = await pause(50, 300);
      writeFileSync(join(dir, 'x'), 'again');
      return Number(isLong);
    },
    gives: { x: 'again' },
  },
  {
    name: 'delete',
    before: { x: 'old', 'd/y': 'old' },
    write: (dir) => [rmSync(join(dir, 'x')), rmSync(join(dir, 'd'), { recursive: true })],
    gives: { x: undefined, 'd/y': undefined },
  },
  {
    name: 'a file becomes a folder',
    before: { x: 'file' },
    write(dir) {
      rmSync(join(dir, 'x'));
      mkdirSync(join(dir, 'x'));
      writeFileSync(join(dir, 'x/inner'), 'in');
    },
    gives: { x: undefined, 'x/inner': 'in' },
  },
  {
    name: 'a file becomes a folder that is filled later',
    before: { x: 'file' },
    async write(dir) {
      rmSync(join(dir, 'x'));
      mkdirSync(join(dir, 'x'));
      await delay(50);
      writeFileSync(join(dir, 'x/inner'), 'in');
    },
    gives: { x: undefined, 'x/inner': 'in' },
  },
  {
    name: 'a folder becomes a file',
    before: { 'x/inner': 'in' },
    write(dir) {
      rmSync(join(dir, 'x'), { recursive: true });
      writeFileSync(join(dir, 'x'), 'file');
    },
    gives: { x: 'file', 'x/inner': undefined },
  },
  {
    name: 'git checkout of a branch',
    write: (d, o) =>
      shell(
        `git init -q -b main . ; git config user.name t; git config user.email t@localhost; export GIT_DIR=.git
         mkdir src; for i in 1 2 3 4 5; do echo one$i > src/$i; done; git add -A; git commit -qm 1
         git checkout -q -b other; for i in 1 2 3; do echo two$i > src/$i; done; echo new > src/new; git add -A; git commit -qm 2
         git checkout -q main; git checkout -q other`,
        d,
        o,
      ),
    gives: {
      'src/1': 'two1\n',
      'src/2': 'two2\n',
      'src/3': 'two3\n',
      'src/4': 'one4\n',
      'src/5': 'one5\n',
      'src/new': 'new\n',
    },
    atMost: 4,
  },
  {
    name: 'touch of a new file',
    write: (d, o) => shell('touch -d 2001-01-01 old', d, o),
    gives: { old: '' },
  },
];

// One watcher for each mode, with a root for each writer: starting a watcher takes longer than most writers.
describe.each(['native', 'portable', 'poll'] as const)('%s', (mode) => {
  const nameOf = (writer: Writer) => `w${writers.indexOf(writer)}`;
  let rig: Rig;
  beforeAll(async () => {
    rig = await openRig({
      roots: (base) => writers.map((writer) => rootConfig(join(base, nameOf(writer)), { mode })),
      before: (_, base) => {
        for (const writer of writers) {
          mkdirSync(join(base, nameOf(writer)));
          mkdirSync(join(base, `${nameOf(writer)}-outside`));
          put(join(base, nameOf(writer)), writer.before ?? {});
        }
      },
    });
  });
  afterAll(() => rig[Symbol.asyncDispose]());

  test.concurrent.each(writers)('$name', async (writer) => {
    const root = nameOf(writer);
    const seen = () => rig.seen.filter((one) => one.root === root);
    const before = seen().length;
    expect(before).toBe(Object.keys(writer.before ?? {}).length);
    const changesSince = () => seen().slice(before);
    const stops = await writer.write(join(rig.base, root), join(rig.base, `${root}-outside`));
    const most = (writer.atMost ?? 1) + (typeof stops === 'number' ? stops : 0);
    for (const [path, content] of Object.entries(writer.gives)) {
      const what = `${path} (${content === undefined ? 'removed' : 'final content'}) in ${writer.name}`;
      await rig.until(what, () => isFinal(changesSince(), path, content));
    }
    await rig.settled(root);
    const paths = new Set(changesSince().map(({ path }) => path));
    for (const path of writer.passing ?? []) paths.delete(path);
    expect(paths).toEqual(new Set(Object.keys(writer.gives)));
    for (const [path, content] of Object.entries(writer.gives)) {
      const changes = changesSince().filter((one) => one.path === path);
      expect(changes.at(-1)?.content).toBe(content);
      if (mode === 'native') expect(changes.length, path).toBeLessThanOrEqual(most);
    }
  });
});

function isFinal(seen: readonly Seen[], path: string, content: string | undefined): boolean {
  const last = seen.findLast((one) => one.path === path);
  return (
    last !== undefined && last.content === content && (last.type === 'removed') === (content === undefined)
  );
}
