/** Agents of kind claude, codex, gemini, opencode, copilot and plugin: every key, its default, and what is refused, with its place. */
import { chmod } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { cliCapabilities } from '../../src/config/capabilities.ts';
import { cliKinds, isCliAgent } from '../../src/config/config.ts';
import { configView, diffConfig, loadConfig, parseConfig } from '../../src/config/load.ts';
import { accessOfTool } from '../../src/config/tool-access.ts';
import { brief, errorsOf, load, project } from './project.ts';

const rule = 'routing_rules: [{ pattern: "**", agent: a, prompt: Look. }]\n';
/** One agent; its keys begin in line 4. */
const agent = (kind: string, body = '') => `agents:\n  a:\n    kind: ${kind}\n${body}${rule}`;
const claude = (body = '') => agent('claude', body);

async function agentOf(text: string, files: Record<string, string> = {}) {
  const { config } = await load(text, files);
  const found = config.agents.get('a');
  if (!found || !isCliAgent(found)) throw new Error('no agent CLI');
  return found;
}

test.each(cliKinds.filter((kind) => kind !== 'plugin'))('defaults of %s', async (kind) => {
  const found = await agentOf(agent(kind));
  expect(found).toEqual({
    kind,
    name: 'a',
    capabilities: cliCapabilities[kind],
    priority: 0,
    fallback: [],
    maxLoad: 1,
    budget: { usdPerDay: 20, unknownCost: 'allow' },
    breaker: { errorRate: 0.1, minimum: 10, windowMs: 300_000, resetMs: 30_000 },
    limits: { memoryBytes: 2 ** 31, runtimeMs: 3_600_000, required: false },
    maxRepeats: 8,
    workspace: 'in_place',
    timeoutMs: 3_600_000,
    idleTimeoutMs: 600_000,
    retry: { attempts: 3, initialMs: 1_000, maxMs: 300_000 },
    maxOutputBytes: 64 * 2 ** 20,
    env: [],
    sandbox: {
      mode: 'required',
      write: [],
      network: 'allow',
      blocked: [['dd'], ['mkfs'], ['fdisk'], ['sudo'], ['su'], ['shutdown'], ['reboot']],
      confirm: [
        ['git', 'push'],
        ['npm', 'publish'],
        ['pip', 'install'],
      ],
    },
    cli: {
      tools: [],
      permissions: { mode: 'read', ceiling: 'read', directories: [] },
      onQuota: 'wait',
    },
  });
});

const keys: readonly (readonly [line: string, found: object])[] = [
  ['model: sonnet', { cli: { model: 'sonnet' } }],
  ['effort: high', { cli: { effort: 'high' } }],
  ['max_turns: 7', { cli: { maxTurns: 7 } }],
  ['program: ./bin/claude', { cli: { program: './bin/claude' } }],
  ['tools: [Read, Read, "Bash(npm test:*)"]', { cli: { tools: ['Read', 'Bash(npm test:*)'] } }],
  ['permissions: { mode: edit }', { cli: { permissions: { mode: 'edit', ceiling: 'edit' } } }],
  // What it may write to follows from what an attempt may do: one that only looks finds everything read-only.
  ['permissions: { ceiling: edit }', { sandbox: { write: [] } }],
  ['permissions: { ceiling: all }', { cli: { permissions: { mode: 'read', ceiling: 'all' } } }],
  ['on_quota: fallback', { cli: { onQuota: 'fallback' } }],
  ['load: light', { load: 'light' }],
  ['tokens_per_task: 50k', { tokensPerTask: 50_000 }],
  ['tokens_per_task: 1234', { tokensPerTask: 1234 }],
  ['max_load: 3', { maxLoad: 3 }],
  ['max_load: unlimited', { maxLoad: Number.POSITIVE_INFINITY }],
  ['budget: { tokens_per_day: 5M }', { budget: { tokensPerDay: 5e6, unknownCost: 'refuse' } }],
  ['budget: { usd_per_run: 1, unknown_cost: allow }', { budget: { usdPerRun: 1, unknownCost: 'allow' } }],
  ['idle_timeout: 2m', { idleTimeoutMs: 120_000 }],
  ['max_repeats: off', { maxRepeats: Number.POSITIVE_INFINITY }],
  ['workspace: copy', { workspace: 'copy' }],
  ['rate: 30/h', { rate: { count: 30, perMs: 3_600_000 } }],
  [
    'limits: { cpu: 50%, memory: 1GiB }',
    { limits: { cpuPercent: 50, memoryBytes: 2 ** 30, runtimeMs: 3_600_000 } },
  ],
  ['limits: { runtime: 30m }', { limits: { memoryBytes: 2 ** 31, runtimeMs: 1_800_000 } }],
  ['env: [LANG]', { env: [{ kind: 'pass', name: 'LANG' }] }],
  [
    'sandbox: { write: [workspace] }',
    { sandbox: { mode: 'required', write: ['workspace'], network: 'allow' } },
  ],
  [
    'sandbox: { network: [api.anthropic.com] }',
    { sandbox: { mode: 'required', network: ['api.anthropic.com'] } },
  ],
  ['sandbox: { mode: auto }', { sandbox: { mode: 'auto', network: 'allow' } }],
  ['sandbox: { mode: off, reason: in a container }', { sandbox: { mode: 'off', reason: 'in a container' } }],
  ['circuit_breaker: off', {}],
];

test.each(keys)('%s', async (line, found) => {
  const text = claude(`    ${line}\n`);
  expect(await agentOf(text)).toMatchObject(found);
});

test('a time-out that is written stands alone, whatever it is', async () => {
  for (const timeout of ['20m', '2h']) {
    const { limits, timeoutMs } = await agentOf(claude(`    timeout: ${timeout}\n`));
    expect([limits.runtimeMs, timeoutMs]).toEqual([undefined, timeout === '20m' ? 1_200_000 : 7_200_000]);
  }
});

test('a budget that is switched from money to tokens has no bound in money', async () => {
  expect((await agentOf(claude('    budget: { tokens_per_day: 1M }\n'))).budget?.usdPerDay).toBeUndefined();
});

test('a plugin has a package and options', async () => {
  const { cli } = await agentOf(
    agent('plugin', '    plugin: sluice-kind-x\n    options: { level: 3, list: [a] }\n'),
  );
  expect(cli.plugin).toEqual({ package: 'sluice-kind-x', options: { level: 3, list: ['a'] } });
});

test('folders are absolute, and each once', async () => {
  const { cli } = await agentOf(claude('    permissions: { directories: [./lib, lib] }\n'), { 'lib/x': '' });
  expect(cli.permissions.directories).toHaveLength(1);
  expect(cli.permissions.directories[0]).toMatch(/^\/.*\/lib$/);
});

const errors: readonly {
  readonly name: string;
  readonly text: string;
  readonly at: string | readonly string[];
  readonly message?: RegExp;
  readonly fix?: RegExp;
}[] = [
  { name: 'kind', text: agent('cluade'), at: '3:11 BAD_VALUE', fix: /"claude".*gemini/ },
  { name: 'kind in capitals', text: agent('Codex'), at: '3:11 BAD_VALUE', fix: /"codex"/ },
  {
    name: 'no kind, keys of a CLI',
    text: 'agents: { a: { model: gpt-5 } }\n',
    at: '1:11 MISSING_KEY',
    fix: /kind: codex/,
  },
  {
    name: 'no kind, gemini',
    text: 'agents: { a: { model: gemini-3 } }\n',
    at: '1:11 MISSING_KEY',
    fix: /kind: gemini/,
  },
  {
    name: 'no kind, plugin',
    text: 'agents: { a: { plugin: x } }\n',
    at: '1:11 MISSING_KEY',
    fix: /kind: plugin/,
  },
  {
    name: 'more than the ceiling',
    text: claude('    permissions: { mode: all, ceiling: edit }\n'),
    at: '4:26 CONFLICT',
    message: /mode: all.*ceiling: edit/,
  },
  {
    name: 'mode',
    text: claude('    permissions: { mode: write }\n'),
    at: '4:26 BAD_VALUE',
    message: /read, edit, all/,
  },
  {
    name: 'ceiling',
    text: claude('    permissions: { ceiling: edits }\n'),
    at: '4:29 BAD_VALUE',
    fix: /"edit"/,
  },
  {
    name: 'permissions as a word',
    text: claude('    permissions: edit\n'),
    at: '4:18 WRONG_TYPE',
    fix: /`\{ mode: edit \}`/,
  },
  { name: 'mode as a truth', text: claude('    permissions: { mode: true }\n'), at: '4:26 WRONG_TYPE' },
  {
    name: 'mode by itself',
    text: claude('    mode: edit\n'),
    at: '4:5 UNKNOWN_KEY',
    fix: /permissions: \{ mode/,
  },
  {
    name: 'budget as a number',
    text: claude('    budget: 5\n'),
    at: '4:13 WRONG_TYPE',
    fix: /keys: usd_per_run, /,
  },
  {
    name: 'sandbox as a word',
    text: claude('    sandbox: off\n'),
    at: '4:14 WRONG_TYPE',
    fix: /`\{ mode: off \}`/,
  },
  { name: 'env as a word', text: claude('    env: FOO\n'), at: '4:10 WRONG_TYPE', fix: /`\[FOO\]`/ },
  {
    name: 'an agent as a word',
    text: 'agents: { a: claude }\n',
    at: '1:14 WRONG_TYPE',
    fix: /`\{ kind: claude \}`/,
  },
  { name: 'turns in quotes', text: claude('    max_turns: "3"\n'), at: '4:16 WRONG_TYPE', fix: /`3`/ },
  {
    name: 'folder that is not there',
    text: claude('    permissions: { directories: [./nope] }\n'),
    at: '4:34 BAD_FILE',
    fix: /mkdir/,
  },
  { name: 'the home', text: claude('    permissions: { directories: ["~"] }\n'), at: '4:34 BAD_VALUE' },
  { name: 'our state', text: claude('    permissions: { directories: [.sluice] }\n'), at: '4:34 CONFLICT' },
  {
    name: 'the project itself',
    text: claude('    permissions: { directories: ["."] }\n'),
    at: '4:34 CONFLICT',
    fix: /works in the project folder/,
  },
  {
    name: 'a tool that edits',
    text: claude('    tools: [Read, Write]\n'),
    at: '4:19 CONFLICT',
    message: /"Write" needs.*ceiling: edit/,
  },
  {
    name: 'a shell within edit',
    text: claude('    permissions: { mode: edit }\n    tools: [Bash]\n'),
    at: '5:13 CONFLICT',
    fix: /`Bash\(npm test:\*\)`/,
  },
  {
    name: 'a shell of gemini',
    text: agent('gemini', '    tools: [run_shell_command, write_file]\n'),
    at: ['4:13 CONFLICT', '4:32 CONFLICT'],
  },
  { name: 'tools as a word', text: claude('    tools: Read\n'), at: '4:12 WRONG_TYPE', fix: /\[Read\]/ },
  { name: 'turns', text: claude('    max_turns: 0\n'), at: '4:16 BAD_VALUE', message: /from 1/ },
  { name: 'model as a number', text: claude('    model: 5\n'), at: '4:12 WRONG_TYPE' },
  { name: 'secret as a model', text: claude('    model: "${env:MODEL}"\n'), at: '4:12 BAD_REFERENCE' },
  {
    name: 'quota',
    text: claude('    on_quota: stop\n'),
    at: '4:15 BAD_VALUE',
    message: /wait, fallback, pause/,
  },
  { name: 'load', text: claude('    load: heavi\n'), at: '4:11 BAD_VALUE', fix: /"heavy"/ },
  { name: 'tokens', text: claude('    tokens_per_task: many\n'), at: '4:22 BAD_VALUE', fix: /200k/ },
  { name: 'command', text: claude('    command: [claude, -p]\n'), at: '4:5 UNKNOWN_KEY', fix: /`program`/ },
  ...['model: m', 'timeout: 5m', 'permissions: {}'].map((line) => ({
    name: `at a rule: ${line}`,
    text: `agents: { a: { kind: claude } }\nrouting_rules:\n  - pattern: "**"\n    agent: a\n    ${line}\n`,
    at: '5:5 UNKNOWN_KEY',
    fix: /belongs to the agent/,
  })),
  { name: 'api_key', text: claude('    api_key: x\n'), at: '4:5 UNKNOWN_KEY', fix: /env:/ },
  {
    name: 'permission_mode',
    text: claude('    permission_mode: plan\n'),
    at: '4:5 UNKNOWN_KEY',
    fix: /permissions/,
  },
  { name: 'a slip', text: claude('    max_turn: 3\n'), at: '4:5 UNKNOWN_KEY', fix: /"max_turns"/ },
  { name: 'plugin of claude', text: claude('    plugin: x\n'), at: '4:5 UNKNOWN_KEY', fix: /kind: plugin/ },
  { name: 'plugin without a package', text: agent('plugin'), at: '2:3 MISSING_KEY', message: /`plugin`/ },
  {
    name: 'secret in options',
    text: agent('plugin', '    plugin: x\n    options: { deep: ["${env:KEY}"] }\n'),
    at: '5:23 BAD_REFERENCE',
  },
  { name: 'turns of codex', text: agent('codex', '    max_turns: 3\n'), at: '4:5 CONFLICT', fix: /timeout/ },
  {
    name: 'tools of codex',
    text: agent('codex', '    tools: [x]\n'),
    at: '4:5 CONFLICT',
    fix: /permissions/,
  },
  { name: 'turns of copilot', text: agent('copilot', '    max_turns: 3\n'), at: '4:5 CONFLICT' },
  ...[
    'model: m',
    'effort: high',
    'max_turns: 3',
    'tools: [a]',
    'permissions: {}',
    'on_quota: wait',
    'program: x',
  ].map((line) => ({
    name: `of no CLI: ${line}`,
    text: `agents:\n  a:\n    kind: builtin\n    ${line}\n`,
    at: '4:5 UNKNOWN_KEY',
    fix: /belongs to agent CLIs \(claude/,
  })),
  {
    name: 'load of the builtin',
    text: 'agents:\n  a:\n    kind: builtin\n    load: light\n',
    at: '4:5 UNKNOWN_KEY',
  },
  {
    name: 'capability twice',
    text: claude('    capabilities: [testing, { name: testing }]\n'),
    at: '4:37 DUPLICATE_NAME',
  },
  {
    name: 'capability without a name',
    text: claude('    capabilities: [{ domains: [x] }]\n'),
    at: '4:20 MISSING_KEY',
  },
  {
    name: 'key of a capability',
    text: claude('    capabilities: [{ name: x, domain: [y] }]\n'),
    at: '4:31 UNKNOWN_KEY',
    fix: /"domains"/,
  },
];

test.each(errors)('refused: $name', async ({ text, at, message, fix }) => {
  const found = await errorsOf(text);
  expect(found.map(brief)).toEqual([at].flat());
  if (message) expect(found[0]?.message).toMatch(message);
  if (fix) expect(found[0]?.fix).toMatch(fix);
  for (const one of found) expect(`${one.message} ${one.fix}`).not.toMatch(/undefined|\[object/);
});

const warnings: readonly (readonly [name: string, text: string, at: readonly string[], words: RegExp])[] = [
  ['a program that is not there', claude(), ['3:11 COMMAND_NOT_FOUND'], /agents detect/],
  ['one that is named', claude('    program: ./nope\n'), ['4:14 COMMAND_NOT_FOUND'], /chmod/],
  [
    'a capability with a slip',
    agent('plugin', '    plugin: x\n    capabilities: [code-review, { name: code_reveiw }]\n'),
    ['5:20 CAPABILITY_UNKNOWN', '5:41 CAPABILITY_UNKNOWN'],
    /"code_review"/,
  ],
  [
    'capabilities of one’s own',
    agent(
      'plugin',
      '    plugin: x\n    capabilities: [review, ocr, security_analysis, presentation, code_review]\n',
    ),
    [],
    /^/,
  ],
  [
    'a plugin that is not installed',
    agent('plugin', '    plugin: y\n'),
    ['4:13 COMMAND_NOT_FOUND'],
    /npm install y/,
  ],
  ['and one of a path', agent('plugin', '    plugin: ./y\n'), ['4:13 COMMAND_NOT_FOUND'], /path/],
  [
    'files of one that only looks',
    'agents: { a: { kind: claude, program: ./codex } }\nrouting_rules: [{ pattern: "**", agent: a, expect: { outputs: [x] } }]\n',
    ['2:63 CONFLICT'],
    /mode: edit/,
  ],
  [
    'files of one that edits',
    'agents: { a: { kind: claude, program: ./codex, permissions: { mode: edit } } }\nrouting_rules: [{ pattern: "**", agent: a, expect: { outputs: [x] } }]\n',
    [],
    /^/,
  ],
  ['an effort with a slip', claude('    program: ./codex\n    effort: hgih\n'), ['5:13 BAD_VALUE'], /"high"/],
  ['an effort of its own', claude('    program: ./codex\n    effort: ultrathink\n'), [], /^/],
  [
    'a service out of reach',
    claude('    program: ./codex\n    sandbox: { network: none }\n'),
    ['5:25 CONFLICT'],
    /network: allow/,
  ],
  [
    'a bound in money of a CLI that does not tell',
    agent('codex', '    program: ./codex\n    budget: { usd_per_day: 5 }\n'),
    ['5:28 COST_UNKNOWN'],
    /prices/,
  ],
  ['and of one that does', claude('    program: ./codex\n    budget: { usd_per_day: 5 }\n'), [], /^/],
  [
    'a model that nobody names',
    `${agent('codex', '    program: ./codex\n')}prices: [{ model: "gpt-5*", input: 1, output: 2 }]\n`,
    ['3:11 COST_UNKNOWN'],
    /`model`/,
  ],
  [
    'one that is named has its price',
    `${agent('codex', '    program: ./codex\n    model: gpt-5\n')}prices: [{ model: "gpt-5*", input: 1, output: 2 }]\n`,
    [],
    /^/,
  ],
  [
    'with prices it is known',
    `${agent('codex', '    program: ./codex\n    budget: { usd_per_day: 5 }\n')}prices: [{ model: "*", input: 1, output: 2 }]\n`,
    [],
    /^/,
  ],
];

test.each(warnings)('a warning: %s', async (_name, text, at, words) => {
  const dir = await project({
    ...{ 'inbox/x': '', codex: '#!/bin/sh\n', 'config/orchestrator.yaml': text },
    'node_modules/x/package.json': '{}',
  });
  await chmod(join(dir, 'codex'), 0o755);
  const { warnings: found } = await loadConfig(join(dir, 'config/orchestrator.yaml'), { searchPath: dir });
  expect(found.map(brief)).toEqual(at);
  for (const one of found) expect(one.fix).toMatch(words);
});

test('what a capability says of itself is kept', async () => {
  const found = await agentOf(
    claude(
      '    capabilities: [testing, { name: audit, description: Looks., domains: [security], tools: [semgrep] }]\n',
    ),
  );
  expect(found.capabilities).toEqual(['testing', 'audit']);
  expect(found.capabilityDetails).toEqual([
    { name: 'audit', description: 'Looks.', domains: ['security'], tools: ['semgrep'] },
  ]);
});

test.each([
  ['claude', 'Read', undefined],
  ['claude', 'Write', 'edit'],
  ['claude', 'MultiEdit', 'edit'],
  ['claude', 'Edit(src/**)', 'edit'],
  ['claude', 'Bash', 'all'],
  ['claude', ' Bash ( * ) ', 'all'],
  ['claude', 'Bash(:*)', 'all'],
  ['claude', 'Bash()', 'all'],
  ['claude', 'Bash(npm test:*)', undefined],
  ['claude', 'mcp__github__create_issue', undefined],
  ['gemini', 'write_file', 'edit'],
  ['gemini', 'replace', 'edit'],
  ['gemini', 'run_shell_command', 'all'],
  ['gemini', 'run_shell_command(git status)', undefined],
  ['gemini', '*', 'all'],
  ['opencode', 'bash', 'all'],
  ['copilot', 'shell', 'all'],
  ['copilot', 'shell(git:*)', undefined],
  ['copilot', 'write', 'edit'],
  ['plugin', 'Write', undefined],
] as const)('tool: %s %s needs %s', (kind, tool, access) => {
  expect(accessOfTool(kind, tool)).toBe(access);
});

test('nothing beyond the ceiling passes, whatever is written', async () => {
  const access = fc.constantFrom('read', 'edit', 'all' as const);
  const rank = { read: 0, edit: 1, all: 2 } as const;
  const tools = fc.subarray(['Read', 'Write', 'Bash', 'Bash(ls)', 'Edit']);
  const dir = await project({ 'inbox/x': '' });
  await fc.assert(
    fc.asyncProperty(access, access, tools, async (mode, ceiling, named) => {
      const agents = { a: { kind: 'claude', permissions: { mode, ceiling }, tools: named } };
      const isFine =
        rank[mode] <= rank[ceiling] &&
        named.every((tool) => rank[accessOfTool('claude', tool) ?? 'read'] <= rank[ceiling]);
      const text = JSON.stringify({ agents });
      const loads = await parseConfig(join(dir, 'orchestrator.json'), text).then(
        () => true,
        () => false,
      );
      expect(loads).toBe(isFine);
    }),
    { numRuns: 60 },
  );
});

test('what is shown loads again and is the same; a change of it is told by its key', async () => {
  const text = `${claude(
    '    model: opus\n    tools: ["Bash(ls)"]\n    permissions: { mode: edit, ceiling: all, directories: [./lib] }\n    load: heavy\n    tokens_per_task: 20k\n    capabilities: [code_review, { name: audit }]\n    timeout: 20m\n    sandbox: { write: [workspace] }\n',
  )}prices: [{ model: "gpt*", from: 2026-07-01, input: 1, output: 2 }]\nreviews: { on: [result], weights: { a: 2 }, policy: [{ if: blockers > 0, decision: stop }] }\n`;
  const { config } = await load(text, { 'lib/x': '' });
  const view = configView(config);
  const again = await parseConfig(config.file, JSON.stringify(view));
  expect(configView(again.config)).toEqual(view);
  expect(diffConfig(config, again.config)).toEqual([]);
  const changed = await parseConfig(
    config.file,
    text.replace('opus', 'haiku').replace('{ a: 2 }', '{ a: 3 }'),
  );
  expect(diffConfig(config, changed.config)).toEqual([
    { path: 'agents.a.model', before: 'opus', after: 'haiku' },
    { path: 'reviews.weights.a', before: 2, after: 3 },
  ]);
});
