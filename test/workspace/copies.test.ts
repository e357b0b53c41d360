/** What a copy holds, what is refused, and what counts as a change. */
import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  linkSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { formatStamp } from '../../src/types/change.ts';
import { fsPath } from '../../src/types/path-bytes.ts';
import { createWorkspaces } from '../../src/workspace/workspaces.ts';
import { fillUp } from '../badinput/fill-up.ts';
import { mountSmall } from '../badinput/rig.ts';
import { createRig, temporary, treeOf } from './rig.ts';

const hostile = [
  'new\nline',
  '-rf',
  'caf\uefe9',
  '\u202egnp.txt',
  '$(id) `id` %s',
  'x'.repeat(255),
  ' ',
  '...',
];

test('a copy holds every name, mode, time and link, and no special file', async () => {
  const rig = createRig({
    ...Object.fromEntries(hostile.map((name) => [`${name}/${name}`, name])),
    'empty/': '',
    inside: '-> a',
    outside: '-> ../secret/file',
    a: 'a',
  });
  mkdirSync(join(rig.dir, 'secret'));
  writeFileSync(join(rig.dir, 'secret/file'), 'secret');
  symlinkSync('../secret', join(rig.root, 'folder'));
  execFileSync('mkfifo', [join(rig.root, 'fifo')]);
  linkSync(join(rig.root, 'a'), join(rig.root, 'second name'));
  chmodSync(join(rig.root, 'a'), 0o4755);
  chmodSync(join(rig.root, 'empty'), 0o555);
  utimesSync(join(rig.root, 'a'), 1_000, 2_000.5);

  const { skipped, files } = await rig.spaces.prepare({
    jobId: 'job',
    attempt: 1,
    root: { name: 'inbox', dir: rig.root },
    inputs: ['a'],
    into: rig.copy,
  });
  const { fifo, 'empty/': _, ...rest } = treeOf(rig.root);
  expect(fifo).toBe('special');
  expect(treeOf(rig.copy)).toEqual({ ...rest, 'empty/': '' });
  expect(skipped).toEqual([{ path: 'fifo', why: 'special' }]);
  expect(files).toBe(Object.keys(rest).length + 1);
  const copy = statSync(join(rig.copy, 'a'));
  expect([copy.mtimeMs, copy.mode & 0o7777, copy.nlink]).toEqual([2_000_500, 0o755, 1]);
  expect((await rig.spaces.changesOf(rig.copy)).files).toEqual([]);
});

test('our own state and what is excluded stay out of the copy, but never an input', async () => {
  const root = temporary();
  const rig = createRig(
    { 'a.txt': '', 'node_modules/m/x': '', 'node_modules/m/y': '', 'b/c.tmp': '', 'b/d': '' },
    {
      root,
      stateDir: join(root, '.sluice'),
      options: {
        excludeOf: (name) => (path) => name === 'inbox' && /^node_modules$|\.tmp$/.test(path),
      },
    },
  );
  await rig.prepare({ inputs: ['node_modules/m/x'] });
  expect(Object.keys(treeOf(rig.copy))).toEqual(
    ['a.txt', 'b/', 'b/d', 'node_modules/', 'node_modules/m/', 'node_modules/m/x'].sort(),
  );
  // What the agent makes there is nobody's work.
  writeFileSync(join(rig.copy, 'b/e.tmp'), '');
  writeFileSync(join(rig.copy, 'b/e'), '');
  expect((await rig.spaces.changesOf(rig.copy)).files).toEqual([{ path: 'b/e', change: 'added', bytes: 0 }]);
});

test.each([
  ['files', { maxFiles: 3 }, 'more than 3 files'],
  ['bytes', { maxBytes: 5 }, '6 B, and a copy may have 5 B'],
])('a tree of too many %s is refused, and leaves nothing', async (_what, options, message) => {
  const rig = createRig({ a: '11', b: '22', c: '33', 'd/': '' }, { options });
  await expect(rig.prepare()).rejects.toMatchObject({
    code: 'WORKSPACE_TOO_LARGE',
    message: expect.stringContaining(message),
    fix: expect.stringContaining('in_place'),
  });
  expect(existsSync(rig.copy)).toBe(false);
});

test('a full disk is said to be one, and the copy is gone', async (t) => {
  const disk = temporary();
  const refused = mountSmall(disk, '1m');
  if (refused) return t.skip(refused.reason);
  const rig = createRig({ a: 'x'.repeat(600_000), b: 'x'.repeat(600_000) }, { stateDir: disk });
  await expect(rig.prepare()).rejects.toMatchObject({ code: 'DISK_FULL' });
  expect(readdirSync(join(disk, 'undo/.copies'))).toEqual([]);
  expect(existsSync(rig.copy)).toBe(false);
  fillUp(join(disk, 'ballast'));
  await expect(rig.prepare()).rejects.toMatchObject({ code: 'DISK_FULL' });
});

test('an abort leaves nothing', async () => {
  const rig = createRig(Object.fromEntries(Array.from({ length: 500 }, (_, n) => [`${n}`, 'x'])));
  const stop = AbortSignal.abort(new Error('stopping'));
  const { jobId, root } = { jobId: 'job', root: { name: 'inbox', dir: rig.root } };
  const copying = rig.spaces.prepare({ jobId, attempt: 1, root, inputs: [], into: rig.copy, signal: stop });
  await expect(copying).rejects.toThrow('stopping');
  expect(existsSync(rig.copy)).toBe(false);
});

test('a root that is not there is named', async () => {
  const rig = createRig({});
  rmSync(rig.root, { recursive: true });
  await expect(rig.prepare()).rejects.toMatchObject({ code: 'ROOT_MISSING' });
});

test('what was only touched is no change; what only looks the same is one', async () => {
  const rig = createRig({ touched: 'same', rewritten: 'same', sly: 'same', mode: 'same', moved: 'same' });
  await rig.prepare();
  const in_ = (name: string): string => join(rig.copy, name);
  utimesSync(in_('touched'), 5, 5);
  renameSync(in_('rewritten'), in_('gone'));
  writeFileSync(in_('rewritten'), 'same');
  rmSync(in_('gone'));
  const { atime, mtime } = statSync(in_('sly'));
  writeFileSync(in_('sly'), 'Same');
  utimesSync(in_('sly'), atime, mtime);
  chmodSync(in_('mode'), 0o755);
  renameSync(in_('moved'), in_('m2'));
  const { files } = await rig.spaces.changesOf(rig.copy);
  expect(files.map(({ path, change }) => `${change} ${path}`).sort()).toEqual([
    'added m2',
    'changed mode',
    'changed sly',
    'removed moved',
  ]);
});

test('links and special files of the agent are named and go nowhere', async () => {
  const rig = createRig({ 'src/a': 'a', file: 'f', keep: 'k', link: '-> file', other: '-> file' });
  const first = treeOf(rig.root);
  await rig.prepare();
  rmSync(join(rig.copy, 'src'), { recursive: true });
  symlinkSync('/etc', join(rig.copy, 'src'));
  rmSync(join(rig.copy, 'file'));
  execFileSync('mkfifo', [join(rig.copy, 'file')]);
  rmSync(join(rig.copy, 'link'));
  symlinkSync('/etc/passwd', join(rig.copy, 'link'));
  symlinkSync('/etc/passwd', join(rig.copy, 'new'));
  const { refused, files } = await rig.spaces.changesOf(rig.copy);
  expect(files).toEqual([]);
  expect(refused.map(({ path, why }) => `${path} ${why}`).sort()).toEqual([
    'file special',
    'link link',
    'new link',
    'src link',
  ]);
  expect(await rig.spaces.promote({ jobId: 'job', from: rig.copy })).toEqual([]);
  expect(treeOf(rig.root)).toEqual(first);
});

test.each([
  ['the copy', (copy: string) => rmSync(copy, { recursive: true })],
  ['the copy, for another folder', (copy: string) => (renameSync(copy, `${copy}2`), mkdirSync(copy))],
  ['the copy, for a link', (copy: string) => (renameSync(copy, `${copy}2`), symlinkSync('/', copy))],
  ['all in it', (copy: string) => ['a', 'b'].forEach((name) => void rmSync(join(copy, name)))],
])('an agent that removes %s removes nothing else', async (_what, act) => {
  const rig = createRig({ a: '1', b: '2' });
  const first = treeOf(rig.root);
  await rig.prepare();
  act(rig.copy);
  await expect(rig.spaces.promote({ jobId: 'job', from: rig.copy })).rejects.toMatchObject({
    code: 'WORKSPACE_LOST',
  });
  expect(treeOf(rig.root)).toEqual(first);
  expect(rig.spaces.list()).toEqual([]);
});

test('an attempt that outlives the daemon is judged by the next one', async () => {
  const rig = createRig({ a: '1', 'caf\uefe9': '2' });
  await rig.prepare();
  writeFileSync(fsPath(join(rig.copy, 'caf\uefe9')), '3');
  const next = createWorkspaces({ stateDir: rig.stateDir, now: () => 2 });
  const placed: string[] = [];
  const files = await next.promote({
    jobId: 'job',
    from: rig.copy,
    onPlaced: ({ path, stamp }) => {
      expect(treeOf(rig.root)).toMatchObject({ 'caf\uefe9': '2' });
      placed.push(stamp, path);
    },
  });
  const { ino, size, mtimeNs } = lstatSync(fsPath(join(rig.root, 'caf\uefe9')), { bigint: true });
  expect(placed).toEqual([formatStamp({ ino, size: Number(size), mtimeNs }), 'caf\uefe9']);
  // Asked twice, it is done once.
  expect(await rig.spaces.promote({ jobId: 'job', from: rig.copy })).toEqual(files);
  expect(next.list()).toHaveLength(1);
});

test('a copy with locked folders can be removed by an ordinary user', async () => {
  const dir = temporary();
  chmodSync(dir, 0o777);
  const script = `
    import { chmodSync, existsSync, mkdirSync, writeFileSync } from 'node:fs';
    import { createWorkspaces } from ${JSON.stringify(join(import.meta.dirname, '../../src/workspace/workspaces.ts'))};
    const dir = ${JSON.stringify(dir)};
    mkdirSync(dir + '/root/locked', { recursive: true });
    writeFileSync(dir + '/root/locked/a', 'a');
    writeFileSync(dir + '/root/b', 'b');
    chmodSync(dir + '/root/locked', 0o555);
    const spaces = createWorkspaces({ stateDir: dir + '/state', now: Date.now });
    const into = dir + '/state/work/w';
    await spaces.prepare({ jobId: 'j', attempt: 1, root: { name: 'r', dir: dir + '/root' }, inputs: [], into });
    mkdirSync(into + '/locked/deep/er', { recursive: true });
    chmodSync(into + '/locked/deep', 0o555);
    chmodSync(into + '/locked', 0o500);
    await spaces.discard(into);
    if (existsSync(into)) throw new Error('still there');
    chmodSync(dir + '/root/locked', 0o755);`;
  const user =
    process.getuid?.() === 0 ? ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups'] : [];
  const [command, ...args] = [...user, process.execPath, '--input-type=module-typescript', '-e', script];
  execFileSync(command as string, args, { cwd: dir, stdio: 'pipe' });
});
