/** Examples that ask agent CLIs, on a machine that has none of them: they end, say what is missing, and nothing has succeeded. */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { Example } from './example.ts';

const folders = [dirname(process.execPath), '/usr/bin', '/bin'];
const isThere = ['claude', 'codex', 'gemini'].some((name) =>
  folders.some((folder) => existsSync(join(folder, name))),
);

function open(name: string): Example {
  const example = new Example(name);
  example.env = { PATH: folders.join(':') };
  return example;
}

test.skipIf(isThere)('transcript-actions names the program and how it is installed', async () => {
  const example = open('transcript-actions');
  const checked = await example.call('check');
  expect([checked.code, checked.stderr]).toMatchObject([
    0,
    expect.stringContaining('the program "claude" is not on PATH'),
  ]);
  const { code, stdout } = await example.call('run');
  expect([code, stdout]).toMatchObject([1, expect.stringContaining('2 waiting')]);
  expect(stdout).toContain('step "extract" of run');
  expect(stdout).toContain('Claude Code is not installed: "claude" is in none of the folders on PATH');
  expect(stdout).toContain('npm install -g @anthropic-ai/claude-code');
  expect(example.has('minutes')).toBe(false);
});

test.skipIf(isThere)('docs-translation does so from the runs of its pages', async () => {
  const example = open('docs-translation');
  const { code, stdout, stderr } = await example.call('workflow', 'run', 'docs-translation');
  expect([code, stdout]).toMatchObject([1, expect.stringContaining('docs-translation running')]);
  expect(stderr).toMatch(/translate of run \S+ waits \(agent_unavailable\)/);
  expect(stderr).toContain('Claude Code is not installed');
  expect(stderr).toContain('npm install -g @anthropic-ai/claude-code');
  expect(stderr).toMatch(/go on with it: sluice workflow resume \S+/);
  expect(example.has('docs.de')).toBe(false);
});

test.skipIf(isThere)('pr-diff-review approves nothing, and names who cannot review', async () => {
  const example = open('pr-diff-review');
  const git = (...args: string[]): void => {
    const identity = ['-c', 'user.name=T', '-c', 'user.email=t@example.org'];
    const { status, stderr } = spawnSync('git', ['-C', example.dir, ...identity, ...args], {
      encoding: 'utf8',
    });
    if (status !== 0) throw new Error(stderr);
  };
  git('init', '-q', '-b', 'main');
  git('add', '.');
  git('commit', '-qm', 'base');
  git('checkout', '-qb', 'feature');
  example.write('src/new.js', 'eval(x);\n');
  git('add', '.');
  git('commit', '-qm', 'change');
  // Not of the change: nobody is to be shown it.
  example.write('src/new.js', 'uncommitted\n');
  const { code, stdout } = await example.call('workflow', 'run', 'pr-diff-review');
  expect([code, stdout]).toMatchObject([1, expect.stringContaining('1 valid verdict, 2 needed')]);
  expect(stdout).toContain(
    'no agent could review it (first-reviewer, second-reviewer, third-reviewer cannot work now, `sluice agents list` says why)',
  );
  const [run] = example.list('processed/workflows/pr-diff-review');
  const reviewed = example.read(`processed/workflows/pr-diff-review/${run}/reviews/review-round-1.md`);
  expect(reviewed).not.toContain('uncommitted');
  expect(example.read(`processed/workflows/pr-diff-review/${run}/steps/diff/result.md`)).toContain(
    '+eval(x);',
  );
  const listed = await example.call('agents', 'list');
  expect(listed.stdout + listed.stderr).toContain('npm install -g @openai/codex');
});
