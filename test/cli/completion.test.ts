/** The completion scripts, in the shells themselves where they are installed. */
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { bashCompletion } from '../../src/cli/completion/bash.ts';
import { fishCompletion } from '../../src/cli/completion/fish.ts';
import { commandTree } from '../../src/cli/completion/tree.ts';
import { zshCompletion } from '../../src/cli/completion/zsh.ts';
import { createProgram } from '../../src/cli/program.ts';
import { Project } from './sluice.ts';

const tree = commandTree(createProgram());

function inBash(words: readonly string[], cwd = tmpdir()): string[] {
  const script = `${bashCompletion(tree)}
COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); compopt() { COMPOPT="$*"; }
_sluice
printf '%s\\n' "\${COMPREPLY[@]}" "opt:$COMPOPT"`;
  const { stdout, stderr } = spawnSync('bash', ['--norc', '-c', script, 'bash', 'sluice', ...words], {
    cwd,
    encoding: 'utf8',
  });
  expect(stderr).toBe('');
  return stdout
    .trimEnd()
    .split('\n')
    .filter((line) => line !== '');
}

test.each([
  [['st'], ['start', 'stop', 'status', 'stats', 'state']],
  [
    ['jobs', 're'],
    ['retry', 'release', 'review', 'refuse'],
  ],
  [['jobs', 'list', '--st'], ['--state']],
  [['agents', 'detect', '--w'], ['--write']],
  [['jobs', '--json', 'sh'], ['show']],
  [['--config', 'jobs', 'che'], ['check']],
  [['files', '--disposition', 'qu'], ['quarantined']],
  [['files', '--root', ''], []],
  [
    ['logs', '--set-level', ''],
    ['debug', 'info', 'warning', 'error', 'critical'],
  ],
  [
    ['completion', ''],
    ['bash', 'zsh', 'fish'],
  ],
  [['status', '--js'], ['--json']],
  [['status', '--conf'], ['--config']],
])('bash completes %j', (words, expected) => {
  expect(inBash(words)).toEqual([...expected, 'opt:']);
});

test.each([[['run', '']], [['why', 'in']], [['run', '--config', '']]])(
  'bash completes files for %j',
  (words) => {
    expect(inBash(words)).toEqual(['opt:-o default']);
  },
);

test('bash completes folders for --chdir', () => {
  const dir = mkdtempSync(join(tmpdir(), 'sluice-complete-'));
  mkdirSync(join(dir, 'inner'));
  writeFileSync(join(dir, 'input'), '');
  expect(inBash(['--chdir', 'in'], dir)).toEqual(['inner', 'opt:-o filenames']);
  rmSync(dir, { recursive: true });
});

test('a real bash takes the printed script', async () => {
  const { code, stdout } = await new Project().call('completion', 'bash');
  expect([code, stdout]).toEqual([0, bashCompletion(tree)]);
  const { stdout: said } = spawnSync('bash', ['--norc', '-c', `${stdout}\ncomplete -p sluice`], {
    encoding: 'utf8',
  });
  expect(said).toBe('complete -F _sluice sluice\n');
});

test.for([
  ['zsh', zshCompletion, (file: string) => ['-n', file]],
  ['fish', fishCompletion, (file: string) => ['--no-execute', file]],
] as const)('%s takes the syntax of its script', ([shell, script, check], { skip }) => {
  const text = script(tree);
  for (const { path } of tree.commands) expect(text).toContain(path[0]);
  const dir = mkdtempSync(join(tmpdir(), 'sluice-complete-'));
  const file = join(dir, 'script');
  writeFileSync(file, text);
  const { error, status, stderr } = spawnSync(shell, check(file), { encoding: 'utf8' });
  rmSync(dir, { recursive: true });
  // Not installed on every machine; what it says is looked at where it is.
  if (error) return skip(`${shell} is not installed`);
  expect(`${status} ${stderr}`).toBe('0 ');
});
