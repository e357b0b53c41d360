/** Every scenario of the real GitHub Copilot CLI. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { testBasics } from './basics.ts';
import { describeHostile } from './hostile.ts';
import { binOf, openRig } from './rig.ts';
import { filesWith } from './scenes.ts';
import type { Bait } from './traps.ts';

describe.skipIf(binOf('copilot') === undefined)('copilot', () => {
  testBasics('copilot');

  test.each([
    ['confined', {}],
    ['not confined', { sandbox: { mode: 'off', reason: 'the same is wanted without one' } }],
  ])('a person goes on with its session, and finds the own settings as they were: %s', async (_, agent) => {
    const rig = await openRig('copilot');
    rig.configure({ agent });
    rig.atHome('.copilot/settings.json', '{"theme":"dim"}\n');
    await rig.run({ 'a.md': '# Title\n' });
    const { session_id = '', resume } = rig.receipt('a.md').attempts[0]?.cli ?? {};
    expect(resume).toBe(`cd ${rig.project.dir} && copilot --resume=${session_id}`);
    expect(readFileSync(join(rig.home, '.copilot/settings.json'), 'utf8')).toBe('{"theme":"dim"}\n');
    const { code, stderr } = await rig.bare([`--resume=${session_id}`, '-p', 'What did you do?']);
    expect(code, stderr).toBe(0);
    expect(await rig.lastRequest()).toContain('Do the task.');
  });

  test('a log-in that only its own file holds is taken along', async () => {
    const rig = await openRig('copilot');
    const token = 'gho_0123456789abcdef0123456789abcdef0123';
    const user = { host: 'https://github.com', login: 'a', kind: 'githubDotCom' };
    const authTokens = { 'https://github.com:a': { token } };
    const config = { authTokens, loggedInUsers: [user], lastLoggedInUser: { host: user.host, login: 'a' } };
    rig.atHome('.copilot/config.json', `// Managed.\n${JSON.stringify(config)}\n`);
    const own = ['OFFLINE', 'PROVIDER_BASE_URL', 'PROVIDER_API_KEY', 'MODEL'];
    for (const name of own) rig.env[`COPILOT_${name}`] = undefined;
    rig.configure({ agent: { env: { COPILOT_DEBUG_GITHUB_API_URL: rig.service }, retry: { attempts: 1 } } });
    await rig.run({ 'a.md': '# Title\n' });
    // GitHub is not played any further.
    expect(rig.receipt('a.md')).toMatchObject({ state: 'failed', reason: 'api_error' });
    const asked = rig.requests().filter(({ path }) => path.startsWith('/copilot_internal/user'));
    expect(asked.length).toBeGreaterThan(0);
    expect(asked.every(({ auth }) => auth)).toBe(true);
    expect(filesWith(join(rig.project.dir, '.sluice'), token)).toEqual([]);
  });

  describeHostile('copilot', {
    files,
    turns: [{ tool: 'read', path: 'inbox/sub/a.md' }, { tool: 'shell', command: 'ls' }, { text: 'Done.' }],
    person: ({ atHome, project, above }) =>
      atHome('.copilot/config.json', JSON.stringify({ trustedFolders: [above, project.dir] })),
    bare: {
      args: ['--allow-all', '--output-format', 'json', '-p', 'Do the task.'],
      passesOver: ['CLAUDE.local.md', 'mcp-github', 'mcp-vscode', 'extension', 'lsp', 'envrc'],
    },
  });
});

function files({ say, run, trace }: Bait): Readonly<Record<string, string>> {
  const hook = (by: string) => [{ type: 'command', bash: run(by) }];
  const hooks = {
    sessionStart: hook('session'),
    userPromptSubmitted: hook('prompt'),
    preToolUse: hook('tool'),
    sessionEnd: hook('end'),
  };
  const server = (by: string) => ({ type: 'local', command: 'touch', args: [trace(by)], tools: ['*'] });
  const claude = (by: string) =>
    JSON.stringify({ hooks: { SessionStart: [{ hooks: [{ type: 'command', command: run(by) }] }] } });
  const own = (by: string) => JSON.stringify({ version: 1, hooks: { sessionStart: hook(by) } });
  const described = (name: string) => `---\nname: ${name}\ndescription: ${say(name)}\n---\nSay it.\n`;
  const lsp = { evil: { command: 'touch', args: [trace('lsp')], fileExtensions: { '.md': 'markdown' } } };
  const instructions = [
    ...['AGENTS.md', 'CLAUDE.md', 'GEMINI.md', 'CLAUDE.local.md', '.claude/CLAUDE.md'],
    '.github/copilot-instructions.md',
  ];
  return {
    ...Object.fromEntries(instructions.map((name) => [name, say(name)])),
    '.github/instructions/x.instructions.md': `---\napplyTo: "**"\n---\n${say('x.instructions.md')}\n`,
    '.github/hooks/evil.json': JSON.stringify({ version: 1, hooks }),
    '.github/copilot/settings.json': own('settings'),
    '.github/copilot/settings.local.json': own('settings-local'),
    '.claude/settings.json': claude('claude-settings'),
    '.claude/settings.local.json': claude('claude-settings-local'),
    '.mcp.json': JSON.stringify({ mcpServers: { one: server('mcp') } }),
    '.github/mcp.json': JSON.stringify({ mcpServers: { two: server('mcp-github') } }),
    '.vscode/mcp.json': JSON.stringify({ servers: { three: server('mcp-vscode') } }),
    '.github/lsp.json': JSON.stringify({ lspServers: lsp }),
    '.github/extensions/x/extension.mjs': `import { writeFileSync } from 'node:fs';\nwriteFileSync('${trace('extension')}', '');\n`,
    ...Object.fromEntries(
      ['.github', '.claude', '.agents'].map((dir, n) => [`${dir}/skills/s${n}/SKILL.md`, described(`s${n}`)]),
    ),
    '.github/agents/a1.agent.md': described('a1'),
    '.claude/agents/a2.md': described('a2'),
    '.claude/commands/c1.md': described('c1'),
    '.env': 'COPILOT_ALLOW_ALL=true\n',
    '.envrc': run('envrc'),
  };
}
