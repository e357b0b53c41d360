/** What a workflow file becomes: every form that can be written, and where the files are found. */
import { mkdir, symlink, writeFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { expect, test } from 'vitest';
import { stringify } from 'yaml';
import { type Config, isOwnAgent } from '../../src/config/config.ts';
import { configView, diffConfig, loadConfig, loadWorkflowFile, parseConfig } from '../../src/config/load.ts';
import { findWorkflow, type StepConfig, type WorkflowConfig } from '../../src/config/workflow.ts';
import { workflowPlaces } from '../../src/config/workflow-places.ts';
import { errorsOf, load, project } from './project.ts';

const reference = {
  name: 'Code Quality Pipeline',
  description: 'Analyze code, generate documentation, and create reports',
  steps: [
    { name: 'analyze_code', type: 'file_processing', directory: './src', recursive: true },
    {
      name: 'generate_docs',
      type: 'custom_command',
      command: 'python generate_docs.py --source ./src --output ./docs',
    },
    {
      name: 'create_report',
      type: 'custom_command',
      command: 'python create_report.py --input ./analysis --output ./report',
    },
  ],
};

const common = { outputs: {}, continueOnError: false };
const command = {
  type: 'custom_command',
  sandbox: { mode: 'auto', write: ['project'], network: 'allow', blocked: [], confirm: [] },
  expect: { outputs: [] },
  env: [],
} as const;

test.each<[string, string, string]>([
  ['JSON', 'workflows/code-quality.json', JSON.stringify(reference, null, 2)],
  ['YAML', 'workflows/code-quality.yaml', stringify(reference)],
  ['.yml', 'workflows/code-quality.yml', stringify(reference)],
  ['a list of one', 'workflows/code-quality.yaml', stringify([reference])],
])('the form of the reference documents loads unchanged: %s', async (_name, file, text) => {
  const { config, warnings } = await load('version: 1\n', { [file]: text }, { searchPath: '' });
  expect(warnings.map(({ code }) => code)).toEqual(['COMMAND_NOT_FOUND']);
  expect(config.workflows).toEqual([
    {
      name: 'Code Quality Pipeline',
      aliases: ['code-quality'],
      description: reference.description,
      file: join(config.projectDir, file),
      inputs: [],
      outputs: {},
      env: [],
      on: { manual: true, file: [], schedules: [] },
      steps: [
        { ...common, name: 'analyze_code', type: 'file_processing', directory: './src', recursive: true },
        {
          ...common,
          ...command,
          name: 'generate_docs',
          command: ['python', 'generate_docs.py', '--source', './src', '--output', './docs'],
        },
        {
          ...common,
          ...command,
          name: 'create_report',
          command: ['python', 'create_report.py', '--input', './analysis', '--output', './report'],
        },
      ],
      onFailure: [],
    } satisfies WorkflowConfig,
  ]);
  expect(findWorkflow(config.workflows, 'code-quality')).toBe(config.workflows[0]);
  expect(Object.isFrozen(config.workflows[0]?.steps[0])).toBe(true);
  expect(JSON.parse(JSON.stringify(config.workflows))).toEqual(config.workflows);
});

const everything = `
name: Everything
description: All that can be written
on:
  manual: false
  file: ["*.csv", { pattern: [./in/**, "!**/*.tmp"], priority: 5 }]
  schedule:
    - 0 7 * * 1-5
    - { cron: "*/5 * * * *", timezone: Europe/Berlin, inputs: { n: 2 }, overlap: queue, catch_up: false }
inputs:
  target: { type: choice, options: [a, b], default: a, description: Where to }
  n: { type: number, default: 1.5 }
  deep: { type: boolean, default: false }
  data: { type: json, default: [1, { x: null }] }
  note: {}
env: { TOKEN: "\${env:TOKEN}", WHERE: "\${{ inputs.target }}" }
concurrency: { group: "g-\${{ inputs.target }}", cancel_in_progress: true }
timeout: 1h
outputs: { all: "\${{ steps.ask.outcome }}" }
steps:
  - name: files
    type: file_processing
    directory: "./src/\${{ inputs.target }}"
    recursive: false
    timeout: 5m
    continue_on_error: true
  - name: command
    type: custom_command
    command: echo "\${{ inputs.note }} x" \${{ steps.files.outputs.failed }}
    needs: files
    if: inputs.deep && steps.files.counts.total > 0
    retry: 3
    timeout: 30s
    env: [LANG]
    expect: { outputs: [out/*.json] }
    cache: { inputs: [src/**] }
    sandbox: { mode: off, reason: ours }
    outputs: { n: "\${{ fromJSON(result).n }}" }
  - name: each
    type: custom_command
    command: [wc, "\${{ item.path }}", "\${{ index }}"]
    needs: []
    for_each: "\${{ glob('*.csv') }}"
    max_parallel: 4
    retry: { attempts: 2, initial: 10ms, max: 1s }
    outputs: { lines: "\${{ result }}", of: "\${{ item.name }}" }
  - { name: literal, type: approval, message: "\${{ item }}?", needs: [each], for_each: { items: [1, "\${{ inputs.target }}"], max_parallel: 1 } }
  - name: agent
    type: agent
    agent: [one, two]
    select: in_order
    prompt: "Look at \${{ steps.each.items }} and \${{ state.notes }}"
    file: "\${{ file.path }}"
    cache: false
    needs: [each, literal]
  - { name: able, type: agent, capabilities: [see], prompt_file: p.md }
  - name: http
    type: http
    url: "https://x/\${{ run.id }}?k=\${env:KEY}"
    headers: { A: "Bearer \${env:KEY}" }
    body: { text: "\${{ steps.able.result }}", n: 1 }
  - { name: get, type: http, url: "http://\${{ inputs.note }}:\${{ inputs.n }}/" }
  - { name: call, type: workflow, workflow: sub, with: { folder: "\${{ steps.get.result }}", deep: true } }
  - { name: ask, type: approval, message: "Go? \${{ steps.call.outputs.size }}", timeout: 2d, on_timeout: approve, if: "\${{ always() }}" }
  - { name: report, type: report, template_file: t/digest.md.liquid, with: { n: "\${{ inputs.n }}" } }
  - { name: inline, type: report, template: "{{ steps }}", output: "\${{ run.id }}.md", if: false }
on_failure:
  - { name: tell, type: custom_command, command: "true", if: "\${{ steps.inline.outcome == 'failed' }}" }
  - { name: more, type: approval, message: "\${{ steps.tell.result }}" }
`;
const sub = `
name: Sub Flow
inputs: { folder: { required: true }, deep: { type: boolean } }
outputs: { size: "\${{ steps.x.result }}" }
steps: [{ name: x, type: custom_command, command: "true" }]
`;
const agents =
  'agents: { one: { kind: command, command: ["true"] }, two: { kind: command, command: ["true"], capabilities: [see] } }\n';
const texts = {
  'workflows/everything.yaml': everything,
  'workflows/sub.yaml': sub,
  'p.md': 'See ${{ steps.agent.result }}',
  't/digest.md.liquid': '# {{ n }}',
};

const step = (workflow: WorkflowConfig | undefined, name: string): StepConfig | undefined =>
  [...(workflow?.steps ?? []), ...(workflow?.onFailure ?? [])].find((one) => one.name === name);

test('everything that can be written arrives', async () => {
  const { config, warnings, files } = await load(agents, texts);
  expect(warnings).toEqual([]);
  const dir = config.projectDir;
  expect(files.toSorted()).toEqual(
    [config.file, ...['workflows', ...Object.keys(texts)].map((path) => join(dir, path))].toSorted(),
  );
  const [all, called] = config.workflows;
  expect(called?.aliases).toEqual(['sub']);
  expect(all).toMatchObject({
    name: 'Everything',
    aliases: ['everything'],
    timeoutMs: 3_600_000,
    concurrency: { group: 'g-${{ inputs.target }}', cancelInProgress: true },
    env: [
      { kind: 'set', name: 'TOKEN', value: '${env:TOKEN}' },
      { kind: 'set', name: 'WHERE', value: '${{ inputs.target }}' },
    ],
    inputs: [
      {
        name: 'target',
        type: 'choice',
        options: ['a', 'b'],
        default: 'a',
        description: 'Where to',
        required: false,
      },
      { name: 'n', type: 'number', default: 1.5 },
      { name: 'deep', type: 'boolean', default: false },
      { name: 'data', type: 'json', default: [1, { x: null }] },
      { name: 'note', type: 'string', required: false },
    ],
    on: {
      manual: false,
      file: [
        { patterns: ['*.csv'], priority: 0 },
        { patterns: ['in/**', '!**/*.tmp'], priority: 5 },
      ],
    },
    outputs: { all: '${{ steps.ask.outcome }}' },
  });
  expect(step(all, 'files')).toEqual({
    name: 'files',
    type: 'file_processing',
    directory: './src/${{ inputs.target }}',
    recursive: false,
    timeoutMs: 300_000,
    continueOnError: true,
    outputs: {},
  });
  expect(step(all, 'command')).toEqual({
    name: 'command',
    type: 'custom_command',
    command: ['echo', '${{ inputs.note }} x', '${{ steps.files.outputs.failed }}'],
    needs: ['files'],
    if: 'inputs.deep && steps.files.counts.total > 0',
    retry: { attempts: 3, initialMs: 1000, maxMs: 300_000 },
    timeoutMs: 30_000,
    env: [{ kind: 'pass', name: 'LANG' }],
    expect: { outputs: ['out/*.json'] },
    cacheInputs: ['src/**'],
    sandbox: { mode: 'off', reason: 'ours' },
    outputs: { n: '${{ fromJSON(result).n }}' },
    continueOnError: false,
  });
  expect(step(all, 'each')).toMatchObject({
    needs: [],
    forEach: { items: { expression: "glob('*.csv')" }, maxParallel: 4 },
    retry: { attempts: 2, initialMs: 10, maxMs: 1000 },
  });
  expect(step(all, 'literal')).toMatchObject({
    forEach: { items: { list: [1, '${{ inputs.target }}'] }, maxParallel: 1 },
  });
  expect(step(all, 'agent')).toMatchObject({
    agents: ['one', 'two'],
    select: 'in_order',
    inputFile: '${{ file.path }}',
    cache: false,
  });
  expect(step(all, 'agent')).not.toHaveProperty('retry');
  expect(step(all, 'able')).toMatchObject({ agents: ['two'], prompt: texts['p.md'], cache: true });
  expect(step(all, 'http')).toMatchObject({
    method: 'POST',
    body: { text: '${{ steps.able.result }}', n: 1 },
  });
  expect(step(all, 'get')).toMatchObject({ method: 'GET' });
  expect(step(all, 'call')).toMatchObject({ workflow: 'Sub Flow', with: { deep: true } });
  expect(step(all, 'ask')).toMatchObject({ timeoutMs: 172_800_000, onTimeout: 'approve', if: 'always()' });
  expect(step(all, 'report')).toMatchObject({
    template: { text: '# {{ n }}', file: join(dir, 't/digest.md.liquid') },
    output: 'digest.md',
  });
  expect(step(all, 'inline')).toMatchObject({ if: 'false', output: '${{ run.id }}.md' });
  expect(all?.onFailure.map(({ name }) => name)).toEqual(['tell', 'more']);
});

test('what starts a workflow: rules after those of the configuration, schedules, agents that stand for it', async () => {
  const { config } = await load(
    `${agents}routing_rules: [{ pattern: "*.md", workflow: quiet }, { name: second, pattern: "*.txt", agent: one }]\nschedules: [{ name: Everything, cron: "@daily", workflow: everything }]\n`,
    {
      ...texts,
      'workflows/quiet.yaml': 'name: Quiet\nsteps: [{ name: a, type: custom_command, command: "true" }]\n',
    },
  );
  expect(config.rules.map(({ name, priority }) => [name, priority])).toEqual([
    ['workflow Everything (2)', 5],
    ['*.md', 0],
    ['second', 0],
    ['workflow Everything', 0],
  ]);
  expect(config.rules.map(({ target, cache, fromWorkflow }) => [target, cache, fromWorkflow])).toEqual([
    [{ kind: 'agent', agent: '$workflow:Everything' }, 'path', true],
    [{ kind: 'agent', agent: '$workflow:Quiet' }, 'path', undefined],
    [{ kind: 'agent', agent: 'one' }, 'content', undefined],
    [{ kind: 'agent', agent: '$workflow:Everything' }, 'path', true],
  ]);
  expect(config.schedules).toEqual([
    {
      name: 'Everything',
      workflow: 'Everything',
      cron: '@daily',
      inputs: {},
      overlap: 'skip',
      catchUp: true,
    },
    {
      name: 'Everything (2)',
      workflow: 'Everything',
      cron: '0 7 * * 1-5',
      inputs: {},
      overlap: 'skip',
      catchUp: true,
      fromWorkflow: true,
    },
    {
      name: 'Everything (2) (2)',
      workflow: 'Everything',
      cron: '*/5 * * * *',
      timezone: 'Europe/Berlin',
      inputs: { n: 2 },
      overlap: 'queue',
      catchUp: false,
      fromWorkflow: true,
    },
  ]);
  expect([...config.agents.keys()].filter(isOwnAgent)).toEqual([
    '$command',
    '$http',
    '$workflow:Everything',
    '$workflow:Quiet',
  ]);
  expect(config.agents.get('$workflow:Quiet')).toMatchObject({
    kind: 'workflow',
    workflow: 'Quiet',
    timeoutMs: Number.POSITIVE_INFINITY,
    maxLoad: Number.POSITIVE_INFINITY,
    retry: { attempts: 1 },
    sandbox: { mode: 'off', reason: 'a workflow: its steps are confined' },
  });
  expect(config.agents.get('$workflow:Quiet')).not.toHaveProperty('breaker');
});

test('a configuration without workflows has what steps need, and confines nothing for them', async () => {
  const { config, files } = await load('version: 1\n');
  expect([...config.agents.keys()]).toEqual(['$command', '$http']);
  expect(config.agents.get('$command')).toMatchObject({
    kind: 'command',
    maxLoad: Number.POSITIVE_INFINITY,
    timeoutMs: 600_000,
    retry: { attempts: 1 },
    sandbox: { mode: 'off' },
  });
  expect(config.agents.get('$http')).toMatchObject({
    kind: 'http',
    retry: { attempts: 3 },
    timeoutMs: 600_000,
  });
  expect(files).toEqual([config.file, join(config.projectDir, 'workflows')]);
  expect([config.workflows, config.schedules]).toEqual([[], []]);
});

test('under a budget of the whole daemon steps need not say what they cost', async () => {
  const { config } = await load('budget: { usd_per_day: 1 }\n');
  for (const name of ['$command', '$http'])
    expect(config.agents.get(name)?.budget).toEqual({ unknownCost: 'allow' });
});

const tiny = (name: string) => `name: ${name}\nsteps: [{ name: a, type: custom_command, command: "true" }]\n`;

test('globs, definitions in place, lists, and what only takes away', async () => {
  const { config, files, warnings } = await load(
    [
      'workflows:',
      '  - flows/**/*.yaml',
      '  - "!flows/drafts/**"',
      '  - { name: In place, steps: [{ name: a, type: custom_command, command: "true" }] }',
      '  - one.json',
      '  - "*.yaml"',
      '  - one.json',
      '',
    ].join('\n'),
    {
      'flows/b.yaml': tiny('b'),
      'flows/a.yaml': `- ${JSON.stringify({ name: 'a1', steps: reference.steps })}\n- ${JSON.stringify({ name: 'a2', steps: reference.steps })}\n`,
      'flows/deep/er/c.yaml': tiny('c'),
      'flows/drafts/d.yaml': 'not: a workflow',
      'flows/note.md': 'no workflow',
      'flows/.hidden/e.yaml': tiny('e'),
      'one.json': JSON.stringify({ ...reference, name: 'one' }),
    },
    { searchPath: '/usr/bin:/bin' },
  );
  expect(config.workflows.map(({ name, aliases }) => [name, aliases])).toEqual([
    ['a1', []],
    ['a2', []],
    ['b', []],
    ['c', []],
    ['In place', []],
    ['one', []],
  ]);
  expect(config.workflows[4]?.file).toBe(config.file);
  expect(warnings.map(({ code }) => code)).toContain('NO_WORKFLOWS');
  const dir = config.projectDir;
  for (const folder of ['flows', 'flows/deep/er', 'flows/drafts', '.'])
    expect(files).toContain(join(dir, folder));
  expect(files).not.toContain(join(dir, 'flows/drafts/d.yaml'));
});

test('where definitions stand is known, so that what they confine cannot change them', async () => {
  const of = async (config: string, files: Record<string, string> = {}) => {
    const loaded = (await load(config, files)).config;
    return workflowPlaces(loaded).map((path) => relative(loaded.projectDir, path));
  };
  expect(await of('version: 1\n')).toEqual(['workflows']);
  expect(await of('version: 1\n', { 'workflows/a.yaml': tiny('a') })).toEqual(['workflows']);
  const files = { 'flows/deep/x.yaml': tiny('x'), 'one.yaml': tiny('one') };
  // The whole project cannot be closed to its own commands.
  expect(await of('workflows: [flows/**/*.yaml, "*.yaml"]\n', files)).toEqual([
    'workflows',
    'flows/deep',
    'one.yaml',
  ]);
});

test('a stem that two files have is nobody’s second name', async () => {
  const { config } = await load('workflows: ["*/**/*.yaml"]\n', {
    'a/x.yaml': tiny('One'),
    'b/x.yaml': tiny('Two'),
    'b/One.yaml': tiny('Three'),
  });
  expect(config.workflows.map(({ name, aliases }) => [name, aliases])).toEqual([
    ['One', []],
    ['Three', []],
    ['Two', []],
  ]);
});

test('links to files are followed, links to folders are not', async () => {
  const dir = await project({
    'inbox/x': '',
    'config/orchestrator.yaml': 'workflows: ["flows/**"]\n',
    'real.yaml': tiny('real'),
  });
  await mkdir(join(dir, 'flows'));
  await symlink(join(dir, 'real.yaml'), join(dir, 'flows/link.yaml'));
  await symlink(join(dir, 'flows'), join(dir, 'flows/again'));
  await symlink(join(dir, 'nowhere'), join(dir, 'flows/broken.yaml'));
  const { config } = await loadConfig(join(dir, 'config/orchestrator.yaml'));
  expect(config.workflows.map(({ name }) => name)).toEqual(['real']);
});

test('a file can be checked that the configuration does not list', async () => {
  const { config } = await load(`${agents}workflows: [known/*.yaml]\n`, {
    'known/sub.yaml': sub,
    'known/other.yaml': tiny('Other'),
    'loose.yaml': `name: Loose\nsteps:\n  - { name: s, type: workflow, workflow: sub, with: { folder: x } }\n  - { name: a, type: agent, agent: one }\n`,
    'wrong.yaml': `name: Wrong\nsteps:\n  - { name: s, type: workflow, workflow: sbu }\n  - { name: a, type: agent, agent: $command }\n`,
    'calls.yaml': `- { name: Other, steps: [{ name: s, type: workflow, workflow: Second }] }\n- { name: Second, steps: [{ name: s, type: workflow, workflow: Other }] }\n`,
  });
  const dir = config.projectDir;
  const { workflows, warnings } = await loadWorkflowFile(join(dir, 'loose.yaml'), config);
  expect(warnings).toEqual([]);
  expect(workflows).toMatchObject([
    { name: 'Loose', aliases: ['loose'], steps: [{ workflow: 'Sub Flow' }, { agents: ['one'] }] },
  ]);
  expect(Object.isFrozen(workflows[0]?.steps)).toBe(true);
  // The same file, listed: it is not its own double.
  expect((await loadWorkflowFile(join(dir, 'known/sub.yaml'), config)).workflows).toEqual([
    config.workflows.find(({ name }) => name === 'Sub Flow'),
  ]);
  await expect(loadWorkflowFile(join(dir, 'wrong.yaml'), config)).rejects.toMatchObject({
    code: 'CONFIG_INVALID',
    message: expect.stringContaining('wrong.yaml:3:42'),
    diagnostics: [
      {
        line: 3,
        column: 42,
        code: 'UNKNOWN_WORKFLOW',
        fix: 'did you mean "sub"? Defined workflows: Other, Sub Flow, Wrong, other, sub, wrong.',
      },
      { line: 4, column: 36, code: 'UNKNOWN_AGENT' },
    ].map((one) => expect.objectContaining(one)),
  });
  await expect(loadWorkflowFile(join(dir, 'calls.yaml'), config)).rejects.toThrow('Other -> Second -> Other');
  await expect(loadWorkflowFile(join(dir, 'none.yaml'), config)).rejects.toMatchObject({
    code: 'CONFIG_NOT_FOUND',
  });
});

/** The same but for where it stands. */
const placeless = (config: Config) => ({
  ...config,
  workflows: config.workflows.map(({ file: _, aliases: _a, ...workflow }) => ({
    ...workflow,
    steps: workflow.steps.map((one) =>
      one.type === 'report' ? { ...one, template: one.template.text } : one,
    ),
  })),
});

test('the view loads again and gives the same workflows', async () => {
  const { config } = await load(
    `${agents}routing_rules: [{ pattern: "*.md", workflow: sub2 }]\nschedules: [{ name: n, cron: "@daily", workflow: everything }]\n`,
    { ...texts, 'workflows/sub2.yaml': tiny('sub 2') },
  );
  const text = stringify(configView(config));
  expect(text).not.toMatch(/\$(workflow|command|http)/);
  const again = await parseConfig(config.file, text);
  expect(again.warnings).toEqual([]);
  expect(configView(again.config)).toEqual(configView(config));
  expect(placeless(again.config)).toEqual(placeless(config));
});

test('the difference names the step that changed; a moved step and another file are changes too', async () => {
  const dir = await project({ 'inbox/x': '', 'config/orchestrator.yaml': 'version: 1\n' });
  const load = async (files: Record<string, string>): Promise<Config> => {
    await mkdir(join(dir, 'workflows'), { recursive: true });
    for (const [name, content] of Object.entries(files))
      await writeFile(join(dir, 'workflows', name), content);
    return (await loadConfig(join(dir, 'config/orchestrator.yaml'))).config;
  };
  const flow = (...steps: string[]) => `name: F\nsteps: [${steps.join(', ')}]\n`;
  const [a, b] = ['a', 'b'].map((name) => `{ name: ${name}, type: custom_command, command: "true" }`) as [
    string,
    string,
  ];
  const first = await load({ 'f.yaml': flow(a, b) });
  expect(diffConfig(first, await load({ 'f.yaml': flow(a, b) }))).toEqual([]);
  const longer = await load({ 'f.yaml': flow(a.replace('"true"', '"true", timeout: 5m'), b) });
  expect(diffConfig(first, longer)).toEqual([{ path: 'workflows.F.steps.a.timeout', after: '5m' }]);
  const moved = await load({ 'f.yaml': flow(b, a) });
  expect(diffConfig(first, moved)).toEqual([
    { path: 'workflows.F.steps', before: ['a', 'b'], after: ['b', 'a'] },
  ]);
  const more = await load({ 'g.yaml': tiny('G') });
  expect(diffConfig(moved, more)).toEqual([
    { path: 'workflows.G', after: expect.objectContaining({ aliases: ['g'] }) },
  ]);
});

test('the checksum of a workflow covers what it calls, its prompts and its agents, not how things are called', async () => {
  const rule = 'routing_rules: [{ pattern: "*", workflow: Everything }]\n';
  const of = async (change: (text: string) => string, file: keyof typeof texts | 'config') => {
    const own = file === 'config' ? texts : { ...texts, [file]: change(texts[file]) };
    const { config } = await load(`${file === 'config' ? change(agents) : agents}${rule}`, own);
    const agent = config.agents.get('$workflow:Everything');
    return agent?.kind === 'workflow' ? agent.definition : undefined;
  };
  const same = await of((text) => text, 'workflows/everything.yaml');
  expect(same).toMatch(/^[0-9a-f]{64}$/);
  const add = (text: string) => `${text} more`;
  const changes = await Promise.all([
    of(add, 'p.md'),
    of(add, 't/digest.md.liquid'),
    of((text) => text.replace('command: "true"', 'command: "false"'), 'workflows/sub.yaml'),
    of((text) => text.replace('timeout: 30s', 'timeout: 31s'), 'workflows/everything.yaml'),
    of((text) => text.replace('["true"]', '["false"]'), 'config'),
  ]);
  expect(new Set([same, ...changes]).size).toBe(changes.length + 1);
  expect(await of((text) => text.replace('All that can', 'What can'), 'workflows/everything.yaml')).toBe(
    same,
  );
  expect(await of((text) => text.replace('one: {', 'one: { description: x,'), 'config')).toBe(same);
});

test('a rule with a workflow can say that its results are shared', async () => {
  const { config } = await load(
    'routing_rules: [{ pattern: "*", workflow: w, cache: content, max_load: 1, expect: { outputs: [x] }, max_input: 1MiB }]\n',
    { 'workflows/w.yaml': tiny('W') },
  );
  expect(config.rules[0]).toMatchObject({
    cache: 'content',
    maxLoad: 1,
    expect: { outputs: ['x'] },
    maxInputBytes: 2 ** 20,
  });
});

test('one mistake in a list does not hide the others, and each is told in its own file', async () => {
  const errors = await errorsOf(
    'version: 1\nworkflows: ["a/*.yaml", "b.yaml"]\nschedules: [{ name: x, cron: y, workflow: Two }]\n',
    {
      'a/one.yaml': 'name: One\nsteps: [{ name: a, type: nope }]\n',
      'a/two.yaml':
        '- { name: Two, steps: [{ name: a, type: custom_command }] }\n- 5\n- { name: Three, steps: [] }\n',
      'b.yaml': 'name: [\n',
    },
  );
  expect(
    errors.map(
      ({ file, line, column, code }) => `${file.split('/').slice(-2).join('/')}:${line}:${column} ${code}`,
    ),
  ).toEqual([
    'config/orchestrator.yaml:3:30 BAD_SCHEDULE',
    'a/one.yaml:2:26 BAD_VALUE',
    'a/two.yaml:1:24 MISSING_KEY',
    'a/two.yaml:2:3 WRONG_TYPE',
    'a/two.yaml:3:25 BAD_VALUE',
    expect.stringMatching(/\/b\.yaml:1:7 SYNTAX$/),
  ]);
});
