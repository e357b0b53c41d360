/** How it behaves as a program among others: help, slips, pipes, colour. */
import { execFileSync, spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, onTestFinished, test } from 'vitest';
import { createProgram } from '../../src/cli/program.ts';
import { makeProject, Project } from './sluice.ts';

const bin = fileURLToPath(new URL('../../bin', import.meta.url));

test('the help fits a screen', async () => {
  const { code, stdout, stderr } = await new Project().call('--help');
  expect([code, stderr]).toEqual([0, '']);
  expect(stdout.split('\n').length).toBeLessThanOrEqual(53);
  for (const line of stdout.split('\n')) expect(line).not.toMatch(/^ {10}/);
  for (const { commands, options } of [createProgram()]) {
    for (const command of commands) expect(stdout).toContain(`\n  ${command.name()}`);
    expect(options.length + 1).toBe(5);
  }
});

test('every command and option has a description', () => {
  const walk = (command: ReturnType<typeof createProgram>): void => {
    expect(command.description(), command.name()).not.toBe('');
    for (const option of command.options) expect(option.description, option.flags).not.toBe('');
    command.commands.forEach(walk);
  };
  walk(createProgram());
});

test.each([
  [['sattus'], 'Did you mean status?'],
  [['stauts'], 'Did you mean one of stats, status?'],
  [['jobs', 'shwo'], 'did you mean "show"?'],
  [['jobs', 'reviw'], 'did you mean "review"?'],
  [['agents', 'puase', 'writer'], 'did you mean "pause"?'],
  [['config', 'shw'], 'Did you mean show?'],
  [['run', '--froce'], 'Did you mean --force?'],
  [['jobs', '--state', 'faild'], 'Allowed are queued'],
  [['jobs', '--limit', '0'], 'whole number'],
  [['logs', '--since', 'yesterday'], 'length of time'],
  [['run', '--report', 'html=x'], 'junit=FILE'],
  [['completion', 'tcsh'], 'bash, zsh, fish'],
  [['why'], "missing required argument 'path'"],
  [['-C', '/no/such/folder', 'status'], 'Cannot work in'],
  [['--config', 'no.yaml', 'status'], 'no.yaml'],
])('a slip is told, with exit 2: %j', async (args, said) => {
  const { code, stdout, stderr } = await new Project().call(...args);
  expect(stderr).toContain(said);
  expect([code, stdout]).toEqual([2, '']);
});

test('a reader that has enough ends it quietly', async () => {
  // More than a pipe holds.
  const name = (n: number) => `inbox/${'deep'.repeat(60)}/${'long'.repeat(50)}-${n}.key`;
  const files = Object.fromEntries(Array.from({ length: 200 }, (_, n) => [name(n), 'x']));
  const project = makeProject(files);
  await project.call('run');
  const script = 'node "$0" files --limit 10000 | head -1; echo "codes ${PIPESTATUS[0]}"';
  const { stdout, stderr } = spawnSync('bash', ['-c', script, join(bin, 'sluice.js')], {
    cwd: project.dir,
    encoding: 'utf8',
    env: { ...process.env, PATH: `${join(process.execPath, '..')}:${process.env.PATH}` },
  });
  expect(stderr).toBe('');
  expect(stdout).toMatch(/^file .*\ncodes 0\n$/);
});

test('colour is for terminals only', async (context) => {
  if (spawnSync('script', ['--version']).error) context.skip('`script` (util-linux) is not installed');
  const project = makeProject({ 'inbox/a.txt': 'a' });
  const onTerminal = (...args: string[]): string =>
    execFileSync(
      'script',
      [
        '-qec',
        [process.execPath, join(bin, 'sluice.js'), ...args].map((word) => `'${word}'`).join(' '),
        '/dev/null',
      ],
      {
        cwd: project.dir,
        encoding: 'utf8',
        env: { PATH: process.env.PATH, HOME: process.env.HOME, TERM: 'xterm' },
      },
    );
  const esc = String.fromCharCode(27);
  expect(onTerminal('status')).toContain(esc);
  expect(onTerminal('--no-color', 'status')).not.toContain(esc);
  expect((await project.call('status')).stdout).not.toContain(esc);
});

test('names cannot steer the terminal', async () => {
  const project = makeProject({ 'inbox/a\u001b[31m\n.txt': 'a' });
  await project.call('run');
  const { stdout } = await project.call('files');
  expect(stdout).toContain('\\u001b[31m\\u000a.txt');
});

test('where the state belongs to another user it says as whom to call it', () => {
  const { dir } = makeProject({ 'inbox/a.txt': 'x' });
  const state = join(dir, '.sluice');
  mkdirSync(state);
  chmodSync(dir, 0o755);
  chmodSync(state, 0o000);
  onTestFinished(() => chmodSync(state, 0o700));
  // Nothing is closed to root.
  const other =
    process.getuid?.() === 0 ? ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups'] : [];
  const words = [...other, process.execPath, join(bin, 'sluice.js'), 'status'];
  const { status, stderr } = spawnSync(words[0] as string, words.slice(1), { cwd: dir, encoding: 'utf8' });
  expect(stderr).toMatch(
    /Cannot look into ".*\.sluice": EACCES.*\n {2}fix: Call it as .* `sudo -u '#\d+' sluice …`/,
  );
  expect(status).toBe(1);
});
