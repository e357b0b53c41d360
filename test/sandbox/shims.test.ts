/** Blocked and confirm-first commands: what the shims match, refuse, ask and let through. Without a sandbox and in it. */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { type Approval, Approvals } from '../../src/sandbox/approvals.ts';
import { ShimFolders } from '../../src/sandbox/shims.ts';
import { confined, noSandbox, strict, tree } from './rig.ts';

const blocked = [
  ...[['rm', '-rf'], ['dd'], ['tool', 'very', 'deep'], ['tool', 'gone', '--all']],
  ...[
    ['long', '--force'],
    ['long', 'way'],
  ],
];
const confirm = [
  ['git', 'push'],
  ['pip', 'install'],
];

/** Stand-ins that say what they were called with, and the shims before them. */
function programs() {
  const dir = tree({ 'bin/': '', 'work/approvals/answers/': '' });
  for (const name of ['rm', 'dd', 'git', 'pip', 'pip3', 'tool', 'long']) {
    writeFileSync(join(dir, 'bin', name), `#!/bin/sh\necho ${name} "$@"\n`);
    chmodSync(join(dir, 'bin', name), 0o755);
  }
  const path = `${dir}/bin:/usr/bin:/bin`;
  const shims = new ShimFolders(dir, Date.now).of({ ...strict, blocked, confirm }, path);
  const env = { PATH: `${shims?.dir}:${path}`, SLUICE_APPROVALS: join(dir, 'work/approvals') };
  return { dir, env };
}

test.each([
  ['rm -rf x', true],
  ['rm -fr x', true],
  ['rm -r -v -f x', true],
  ['rm x -Rf', true],
  ['rm --recursive --force x', true],
  ['rm --rec --forc x', true],
  ['rm -r x', false],
  ['rm -f x', false],
  ['rm -- -rf', false],
  ['rm force r', false],
  ['dd', true],
  ['dd if=a of=b', true],
  ['tool very deep', true],
  ['tool --opt very -x deep more', true],
  ['tool -C value very deep', true],
  ['tool very shallow', false],
  ['tool other very deep', false],
  ['tool deep very', false],
  ['tool -v gone --all', true],
  ['tool gone', false],
  ['long way', true],
  ['long other', false],
  ['long --force', true],
  ['long --force=yes', true],
  ['long --forceful', false],
  ['long -f', false],
  ['git status', false],
  ['git -C push status', true],
  ['git log push', false],
])('%s is refused or asked about: %s', (line, isCaught) => {
  const { dir, env } = programs();
  const noAnswer = { ...env, SLUICE_APPROVALS: line.startsWith('git') ? '' : env.SLUICE_APPROVALS };
  const ran = spawnSync('sh', ['-c', line], { env: noAnswer, encoding: 'utf8' });
  if (!isCaught) expect(ran).toMatchObject({ status: 0, stdout: `${line}\n` });
  else {
    expect(ran).toMatchObject({ status: 126, stdout: '' });
    expect(ran.stderr).toMatch(/^sluice: refused: /);
    if (noAnswer.SLUICE_APPROVALS !== '')
      expect(readFileSync(join(dir, 'work/approvals/refused'), 'utf8')).toMatch(/^\S.*\n$/);
  }
});

test('arguments reach the real program as they are', () => {
  const { env } = programs();
  const words = ['a b', "it's", '$(id)', '', '*', 'new\nline', '-n', '\\'];
  const ran = spawnSync('sh', ['-c', 'exec git "$@"', 'sh', ...words], { env, encoding: 'utf8' });
  expect(ran.stdout).toBe(`git ${words.join(' ')}\n`);
});

test('a program that is not there is not found, as without the shim', () => {
  const { env } = programs();
  const shims = env.PATH.split(':')[0];
  const ran = spawnSync('/bin/sh', ['-c', 'git status'], {
    env: { ...env, PATH: `${shims}` },
    encoding: 'utf8',
  });
  expect(ran).toMatchObject({ status: 127 });
});

async function asking(line: string, verdict: 'approve' | 'refuse') {
  const { dir, env } = programs();
  const approvals = new Approvals({ now: Date.now, pollMs: 20 });
  onTestFinished(() => approvals[Symbol.dispose]());
  using _watch = await approvals.watch({
    jobId: 'j1',
    attempt: 1,
    agent: 'tested',
    workDir: join(dir, 'work'),
  });
  const child = spawn('sh', ['-c', line], { env, cwd: dir, stdio: ['ignore', 'pipe', 'pipe'] });
  let stdout = '';
  child.stdout.on('data', (chunk) => {
    stdout += chunk;
  });
  const exited = once(child, 'close');
  const [approval] = (await once(approvals, 'wanted', { signal: AbortSignal.timeout(60_000) })) as [Approval];
  expect(approvals.list()).toEqual([approval]);
  approvals.answer('j1', verdict);
  expect(approvals.list()).toEqual([]);
  const [code] = await exited;
  return { code, stdout, approval, dir };
}

test('what is approved runs, with the words that were shown', async () => {
  const { code, stdout, approval, dir } = await asking(
    `git -C . push 'a b' "$(printf 'x\\033[2J')"`,
    'approve',
  );
  expect(approval).toMatchObject({ jobId: 'j1', agent: 'tested', cwd: dir });
  expect(approval.id).toMatch(/^j1\.1\.\d+$/);
  expect(approval.command).toBe("git -C . push 'a b' 'x\\u001b[2J'");
  expect({ code, stdout }).toEqual({ code: 0, stdout: 'git -C . push a b x\u001b[2J\n' });
});

test('what is refused does not run; other names of a program are asked about too', async () => {
  expect(await asking('pip3 --quiet install x', 'refuse')).toMatchObject({ code: 126, stdout: '' });
});

test('requests that are no requests are passed over', async () => {
  const dir = tree({ 'work/approvals/': '', secret: 'secret' });
  const folder = join(dir, 'work/approvals');
  const approvals = new Approvals({ now: Date.now, pollMs: 10 });
  onTestFinished(() => approvals[Symbol.dispose]());
  using _watch = await approvals.watch({ jobId: 'j', attempt: 1, agent: 'a', workDir: join(dir, 'work') });
  symlinkSync(join(dir, 'secret'), join(folder, '1.request'));
  spawnSync('mkfifo', [join(folder, '2.request')]);
  mkdirSync(join(folder, '3.request'));
  writeFileSync(join(folder, '4.request'), 'x'.repeat(1 << 20));
  writeFileSync(join(folder, '5.request'), '9\0/\0label\0');
  const wanted = once(approvals, 'wanted', { signal: AbortSignal.timeout(60_000) });
  writeFileSync(join(folder, '6.request'), '4\0/w\0git push\0git\0push\0');
  const [{ id, command }] = (await wanted) as [Approval];
  expect({ id, command }).toEqual({ id: 'j.1.6', command: 'git push' });
  expect(approvals.list()).toHaveLength(1);
  expect(() => approvals.answer('nobody', 'approve')).toThrow(expect.objectContaining({ code: 'NOT_FOUND' }));
});

test('an attempt that ends takes its requests with it', async () => {
  const dir = tree({ 'work/approvals/': '' });
  const approvals = new Approvals({ now: Date.now, pollMs: 10 });
  onTestFinished(() => approvals[Symbol.dispose]());
  const watch = await approvals.watch({ jobId: 'j', attempt: 1, agent: 'a', workDir: join(dir, 'work') });
  writeFileSync(join(dir, 'work/approvals/1.request'), '4\0/w\0git push\0git\0push\0');
  await once(approvals, 'wanted', { signal: AbortSignal.timeout(60_000) });
  const answered = once(approvals, 'answered');
  watch[Symbol.dispose]();
  await answered;
  expect(approvals.list()).toEqual([]);
});

test.skipIf(noSandbox !== undefined)(
  'in a sandbox the full path is caught too, and answers cannot be forged',
  () => {
    const dir = tree({ 'project/inbox/': '', 'home/': '' });
    const ran = confined({ dir, sandbox: { blocked: [['dd'], ['rm', '-rf']], confirm } }, [
      'dd if=/dev/zero of=/dev/null count=1',
      '/usr/bin/dd --version',
      'cd "$SLUICE_OUTPUT_DIR" && mkdir x && /usr/bin/rm -rf x',
      'cd "$SLUICE_OUTPUT_DIR" && echo y > y && rm -f y && ls',
      'echo approve > "$SLUICE_APPROVALS/answers/1"',
      'echo mine > "$(command -v dd)"',
    ]);
    const [first, second, third, fourth, forged, overwritten] = ran;
    for (const refused of [first, second, third]) {
      expect(refused?.stderr).toContain('sluice: refused: ');
      expect(refused?.code).toBe(126);
      expect(existsSync(join(refused?.workDir ?? '', 'approvals/refused'))).toBe(true);
    }
    expect(fourth).toMatchObject({ code: 0, stdout: '', stderr: '' });
    for (const refused of [forged, overwritten]) expect(refused?.stderr).toMatch(/Read-only file system/);
  },
);
