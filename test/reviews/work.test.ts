/** What reviewers are shown of an attempt: real files, real repositories, and agents that leave traps. */
import { execFileSync, spawnSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { applyPatch, parsePatch } from 'diff';
import { describe, expect, test } from 'vitest';
import { type ChangeSource, readWork, type WorkSource } from '../../src/reviews/work.ts';
import { pathFromBytes } from '../../src/types/path-bytes.ts';
import { createWorkspaces } from '../../src/workspace/workspaces.ts';
import { never, tempFolder } from './rig.ts';

function tree(dir: string, files: Readonly<Record<string, string | Buffer | undefined>>): string {
  for (const [path, content] of Object.entries(files)) {
    const file = join(dir, path);
    if (content === undefined) rmSync(file);
    else {
      mkdirSync(dirname(file), { recursive: true });
      writeFileSync(file, content);
    }
  }
  return dir;
}

const read = (facts: Partial<WorkSource>) =>
  readWork({ title: 't', task: 'do', changes: { kind: 'none' }, ...facts }, never);

const diffOf = async (changes: ChangeSource): Promise<string> => (await read({ changes })).diff;

describe('report and outputs', () => {
  test('texts are shown, others are named', async () => {
    const dir = tree(tempFolder(), {
      'result.md': 'Done.\n',
      'outputs/a.json': '{}',
      'outputs/deep/b.md': 'é',
      'outputs/c.bin': Buffer.from([1, 0, 2]),
      'outputs/latin1.txt': Buffer.from('caf\xe9', 'latin1'),
      'outputs/large.txt': 'x'.repeat(65 * 1024),
    });
    symlinkSync('/etc/passwd', join(dir, 'outputs/link'));
    execFileSync('mkfifo', [join(dir, 'outputs/pipe')]);
    const work = await read({ resultFile: join(dir, 'result.md'), outputsDir: join(dir, 'outputs') });
    expect(work).toEqual({
      title: 't',
      task: 'do',
      report: 'Done.\n',
      diff: '',
      outputs: [
        { path: 'a.json', bytes: 2, text: '{}' },
        { path: 'c.bin', bytes: 3 },
        { path: 'deep/b.md', bytes: 2, text: 'é' },
        { path: 'large.txt', bytes: 65 * 1024 },
        { path: 'latin1.txt', bytes: 4 },
      ],
    });
  });

  test('those that are named are read without following links or waiting for pipes', async () => {
    const dir = tempFolder();
    symlinkSync('/etc/passwd', join(dir, 'link'));
    execFileSync('mkfifo', [join(dir, 'pipe')]);
    const outputs = ['link', 'pipe', 'gone'].map((path) => ({ path, bytes: 5 }));
    expect((await read({ outputsDir: dir, outputs })).outputs).toEqual(outputs);
    expect((await read({ resultFile: join(dir, 'pipe') })).report).toBe('');
  });

  test('a long report, a binary one, a long task', async () => {
    const dir = tree(tempFolder(), { long: 'é'.repeat(200_000), bytes: Buffer.from([0, 1]) });
    const { report, task } = await read({ resultFile: join(dir, 'long'), task: 'x'.repeat(100_000) });
    expect(report).toMatch(/^é+\n\(137856 more bytes\)$/);
    expect(task).toMatch(/^x{65536}\n\(34464 more bytes\)$/);
    expect((await read({ resultFile: join(dir, 'bytes') })).report).toBe('(2 bytes that are no text)');
  });

  test('an abort ends it', async () => {
    const source: WorkSource = { title: '', task: '', changes: { kind: 'none' } };
    await expect(readWork(source, AbortSignal.abort(new Error('stop')))).rejects.toThrow('stop');
  });
});

describe('a copy', () => {
  /** Changes that a real workspace finds between a tree and the copy in which `change` was done. */
  async function changed(before: Parameters<typeof tree>[1], change: (dir: string) => void): Promise<string> {
    const dir = tempFolder();
    const root = { name: 'r', dir: tree(join(dir, 'root'), { keep: 'k', ...before }) };
    const workspaces = createWorkspaces({ stateDir: join(dir, 'state'), now: Date.now });
    const into = join(dir, 'copy');
    const { dir: copy } = await workspaces.prepare({ jobId: 'j', attempt: 1, root, inputs: [], into });
    change(copy);
    const { files } = await workspaces.changesOf(into);
    return diffOf({ kind: 'copy', files, before: root.dir, after: copy });
  }

  test('what was changed, added and removed: a diff that gives the new files when it is applied', async () => {
    const before = { 'a.txt': 'one\ntwo\nthree\n', 'src/b.ts': 'let b = 1', 'gone.md': 'bye\n' };
    const diff = await changed(before, (copy) =>
      tree(copy, {
        'a.txt': 'one\n2\nthree\n',
        'src/b.ts': 'let b = 2',
        'new file': 'hi\n',
        'gone.md': undefined,
      }),
    );
    const patches = parsePatch(diff);
    expect(patches.map(({ oldFileName, newFileName }) => [oldFileName, newFileName])).toEqual([
      ['a/a.txt', 'b/a.txt'],
      ['a/gone.md', '/dev/null'],
      ['/dev/null', 'b/new file'],
      ['a/src/b.ts', 'b/src/b.ts'],
    ]);
    expect(
      patches.map((patch, at) =>
        applyPatch(
          Object.values({ a: before['a.txt'], g: before['gone.md'], n: '', b: before['src/b.ts'] })[at] ?? '',
          patch,
        ),
      ),
    ).toEqual(['one\n2\nthree\n', '', 'hi\n', 'let b = 2']);
  });

  test('binary and long files are named, odd names stay on their line', async () => {
    const diff = await changed({ 'logo.png': Buffer.from([0, 1]) }, (copy) =>
      tree(copy, {
        'logo.png': Buffer.from([0, 2, 3]),
        'large.txt': 'x\n'.repeat(200_000),
        'a\n+++ b/evil': 'x\n',
        'empty.txt': '',
      }),
    );
    expect(diff).toContain('# changed: logo.png (3 bytes, binary: not shown)\n');
    expect(diff).toContain('# added: large.txt (400000 bytes, too long: not shown)\n');
    expect(diff).toContain('# added: empty.txt (0 bytes, empty: not shown)\n');
    expect(diff).toContain('+++ "b/a\\n+++ b/evil"');
    expect(diff).not.toMatch(/^\+\+\+ b\/evil/m);
  });

  test('more than is shown: the rest by name', async () => {
    const diff = await changed({}, (copy) =>
      tree(
        copy,
        Object.fromEntries(Array.from({ length: 120 }, (_, n) => [`f${n}`, `${n}\n`.repeat(3_000)])),
      ),
    );
    expect(Buffer.byteLength(diff)).toBeLessThan(600_000);
    expect(diff).toMatch(/^# added: f\d+ \(not shown\)$/m);
  });

  test('texts that differ throughout do not hold it up', async () => {
    const lines = (seed: number) =>
      Array.from({ length: 20_000 }, (_, n) => ((n * seed) % 9_973).toString(36)).join('\n');
    const diff = await changed({ 'a.txt': lines(7_919) }, (copy) => tree(copy, { 'a.txt': lines(6_007) }));
    expect(diff).toContain('a.txt');
  });
});

describe('in a git repository', () => {
  const git = (dir: string, ...args: readonly string[]): string =>
    execFileSync('git', ['-c', 'user.name=t', '-c', 'user.email=t@t', ...args], {
      ...{ cwd: dir, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] },
      env: { ...process.env, GIT_CONFIG_GLOBAL: '/dev/null', GIT_CONFIG_NOSYSTEM: '1' },
    });

  function repository(files: Readonly<Record<string, string | Buffer>>, ...init: readonly string[]): string {
    const dir = tree(tempFolder(), files);
    git(dir, 'init', '-q', ...init);
    git(dir, 'add', '-A');
    git(dir, 'commit', '-qm', 'first');
    return dir;
  }

  const inPlace = (dir: string, facts: object = {}) => diffOf({ kind: 'in_place', dir, ...facts });
  const shadows = () => readdirSync(tmpdir()).filter((name) => name.startsWith('sluice-git-'));

  test('changed, staged, removed and new files, against the last commit; ignored ones are left out', async () => {
    const dir = repository({ 'a.txt': 'one\n', 'b.txt': 'b\n', 'ä.txt': 'ä\n', '.gitignore': '*.log\n' });
    tree(dir, {
      'a.txt': 'two\n',
      'ä.txt': 'ö\n',
      'b.txt': undefined,
      'new.txt': 'hi\n',
      'x.log': 'x',
      'staged.txt': 's\n',
    });
    git(dir, 'add', 'staged.txt');
    const index = readFileSync(join(dir, '.git/index'));
    const before = shadows();
    const diff = await inPlace(dir);
    expect(diff).toMatch(/^# against the last commit;/);
    const names = parsePatch(diff.replace(/^#.*\n/gm, '')).map(({ oldFileName, newFileName }) => [
      oldFileName,
      newFileName,
    ]);
    expect(names).toEqual([
      ['a/a.txt', 'b/a.txt'],
      ['a/b.txt', '/dev/null'],
      ['/dev/null', 'b/staged.txt'],
      ['a/ä.txt', 'b/ä.txt'],
      ['/dev/null', 'b/new.txt'],
    ]);
    expect(diff).toContain('-one\n+two\n');
    expect(readFileSync(join(dir, '.git/index')).equals(index)).toBe(true);
    expect(shadows()).toEqual(before);
  });

  test('only below the folder, only the paths, without what is ours', async () => {
    const dir = repository({ 'in/a': '1\n', 'in/b': '1\n', out: '1\n', 'in/:(top)odd*': '1\n' });
    tree(dir, { 'in/a': '2\n', 'in/b': '2\n', out: '2\n', 'in/:(top)odd*': '2\n', 'in/.sluice/log': 'x\n' });
    const files = (diff: string) => [...diff.matchAll(/^\+\+\+ (.*)$/gm)].map(([, name]) => name?.trim());
    const exclude = [join(dir, 'in/.sluice'), '/elsewhere'];
    expect(files(await inPlace(join(dir, 'in'), { exclude }))).toEqual([
      'b/in/:(top)odd*',
      'b/in/a',
      'b/in/b',
    ]);
    expect(files(await inPlace(join(dir, 'in'), { paths: ['b', ':(top)odd*'] }))).toEqual([
      'b/in/:(top)odd*',
      'b/in/b',
    ]);
    expect(files(await inPlace(dir, { exclude: [join(dir, 'in')] }))).toEqual(['b/out']);
  });

  test('nothing changed, no repository, no commit yet', async () => {
    expect(await inPlace(repository({ a: '1\n' }))).toBe('');
    expect(await inPlace(tree(tempFolder(), { a: '1' }))).toBe('');
    const fresh = tree(tempFolder(), { a: '1\n' });
    git(fresh, 'init', '-q');
    expect(await inPlace(fresh)).toMatch(
      /^# against nothing: there is no commit yet.*\n--- \/dev\/null\n\+\+\+ b\/a\n/,
    );
  });

  test('SHA-256, worktrees, split indexes', async () => {
    const sha256 = repository({ a: '1\n' }, '--object-format=sha256');
    tree(sha256, { a: '2\n' });
    expect(await inPlace(sha256)).toContain('+2\n');
    const main = repository({ a: '1\n' });
    const other = join(tempFolder(), 'other');
    git(main, 'worktree', 'add', '-q', other, '-b', 'other');
    tree(other, { a: '2\n' });
    expect(await inPlace(other)).toContain('+2\n');
    git(main, 'update-index', '--split-index');
    tree(main, { a: '3\n' });
    expect(await inPlace(main)).toContain('+3\n');
  });

  test('nothing that the repository names is run: filters, text conversion, monitors, hooks, in submodules neither', async () => {
    const dir = repository({ a: '1\n', b: '1\n' });
    const inner = repository({ a: '1\n' });
    git(dir, '-c', 'protocol.file.allow=always', 'submodule', '--quiet', 'add', inner, 'sub');
    git(dir, 'commit', '-qm', 'second');
    const proof = join(tempFolder(), 'ran');
    const trap = join(tempFolder(), 'trap');
    writeFileSync(trap, `#!/bin/sh\necho "$0 $*" >> ${proof}\ncat\n`);
    chmodSync(trap, 0o755);
    const setTraps = (at: string, gitDir: string) => {
      for (const key of [
        'core.fsmonitor',
        'diff.external',
        'filter.x.clean',
        'filter.x.smudge',
        'filter.x.process',
        'diff.x.textconv',
        'diff.x.command',
        'core.pager',
        'core.sshCommand',
        'interactive.diffFilter',
      ])
        git(at, 'config', key, trap);
      git(at, 'config', 'filter.x.required', 'true');
      mkdirSync(join(gitDir, 'hooks'), { recursive: true });
      for (const hook of ['post-index-change', 'fsmonitor-watchman', 'pre-commit'])
        writeFileSync(join(gitDir, 'hooks', hook), readFileSync(trap), { mode: 0o755 });
      writeFileSync(join(gitDir, 'info/attributes'), '* filter=x diff=x\n');
      tree(at, { '.gitattributes': '* filter=x diff=x\n', a: '2\n', new: 'n\n' });
    };
    setTraps(dir, join(dir, '.git'));
    setTraps(join(dir, 'sub'), join(dir, '.git/modules/sub'));
    // It would run for everybody else: the traps are real.
    spawnSync('git', ['diff', '--stat'], { cwd: dir, stdio: 'ignore' });
    expect(existsSync(proof)).toBe(true);
    rmSync(proof);
    const diff = await inPlace(dir);
    expect(diff).toContain('-1\n+2\n');
    expect(diff).toContain('+++ b/new');
    expect(existsSync(proof)).toBe(false);
  });

  test('attributes do not hide a change', async () => {
    const dir = repository({ 'a.txt': '1\n' });
    tree(dir, { '.gitattributes': '* -diff\n*.txt binary\n', 'a.txt': 'evil\n' });
    expect(await inPlace(dir)).toContain('+evil\n');
  });

  test('binary, large and oddly named new files, links, nested repositories', async () => {
    const dir = repository({ a: '1\n' });
    tree(dir, { 'b.bin': Buffer.from([0, 1]), 'large.txt': 'x\n'.repeat(300_000), 'nested/file': 'n\n' });
    writeFileSync(Buffer.concat([Buffer.from(`${dir}/`), Buffer.from([0x66, 0xff])]), 'odd\n');
    symlinkSync('/etc/passwd', join(dir, 'link'));
    git(join(dir, 'nested'), 'init', '-q');
    git(join(dir, 'nested'), 'add', '-A');
    git(join(dir, 'nested'), 'commit', '-qm', 'x');
    const diff = await inPlace(dir);
    expect(diff).toContain('# added: b.bin (2 bytes, binary: not shown)\n');
    expect(diff).toContain('# added: large.txt (600000 bytes, too long: not shown)\n');
    expect(diff).toContain(`+++ ${JSON.stringify(`b/${pathFromBytes(Buffer.from([0x66, 0xff]))}`)}\n`);
    expect(diff).toContain('+odd\n');
    expect(diff).toMatch(/# added: link \(\d+ bytes, no file: not shown\)/);
    expect(diff).toMatch(/# added: nested\/ /);
    expect(diff).not.toContain('root:');
  });

  test('a diff without end is cut; a broken repository is none', async () => {
    const dir = repository({ a: 'x\n'.repeat(400_000) });
    tree(dir, { a: 'y\n'.repeat(400_000) });
    const diff = await inPlace(dir);
    expect(Buffer.byteLength(diff)).toBeLessThan(600_000);
    expect(diff).toMatch(/# cut here\n$/);
    writeFileSync(join(dir, '.git/index'), 'nonsense');
    expect(await inPlace(dir)).toBe('');
    rmSync(join(dir, '.git/HEAD'));
    expect(await inPlace(dir)).toBe('');
  });

  test('a folder that is gone, or reached by a link', async () => {
    const dir = repository({ 'in/a': '1\n' });
    tree(dir, { 'in/a': '2\n' });
    const link = join(tempFolder(), 'link');
    symlinkSync(join(dir, 'in'), link);
    expect(await inPlace(link)).toContain('+2\n');
    renameSync(dir, `${dir}-gone`);
    expect(await inPlace(dir)).toBe('');
    renameSync(`${dir}-gone`, dir);
    expect(statSync(dir).isDirectory()).toBe(true);
  });
});
