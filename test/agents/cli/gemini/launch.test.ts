/** How it is started. */
import { expect, test } from 'vitest';
import { geminiLaunch } from '../../../../src/agents/cli/gemini/launch.ts';
import { policyText } from '../../../../src/agents/cli/gemini/policy.ts';
import { harmlessPrompt } from '../../../../src/agents/cli/gemini/prompt.ts';
import type { LaunchRequest } from '../../../../src/agents/cli/kind.ts';

const request: LaunchRequest = {
  version: { text: '0.61.0' },
  tools: [],
  access: 'read',
  cwd: '/project',
  directories: [],
  prompt: 'Do the task.',
  sessionId: '38857add-d53d-4867-9f53-176cfc69d4e4',
  workDir: '/work/1',
  skipGitCheck: false,
  withoutFlags: [],
  isConfined: true,
  isRoot: false,
  env: { HOME: '/home/u', GEMINI_API_KEY: 'k' },
  options: {},
};

function settingsOf(more: Partial<LaunchRequest>) {
  const { files } = geminiLaunch({ ...request, ...more });
  return JSON.parse(new Map(files).get('/work/1/gemini/.gemini/settings.json') as string);
}

test.each([
  ['read', 'default'],
  ['edit', 'auto_edit'],
  ['all', 'yolo'],
] as const)('access %s is mode %s', (access, mode) => {
  expect(geminiLaunch({ ...request, access }).args).toEqual([
    ...['--output-format', 'stream-json', '--approval-mode', mode, '--session-id', request.sessionId],
  ]);
});

test('model and folders are flags; a folder with a comma can only stand in the settings', () => {
  const more = { model: 'flash', directories: ['/data/in', '/data/a,b', '/data/out'] };
  expect(geminiLaunch({ ...request, ...more }).args.slice(6)).toEqual([
    ...['-m', 'flash', '--include-directories', '/data/in', '--include-directories', '/data/out'],
  ]);
  expect(settingsOf(more).context.includeDirectories).toEqual(['/data/a,b']);
});

test('flags that this version does not know are left out with their values', () => {
  const more = { model: 'flash', directories: ['/a', '/b'] };
  const withoutFlags = ['--session-id', '--include-directories'];
  expect(geminiLaunch({ ...request, ...more, withoutFlags }).args).toEqual([
    ...['--output-format', 'stream-json', '--approval-mode', 'default', '-m', 'flash'],
  ]);
  const flags = new Set(['--output-format', '--approval-mode']);
  expect(geminiLaunch({ ...request, version: { text: '0.61.0', flags } }).args).not.toContain('--session-id');
});

test('it has a home of its own and trusts no folder, unless the owner said so', () => {
  expect(geminiLaunch(request).env).toMatchObject({
    GEMINI_CLI_HOME: '/work/1/gemini',
    GEMINI_CLI_TRUST_WORKSPACE: 'false',
    GEMINI_CLI_NO_RELAUNCH: 'true',
  });
  const env = { ...request.env, GEMINI_CLI_TRUST_WORKSPACE: 'true' };
  expect(geminiLaunch({ ...request, env }).env.GEMINI_CLI_TRUST_WORKSPACE).toBe('true');
  for (const [path] of geminiLaunch(request).files) expect(path).toMatch(/^\/work\/1\/gemini\//);
});

test('what would do more than the work, or obey what lies in a folder, is off', () => {
  expect(settingsOf({})).toEqual({
    general: {
      ...{ enableAutoUpdate: false, enableAutoUpdateNotification: false, maxAttempts: 3 },
      ...{ plan: { enabled: false }, topicUpdateNarration: false, checkpointing: { enabled: false } },
    },
    security: { auth: { selectedType: 'gemini-api-key' }, folderTrust: { enabled: false } },
    privacy: { usageStatisticsEnabled: false },
    telemetry: { enabled: false },
    ui: { showCompatibilityWarnings: false, showHomeDirectoryWarning: false },
    advanced: { ignoreLocalEnv: true, autoConfigureMemory: false },
    context: {
      loadMemoryFromIncludeDirectories: false,
      fileFiltering: { enableRecursiveFileSearch: false },
    },
    tools: { sandbox: false },
    skills: { enabled: false },
    hooksConfig: { enabled: false },
    experimental: { enableAgents: false, worktrees: false },
    policyPaths: ['/work/1/gemini/policy.toml'],
  });
});

test('log-ins are linked, and the way to log in is repeated', () => {
  const links = new Map(geminiLaunch(request).links);
  expect(links.get('/work/1/gemini/.gemini/oauth_creds.json')).toBe('/home/u/.gemini/oauth_creds.json');
  expect(links.get('/work/1/gemini/.env')).toBe('/home/u/.gemini/.env');
  const selected = (more: Partial<LaunchRequest>) => settingsOf(more).security.auth.selectedType;
  expect(selected({})).toBe('gemini-api-key');
  expect(selected({ env: { HOME: '/home/u' } })).toBe('oauth-personal');
  expect(selected({ env: { HOME: '/home/u', GOOGLE_GENAI_USE_VERTEXAI: 'true' } })).toBe('vertex-ai');
  expect(selected({ login: { state: 'logged_in', detail: '', method: 'oauth-personal' } })).toBe(
    'oauth-personal',
  );
  expect(geminiLaunch({ ...request, env: {} }).links).toEqual([]);
});

test('turns and effort stand in the settings', () => {
  expect(settingsOf({}).model).toBeUndefined();
  expect(settingsOf({ maxTurns: 7 }).model).toEqual({ maxSessionTurns: 7 });
  const thinking = (effort: string, model?: string) =>
    settingsOf({ effort, ...(model && { model }) }).modelConfigs.overrides[0].modelConfig
      .generateContentConfig.thinkingConfig;
  expect(thinking('low')).toEqual({ thinkingLevel: 'LOW' });
  expect(thinking('low', 'gemini-2.5-pro')).toEqual({ thinkingBudget: 1_024 });
  expect(thinking('4096', 'pro')).toEqual({ thinkingBudget: 4_096 });
});

test.each([
  ['plain text', 'plain text'],
  [
    'mail a@b.c, @ alone, \\@kept',
    'In this message "\\@" stands for the at sign alone.\n\nmail a\\@b.c, @ alone, \\@kept',
  ],
  ['/memory show', '\n/memory show'],
  ['// comment', '\n// comment'],
])('prompt %j', (prompt, given) => {
  expect(harmlessPrompt(prompt)).toBe(given);
  expect(geminiLaunch({ ...request, prompt }).stdin).toBe(given);
});

test('no file or folder can be named by a prompt', () => {
  const given = harmlessPrompt('@a @"b c" x@../d (@e) @@f \\\\@g @\n@h');
  // As the CLI looks for them: an at sign without a backslash before it, and something behind it.
  expect(given).not.toMatch(/(?<!\\)@(?=\S)/);
});

test('reading has no rule that allows; editing allows two tools; all is all', () => {
  expect(policyText('read', [])).not.toContain('"allow"');
  expect(policyText('edit', [])).toContain('toolName = ["write_file","replace"]\ndecision = "allow"');
  const all = policyText('all', []);
  expect(all).toContain('toolName = "*"\ndecision = "allow"');
  expect(all).toContain('toolName = "run_shell_command"\nargsPattern = "."');
  for (const access of ['read', 'edit', 'all'] as const)
    expect(policyText(access, [])).toMatch(/"invoke_agent".*\]\ndecision = "deny"\npriority = 999/);
});

test.each([
  ['web_fetch', 'toolName = "web_fetch"\ndecision = "allow"'],
  ['run_shell_command', 'toolName = "run_shell_command"\nargsPattern = "."'],
  ['ShellTool(npm test)', 'toolName = "run_shell_command"\ncommandPrefix = "npm test"'],
  ['run_shell_command(git log:*)', 'commandPrefix = "git log"'],
  ['run_shell_command(echo "a\\b")', 'commandPrefix = "echo \\"a\\\\b\\""'],
])('tool %j', (tool, rule) => {
  expect(policyText('read', [tool])).toContain(rule);
});

test('a tool that is none adds no rule', () => {
  expect(policyText('read', ['"]\nx', ''])).toBe(policyText('read', []));
});
