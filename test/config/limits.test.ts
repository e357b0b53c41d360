/** Limits, budgets, selection, batches, sandboxes and alerts that cannot be kept or would have no effect: each with its place and its fix. */
import { mkdir, symlink } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { ConfigError, loadConfig } from '../../src/config/load.ts';
import { brief, errorsOf, load, project } from './project.ts';

interface Case {
  readonly name: string;
  readonly text: string;
  readonly at: string | readonly string[];
  readonly message?: RegExp;
  readonly fix?: RegExp;
}

const command = (body: string) => `agents:\n  lint:\n    kind: command\n    command: ["true"]\n${body}`;
const http = (body: string) => `agents:\n  web:\n    kind: http\n    url: http://x\n${body}`;
const builtin = (body: string) => `agents:\n  look:\n    kind: builtin\n${body}`;
const three =
  'agents:\n  a: { kind: command, command: ["true"], capabilities: [review, fix] }\n  b: { kind: command, command: ["true"], capabilities: [review] }\n  look: { kind: builtin }\nrouting_rules:\n  - pattern: "**"\n';

const errors: readonly Case[] = [
  // values
  {
    name: 'cpu below one percent',
    text: command('    limits: { cpu: 0.5% }\n'),
    at: '5:20 BAD_VALUE',
    message: /at least 1%/,
  },
  {
    name: 'cpu without sign',
    text: command('    limits: { cpu: 50 }\n'),
    at: '5:20 WRONG_TYPE',
    fix: /`50%`/,
  },
  {
    name: 'memory for no program',
    text: command('    limits: { memory: 1MiB }\n'),
    at: '5:23 BAD_VALUE',
    message: /4MiB/,
  },
  { name: 'runtime of zero', text: command('    limits: { runtime: 0s }\n'), at: '5:24 BAD_VALUE' },
  {
    name: 'required without limits',
    text: command('    limits: { required: true }\n'),
    at: '5:15 CONFLICT',
    message: /neither `cpu` nor `memory`/,
  },
  { name: 'rate', text: command('    rate: 30/minute\n'), at: '5:11 BAD_VALUE', fix: /30\/min/ },
  { name: 'rate of zero', text: command('    rate: 0/s\n'), at: '5:11 BAD_VALUE' },
  {
    name: 'repeats',
    text: command('    max_repeats: 1\n'),
    at: '5:18 BAD_VALUE',
    message: /at least 2, or "off"/,
  },
  {
    name: 'breaker as a word',
    text: command('    circuit_breaker: of\n'),
    at: '5:22 BAD_VALUE',
    fix: /"off"/,
  },
  {
    name: 'breaker key',
    text: command('    circuit_breaker: { error_rat: 1 }\n'),
    at: '5:24 UNKNOWN_KEY',
    fix: /"error_rate"/,
  },
  {
    name: 'error rate above one',
    text: command('    circuit_breaker: { error_rate: 10 }\n'),
    at: '5:36 BAD_VALUE',
    message: /at most 1/,
  },
  {
    name: 'error rate as percentage',
    text: 'thresholds: { error_rate: 25% }\n',
    at: '1:27 WRONG_TYPE',
    fix: /`0\.25`/,
  },
  { name: 'free memory', text: 'thresholds: { free_memory: 5 }\n', at: '1:28 WRONG_TYPE', fix: /`5%`/ },
  { name: 'depth', text: 'daemon: { max_depth: -1 }\n', at: '1:22 BAD_VALUE' },
  {
    name: 'retention of no jobs',
    text: 'output_settings: { retention_jobs: 0 }\n',
    at: '1:36 BAD_VALUE',
    message: /unlimited/,
  },
  // budgets
  { name: 'budget of zero', text: 'budget: { usd_per_day: 0 }\n', at: '1:24 BAD_VALUE', message: /above 0/ },
  { name: 'budget as text', text: 'budget: { usd_per_day: $5 }\n', at: '1:24 WRONG_TYPE', fix: /`5`/ },
  { name: 'tokens', text: 'budget: { tokens_per_day: 5 million }\n', at: '1:27 BAD_VALUE', fix: /5M/ },
  { name: 'no tokens', text: 'budget: { tokens_per_day: 0.0M }\n', at: '1:27 BAD_VALUE' },
  {
    name: 'budget that bounds nothing',
    text: 'budget: { unknown_cost: allow }\n',
    at: '1:1 MISSING_KEY',
    fix: /usd_per_day/,
  },
  {
    name: 'a run above a day',
    text: command('    budget: { usd_per_run: 2, usd_per_day: 1 }\n'),
    at: '5:28 CONFLICT',
    message: /one run/,
  },
  {
    name: 'tokens of a run above a day',
    text: 'budget: { tokens_per_run: 2M, tokens_per_day: 200k }\n',
    at: '1:27 CONFLICT',
  },
  // what has no effect on a kind
  {
    name: 'cpu of a service',
    text: http('    limits: { cpu: 50%, memory: 1GiB, output: 1MiB }\n'),
    at: ['5:15 CONFLICT', '5:25 CONFLICT'],
    message: /no effect.*http/,
  },
  {
    name: 'runtime of a service',
    text: http('    limits: { runtime: 1h }\n'),
    at: '5:15 CONFLICT',
    fix: /`timeout`/,
  },
  {
    name: 'confined service',
    text: http('    sandbox: { mode: required }\n'),
    at: '5:5 CONFLICT',
    message: /starts no program/,
  },
  {
    name: 'paths of a service',
    text: http('    sandbox: { mode: off, reason: r, network: none }\n'),
    at: '5:38 CONFLICT',
  },
  { name: 'copy for a service', text: http('    workspace: copy\n'), at: '5:5 CONFLICT' },
  {
    name: 'budget of the builtin',
    text: builtin('    budget: { usd_per_day: 1 }\n'),
    at: '4:5 CONFLICT',
    message: /costs nothing/,
  },
  { name: 'rate of the builtin', text: builtin('    rate: 1/s\n'), at: '4:5 CONFLICT', fix: /max_load/ },
  {
    name: 'sandbox of the builtin',
    text: builtin('    sandbox: { mode: off, reason: r }\n'),
    at: '4:5 CONFLICT',
  },
  {
    name: 'budget of a rule for the builtin',
    text: `${three}    agent: look\n    budget: { usd_per_day: 1 }\n`,
    at: '8:5 CONFLICT',
  },
  // fallback
  {
    name: 'fallback to nobody',
    text: command('    fallback: [lnit]\n'),
    at: '5:16 UNKNOWN_AGENT',
    fix: /"lint"/,
  },
  {
    name: 'fallback to itself',
    text: command('    fallback: [lint]\n'),
    at: '5:16 FALLBACK_CYCLE',
    message: /itself/,
  },
  {
    name: 'fallback twice',
    text: `${command('    fallback: [web, web]\n')}watcher_endpoints: { web: http://x }\n`,
    at: '5:21 DUPLICATE_NAME',
  },
  {
    name: 'fallback in a circle',
    text: 'agents:\n  a: { kind: builtin, fallback: [b] }\n  b: { kind: builtin, fallback: [d, c] }\n  c: { kind: builtin, fallback: [d, a] }\n  d: { kind: builtin }\n',
    at: '4:37 FALLBACK_CYCLE',
    message: /a → b → c → a$/,
  },
  // selection
  {
    name: 'select of one',
    text: `${three}    agent: [a]\n    select: in_order\n`,
    at: '8:5 CONFLICT',
    message: /only the agent "a"/,
  },
  {
    name: 'select of one capable',
    text: `${three}    capabilities: [fix]\n    select: in_order\n`,
    at: '8:5 CONFLICT',
  },
  {
    name: 'agent and capabilities',
    text: `${three}    agent: a\n    capabilities: [fix]\n`,
    at: '8:5 CONFLICT',
  },
  { name: 'nobody in a list', text: `${three}    agent: [a, c]\n`, at: '7:16 UNKNOWN_AGENT' },
  { name: 'twice in a list', text: `${three}    agent: [a, b, a]\n`, at: '7:19 DUPLICATE_NAME' },
  { name: 'empty list', text: `${three}    agent: []\n`, at: '7:12 BAD_VALUE' },
  {
    name: 'unknown capability',
    text: `${three}    capabilities: [reviw]\n`,
    at: '7:20 UNKNOWN_CAPABILITY',
    fix: /"review"/,
  },
  {
    name: 'nobody has both',
    text: `${three.replace('review, fix', 'fix')}    capabilities: [review, fix]\n`,
    at: '7:19 UNKNOWN_CAPABILITY',
    message: /all of these.*review, fix/,
    fix: /"a" lacks review/,
  },
  {
    name: 'keys of agents beside an action',
    text: `${three}    action: ignore\n    max_load: 2\n    batch: {}\n`,
    at: ['8:5 CONFLICT', '9:5 CONFLICT'],
  },
  // batches
  {
    name: 'batch of the builtin',
    text: `${three}    agent: look\n    batch: {}\n`,
    at: '8:5 CONFLICT',
    message: /one file at a time/,
  },
  {
    name: 'batch of some',
    text: `${three}    agent: [a, look]\n    batch: {}\n`,
    at: '8:5 CONFLICT',
    message: /"look"/,
  },
  {
    name: 'batch of one',
    text: `${three}    agent: a\n    batch: { max_files: 1 }\n`,
    at: '8:25 BAD_VALUE',
    message: /"auto"/,
  },
  {
    name: 'batch that waits for days',
    text: `${three}    agent: a\n    batch: { quiet: 2d }\n`,
    at: '8:21 BAD_VALUE',
    message: /1h/,
  },
  {
    name: 'number and folder',
    text: `${three}    agent: a\n    batch: { by: folder, max_files: 5 }\n`,
    at: '8:26 CONFLICT',
  },
  {
    name: 'files inside of an argument',
    text: 'agents: { a: { kind: command, command: [x, "--in=${{ files }}"] } }\n',
    at: '1:44 BAD_PLACEHOLDER',
    fix: /argument of its own/,
  },
  // sandbox
  {
    name: 'off with bounds',
    text: command('    sandbox: { mode: off, reason: r, network: none }\n'),
    at: '5:38 CONFLICT',
  },
  { name: 'reason without off', text: command('    sandbox: { reason: r }\n'), at: '5:16 CONFLICT' },
  {
    name: 'network word',
    text: command('    sandbox: { network: all }\n'),
    at: '5:25 BAD_VALUE',
    message: /"none", "allow" or a list/,
  },
  {
    name: 'host with scheme',
    text: command('    sandbox: { network: ["https://a.com/x"] }\n'),
    at: '5:26 BAD_VALUE',
    fix: /`a\.com`/,
  },
  {
    name: 'host with port',
    text: command('    sandbox: { network: ["a.com:443"] }\n'),
    at: '5:26 BAD_VALUE',
    fix: /`a\.com`/,
  },
  {
    name: 'star in a host',
    text: command('    sandbox: { network: ["a.*.com", "*.com", "*.a.com"] }\n'),
    at: ['5:26 BAD_VALUE', '5:37 BAD_VALUE'],
  },
  {
    name: 'word among hosts',
    text: command('    sandbox: { network: [none] }\n'),
    at: '5:26 BAD_VALUE',
    fix: /without brackets/,
  },
  {
    name: 'path that is not there',
    text: command('    sandbox: { write: [nope] }\n'),
    at: '5:24 BAD_FILE',
    fix: /mkdir/,
  },
  { name: 'the whole system', text: command('    sandbox: { write: [/] }\n'), at: '5:24 BAD_VALUE' },
  {
    name: 'the home folder',
    text: command('    sandbox: { write: ["~"] }\n'),
    at: '5:24 BAD_VALUE',
    message: /home folder itself/,
  },
  {
    name: 'the whole project',
    text: command('    sandbox: { write: [.] }\n'),
    at: '5:24 CONFLICT',
    fix: /`project`/,
  },
  {
    name: 'the state folder',
    text: command('    sandbox: { write: [.sluice/work] }\n'),
    at: '5:24 CONFLICT',
  },
  {
    name: 'placeholder in a path',
    text: command('    sandbox: { write: ["${{ file.dir }}"] }\n'),
    at: '5:24 BAD_PLACEHOLDER',
    fix: /workspace/,
  },
  {
    name: 'secret in a path',
    text: command('    sandbox: { write: ["inbox", "${env:X}"] }\n'),
    at: ['5:33 BAD_REFERENCE', '5:33 BAD_FILE'],
  },
  {
    name: 'blocked path',
    text: command('    sandbox: { blocked: [/bin/dd] }\n'),
    at: '5:26 BAD_VALUE',
    message: /a path/,
  },
  { name: 'blocked line', text: command('    sandbox: { blocked: ["a | b"] }\n'), at: '5:26 BAD_VALUE' },
  {
    name: 'blocked and confirmed',
    text: command('    sandbox: { blocked: [git push] }\n'),
    at: '5:5 CONFLICT',
    message: /"git push"/,
  },
  // alerts
  {
    name: 'unknown condition',
    text: 'alerts: [{ on: [DISK_LO], webhook: http://x }]\n',
    at: '1:17 BAD_VALUE',
    fix: /"DISK_LOW"/,
  },
  {
    name: 'condition in lower case',
    text: 'alerts: [{ on: disk_low, webhook: http://x }]\n',
    at: '1:16 BAD_VALUE',
    fix: /"DISK_LOW"/,
  },
  {
    name: 'condition beside all',
    text: 'alerts: [{ on: [all, DISK_LOW, digest], webhook: http://x }]\n',
    at: '1:22 CONFLICT',
  },
  { name: 'webhook', text: 'alerts: [{ on: all, webhook: hooks.example.com/x }]\n', at: '1:30 BAD_VALUE' },
  {
    name: 'webhook with a broken reference',
    text: 'alerts: [{ on: all, webhook: "${evn:X}" }]\n',
    at: ['1:30 BAD_REFERENCE', '1:30 BAD_VALUE'],
  },
  { name: 'alert without webhook', text: 'alerts: [{ on: all }]\n', at: '1:10 MISSING_KEY' },
  {
    name: 'format',
    text: 'alerts: [{ on: all, webhook: http://x, format: slak }]\n',
    at: '1:48 BAD_VALUE',
    fix: /"slack"/,
  },
];

test.each(errors)('$name', async ({ text, at, message, fix }) => {
  const found = await errorsOf(text);
  expect(found.map(brief)).toEqual([at].flat());
  if (message) expect(found[0]?.message).toMatch(message);
  if (fix) expect(found[0]?.fix).toMatch(fix);
  for (const error of found) expect(`${error.message} ${error.fix}`).not.toMatch(/undefined|\[object/);
});

const few = 'concurrency_limits: { max_processes: 2, max_concurrent_files: 6 }\n';
const warnings: readonly Case[] = [
  {
    name: 'load above all processes',
    text: `${few}${three.replace('["true"]', '["true"], max_load: 3')}    agent: [a, b]\n`,
    at: '3:52 LIMIT_UNREACHED',
    message: /at most 2/,
  },
  {
    name: 'load of a rule above its agent',
    text: `${three.replace('["true"]', '["true"], max_load: 1')}    agent: a\n    max_load: 2\n`,
    at: '8:15 LIMIT_UNREACHED',
  },
  {
    name: 'batch above all files',
    text: `${few}${three}    agent: a\n    batch: { max_files: 7 }\n`,
    at: '9:25 LIMIT_UNREACHED',
    message: /at most 6 files/,
  },
  {
    name: 'run time after time-out',
    text: `${three.replace('["true"]', '["true"], limits: { runtime: 1h }')}    agent: a\n`,
    at: '2:61 LIMIT_UNREACHED',
    message: /10m.*1h/,
  },
  {
    name: 'one file of a batch',
    text: `${three.replace('["true"]', '["true", "${{ file.name }}"]')}    agent: a\n    batch: {}\n`,
    at: '2:41 BATCH_SINGLE_FILE',
    fix: /\$\{\{ files \}\}/,
  },
  {
    name: 'one file in the prompt of a batch',
    text: `${three}    agent: a\n    prompt: "See \${{ file.path }}"\n    batch: {}\n`,
    at: '8:13 BATCH_SINGLE_FILE',
    fix: /SLUICE_FILES/,
  },
];

test.each(warnings)('$name: only a warning', async ({ text, at, message, fix }) => {
  const { warnings: found } = await load(text);
  const [first] = found.filter(({ code }) => code !== 'AGENT_UNUSED');
  expect(first && brief(first)).toBe(at);
  if (message) expect(first?.message).toMatch(message);
  if (fix) expect(first?.fix).toMatch(fix);
});

test('what is fine is not warned of', async () => {
  const { warnings: found, config } = await load(
    `${few}agents:\n  a: { kind: command, command: [cat, "\${{ files }}", "\${{ file.root }}"], max_load: 2, fallback: [b] }\n  b: { kind: builtin }\nrouting_rules:\n  - { pattern: "**", agent: a, prompt: "Look.", max_load: 2, batch: { max_files: 6 } }\n`,
  );
  expect(found).toEqual([]);
  expect(config.rules[0]?.batch?.maxFiles).toBe(6);
});

test('a batch that is larger than what is in work at once is cut', async () => {
  const { config } = await load(`${few}${three}    agent: a\n    batch: {}\n`);
  expect(config.rules[0]?.batch).toEqual({ maxFiles: 6, quietMs: 2000, onFailure: 'bisect', by: 'files' });
});

test.each([
  ['agent: [b, a]', { kind: 'select', agents: ['b', 'a'], policy: 'least_loaded' }],
  ['agent: [b]', { kind: 'agent', agent: 'b' }],
  ['capabilities: [review]', { kind: 'select', agents: ['a', 'b'], policy: 'least_loaded' }],
  ['capabilities: [review, fix]', { kind: 'agent', agent: 'a' }],
  ['agent: [a, b]\n    select: in_order', { kind: 'select', agents: ['a', 'b'], policy: 'in_order' }],
])('target: %s', async (lines, target) => {
  const { config } = await load(`${three}    ${lines}\n`);
  expect(config.rules[0]?.target).toEqual(target);
});

test('an agent that only takes over is in use', async () => {
  const { warnings: found } = await load(
    'agents:\n  a: { kind: builtin, fallback: [b] }\n  b: { kind: builtin, fallback: [c] }\n  c: { kind: builtin }\n  d: { kind: builtin, fallback: [c] }\nrouting_rules: [{ pattern: "**", agent: a }]\n',
  );
  expect(found.map(brief)).toEqual(['5:3 AGENT_UNUSED']);
});

test('a link in a writable path must not lead out of where it seems to lie', async () => {
  const text = (path: string) =>
    `agents: { a: { kind: command, command: ["true"], sandbox: { write: ["${path}"] } } }\n`;
  const outside = await project({ 'secret/x': '' });
  const dir = await project({ 'data/real/x': '', 'inbox/x': '', 'config/orchestrator.yaml': text('.') });
  await symlink(join(outside, 'secret'), join(dir, 'data/out'));
  await symlink('real', join(dir, 'data/in'));
  await symlink(homedir(), join(dir, 'data/home'));
  await mkdir(join(dir, '.sluice'));
  await symlink('../.sluice', join(dir, 'data/state'));
  const { parseConfig } = await import('../../src/config/load.ts');
  const tried = async (path: string) => {
    try {
      const { config } = await parseConfig(join(dir, 'config/orchestrator.yaml'), text(path));
      const sandbox = config.agents.get('a')?.sandbox;
      return sandbox?.mode === 'required' ? sandbox.write : undefined;
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error;
      return error.diagnostics.map((found) => `${found.code} ${found.message} ${found.fix}`).join('\n');
    }
  };
  expect(await tried('data/real')).toEqual([join(dir, 'data/real')]);
  // Inside of the project it is what it says; agents get the place itself.
  expect(await tried('data/in')).toEqual([join(dir, 'data/real')]);
  expect(await tried('data/out')).toContain(`really "${join(outside, 'secret')}"`);
  expect(await tried(join(outside, 'secret'))).toEqual([join(outside, 'secret')]);
  expect(await tried('data/home')).toContain('BAD_VALUE');
  expect(await tried('data/state')).toContain('covers `.sluice`');
  // A project that is itself reached by a link is where it says it is.
  await symlink(dir, join(outside, 'link'));
  const { config } = await loadConfig(join(outside, 'link/config/orchestrator.yaml')).catch((error) => {
    expect((error as ConfigError).message).toContain('covers `.sluice`');
    return parseConfig(join(outside, 'link/config/orchestrator.yaml'), text('data/real'));
  });
  expect(config.agents.get('a')?.sandbox).toMatchObject({ write: [join(outside, 'link/data/real')] });
});
