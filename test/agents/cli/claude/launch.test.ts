/** What it is started with. */
import { describe, expect, test } from 'vitest';
import { claudeLaunch } from '../../../../src/agents/cli/claude/launch.ts';
import type { LaunchRequest } from '../../../../src/agents/cli/kind.ts';

const id = '11111111-1111-4111-8111-111111111111';

function launch(more: Partial<LaunchRequest> = {}) {
  return claudeLaunch({
    version: { text: '2.1.328' },
    tools: [],
    access: 'read',
    cwd: '/w',
    directories: [],
    prompt: 'Do it.',
    sessionId: id,
    workDir: '/job',
    skipGitCheck: false,
    withoutFlags: [],
    isConfined: true,
    isRoot: false,
    env: {},
    options: {},
    ...more,
  });
}

/** Words after a flag, up to the next one. */
function valuesOf(args: readonly string[], flag: string): readonly string[] | undefined {
  const at = args.indexOf(flag);
  if (at < 0) return undefined;
  const end = args.findIndex((word, i) => i > at && word.startsWith('-'));
  return args.slice(at + 1, end < 0 ? undefined : end);
}

function settingsOf(args: readonly string[]) {
  return JSON.parse(args[args.indexOf('--settings') + 1] ?? '') as {
    disableAllHooks: boolean;
    permissions: { ask: string[]; deny: string[] };
    sandbox: object;
  };
}

test('the prompt is given to stdin, never as an argument', () => {
  for (const prompt of ['--help me', 'x'.repeat(300_000), '-p', '']) {
    const { args, stdin } = launch({ prompt });
    expect(stdin).toBe(prompt);
    expect(args.filter((word) => word === prompt)).toHaveLength(prompt === '-p' ? 1 : 0);
  }
});

test('a prompt that begins like a command of its own is none', () => {
  expect(launch({ prompt: '/compact' }).stdin).toBe('\n/compact');
});

describe('access', () => {
  test.each([
    ['read', 'default'],
    ['edit', 'acceptEdits'],
  ] as const)('%s is mode %s', (access, mode) => {
    const { args, env } = launch({ access, isRoot: true });
    expect(valuesOf(args, '--permission-mode')).toEqual([mode]);
    expect(args).not.toContain('--dangerously-skip-permissions');
    expect(env.IS_SANDBOX).toBeUndefined();
  });

  test.each([
    [true, true, '1'],
    [true, false, undefined],
    [false, true, undefined],
    [false, false, undefined],
  ])('all, as root %s, confined %s: IS_SANDBOX %s', (isRoot, isConfined, value) => {
    const { args, env } = launch({ access: 'all', isRoot, isConfined });
    expect(args).toContain('--dangerously-skip-permissions');
    expect(args).not.toContain('--permission-mode');
    expect(env.IS_SANDBOX).toBe(value);
  });

  test("is not widened by the user's own settings", () => {
    expect(settingsOf(launch().args).permissions.ask).toEqual(['Edit', 'Write', 'NotebookEdit']);
    expect(settingsOf(launch({ tools: ['Write(./out/**)'] }).args).permissions.ask).toEqual([
      'Edit',
      'NotebookEdit',
    ]);
    expect(settingsOf(launch({ access: 'edit' }).args).permissions.ask).toEqual([]);
    expect(settingsOf(launch({ isConfined: true }).args).sandbox).toEqual({ enabled: false });
    expect(settingsOf(launch({ isConfined: false }).args).sandbox).toEqual({
      autoAllowBashIfSandboxed: false,
    });
  });

  test('tools that need somebody are not there, unless they are asked for', () => {
    expect(settingsOf(launch().args).permissions.deny).toContain('AskUserQuestion');
    expect(settingsOf(launch({ tools: ['Monitor'] }).args).permissions.deny).not.toContain('Monitor');
  });
});

test('nothing that lies in its folders is obeyed', () => {
  const { args, env } = launch();
  expect(valuesOf(args, '--setting-sources')).toEqual(['user']);
  expect(args).toContain('--strict-mcp-config');
  expect(settingsOf(args).disableAllHooks).toBe(true);
  expect(env).toMatchObject({
    CLAUDE_CODE_SAFE_MODE: '1',
    CLAUDE_CODE_DISABLE_CLAUDE_MDS: '1',
    CLAUDE_CODE_DISABLE_FILE_MENTIONS: '1',
  });
});

test('what is asked for is handed on', () => {
  const { args } = launch({
    model: 'opus',
    effort: 'high',
    maxTurns: 7,
    maxUsd: 0.5,
    tools: ['Bash(npm test:*)', 'Write'],
    directories: ['/a b', '/c'],
    schema: { file: '/job/schema.json', schema: { type: 'object' } },
  });
  const all = Object.fromEntries(
    [
      '--model',
      '--effort',
      '--max-turns',
      '--max-budget-usd',
      '--allowedTools',
      '--add-dir',
      '--json-schema',
      '--session-id',
    ].map((flag) => [flag, valuesOf(args, flag)]),
  );
  expect(all).toEqual({
    '--model': ['opus'],
    '--effort': ['high'],
    '--max-turns': ['7'],
    '--max-budget-usd': ['0.5'],
    '--allowedTools': ['Bash(npm test:*)', 'Write'],
    '--add-dir': ['/a b', '/c'],
    '--json-schema': ['{"type":"object"}'],
    '--session-id': [id],
  });
});

test.each([
  [1e-9, '0.000001'],
  [0.1, '0.1'],
  [20, '20'],
  [1.123_456_9, '1.123457'],
])('%s dollars are %s', (maxUsd, text) => {
  expect(valuesOf(launch({ maxUsd }).args, '--max-budget-usd')).toEqual([text]);
});

test('a schema that no argument can hold is left out', () => {
  const schema = { file: '/s', schema: { description: 'ü'.repeat(70_000) } };
  expect(launch({ schema }).args).not.toContain('--json-schema');
});

test('flags that this version does not know are left out, with their values', () => {
  const flags = new Set(['--model', '--max-budget-usd']);
  const older = launch({ effort: 'high', maxUsd: 1, maxTurns: 3, version: { text: '2.1.169', flags } }).args;
  expect(older).not.toContain('--effort');
  expect(older).not.toContain('high');
  expect(older).not.toContain('--include-partial-messages');
  // No help names it.
  expect(older).toContain('--max-turns');
  expect(older).toContain('--max-budget-usd');
  const without = launch({ maxTurns: 3, withoutFlags: ['--max-turns'] }).args;
  expect(without).not.toContain('--max-turns');
  expect(without).not.toContain('3');
});

test("the environment's own number of retries stays", () => {
  expect(launch().env.CLAUDE_CODE_MAX_RETRIES).toBe('6');
  expect(launch({ env: { CLAUDE_CODE_MAX_RETRIES: '1' } }).env.CLAUDE_CODE_MAX_RETRIES).toBeUndefined();
});
