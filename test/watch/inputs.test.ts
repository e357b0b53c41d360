/** What is an input and what is not: names, special files, ignore rules, markers, nested and excluded folders, rights. */
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  closeSync,
  mkdirSync,
  openSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { fsPath, pathFromBytes } from '../../src/types/path-bytes.ts';
import { openRig, put, rootConfig } from './watch-rig.ts';

const strangeNames = [
  'with space',
  `quote'"\``,
  'new\nline',
  '$(touch x)',
  '-rf',
  '\u202egpj.exe',
  'caf\u00e9',
  'cafe\u0301',
  'x'.repeat(255),
  '...',
  'back\\slash',
  '*?[a]',
  '\u{1f600}',
  pathFromBytes(Buffer.from([0x62, 0xff, 0xfe])),
  pathFromBytes(Buffer.from('really \uef80 private')),
];

test.concurrent.each(['native', 'poll'] as const)('names are data: %s', async (mode) => {
  await using rig = await openRig({
    root: { mode },
    before: (dir) => {
      mkdirSync(fsPath(join(dir, `${strangeNames[13]}-dir`)));
      for (const name of strangeNames)
        writeFileSync(fsPath(join(dir, `${strangeNames[13]}-dir`, name)), 'before');
    },
  });
  expect(new Set(rig.seen.map(({ path }) => path))).toEqual(
    new Set(strangeNames.map((n) => `${strangeNames[13]}-dir/${n}`)),
  );
  for (const name of strangeNames) writeFileSync(fsPath(join(rig.dir, name)), `content of ${name}`);
  await rig.until('all names', () => strangeNames.every((name) => rig.of(name).length > 0));
  await rig.settled();
  for (const name of strangeNames)
    expect(rig.of(name).map(({ content }) => content)).toEqual([`content of ${name}`]);
  await rig.restart();
  await rig.watcher.swept;
  expect(rig.seen.length).toBe(2 * strangeNames.length);
});

test.concurrent('FIFOs, sockets and links are never inputs and never opened', async () => {
  await using rig = await openRig();
  execFileSync('mkfifo', [join(rig.dir, 'fifo')]);
  symlinkSync('.', join(rig.dir, 'loop'));
  symlinkSync('/etc/hostname', join(rig.dir, 'outside'));
  put(rig.dir, { real: 'r' });
  symlinkSync('real', join(rig.dir, 'link'));
  const server = createServer().listen(join(rig.dir, 'socket'));
  await once(server, 'listening');
  await rig.settled();
  server.close();
  expect(rig.seen.map(({ path }) => path)).toEqual(['real']);
});

test.concurrent('ignore files hold, also nested ones, and edits take effect', async () => {
  await using rig = await openRig({
    root: { ignore: ['drafts/**', '!keep.tmp'] },
    before: (dir) =>
      put(dir, { '.sluiceignore': '*.log\n', 'sub/.sluiceignore': '!important.log\nsecret/\n' }),
  });
  put(rig.dir, {
    'a.log': '',
    'sub/important.log': '',
    'sub/b.log': '',
    'sub/secret/x': '',
    'drafts/x': '',
    'x.tmp': '',
    'keep.tmp': '',
    'node_modules/m/i.js': '',
    '.git/HEAD': '',
    '.x.txt.Ab3dEf': '',
    'y.txt': '',
  });
  await rig.settled();
  expect(new Set(rig.seen.map(({ path }) => path))).toEqual(
    new Set(['sub/important.log', 'keep.tmp', 'y.txt']),
  );
  writeFileSync(join(rig.dir, '.sluiceignore'), '*.txt\n');
  await rig.until('a.log to be let in', () => rig.of('a.log').length === 1);
  await rig.settled();
  expect(rig.of('sub/b.log').length).toBe(1);
  expect(rig.seen.some(({ type }) => type === 'removed')).toBe(false);
});

test.concurrent.each(['native', 'poll'] as const)('a file waits for its marker: %s', async (mode) => {
  await using rig = await openRig({ root: { mode, ready: '{name}.done' } });
  put(rig.dir, { 'a.csv': '1', 'b.csv.done': '', 'sub/c.csv': '3' });
  await rig.settled();
  expect(rig.seen).toEqual([]);
  put(rig.dir, { 'b.csv': '2', 'sub/c.csv.done': '' });
  await rig.until('b and c', () => rig.of('b.csv').length === 1 && rig.of('sub/c.csv').length === 1);
  put(rig.dir, { 'a.csv.done': '' });
  await rig.until('a', () => rig.of('a.csv').length === 1);
  rmSync(join(rig.dir, 'a.csv.done'));
  await rig.settled();
  expect(rig.seen.length).toBe(3);
});

test.concurrent('settle: a duration means that time without a change', async () => {
  await using rig = await openRig({ root: { settle: { kind: 'quiet', quietMs: 300 } } });
  const start = performance.now();
  const fd = openSync(join(rig.dir, 'f'), 'w');
  writeSync(fd, 'open, but quiet');
  await rig.until('the file', () => rig.of('f').length === 1);
  expect(performance.now() - start).toBeGreaterThan(290);
  closeSync(fd);
});

test.concurrent('a file that was there and is being written is taken when it is closed', async () => {
  let fd = -1;
  await using rig = await openRig({
    before: (dir) => {
      fd = openSync(join(dir, 'f'), 'w');
      writeSync(fd, 'half');
      execFileSync('touch', ['-d', '2001-01-01', join(dir, 'f')]);
    },
  });
  await rig.watcher.sweep();
  expect(rig.seen).toEqual([]);
  expect(rig.watcher.status()[0]?.settling).toBe(1);
  writeSync(fd, ' whole');
  closeSync(fd);
  await rig.until('the file', () => rig.seen.length > 0);
  await rig.settled();
  expect(rig.seen.map(({ content }) => content)).toEqual(['half whole']);
});

test.concurrent('nested roots: the innermost owns; excluded folders are never entered', async () => {
  await using rig = await openRig({
    roots: (base) => [
      rootConfig(join(base, 'in')),
      rootConfig(join(base, 'in/deep/inner'), { name: 'inner' }),
    ],
    excluded: (base) => [join(base, 'in/processed')],
    before: (dir) => put(dir, { 'deep/inner/old': '', 'processed/old': '', old: '' }),
  });
  put(rig.dir, { 'deep/inner/new': '', 'deep/new': '', 'processed/files/new': '' });
  await rig.settled();
  expect(new Set(rig.seen.map(({ root, path }) => `${root}: ${path}`))).toEqual(
    new Set(['in: old', 'in: deep/new', 'inner: old', 'inner: new']),
  );
});

test.concurrent('a root that is removed, missing and made again', async () => {
  await using rig = await openRig({ before: (dir) => put(dir, { kept: '1', 'sub/lost': '2' }) });
  renameSync(rig.dir, `${rig.dir}-away`);
  await rig.until('the condition', () => rig.conditions.has('ROOT_MISSING in'));
  await rig.until('the state', () => rig.watcher.status()[0]?.state === 'missing');
  rmSync(join(`${rig.dir}-away`, 'sub'), { recursive: true });
  put(`${rig.dir}-away`, { fresh: '3' });
  const seen = rig.seen.length;
  renameSync(`${rig.dir}-away`, rig.dir);
  await rig.until('the new file', () => rig.of('fresh').length === 1);
  await rig.until('the removal', () => rig.of('sub/lost').at(-1)?.type === 'removed');
  put(rig.dir, { after: '4' });
  await rig.until('a file after that', () => rig.of('after').length === 1);
  await rig.settled();
  expect(rig.conditions.size).toBe(0);
  expect(
    rig.seen
      .slice(seen)
      .map(({ type, path }) => `${type} ${path}`)
      .sort(),
  ).toEqual(['added after', 'added fresh', 'removed sub/lost']);
});

test.concurrent('update: roots that stay go on, others come and go', async () => {
  await using rig = await openRig({ before: (_, base) => put(base, { 'two/x': 'x' }) });
  const two = rootConfig(join(rig.base, 'two'));
  await rig.watcher.update([rootConfig(rig.dir), two]);
  await rig.until('x', () => rig.of('x').length === 1);
  put(rig.dir, { a: '' });
  await rig.until('a', () => rig.of('a').length === 1);
  await rig.watcher.update([two]);
  put(rig.dir, { b: '' });
  put(rig.base, { 'two/y': '' });
  await rig.until('y', () => rig.of('y').length === 1);
  expect(rig.of('b')).toEqual([]);
  expect(rig.watcher.status().map(({ name }) => name)).toEqual(['two']);
});

test.concurrent('an unreadable folder is a condition, the others go on', async () => {
  // As another user when this is root, since root may read everything.
  const child = spawn(
    process.getuid?.() === 0 ? 'setpriv' : 'env',
    [
      ...(process.getuid?.() === 0 ? ['--reuid=65534', '--regid=65534', '--clear-groups'] : []),
      process.execPath,
      fileURLToPath(new URL('./unreadable-child.ts', import.meta.url)),
    ],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  );
  let out = '';
  child.stdout.on('data', (data) => (out += data));
  const [code] = await once(child, 'exit');
  expect(code).toBe(0);
  const { seen, conditions, after } = JSON.parse(out) as {
    seen: string[];
    conditions: string[];
    after: string[];
  };
  expect(seen).toEqual(['open/a']);
  expect(conditions[0]).toMatch(/^ROOT_UNREADABLE Cannot read ".*\/closed".*EACCES/);
  expect(after.sort()).toEqual(['closed/b', 'open/a']);
});
