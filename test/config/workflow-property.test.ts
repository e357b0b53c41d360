/** Any valid workflow loads; with one thing changed that others rely on it is refused, and told where. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { stringify } from 'yaml';
import { ConfigError, type Diagnostic, loadConfig } from '../../src/config/load.ts';
import { project } from './project.ts';

interface Step {
  readonly name: string;
  readonly type: string;
  readonly needs?: readonly string[];
  readonly [key: string]: unknown;
}
interface Workflow {
  readonly name: string;
  readonly steps: readonly Step[];
}

const config = [
  'workflows: ["w/*"]',
  'agents: { one: { kind: command, command: ["true"], capabilities: [see] }, two: { kind: http, url: http://x } }',
  '',
].join('\n');
const subFlow =
  'name: Sub\ninputs: { n: { type: number } }\nsteps: [{ name: x, type: approval, message: "?" }]\n';

/** Names as people give them: words, spaces, other alphabets. */
const names = fc.uniqueArray(
  fc.oneof(
    fc.stringMatching(/^[a-z][a-z_-]{1,12}$/),
    fc.constantFrom(
      'Größe prüfen',
      '報告',
      'step one',
      'Émile',
      'x.y',
      "it's",
      'a:b',
      '#7',
      '{z}',
      'true',
      '12',
    ),
  ),
  { minLength: 2, maxLength: 12, selector: (name) => name.normalize('NFC').toLowerCase() },
);

const reads = ['result', 'outcome', 'state'] as const;
const asText = (name: string, of: string) =>
  `\${{ steps${/^[a-z_][\w-]*$/i.test(name) ? `.${name}` : `['${name.replaceAll("'", "''")}']`}.${of} }}`;

/** By search, not by the way that is tested. */
function ancestors(steps: readonly Step[], index: number): readonly string[] {
  const found = new Set<string>();
  const visit = (at: number): void => {
    const { needs } = steps[at] as Step;
    const above = steps[at - 1];
    for (const name of needs ?? (above ? [above.name] : [])) {
      if (found.has(name)) continue;
      found.add(name);
      visit(steps.findIndex((step) => step.name === name));
    }
  };
  visit(index);
  return [...found];
}

const workflows: fc.Arbitrary<Workflow> = names.chain((list) =>
  fc
    .array(
      fc.record({
        needs: fc.option(fc.array(fc.nat(100), { maxLength: 3 }), { nil: undefined }),
        type: fc.constantFrom(
          'custom_command',
          'agent',
          'http',
          'workflow',
          'approval',
          'report',
          'file_processing',
        ),
        read: fc.option(fc.record({ of: fc.nat(100), key: fc.constantFrom(...reads) }), { nil: undefined }),
        forEach: fc.boolean(),
        when: fc.boolean(),
      }),
      { minLength: list.length, maxLength: list.length },
    )
    .map((choices) => {
      const steps: Step[] = [];
      for (const [index, choice] of choices.entries()) {
        const needs =
          choice.needs &&
          (index === 0 ? [] : [...new Set(choice.needs.map((pick) => list[pick % index] as string))]);
        const bare = { name: list[index] as string, type: choice.type, ...(needs && { needs }) };
        steps.push(bare);
        const before = ancestors(steps, index);
        const of = choice.read && before.length > 0 ? before[choice.read.of % before.length] : undefined;
        const text = of === undefined ? 'plain' : `about ${asText(of, choice.read?.key ?? 'result')}`;
        steps[index] = {
          ...bare,
          ...work(choice.type, text),
          ...(choice.forEach && { for_each: [1, 'two', { three: 3 }], max_parallel: 2 }),
          ...(choice.when && {
            if: of === undefined ? 'always()' : `${asText(of, 'outcome').slice(4, -3)} == 'succeeded'`,
          }),
        };
      }
      return { name: 'Generated', steps };
    }),
);

function work(type: string, text: string): Record<string, unknown> {
  switch (type) {
    case 'custom_command':
      return { command: ['true', text] };
    case 'agent':
      return { agent: 'one', prompt: `First line.\n\nSecond: ${text}\n` };
    case 'http':
      return { url: 'http://x/', body: { deep: [text] } };
    case 'workflow':
      return { workflow: 'Sub', with: { n: 5 }, outputs: { x: text } };
    case 'approval':
      return { message: text };
    case 'report':
      return { template: 'x', with: { text } };
    default:
      return { directory: text };
  }
}

const writings: readonly ((workflow: Workflow) => string)[] = [
  (workflow) => JSON.stringify(workflow),
  (workflow) => JSON.stringify([workflow], null, 2),
  (workflow) => stringify(workflow),
  (workflow) => stringify([workflow], { lineWidth: 30, defaultStringType: 'QUOTE_DOUBLE' }),
];

async function projectFor(): Promise<
  (workflow: Workflow, writing: number) => Promise<readonly Diagnostic[]>
> {
  const dir = await project({ 'inbox/x': '', 'config/orchestrator.yaml': config, 'w/sub.yaml': subFlow });
  await mkdir(join(dir, 'w'), { recursive: true });
  return async (workflow, writing) => {
    await writeFile(
      join(dir, 'w/generated.yaml'),
      (writings[writing] as (typeof writings)[number])(workflow),
    );
    try {
      const { config: loaded } = await loadConfig(join(dir, 'config/orchestrator.yaml'));
      const found = loaded.workflows.find(({ name }) => name === workflow.name);
      expect(found?.steps.map(({ name }) => name)).toEqual(workflow.steps.map(({ name }) => name));
      expect(found?.steps.map(({ needs }) => needs)).toEqual(workflow.steps.map(({ needs }) => needs));
      return [];
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error;
      const errors = error.diagnostics.filter(({ severity }) => severity === 'error');
      for (const one of errors) {
        expect(one.file).toBe(join(dir, 'w/generated.yaml'));
        expect(one.snippet).toContain('^');
      }
      return errors;
    }
  };
}

const writing = fc.nat(writings.length - 1);
const codes = (errors: readonly Diagnostic[]) => new Set(errors.map(({ code }) => code));
/** Whether anything but itself speaks of the step. */
const isUsed = ({ steps }: Workflow, name: string) =>
  steps.some(
    (step) =>
      step.name !== name &&
      (step.needs?.includes(name) || JSON.stringify(step).includes(asText(name, '').slice(4, -4))),
  );

test('any valid definition loads, and keeps its steps', async () => {
  const errorsOf = await projectFor();
  await fc.assert(
    fc.asyncProperty(workflows, writing, async (workflow, how) => {
      expect((await errorsOf(workflow, how)).map(({ message }) => message)).toEqual([]);
    }),
    { numRuns: 50 },
  );
});

test('a step that others need and that is gone, or has another name, is missed where it is named', async () => {
  const errorsOf = await projectFor();
  await fc.assert(
    fc.asyncProperty(workflows, writing, fc.nat(), fc.boolean(), async (workflow, how, pick, isRemoved) => {
      const used = workflow.steps.filter(({ name }) => isUsed(workflow, name));
      fc.pre(used.length > 0);
      const { name } = used[pick % used.length] as Step;
      const steps = isRemoved
        ? workflow.steps.filter((step) => step.name !== name)
        : workflow.steps.map((step) => (step.name === name ? { ...step, name: `${name} renamed` } : step));
      const errors = await errorsOf({ ...workflow, steps }, how);
      const needed = steps.some(({ needs }) => needs?.includes(name));
      expect(codes(errors).has(needed ? 'UNKNOWN_STEP' : 'BAD_EXPRESSION')).toBe(true);
      if (needed) expect(errors.find(({ code }) => code === 'UNKNOWN_STEP')?.message).toContain(`"${name}"`);
    }),
    { numRuns: 50 },
  );
});

test('a way back is a circle, and shown as a path', async () => {
  const errorsOf = await projectFor();
  await fc.assert(
    fc.asyncProperty(workflows, writing, fc.nat(), fc.nat(), async (workflow, how, pick, which) => {
      const at = 1 + (pick % (workflow.steps.length - 1));
      const before = ancestors(workflow.steps, at);
      fc.pre(before.length > 0);
      const target = before[which % before.length] as string;
      const last = workflow.steps[at] as Step;
      const steps = workflow.steps.map((step) =>
        step.name === target ? { ...step, needs: [...(step.needs ?? []), last.name] } : step,
      );
      const errors = await errorsOf({ ...workflow, steps }, how);
      const circle = errors.find(({ code }) => code === 'STEP_CYCLE');
      const way = /: (.*)$/.exec(circle?.message ?? '')?.[1]?.split(' -> ') ?? [];
      expect(way.length).toBeGreaterThan(2);
      expect(way[0]).toBe(way.at(-1));
      for (const [index, name] of way.slice(0, -1).entries()) {
        const place = steps.findIndex((step) => step.name === name);
        const waits = steps[place]?.needs ?? [steps[place - 1]?.name];
        expect(waits).toContain(way[index + 1]);
      }
    }),
    { numRuns: 50 },
  );
});

test('a name twice, and a value that is misspelt, are found in every writing', async () => {
  const errorsOf = await projectFor();
  await fc.assert(
    fc.asyncProperty(workflows, writing, fc.nat(), async (workflow, how, pick) => {
      const [first, ...rest] = workflow.steps as [Step, ...Step[]];
      const twice = { ...(rest[pick % rest.length] as Step), name: first.name };
      const doubled = workflow.steps.map((step) => (step === rest[pick % rest.length] ? twice : step));
      expect(codes(await errorsOf({ ...workflow, steps: doubled }, how)).has('DUPLICATE_NAME')).toBe(true);
      const typo = { ...first, ...work(first.type, `a "quoted" 'text' \n and \${{ ruin.id }}`) };
      const [error] = (await errorsOf({ ...workflow, steps: [typo, ...rest] }, how)).filter(({ message }) =>
        message.includes('ruin'),
      );
      expect(error?.fix).toContain('"run"');
      const [source = '', carets = ''] = (error?.snippet ?? '').split('\n');
      expect(source.slice(carets.indexOf('^'), carets.lastIndexOf('^') + 1)).toBe('ruin');
    }),
    { numRuns: 40 },
  );
});

const keys = [
  ...[
    'name',
    'steps',
    'on',
    'inputs',
    'outputs',
    'env',
    'concurrency',
    'timeout',
    'on_failure',
    'type',
    'needs',
    'if',
  ],
  ...[
    'for_each',
    'max_parallel',
    'items',
    'command',
    'agent',
    'capabilities',
    'prompt',
    'prompt_file',
    'file',
    'url',
  ],
  ...[
    'body',
    'headers',
    'method',
    'workflow',
    'with',
    'message',
    'template',
    'template_file',
    'output',
    'expect',
  ],
  ...[
    'retry',
    'cache',
    'sandbox',
    'directory',
    'schedule',
    'cron',
    'pattern',
    'group',
    '__proto__',
    'constructor',
  ],
];
const value: fc.Arbitrary<unknown> = fc.oneof(
  fc.jsonValue({ maxDepth: 2 }).map((json) => json as unknown),
  fc.constantFrom<unknown>(
    '${{ steps.a.result }}',
    '${{',
    'a',
    'b',
    '5m',
    '@daily',
    ['a'],
    null,
    [null],
    'custom_command',
    'agent',
    {},
  ),
);
const someStep = fc
  .dictionary(fc.constantFrom(...keys), value, { maxKeys: 6 })
  .chain((rest) =>
    fc
      .constantFrom('custom_command', 'agent', 'http', 'workflow', 'approval', 'report', 'file_processing')
      .map((type) => ({ name: 'a', type, ...rest })),
  );
const someWorkflow = fc
  .record({
    top: fc.dictionary(fc.constantFrom(...keys), value, { maxKeys: 4 }),
    steps: fc.array(fc.oneof(someStep, value), { maxLength: 4 }),
  })
  .map(({ top, steps }) => ({ name: 'Any', steps, ...top }));

test('any JSON value gives a workflow or findings with a place, never a crash', async () => {
  const dir = await project({ 'inbox/x': '', 'config/orchestrator.yaml': config, 'w/sub.yaml': subFlow });
  await fc.assert(
    fc.asyncProperty(fc.oneof(someWorkflow, value), async (data) => {
      await writeFile(join(dir, 'w/any.json'), JSON.stringify(data) ?? 'null');
      try {
        await loadConfig(join(dir, 'config/orchestrator.yaml'));
      } catch (error) {
        if (!(error instanceof ConfigError)) throw error;
        for (const { message, fix, line, column } of error.diagnostics) {
          expect(`${message} ${fix}`).not.toMatch(/\bundefined\b|\[object /);
          expect(fix).not.toBe('');
          expect(Math.min(line, column)).toBeGreaterThan(0);
        }
      }
    }),
    { numRuns: 120 },
  );
});
