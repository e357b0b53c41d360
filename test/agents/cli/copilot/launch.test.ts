/** What GitHub Copilot CLI is started with. */
import { expect, test } from 'vitest';
import { copilotKind } from '../../../../src/agents/cli/copilot/copilot.ts';
import type { LaunchRequest } from '../../../../src/agents/cli/kind.ts';
import { launchRequest } from '../launch-request.ts';

const launch = (more: Partial<LaunchRequest> = {}) => copilotKind.launch(launchRequest(more));
const plain = [
  ...['--output-format', 'json', '--no-custom-instructions', '--no-color', '--no-auto-update'],
  ...['--no-ask-user', '--disable-builtin-mcps', '--no-remote', '--excluded-tools=skill,task'],
  ...['--session-id', '11111111-1111-4111-8111-111111111111'],
  ...['--usage-output-file', '/project/.sluice/work/1/copilot-usage.json'],
];

test.each<[string, Partial<LaunchRequest>, readonly string[]]>([
  ['read', {}, []],
  ['edit', { access: 'edit' }, ['--allow-tool=write']],
  ['all', { access: 'all', directories: ['/drop'] }, ['--allow-all']],
  [
    'tools and folders',
    { tools: ['shell(git:*)'], directories: ['/drop', '/out'] },
    ['--allow-tool=shell(git:*)', '--add-dir', '/drop', '--add-dir', '/out'],
  ],
  ['model and effort', { model: 'm', effort: 'high' }, ['--model=m', '--reasoning-effort', 'high']],
])('%s', (_, more, added) => {
  expect(launch(more).args).toEqual([...plain, ...added]);
});

test('the prompt goes by stdin, however long it is', () => {
  const prompt = `--allow-all ${'x'.repeat(300_000)}`;
  const { args, stdin } = launch({ prompt });
  expect([args, stdin]).toEqual([plain, prompt]);
});

test('what would make it trust the folder is taken from its environment', () => {
  expect(launch().env.COPILOT_ALLOW_ALL).toBe('false');
  expect(copilotKind.environment).not.toContain('COPILOT_ALLOW_ALL');
  expect(copilotKind.environment).not.toContain('COPILOT_*');
});

test('its home is its own, but for its sessions', () => {
  const home = '/project/.sluice/work/1/copilot';
  const user = { host: 'https://github.com', login: 'a', kind: 'githubDotCom' };
  const login = { state: 'logged_in', detail: '', method: JSON.stringify(user) } as const;
  const { env, files, links } = launch({ env: { HOME: '/home/a' }, login });
  expect(env.COPILOT_HOME).toBe(home);
  const { host, login: name } = user;
  expect(JSON.parse(files[0]?.[1] ?? '')).toEqual({
    ...{ loggedInUsers: [user], lastLoggedInUser: { host, login: name } },
  });
  expect(links).toEqual([[`${home}/session-state`, '/home/a/.copilot/session-state']]);
  const elsewhere = launch({ env: { HOME: '/home/a', COPILOT_HOME: '/own/copilot' } });
  expect(elsewhere.links).toEqual([[`${home}/session-state`, '/own/copilot/session-state']]);
  expect(elsewhere.files[0]).toEqual([`${home}/config.json`, '{}\n']);
});

test('sub-agents are offered where the configuration names them', () => {
  expect(launch({ tools: ['task'] }).args).toContain('--excluded-tools=skill');
});

test('a version without a flag is started without it', () => {
  const flags = new Set(['--output-format', '--no-custom-instructions', '--excluded-tools', '--no-color']);
  const started = launch({ version: { text: '1.0.0', flags }, withoutFlags: ['--no-color'], effort: 'high' });
  expect(started.args).toEqual([
    ...['--output-format', 'json', '--no-custom-instructions', '--excluded-tools=skill,task'],
  ]);
  expect(started.lastMessageFile).toBeUndefined();
});
