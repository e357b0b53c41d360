/** `agents: auto`, `prices`, and the whole example of the design. */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { configView, type DetectAgents, loadConfig, parseConfig } from '../../src/config/load.ts';
import { brief, errorsOf, load, project } from './project.ts';

const found: DetectAgents = async () => [
  { name: 'claude', entry: { kind: 'claude', capabilities: ['code_review'] } },
  { name: 'ffmpeg', entry: { kind: 'command', command: ['ffmpeg', '-i', '${{ file.path }}'] } },
];
const rules = (agent: string) => `routing_rules: [{ pattern: "**", agent: ${agent}, prompt: x }]\n`;

test('what is found is registered with all defaults, beside the built-in agent', async () => {
  const asked: unknown[] = [];
  const { config, warnings, files } = await load(
    `agents: auto\n${rules('claude')}`,
    {},
    {
      searchPath: '/usr/bin:/nowhere/bin:relative',
      detectAgents: async (where) => {
        asked.push(where);
        return found(where);
      },
    },
  );
  expect(asked).toEqual([{ projectDir: config.projectDir }]);
  expect([...config.agents.keys()].filter((name) => !name.startsWith('$'))).toEqual([
    'inspect',
    'claude',
    'ffmpeg',
  ]);
  expect(config.agents.get('claude')).toMatchObject({
    kind: 'claude',
    maxLoad: 1,
    capabilities: ['code_review'],
    budget: { usdPerDay: 20 },
    limits: { runtimeMs: 3_600_000 },
    cli: { permissions: { mode: 'read', ceiling: 'read' } },
  });
  // Nobody wrote them: that no rule uses one, or that it has gone meanwhile, is no news.
  expect(warnings.map(brief)).toEqual([]);
  expect(files).toEqual(expect.arrayContaining(['/usr/bin', '/nowhere/bin']));
  expect(files).not.toContain('relative');
  const again = await parseConfig(config.file, JSON.stringify(configView(config)));
  expect(again.config.agents.get('claude')).toEqual(config.agents.get('claude'));
});

test('entries of the detector stay its own', async () => {
  const entries = [{ name: 'gemini', entry: Object.freeze({ kind: 'gemini' }) }];
  for (const _ of [1, 2]) await load('agents: auto\n', {}, { detectAgents: async () => entries });
  expect(entries).toEqual([{ name: 'gemini', entry: { kind: 'gemini' } }]);
});

test('an endpoint that is written comes before a program of the same name', async () => {
  const { config } = await load(
    'agents: auto\nwatcher_endpoints: { claude: "http://x" }\n',
    {},
    { detectAgents: found },
  );
  expect(config.agents.get('claude')?.kind).toBe('http');
});

test('where nothing is found there is the built-in agent, and a warning', async () => {
  const { config, warnings } = await load(`agents: auto\n${rules('inspect').replace(', prompt: x', '')}`);
  expect(config.agents.get('inspect')?.kind).toBe('builtin');
  expect(warnings.map(brief)).toEqual(['1:9 NOTHING_FOUND']);
});

test('folders of PATH are looked at only for `auto`', async () => {
  const { files } = await load('version: 1\n', {}, { searchPath: '/usr/bin', detectAgents: found });
  expect(files).not.toContain('/usr/bin');
});

test.each([
  ['a rule names what is not found', `agents: auto\n${rules('codex')}`, '2:41 UNKNOWN_AGENT', /inspect/],
  ['another word', 'agents: atuo\n', '1:9 BAD_VALUE', /"auto"/],
  ['a list', 'agents: [claude]\n', '1:9 WRONG_TYPE', /./],
  ['auto among agents', 'agents: { auto: true }\n', '1:17 WRONG_TYPE', /./],
])('refused: %s', async (_name, text, at, fix) => {
  const [error] = await errorsOf(text);
  expect(error && brief(error)).toBe(at);
  expect(error?.fix).toMatch(fix);
});

const price = (body: string) => `prices:\n  - { ${body} }\n`;

test('prices: what is not said costs as input does; a day is one in UTC', async () => {
  const { config } = await load(
    `${price('model: "gpt-5*", from: 2026-07-01, input: 2, output: 8')}  - { model: " sonnet[1m] ", input: 3, cache_read: 0.3, cache_write: 3.75, output: 15 }\n`,
  );
  expect(config.prices).toEqual([
    { model: 'gpt-5*', from: Date.UTC(2026, 6, 1), input: 2, cacheRead: 2, cacheWrite: 2, output: 8 },
    { model: 'sonnet[1m]', from: 0, input: 3, cacheRead: 0.3, cacheWrite: 3.75, output: 15 },
  ]);
  const again = await parseConfig(config.file, JSON.stringify(configView(config)));
  expect(again.config.prices).toEqual(config.prices);
});

test.each([
  ['no model', price('input: 1, output: 1'), '2:5 MISSING_KEY'],
  ['no output', price('model: m, input: 1'), '2:5 MISSING_KEY'],
  ['no such day', price('model: m, from: 2026-02-30, input: 1, output: 1'), '2:23 BAD_VALUE'],
  ['a time', price('model: m, from: 2026-02-28T10:00:00Z, input: 1, output: 1'), '2:23 BAD_VALUE'],
  ['less than nothing', price('model: m, input: -1, output: 1'), '2:24 BAD_VALUE'],
  ['a price as text', price('model: m, input: $1, output: 1'), '2:24 WRONG_TYPE'],
  ['a choice', price('model: "{a,b}", input: 1, output: 1'), '2:14 BAD_PATTERN'],
  ['a path', price('model: "**", input: 1, output: 1'), '2:14 BAD_PATTERN'],
  [
    'twice',
    `${price('model: m, input: 1, output: 1')}  - { model: M, input: 2, output: 2 }\n`,
    '3:14 DUPLICATE_NAME',
  ],
  ['a slip', price('model: m, input: 1, output: 1, cached: 1'), '2:38 UNKNOWN_KEY'],
])('a price is refused: %s', async (_name, text, at) => {
  expect((await errorsOf(text)).map(brief)).toEqual([at]);
});

const example = `
version: 1
watch:
  - path: ./inbox
    ignore: ["drafts/**"]
    mode: auto
    settle: auto
    ready: "{name}.done"
    sweep: 60s
    initial: process
    on_change: queue
    on: [added, changed]
routing_rules:
  - name: python
    pattern: "**/*.py"
    agent: reviewer
    priority: 10
    prompt: "Review \${{ file.path }} for defects."
    batch: { max_files: 20, quiet: 2s, on_failure: bisect }
    expect: { outputs: ["review.json"], json_schema: schemas/review.json }
    cache: content
    budget: { usd_per_day: 5 }
    max_input: 100MiB
agents:
  reviewer:
    kind: claude
    type: reviewer
    description: Finds defects
    capabilities: [code_review, error_diagnosis]
    model: opus
    effort: high
    max_turns: 30
    tools: ["Bash(npm test:*)"]
    permissions: { ceiling: edit }
    priority: 10
    max_load: 2
    fallback: [codex-reviewer, inspect]
    timeout: 20m
    idle_timeout: 5m
    retry: { attempts: 3, initial: 1s, max: 5m }
    on_quota: wait
    circuit_breaker: { error_rate: 0.1, minimum: 10, window: 5m, slow: 5s, reset: 30s }
    limits: { cpu: 50%, memory: 2GiB, runtime: 1h, output: 64MiB }
    budget: { usd_per_run: 1, usd_per_day: 20, tokens_per_day: 5M }
    rate: 30/min
    workspace: in_place
    sandbox: { mode: required, write: [workspace], network: allow }
    env: [LANG, TZ]
  codex-reviewer: { kind: codex, capabilities: [code_review], load: light, tokens_per_task: 50k }
  lint: { kind: command, command: [npx, eslint, "\${{ file.path }}"] }
  ocr: { kind: http, url: "http://127.0.0.1:9000/ocr" }
  inspect: { kind: builtin }
watcher_endpoints: { python-analyzer: "http://localhost:8001" }
concurrency_limits: { max_processes: 5, max_concurrent_files: 10 }
output_settings: { default_output_dir: ./processed, preserve_original: true, log_level: INFO, retention: 30d, file_mode: "0644" }
cache: { ttl: 30d, max_bytes: 2GiB }
workflows: [./workflows/*.yaml]
schedules: [{ name: digest, cron: "0 7 * * 1-5", timezone: Europe/Berlin, workflow: daily-digest }]
reviews: { reviewers: 2, quiet_trigger: 15m, max_rounds: 2 }
prices: [{ model: "gpt-5*", from: 2026-07-01, input: 1.25, cache_read: 0.125, output: 10 }]
alerts: [{ on: [ERROR_RATE, DISK_LOW], webhook: "\${env:ALERT_URL}", format: slack, min_interval: 5m }]
daemon: { drain: 10s, max_depth: 5, min_free_disk: 1GiB }
`;

test('a configuration with everything loads, and what is shown of it is the same', async () => {
  const dir = await project({
    'inbox/x': '',
    'schemas/review.json': '{}',
    'config/orchestrator.yaml': example,
    'workflows/digest.yaml':
      'name: daily-digest\nsteps: [{ name: a, type: custom_command, command: "true" }]\n',
  });
  await mkdir(join(dir, 'empty'));
  const { config, warnings } = await loadConfig(join(dir, 'config/orchestrator.yaml'), {
    searchPath: join(dir, 'empty'),
  });
  expect(config.agents.get('reviewer')).toMatchObject({
    kind: 'claude',
    maxLoad: 2,
    budget: { usdPerRun: 1, usdPerDay: 20, tokensPerDay: 5_000_000, unknownCost: 'refuse' },
    limits: { cpuPercent: 50, memoryBytes: 2 ** 31, runtimeMs: 3_600_000 },
    cli: { model: 'opus', effort: 'high', maxTurns: 30, permissions: { mode: 'read', ceiling: 'edit' } },
  });
  expect(config.rules[0]?.batch?.maxFiles).toBe(10);
  expect([...new Set(warnings.map(({ code }) => code))].toSorted()).toEqual([
    'AGENT_UNUSED',
    'BATCH_SINGLE_FILE',
    'COMMAND_NOT_FOUND',
    'CONFLICT',
    'COST_UNKNOWN',
    'LIMIT_UNREACHED',
  ]);
  const again = await parseConfig(config.file, JSON.stringify(configView(config)));
  expect(configView(again.config)).toEqual(configView(config));
});
