/** What loads, what it becomes, and what cannot be a configuration at all. */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { chmod, mkdir, symlink, writeFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { stringify } from 'yaml';
import type { AgentConfig } from '../../src/config/config.ts';
import {
  ConfigError,
  configView,
  diffConfig,
  findConfig,
  formatDiagnostics,
  loadConfig,
  parseConfig,
} from '../../src/config/load.ts';
import { initialConfig } from '../../src/config/templates/initial-config.ts';
import { AppError } from '../../src/types/errors.ts';
import { findingsOf, load, project } from './project.ts';

const reference = {
  routing_rules: [{ pattern: '**/*.py', watcher: 'python-analyzer', priority: 10 }],
  concurrency_limits: { max_processes: 5, max_concurrent_files: 10 },
  output_settings: { default_output_dir: './processed', preserve_original: true, log_level: 'INFO' },
  watcher_endpoints: {
    'python-analyzer': 'http://localhost:8001',
    'javascript-analyzer': 'http://localhost:8002',
  },
};

test.each([
  ['orchestrator.json', JSON.stringify(reference, null, 2)],
  ['orchestrator.json with tabs', JSON.stringify(reference, null, '\t')],
  ['orchestrator.yaml', stringify(reference)],
])('the form of the reference documents loads unchanged: %s', async (name, text) => {
  const file = `config/${name.split(' ')[0]}`;
  const dir = await project({ [file]: text });
  const { config } = await loadConfig(join(dir, file));
  expect(config.projectDir).toBe(dir);
  expect(config.roots.map((root) => root.dir)).toEqual([join(dir, 'inbox')]);
  expect(config.rules).toEqual([
    {
      name: '**/*.py',
      patterns: ['**/*.py'],
      priority: 10,
      target: { kind: 'agent', agent: 'python-analyzer' },
      expect: { outputs: [] },
      cache: 'content',
      maxLoad: Number.POSITIVE_INFINITY,
    },
  ]);
  expect(config.concurrency).toEqual({ maxProcesses: 5, maxConcurrentFiles: 10 });
  expect(config.output).toEqual({
    dir: join(dir, 'processed'),
    preserveOriginal: true,
    logLevel: 'info',
    retentionMs: 30 * 86_400_000,
    retentionJobs: Number.POSITIVE_INFINITY,
    fileMode: 0o644,
  });
  expect(config.agents.get('python-analyzer')).toMatchObject({
    kind: 'http',
    url: 'http://localhost:8001',
    headers: {},
  });
});

test('agents that nothing uses are told one by one, many of them at once', async () => {
  const names = ['a', 'b', 'c', 'd'];
  const entries = names.map((name) => `  ${name}: { kind: builtin }`).join('\n');
  const { warnings } = await load(`version: 1\nagents:\n${entries}\n`);
  expect(warnings.map(({ code, line, message }) => ({ code, line, message }))).toEqual([
    {
      code: 'AGENT_UNUSED',
      line: 3,
      message: 'no rule and no workflow uses the agents "a", "b", "c", "d"',
    },
  ]);
});

test('defaults', async () => {
  const { config, warnings } = await load(
    'version: 1\nagents: { a: { kind: command, command: [cat, x] }, b: { kind: builtin } }\nwatcher_endpoints: { c: http://x }\n',
  );
  expect(warnings.map((found) => found.code)).toEqual(['AGENT_UNUSED', 'AGENT_UNUSED', 'AGENT_UNUSED']);
  const cores = availableParallelism();
  expect(config.concurrency).toEqual({ maxProcesses: cores, maxConcurrentFiles: 2 * cores });
  expect(config.stateDir).toBe(join(config.projectDir, '.sluice'));
  expect(config.rules).toEqual([]);
  expect(config.roots[0]).toMatchObject({
    name: 'inbox',
    mode: 'auto',
    settle: { kind: 'auto' },
    sweepMs: 60_000,
    initial: 'ask',
    onChange: 'queue',
  });
  expect([...(config.roots[0]?.on ?? [])]).toEqual(['added', 'changed']);
  expect(config.roots[0]?.defaultIgnore).toContain('*.part');
  expect(config.cache).toEqual({ ttlMs: 30 * 86_400_000, maxBytes: 2 ** 31 });
  expect(config.daemon).toEqual({
    drainMs: 10_000,
    minFreeDiskBytes: 2 ** 30,
    maxDepth: 5,
    maxLogBytes: 60 * 2 ** 20,
  });
  expect(config.budget).toBeUndefined();
  expect(config.alerts).toEqual([]);
  expect(config.thresholds).toEqual({
    errorRate: 0.25,
    minimum: 20,
    windowMs: 900_000,
    delayMs: 900_000,
    freeMemory: 0.05,
  });
  const common = {
    maxLoad: Number.POSITIVE_INFINITY,
    timeoutMs: 600_000,
    retry: { attempts: 3, initialMs: 1000, maxMs: 300_000 },
    maxOutputBytes: 64 * 2 ** 20,
    env: [],
    capabilities: [],
    priority: 0,
    fallback: [],
    limits: { required: false },
    workspace: 'in_place',
    sandbox: { mode: 'auto', write: [], network: 'none', blocked: [], confirm: [] },
  };
  const breaker = { errorRate: 0.1, minimum: 10, windowMs: 300_000, resetMs: 30_000 };
  for (const name of ['b', 'c']) expect(config.agents.get(name)).toMatchObject(common);
  expect(config.agents.get('a')).toMatchObject({
    ...common,
    maxRepeats: 4,
    breaker,
    sandbox: {
      mode: 'auto',
      write: [],
      network: 'none',
      blocked: [['dd'], ['mkfs'], ['fdisk'], ['sudo'], ['su'], ['shutdown'], ['reboot']],
      confirm: [
        ['git', 'push'],
        ['npm', 'publish'],
        ['pip', 'install'],
      ],
    },
  });
  // A service that takes long is in trouble; a program is not.
  expect(config.agents.get('a')?.breaker).toEqual(breaker);
  expect(config.agents.get('b')?.breaker).toEqual(breaker);
  expect(config.agents.get('c')?.breaker).toEqual({ ...breaker, slowMs: 5000 });
  expect(config.agents.get('b')?.maxRepeats).toBe(Number.POSITIVE_INFINITY);
});

test('everything that can be written arrives', async () => {
  const { config, warnings, files } = await load(
    [
      'watch:',
      '  - { path: ./inbox, name: in, ignore: [drafts/], default_ignore: false, mode: poll, settle: 2s, ready: "{stem}.ok", sweep: 5s, initial: ignore, on_change: restart, on: [changed] }',
      '  - { path: inbox/inner, default_ignore: ["*.bak"] }',
      'routing_rules:',
      '  - { name: low, pattern: [./a/**, "!**/*.min.js"], agent: lint, prompt_file: p.md, expect: { outputs: [r.json], json_schema: s.json }, cache: path, max_input: 1KB, max_load: 2, batch: { max_files: auto, quiet: 500ms, on_failure: fail }, budget: { usd_per_day: 5 } }',
      '  - { pattern: "*.x", action: quarantine, priority: 5 }',
      '  - { pattern: "*.x", agent: web, priority: -5, cache: off }',
      'agents:',
      '  lint: { kind: command, command: "sh -c \'exit 0\' ${{ files }}", type: coder, capabilities: [c], priority: 3, fallback: [web], rate: 30/min, budget: { usd_per_run: 0.5, tokens_per_day: 5M, unknown_cost: allow }, circuit_breaker: { error_rate: 0.5, minimum: 3, window: 1m, slow: 10m, reset: 5s }, max_repeats: off, workspace: copy, max_load: 2, timeout: 2m, idle_timeout: 5s, retry: { attempts: 1, initial: 10ms, max: 1s }, limits: { output: 1MiB, cpu: 50%, memory: 2GiB, runtime: 1m, required: true }, env: [LANG], sandbox: { write: [workspace, project, inbox, ./inbox], network: [a.com, "*.b.org"], blocked: [docker run], confirm: [] } }',
      '  web: { kind: http, url: "http://x/${env:KEY}", headers: { A: "${env:KEY}" }, circuit_breaker: off, sandbox: { mode: off, reason: ours } }',
      'concurrency_limits: { max_processes: 4, max_concurrent_files: 50 }',
      'budget: { tokens_per_run: 1500, tokens_per_day: 200k }',
      'alerts: [{ on: DISK_LOW, webhook: "${env:HOOK}" }, { on: [all, digest], webhook: http://x, format: slack, min_interval: 0s }]',
      'thresholds: { error_rate: 1, minimum: 1, window: 1m, delay: 1m, free_memory: 2.5% }',
      'daemon: { max_depth: 0, max_log_bytes: 1GiB }',
      'output_settings: { default_output_dir: /tmp/out-of-here, preserve_original: false, log_level: wArNiNg, retention: 1h, retention_jobs: 1000, file_mode: "600" }',
      '',
    ].join('\n'),
    { 'inbox/inner/x': '', 'p.md': 'Look.', 's.json': '{"type":"object"}' },
  );
  expect(warnings.map((found) => [found.line, found.code])).toEqual([[7, 'RULE_SHADOWED']]);
  const dir = config.projectDir;
  expect(files).toEqual([config.file, join(dir, 'workflows'), join(dir, 'p.md'), join(dir, 's.json')]);
  expect(config.roots.map((root) => root.name)).toEqual(['in', 'inner']);
  expect(config.roots[0]).toMatchObject({
    ignore: ['drafts/'],
    defaultIgnore: [],
    mode: 'poll',
    settle: { kind: 'quiet', quietMs: 2000 },
    ready: '{stem}.ok',
    sweepMs: 5000,
    initial: 'ignore',
    onChange: 'restart',
    on: new Set(['changed']),
  });
  expect(config.roots[1]?.defaultIgnore).toEqual(['*.bak']);
  expect(config.rules.map((rule) => [rule.name, rule.priority])).toEqual([
    ['*.x', 5],
    ['low', 0],
    ['*.x (2)', -5],
  ]);
  expect(config.rules[1]).toEqual({
    name: 'low',
    patterns: ['a/**', '!**/*.min.js'],
    priority: 0,
    target: { kind: 'agent', agent: 'lint' },
    prompt: 'Look.',
    expect: { outputs: ['r.json'], jsonSchema: { file: join(dir, 's.json'), schema: { type: 'object' } } },
    cache: 'path',
    maxInputBytes: 1000,
    maxLoad: 2,
    batch: { maxFiles: 'auto', quietMs: 500, onFailure: 'fail', by: 'files' },
    budget: { usdPerDay: 5, unknownCost: 'refuse' },
  });
  expect(config.agents.get('lint')).toEqual({
    name: 'lint',
    kind: 'command',
    command: ['sh', '-c', 'exit 0', '${{ files }}'],
    type: 'coder',
    capabilities: ['c'],
    priority: 3,
    fallback: ['web'],
    rate: { count: 30, perMs: 60_000, text: '30/min' },
    budget: { usdPerRun: 0.5, tokensPerDay: 5_000_000, unknownCost: 'allow' },
    breaker: { errorRate: 0.5, minimum: 3, windowMs: 60_000, slowMs: 600_000, resetMs: 5000 },
    limits: { cpuPercent: 50, memoryBytes: 2 ** 31, runtimeMs: 60_000, required: true },
    maxRepeats: Number.POSITIVE_INFINITY,
    workspace: 'copy',
    maxLoad: 2,
    timeoutMs: 120_000,
    idleTimeoutMs: 5000,
    retry: { attempts: 1, initialMs: 10, maxMs: 1000 },
    maxOutputBytes: 2 ** 20,
    env: [{ kind: 'pass', name: 'LANG' }],
    sandbox: {
      mode: 'required',
      write: ['workspace', 'project', join(dir, 'inbox')],
      network: ['a.com', '*.b.org'],
      blocked: [['docker', 'run']],
      confirm: [],
    },
  } satisfies AgentConfig);
  expect(config.agents.get('web')).toMatchObject({
    url: 'http://x/${env:KEY}',
    env: [],
    sandbox: { mode: 'off', reason: 'ours' },
  });
  expect(config.agents.get('web')).not.toHaveProperty('breaker');
  expect(config.budget).toEqual({ tokensPerRun: 1500, tokensPerDay: 200_000, unknownCost: 'refuse' });
  expect(config.alerts).toEqual([
    { on: ['DISK_LOW'], webhook: '${env:HOOK}', format: 'json', minIntervalMs: 300_000 },
    { on: ['all', 'digest'], webhook: 'http://x', format: 'slack', minIntervalMs: 0 },
  ]);
  expect(config.thresholds).toEqual({
    errorRate: 1,
    minimum: 1,
    windowMs: 60_000,
    delayMs: 60_000,
    freeMemory: 0.025,
  });
  expect(config.daemon).toMatchObject({ maxDepth: 0, maxLogBytes: 2 ** 30 });
  expect(config.output).toEqual({
    dir: '/tmp/out-of-here',
    preserveOriginal: false,
    logLevel: 'warning',
    retentionMs: 3_600_000,
    retentionJobs: 1000,
    fileMode: 0o600,
  });
});

test('a configuration is frozen to the bottom', async () => {
  const { config } = await load(
    'agents: { a: { kind: builtin } }\nrouting_rules: [{ pattern: "**", agent: a }]\n',
  );
  expect(Object.isFrozen(config.rules[0]?.patterns)).toBe(true);
  expect(Object.isFrozen(config.agents.get('a'))).toBe(true);
  expect(() => (config.agents as Map<string, unknown>).set('b', {})).toThrow(TypeError);
  const on = config.roots[0]?.on as Set<string>;
  expect(() => on.add('added')).toThrow(TypeError);
  expect(structuredClone(config.roots[0]?.on)).toEqual(new Set(['added', 'changed']));
});

test('warnings name what may be wrong and let it load', async () => {
  const text = [
    'watch: [{ path: ./later }]',
    'agents:',
    '  gone: { kind: command, command: [no-such-program-here] }',
    '  here: { kind: command, command: [./run.sh] }',
    '  web: { kind: http, url: http://x, headers: { A: "${env:KEY}" } }',
    'routing_rules:',
    '  - { name: all, pattern: "**", agent: gone }',
    '  - { name: never, pattern: "*.py", agent: web }',
  ].join('\n');
  const checkReference = async () =>
    new AppError('SECRET_UNRESOLVED', 'Cannot resolve ${env:KEY}', { fix: 'Set it.' });
  const { warnings } = await load(
    text,
    { 'run.sh': '#!/bin/sh\n' },
    { checkReference, searchPath: '/usr/bin:/bin' },
  );
  expect(warnings.map((found) => `${found.line}:${found.column} ${found.severity} ${found.code}`)).toEqual([
    '1:17 warning ROOT_MISSING',
    '3:35 warning COMMAND_NOT_FOUND',
    '4:3 warning AGENT_UNUSED',
    '4:35 warning COMMAND_NOT_FOUND',
    '5:51 warning SECRET_UNRESOLVED',
    '8:29 warning RULE_SHADOWED',
  ]);
});

test('a root may be a link; the same folder under two names is one too many', async () => {
  const dir = await project({
    'real/x': '',
    'config/orchestrator.yaml': 'watch: [{ path: real }, { path: link }]\n',
  });
  await symlink(join(dir, 'real'), join(dir, 'link'));
  await expect(loadConfig(join(dir, 'config/orchestrator.yaml'))).rejects.toThrow(/watched twice/);
});

test('a finding is shown with its line, carets and fix', async () => {
  const dir = await project({
    'inbox/x': '',
    'config/orchestrator.yaml': 'version: 1\nrouting_rules:\n\t- x\n',
  });
  const text =
    'agents: { lint: { kind: builtin } }\nrouting_rules:\n  - name: typescript\n    pattern: "**/*.ts"\n    agent: lnit\n';
  await writeFile(join(dir, 'config/orchestrator.yaml'), text);
  const error = (await loadConfig(join(dir, 'config/orchestrator.yaml')).catch(
    (thrown) => thrown,
  )) as ConfigError;
  expect(error).toMatchObject({ code: 'CONFIG_INVALID', fix: 'did you mean "lint"? Defined agents: lint.' });
  const errors = error.diagnostics.filter((found) => found.severity === 'error');
  expect(formatDiagnostics(errors, { color: false, from: dir })).toBe(
    [
      'config/orchestrator.yaml:5:12  unknown agent "lnit" in rule "typescript"',
      '    5 │     agent: lnit',
      '      │            ^^^^',
      '  fix: did you mean "lint"? Defined agents: lint.',
    ].join('\n'),
  );
  expect(formatDiagnostics(errors, { color: true, from: dir })).toContain('\u001b[');
});

test('long lines are cut around the place, control characters are not shown', async () => {
  const [found] = await findingsOf(`version: 1\ncache: { ttl: 1d, ${' '.repeat(300)}"a\u009b31m": 1 }\n`);
  const [source = '', carets = ''] = (found?.snippet ?? '').split('\n');
  expect(source.length).toBeLessThan(120);
  expect(source).not.toContain('\u009b');
  expect(source.slice(carets.indexOf('^'))).toMatch(/^"a/);
});

test.each([
  ['empty', '', /empty/],
  ['a program', new Uint8Array([0x7f, 0x45, 0x4c, 0x46, 0, 1]), /binary/],
  ['UTF-16', Buffer.from('\ufeffversion: 1\n', 'utf16le'), /binary/],
  ['Latin-1', Buffer.from('# Grüße\nversion: 1\n', 'latin1'), /UTF-8/],
  ['10 MiB', Buffer.alloc(10 * 2 ** 20, 'a'), /larger than 1 MiB/],
  [
    'a bomb of aliases',
    `a: &a [x,x,x,x,x,x,x,x,x,x]\n${[...'bcdefghij'].map((name, index) => `${name}: &${name} [${Array(10).fill(`*${'abcdefghi'[index]}`).join(',')}]`).join('\n')}\n`,
    /expands to more than/,
  ],
  ['a bomb of brackets', '['.repeat(100_000), /nested too deeply|never closed/],
  ['a bomb of keys', '? '.repeat(20_000), /nested too deeply|must be plain text/],
])('refused in reasonable time: %s', async (_name, content, message) => {
  const dir = await project({ 'config/orchestrator.yaml': content });
  const started = performance.now();
  const error = (await loadConfig(join(dir, 'config/orchestrator.yaml')).catch(
    (thrown) => thrown,
  )) as ConfigError;
  expect(error).toBeInstanceOf(ConfigError);
  expect(error.diagnostics.map((found) => found.message).join('\n')).toMatch(message);
  expect(performance.now() - started).toBeLessThan(60_000);
});

test('many keys and many errors take no quadratic time', async () => {
  const keys = Array.from({ length: 10_000 }, (_, index) => `key${index}: 1`).join('\n');
  const started = performance.now();
  expect((await findingsOf(keys)).length).toBe(10_000);
  expect(performance.now() - started).toBeLessThan(60_000);
});

test('a folder, a FIFO and a missing file are told apart', async () => {
  const dir = await project({ 'config/x': '' });
  await expect(loadConfig(join(dir, 'config'))).rejects.toThrow(/folder/);
  execFileSync('mkfifo', [join(dir, 'fifo')]);
  await expect(loadConfig(join(dir, 'fifo'))).rejects.toThrow(/no regular file/);
  await expect(loadConfig(join(dir, 'none.yaml'))).rejects.toMatchObject({ code: 'CONFIG_NOT_FOUND' });
});

test('an unreadable file says so', async () => {
  const dir = await project({ 'a.yaml': 'version: 1\n' });
  await chmod(join(dir, 'a.yaml'), 0);
  // Root reads everything: for a moment this process is nobody.
  const isRoot = process.getuid?.() === 0;
  if (isRoot) process.seteuid?.(65_534);
  try {
    await expect(loadConfig(join(dir, 'a.yaml'))).rejects.toThrow(/cannot be read/);
  } finally {
    if (isRoot) process.seteuid?.(0);
  }
});

test('the configuration is looked for upwards; its project is the folder that holds config/', async () => {
  const dir = await project({
    'config/orchestrator.yml': 'version: 1\n',
    'other/my.yaml': 'version: 1\n',
    'deep/er/x': '',
  });
  expect(await findConfig({ from: join(dir, 'deep/er') })).toBe(join(dir, 'config/orchestrator.yml'));
  await mkdir(join(dir, 'deep/config'));
  await writeFile(join(dir, 'deep/config/orchestrator.json'), '{}');
  expect(await findConfig({ from: join(dir, 'deep/er') })).toBe(join(dir, 'deep/config/orchestrator.json'));
  expect(await findConfig({ from: dir, explicit: 'other/my.yaml' })).toBe(join(dir, 'other/my.yaml'));
  expect((await loadConfig(join(dir, 'other/my.yaml'))).config.projectDir).toBe(join(dir, 'other'));
  expect((await loadConfig(join(dir, 'deep/config/orchestrator.json'))).config.projectDir).toBe(
    join(dir, 'deep'),
  );
  await expect(findConfig({ from: dir, explicit: 'none.yaml' })).rejects.toMatchObject({
    code: 'CONFIG_NOT_FOUND',
  });
  await expect(findConfig({ from: '/proc' })).rejects.toMatchObject({ code: 'CONFIG_NOT_FOUND' });
});

test('what `init` writes loads without warnings but for the missing inbox', async () => {
  const dir = await project({ 'config/orchestrator.yaml': initialConfig() });
  const { warnings } = await loadConfig(join(dir, 'config/orchestrator.yaml'));
  expect(warnings.map((found) => found.code)).toEqual(['ROOT_MISSING']);
  const uncommented = initialConfig().replaceAll(/^( +)# (?=( *[a-z]+:| *- ))/gm, '$1');
  expect(uncommented).toContain('\n  lint:');
  const second = await load(uncommented, {}, { searchPath: '' });
  expect(second.config.rules.map((rule) => rule.name)).toEqual(['secrets', 'python', 'everything']);
});

test("this repository's own configuration loads", async () => {
  const { config } = await loadConfig(
    fileURLToPath(new URL('../../config/orchestrator.yaml', import.meta.url)),
  );
  expect(config.rules.every((rule) => rule.target.kind === 'agent' && rule.target.agent === 'inspect')).toBe(
    true,
  );
});

const limited = `
budget: { usd_per_run: 0.1, tokens_per_day: 1234567 }
alerts: [{ on: success, webhook: "http://x/\${env:H}", format: ntfy }]
thresholds: { free_memory: 12.5%, error_rate: 0.5 }
concurrency_limits: { max_processes: 8, max_concurrent_files: 40 }
output_settings: { retention_jobs: 5 }
agents:
  a:
    kind: command
    command: [x, "\${{ files }}"]
    capabilities: [c, d]
    fallback: [h]
    rate: 5/h
    circuit_breaker: off
    limits: { cpu: 33.5%, memory: 30MiB, runtime: 90s, required: true }
    sandbox: { mode: auto, write: [inbox], network: allow, blocked: ["a 'b c' d"], confirm: ['x "it''s" -y'] }
  b: { kind: command, command: [y], capabilities: [c], workspace: copy, max_repeats: 9, sandbox: { write: [project], network: [] } }
  h: { kind: http, url: "http://x", sandbox: { mode: off, reason: r }, budget: { tokens_per_run: 20k } }
routing_rules:
  - { pattern: "*.a", capabilities: [c], select: specialized, max_load: 2, batch: { max_files: 100 } }
  - { pattern: "*.b", agent: [h, b], select: in_order, budget: { usd_per_day: 3 } }
  - { pattern: "*.c", agent: [b], batch: { by: folder } }
`;

test('the view loads again and gives the same configuration', async () => {
  const text = readFileSync(
    fileURLToPath(new URL('../../config/orchestrator.yaml', import.meta.url)),
    'utf8',
  );
  for (const source of [
    text,
    initialConfig(),
    stringify(reference),
    'agents: { a: { kind: http, url: "http://x", headers: { A: "${env:A}" }, idle_timeout: 1500ms, max_load: 3 } }\n',
    limited,
  ]) {
    const { config } = await load(source);
    const again = await parseConfig(config.file, stringify(configView(config)));
    expect(configView(again.config)).toEqual(configView(config));
    expect(again.config).toEqual(config);
    expect(diffConfig(config, again.config)).toEqual([]);
  }
});

test('the difference names what changed', async () => {
  const dir = await project({ 'inbox/x': '' });
  const file = join(dir, 'config/orchestrator.yaml');
  const parse = async (text: string) => (await parseConfig(file, text)).config;
  const before = await parse(
    'agents: { a: { kind: builtin }, b: { kind: http, url: "http://x/${env:K}" } }\nrouting_rules: [{ name: r, pattern: "*.a", agent: a }, { name: s, pattern: "*.b", agent: b }]\n',
  );
  const after = await parse(
    'agents: { a: { kind: builtin, timeout: 5m }, b: { kind: http, url: "http://y/${env:K}" } }\nrouting_rules: [{ name: s, pattern: "*.b", agent: b }, { name: r, pattern: "*.a", agent: a }]\nwatch: [{ path: inbox }, { path: more }]\n',
  );
  expect(diffConfig(before, after)).toEqual([
    { path: 'watch.more', after: expect.objectContaining({ path: './more' }) },
    { path: 'agents.a.timeout', before: '10m', after: '5m' },
    { path: 'agents.b.url', before: 'http://x/${env:K}', after: 'http://y/${env:K}' },
    { path: 'routing_rules', before: ['r', 's'], after: ['s', 'r'] },
  ]);
});

/** Arbitrary values under keys that exist, so that every check meets every type. */
const anything = fc.jsonValue({ maxDepth: 3 }).map((value) => value as unknown);
const sections = [
  'version',
  'watch',
  'routing_rules',
  'agents',
  'watcher_endpoints',
  'concurrency_limits',
  'output_settings',
  'cache',
  'daemon',
  'server',
  'alerts',
  'budget',
  'thresholds',
];
const keys = [
  'path',
  'name',
  'pattern',
  'agent',
  'watcher',
  'action',
  'prompt',
  'expect',
  'kind',
  'command',
  'url',
  'headers',
  'env',
  'retry',
  'sandbox',
  'timeout',
  'ready',
  'ignore',
  '__proto__',
  'ttl',
  'x',
  'fallback',
  'capabilities',
  'select',
  'batch',
  'budget',
  'rate',
  'circuit_breaker',
  'limits',
  'write',
  'network',
  'blocked',
  'confirm',
  'mode',
  'on',
  'webhook',
  'usd_per_day',
  'tokens_per_run',
  'max_files',
];
const value = fc.oneof(
  anything,
  fc.constantFrom<unknown>(
    'command',
    'http',
    'builtin',
    '**',
    './inbox',
    '30s',
    '10MiB',
    'a',
    '${env:A}',
    '${evn:x}',
    '\0',
    '${{ x',
    "'",
    'off',
    'required',
    'workspace',
    '5M',
    '50%',
    '30/min',
    'all',
    ['a', 'b'],
    ['cp', '${{ file.path }}', 'inbox/x'],
    ['sh', '-c', 'a > inbox/x'],
  ),
);
const record = fc.dictionary(fc.constantFrom(...keys), value);
const arbitraryFile = fc.dictionary(
  fc.constantFrom(...sections),
  fc.oneof(
    value,
    record,
    fc.array(record),
    fc.dictionary(fc.constantFrom('a', 'b', '7', '__proto__'), fc.oneof(record, value)),
  ),
);

test('any JSON value gives a configuration or findings in the file, never a crash', async () => {
  const dir = await project({ 'inbox/x': '' });
  const file = join(dir, 'config/orchestrator.yaml');
  await fc.assert(
    fc.asyncProperty(fc.oneof(anything, arbitraryFile), fc.boolean(), async (data, asJson) => {
      const text = asJson ? JSON.stringify(data, null, 1) : stringify(data);
      const lines = text.split('\n').length;
      try {
        const { config } = await parseConfig(file, text);
        expect(config.agents).toBeInstanceOf(Map);
      } catch (error) {
        if (!(error instanceof ConfigError)) throw error;
        expect(error.diagnostics.some((found) => found.severity === 'error')).toBe(true);
        for (const found of error.diagnostics) {
          expect(found.line).toBeGreaterThan(0);
          expect(found.line).toBeLessThanOrEqual(lines);
          expect(found.fix).not.toBe('');
          expect(`${found.message} ${found.fix}`).not.toMatch(/\bundefined\b|\[object/);
        }
      }
    }),
    { numRuns: 300 },
  );
});

test('any text gives a configuration or findings, never a crash', async () => {
  const yamlish = fc.array(
    fc.constantFrom(
      'a',
      ':',
      ' ',
      '\n',
      '  ',
      '- ',
      '[',
      ']',
      '{',
      '}',
      '"',
      "'",
      '&a ',
      '*a',
      '!t ',
      '#',
      '|',
      '>',
      '\t',
      '---',
      '? ',
      '%',
      '@',
      'watch',
      'agents',
      '\r\n',
      ',',
    ),
    { maxLength: 40 },
  );
  await fc.assert(
    fc.asyncProperty(yamlish, async (parts) => {
      await parseConfig('/nowhere/config/orchestrator.yaml', parts.join('')).catch((error) => {
        if (!(error instanceof ConfigError)) throw error;
      });
    }),
    { numRuns: 800 },
  );
});

test('placeholders that mean nothing are errors when somebody can tell', async () => {
  const text =
    'agents: { a: { kind: command, command: [cat, "${{ file.pth }}"] } }\nrouting_rules: [{ pattern: "**", agent: a, prompt: "see ${{ x }}" }]\n';
  const checkPlaceholders = (part: string) =>
    [...part.matchAll(/\$\{\{ (\S+) \}\}/g)].map((match) => ({
      name: match[1] ?? '',
      at: match.index,
      suggestion: 'file.path',
    }));
  const error = (await load(text, {}, { checkPlaceholders }).catch((thrown) => thrown)) as ConfigError;
  expect(
    error.diagnostics.map((found) => `${found.line}:${found.column} ${found.code} ${found.fix}`),
  ).toEqual([
    '1:46 BAD_PLACEHOLDER did you mean "file.path"?',
    '2:52 BAD_PLACEHOLDER did you mean "file.path"?',
  ]);
  await load(text);
});
