/** Every mistake in a workflow: where it is reported, under which code, and that message and fix name what matters. */
import { expect, test } from 'vitest';
import { ConfigError, type Diagnostic } from '../../src/config/load.ts';
import type { ReportTemplateCheck } from '../../src/config/resolving.ts';
import { load } from './project.ts';

interface Case {
  readonly name: string;
  /** Of `workflows/w.yaml`. */
  readonly text: string;
  /** `line CODE what is marked`. */
  readonly at: string | readonly string[];
  readonly message?: RegExp;
  readonly fix?: RegExp;
  readonly files?: Record<string, string>;
}

/** A workflow whose steps begin in line 3. */
const flow = (...lines: string[]) => `name: W\nsteps:\n${lines.map((line) => `  ${line}\n`).join('')}`;
const a = '- { name: a, type: custom_command, command: "true" }';
const step = (more: string, name = 'b') =>
  `- { name: ${name}, type: custom_command, command: "true", ${more} }`;
const reading = (text: string) => flow(a, `- { name: b, type: custom_command, command: [x, "${text}"] }`);

const agents = [
  'agents:',
  '  lint: { kind: command, command: ["true"], capabilities: [see] }',
  '  look: { kind: builtin, capabilities: [count] }',
  '  web: { kind: http, url: http://x }',
  '',
].join('\n');

const cases: readonly Case[] = [
  // shape
  { name: 'empty', text: '', at: '1 MISSING_KEY', message: /empty/ },
  { name: 'a word', text: 'hello\n', at: '1 WRONG_TYPE hello', fix: /steps/ },
  { name: 'an empty list', text: '[]\n', at: '1 WRONG_TYPE []' },
  { name: 'no steps', text: 'name: W\n', at: '1 MISSING_KEY name', message: /`steps`/ },
  { name: 'no name', text: `steps:\n  ${a}\n`, at: '1 MISSING_KEY steps', message: /`name`/ },
  { name: 'steps that are none', text: 'name: W\nsteps: []\n', at: '2 BAD_VALUE []', message: /not empty/ },
  {
    name: 'steps as a mapping',
    text: 'name: W\nsteps: { a: {} }\n',
    at: '2 WRONG_TYPE { a: {} }',
    message: /list/,
  },
  { name: 'unknown key', text: `nmae: X\n${flow(a)}`, at: '1 UNKNOWN_KEY nmae', fix: /"name"/ },
  { name: 'a key of another engine', text: `${flow(a)}jobs: {}\n`, at: '4 UNKNOWN_KEY jobs', fix: /steps/ },
  {
    name: 'unknown key of a step',
    text: flow(step('need: [a]')),
    at: '3 UNKNOWN_KEY need',
    message: /step "b"/,
    fix: /"needs"/,
  },
  ...['model', 'permissions', 'workspace'].map((key) => ({
    name: `${key} of a step`,
    text: flow(`- { name: a, type: agent, agent: lint, ${key}: x }`),
    at: `3 UNKNOWN_KEY ${key}`,
    fix: /belongs to the agent/,
  })),
  {
    name: 'a schema',
    text: flow('- { name: a, type: agent, agent: lint, schema: x.json }'),
    at: '3 UNKNOWN_KEY schema',
    fix: /expect: \{ json_schema/,
  },
  {
    name: 'a schema that is expected',
    text: flow('- { name: a, type: agent, agent: lint, expect: { schema: x.json } }'),
    at: '3 UNKNOWN_KEY schema',
    fix: /`json_schema: FILE`/,
  },
  {
    name: 'run',
    text: flow('- { name: a, type: custom_command, command: x, run: y }'),
    at: '3 UNKNOWN_KEY run',
    fix: /command/,
  },
  {
    name: 'no type',
    text: flow('- { name: a, command: x }'),
    at: '3 MISSING_KEY { name: a, command: x }',
    fix: /type: custom_command/,
  },
  {
    name: 'unknown type',
    text: flow('- { name: a, type: comand, command: x }'),
    at: '3 BAD_VALUE comand',
    message: /unknown type "comand"/,
    fix: /custom_command/,
  },
  {
    name: 'no command',
    text: flow('- { name: a, type: custom_command }'),
    at: '3 MISSING_KEY { name: a, type: custom_command }',
    message: /step "a" has no `command`/,
  },
  {
    name: 'review',
    text: flow('- { name: a, type: review, of: x }'),
    at: '3 UNKNOWN_STEP x',
    fix: /type `agent`/,
  },
  {
    name: 'sandbox of an agent',
    text: flow('- { name: a, type: agent, agent: lint, sandbox: {} }'),
    at: '3 CONFLICT sandbox',
    message: /`sandbox` has no effect/,
  },
  {
    name: 'command of an approval',
    text: flow('- { name: a, type: approval, message: x, command: y }'),
    at: '3 CONFLICT command',
    fix: /custom_command/,
  },
  { name: 'retry of none', text: flow(step('retry: 0')), at: '3 BAD_VALUE 0', message: /from 1 to 100/ },
  { name: 'timeout without unit', text: flow(step('timeout: 5')), at: '3 WRONG_TYPE 5', fix: /5s/ },
  { name: 'pauses upside down', text: flow(step('retry: { initial: 5m, max: 1s }')), at: '3 CONFLICT 1s' },
  {
    name: 'name with a slash',
    text: flow(step('env: []', 'a/b')),
    at: '3 BAD_VALUE a/b',
    message: /without slashes/,
  },
  { name: 'two dots as a name', text: flow(step('env: []', '".."')), at: '3 BAD_VALUE ".."' },
  {
    name: 'name too long for a folder',
    text: flow(
      step(
        'env: []',
        '"あああああああああああああああああああああああああああああああああああああああああああああああああああああああああああああああああああああ"',
      ),
    ),
    at: '3 BAD_VALUE "あああああああああああああああああああああああああああああああああああああああああああああああああああああああああああああああああああああ"',
    message: /200 bytes/,
  },
  { name: 'name of an item', text: flow(step('env: []', '"a[1]"')), at: '3 BAD_VALUE "a[1]"', fix: /a-1/ },
  { name: 'syntax', text: flow('- { name: a'), at: '3 SYNTAX {' },
  // names and order
  { name: 'step twice', text: flow(a, a), at: '4 DUPLICATE_NAME a', message: /line 3/ },
  { name: 'step twice, in another case', text: flow(a, a.replace('a,', 'A,')), at: '4 DUPLICATE_NAME A' },
  { name: 'step in both lists', text: `${flow(a)}on_failure:\n  ${a}\n`, at: '5 DUPLICATE_NAME a' },
  {
    name: 'workflow twice',
    text: `- { name: W, steps: [${a.slice(2)}] }\n- { name: w, steps: [${a.slice(2)}] }\n`,
    at: '2 DUPLICATE_NAME w',
    message: /line 1/,
  },
  {
    name: 'workflow twice, in two files',
    text: flow(a),
    files: { 'workflows/v.yaml': flow(a) },
    at: '1 DUPLICATE_NAME W',
    message: /workflows\/v\.yaml:1/,
  },
  {
    name: 'unknown need',
    text: flow(step('needs: []', 'build'), step('needs: biuld')),
    at: '4 UNKNOWN_STEP biuld',
    message: /"biuld"/,
    fix: /did you mean "build"/,
  },
  {
    name: 'unknown need in a list',
    text: flow(a, step('needs: [a, zzzz]')),
    at: '4 UNKNOWN_STEP zzzz',
    fix: /Steps: a\./,
  },
  { name: 'need twice', text: flow(a, step('needs: [a, a]')), at: '4 DUPLICATE_NAME a' },
  { name: 'need of itself', text: flow(step('needs: [b]')), at: '3 STEP_CYCLE b', message: /needs itself/ },
  {
    name: 'circle',
    text: flow(step('needs: [c]'), step('needs: [d]', 'c'), step('needs: [b]', 'd')),
    at: '3 STEP_CYCLE c',
    message: /b -> c -> d -> b/,
  },
  {
    name: 'circle by order',
    text: flow(step('needs: [c]'), step('timeout: 1s', 'c')),
    at: '3 STEP_CYCLE c',
    message: /b -> c -> b/,
    fix: /needs: \[\]/,
  },
  {
    name: 'need of what runs on failure',
    text: `${flow(step('needs: [c]'))}on_failure:\n  ${step('timeout: 1s', 'c')}\n`,
    at: '3 UNKNOWN_STEP c',
    message: /failed/,
  },
  {
    name: 'needs on failure',
    text: `${flow(a)}on_failure:\n  ${step('needs: [a]')}\n`,
    at: '5 CONFLICT needs',
    message: /one after another/,
  },
  {
    name: 'a need whose definition is broken is not unknown',
    text: flow('- { name: c, type: nope }', step('needs: [c]')),
    at: '3 BAD_VALUE nope',
  },
  // expressions
  {
    name: 'misspelt context',
    text: reading('${{ inpust.x }}'),
    at: '4 BAD_EXPRESSION inpust',
    fix: /"inputs"/,
  },
  {
    name: 'misspelt property',
    text: reading('${{ steps.a.reslt }}'),
    at: '4 BAD_EXPRESSION steps.a.reslt',
    fix: /steps\.a\.result/,
  },
  {
    name: 'unknown step',
    text: flow(step('env: []', 'first'), reading('${{ steps.frist.result }}').split('\n')[3]?.trim() ?? ''),
    at: '4 BAD_EXPRESSION steps.frist',
    fix: /first/,
  },
  {
    name: 'not closed',
    text: reading('${{ steps.a.result'),
    at: '4 BAD_EXPRESSION ${{',
    message: /not closed/,
  },
  {
    name: 'in a command of one line',
    text: flow(a, '- { name: b, type: custom_command, command: "x ${{ steps.a.nope }}" }'),
    at: '4 BAD_EXPRESSION steps.a.nope',
  },
  {
    name: 'not closed in a command of one line',
    text: flow(a, '- { name: b, type: custom_command, command: "x ${{ steps.a" }'),
    at: '4 BAD_EXPRESSION ${{',
  },
  {
    name: 'in a block',
    text: flow(
      '- name: b',
      '  type: agent',
      '  agent: lint',
      '  prompt: |',
      '    First line.',
      '      Indented ${{ file.nmae }} more.',
      '',
    ),
    at: '8 BAD_EXPRESSION file.nmae',
    fix: /file\.name/,
  },
  {
    name: 'in a folded block',
    text: flow(
      '- name: b',
      '  type: agent',
      '  agent: lint',
      '  prompt: >-',
      '    First',
      '    line ${{ file.nmae }}',
      '',
    ),
    at: '8 BAD_EXPRESSION file.nmae',
  },
  {
    name: 'a step that runs later',
    text: flow('- { name: b, type: approval, message: "${{ steps.c.result }}" }', step('timeout: 1s', 'c')),
    at: '3 BAD_EXPRESSION steps.c',
    message: /does not run before/,
    fix: /needs: \[c\]/,
  },
  {
    name: 'a step beside it',
    text: flow(
      a,
      step('needs: []'),
      '- { name: c, type: approval, needs: [b], message: "${{ steps.a.result }}" }',
    ),
    at: '5 BAD_EXPRESSION steps.a',
    message: /step "a" does not run before step "c"/,
  },
  {
    name: 'itself',
    text: flow('- { name: b, type: approval, message: "${{ steps.b.result }}" }'),
    at: '3 BAD_EXPRESSION steps.b',
    message: /reads itself/,
  },
  {
    name: 'a failing step that runs later',
    text: `${flow(a)}on_failure:\n  - { name: b, type: approval, message: "\${{ steps.c.result }}" }\n  ${step('timeout: 1s', 'c')}\n`,
    at: '5 BAD_EXPRESSION steps.c',
  },
  {
    name: 'an item without for_each',
    text: reading('${{ item }}'),
    at: '4 BAD_EXPRESSION item',
    message: /for_each/,
  },
  {
    name: 'an item in its own list',
    text: flow(step('for_each: "${{ item }}"')),
    at: '3 BAD_EXPRESSION item',
  },
  { name: 'an item in if', text: flow(step('for_each: [1], if: item == 1')), at: '3 BAD_EXPRESSION item' },
  {
    name: 'result outside of outputs',
    text: reading('${{ result }}'),
    at: '4 BAD_EXPRESSION result',
    fix: /steps\.NAME\.result/,
  },
  {
    name: 'items of a step without',
    text: reading('${{ steps.a.items }}'),
    at: '4 BAD_EXPRESSION steps.a.items',
    message: /no `for_each`/,
  },
  {
    name: 'an output that is not declared',
    text: flow(
      step('outputs: { n: "${{ result }}" }'),
      '- { name: c, type: approval, message: "${{ steps.b.outputs.m }}" }',
    ),
    at: '4 BAD_EXPRESSION steps.b.outputs.m',
    fix: /outputs\.n/,
  },
  {
    name: 'a count that there is not',
    text: flow(
      '- { name: f, type: file_processing, directory: x }',
      '- { name: c, type: approval, message: "${{ steps.f.outputs.fialed }}" }',
    ),
    at: '4 BAD_EXPRESSION steps.f.outputs.fialed',
    fix: /failed/,
  },
  {
    name: 'types that differ',
    text: flow(a, step('if: steps.a.result == 5')),
    at: '4 BAD_EXPRESSION steps.a.result == 5',
  },
  {
    name: 'a number where a list is needed',
    text: `inputs: { n: { type: number } }\n${flow(step('for_each: "${{ inputs.n }}"'))}`,
    at: '4 BAD_EXPRESSION inputs.n',
    message: /list/,
  },
  {
    name: 'status outside of if',
    text: reading('${{ always() }}'),
    at: '4 BAD_EXPRESSION always',
    fix: /`if`/,
  },
  {
    name: 'unknown function',
    text: flow(a, step('if: alwasy()')),
    at: '4 BAD_EXPRESSION alwasy',
    fix: /always/,
  },
  {
    name: 'an output of the workflow',
    text: `${flow(a)}outputs: { x: "\${{ steps.b.result }}" }\n`,
    at: '4 BAD_EXPRESSION steps.b',
  },
  {
    name: 'steps in a group',
    text: `${flow(a)}concurrency: "g-\${{ steps.a.result }}"\n`,
    at: '4 BAD_EXPRESSION steps',
    message: /before the run/,
  },
  {
    name: 'in a header',
    text: flow('- { name: b, type: http, url: http://x, headers: { A: "${{ inputs.x }}" } }'),
    at: '3 BAD_EXPRESSION inputs.x',
  },
  {
    name: 'deep in a body',
    text: flow('- { name: b, type: http, url: http://x, body: { a: [1, { b: "${{ nope }}" }] } }'),
    at: '3 BAD_EXPRESSION nope',
  },
  { name: 'in the environment', text: flow(step('env: { A: "${{ nope }}" }')), at: '3 BAD_EXPRESSION nope' },
  {
    name: 'the environment in the environment',
    text: `env: { A: "x", B: "\${{ env.A }}" }\n${flow(step('env: { C: "${{ env.A }}" }'))}`,
    at: ['1 BAD_EXPRESSION env', '4 BAD_EXPRESSION env'],
    message: /in `env` itself/,
  },
  {
    name: 'escaped characters before it',
    text: flow('- { name: b, type: approval, message: "\\u0041\\n${{ nope }}" }'),
    at: '3 BAD_EXPRESSION nope',
  },
  // what steps name
  {
    name: 'unknown agent',
    text: flow('- { name: b, type: agent, agent: lnit }'),
    at: '3 UNKNOWN_AGENT lnit',
    message: /step "b"/,
    fix: /"lint"/,
  },
  {
    name: 'an agent of ours',
    text: flow('- { name: b, type: agent, agent: $command }'),
    at: '3 UNKNOWN_AGENT $command',
  },
  {
    name: 'no agent',
    text: flow('- { name: b, type: agent, prompt: x }'),
    at: '3 MISSING_KEY { name: b, type: agent, prompt: x }',
    fix: /agent: NAME/,
  },
  {
    name: 'agent and capabilities',
    text: flow('- { name: b, type: agent, agent: lint, capabilities: [see] }'),
    at: '3 CONFLICT capabilities',
  },
  {
    name: 'a capability nobody has',
    text: flow('- { name: b, type: agent, capabilities: [sea] }'),
    at: '3 UNKNOWN_CAPABILITY sea',
    fix: /"see"/,
  },
  {
    name: 'capabilities nobody has together',
    text: flow('- { name: b, type: agent, capabilities: [see, count] }'),
    at: '3 UNKNOWN_CAPABILITY [see, count]',
    fix: /lacks/,
  },
  {
    name: 'select among one',
    text: flow('- { name: b, type: agent, agent: lint, select: in_order }'),
    at: '3 CONFLICT select',
  },
  {
    name: 'a prompt for the inspector',
    text: flow('- { name: b, type: agent, agent: look, prompt: x }'),
    at: '3 CONFLICT prompt',
  },
  {
    name: 'an environment for a service',
    text: flow('- { name: b, type: agent, agent: web, env: [A] }'),
    at: '3 CONFLICT env',
  },
  {
    name: 'both prompts',
    text: flow('- { name: b, type: agent, agent: lint, prompt: x, prompt_file: p.md }'),
    files: { 'p.md': 'x' },
    at: '3 CONFLICT prompt_file',
  },
  {
    name: 'prompt file missing',
    text: flow('- { name: b, type: agent, agent: lint, prompt_file: p.md }'),
    at: '3 BAD_FILE p.md',
    message: /does not exist/,
  },
  {
    name: 'a mistake in the prompt file',
    text: flow(a, '- { name: b, type: agent, agent: lint, prompt_file: p.md }'),
    files: { 'p.md': 'One\n  Two ${{ steps.a.rseult }}\n' },
    at: '2 BAD_EXPRESSION steps.a.rseult',
    fix: /result/,
  },
  { name: 'schema missing', text: flow(step('expect: { json_schema: s.json }')), at: '3 BAD_FILE s.json' },
  {
    name: 'secret in a command',
    text: flow('- { name: b, type: custom_command, command: [x, "${env:A}"] }'),
    at: '3 BAD_REFERENCE "${env:A}"',
  },
  {
    name: 'secret in a body',
    text: flow('- { name: b, type: http, url: http://x, body: { a: "${env:A}" } }'),
    at: '3 BAD_REFERENCE { a: "${env:A}" }',
  },
  {
    name: 'pipe',
    text: flow('- { name: b, type: custom_command, command: "a | b" }'),
    at: '3 BAD_VALUE "a | b"',
    fix: /sh, -c/,
  },
  {
    name: 'program that is filled in',
    text: flow(a, '- { name: b, type: custom_command, command: ["${{ steps.a.result }}"] }'),
    at: '4 BAD_VALUE ["${{ steps.a.result }}"]',
  },
  {
    name: 'no URL',
    text: flow('- { name: b, type: http, url: example }'),
    at: '3 BAD_VALUE example',
    message: /no URL/,
  },
  {
    name: 'a body in a GET',
    text: flow('- { name: b, type: http, url: http://x, method: GET, body: x }'),
    at: '3 CONFLICT body',
  },
  {
    name: 'a header with a line break',
    text: flow('- { name: b, type: http, url: http://x, headers: { a: "x\\ny" } }'),
    at: '3 BAD_VALUE "x\\ny"',
  },
  {
    name: 'workspace of a step',
    text: flow(step('sandbox: { write: [workspace] }')),
    at: '3 CONFLICT workspace',
    fix: /project/,
  },
  {
    name: 'a glob above the project',
    text: flow(step('cache: { inputs: [../x] }')),
    at: '3 BAD_PATTERN ../x',
    message: /project folder/,
  },
  {
    name: 'max_parallel alone',
    text: flow(step('max_parallel: 2')),
    at: '3 CONFLICT max_parallel',
    message: /no `for_each`/,
  },
  {
    name: 'max_parallel twice',
    text: flow(step('max_parallel: 2, for_each: { items: [1], max_parallel: 3 }')),
    at: '3 CONFLICT max_parallel',
  },
  {
    name: 'on_timeout alone',
    text: flow('- { name: b, type: approval, message: x, on_timeout: approve }'),
    at: '3 CONFLICT on_timeout',
    fix: /timeout/,
  },
  // reports
  {
    name: 'no template',
    text: flow('- { name: b, type: report }'),
    at: '3 MISSING_KEY { name: b, type: report }',
  },
  {
    name: 'both templates',
    text: flow('- { name: b, type: report, template: x, template_file: t.md }'),
    files: { 't.md': 'x' },
    at: '3 CONFLICT template_file',
  },
  {
    name: 'a file name as a template',
    text: flow('- { name: b, type: report, template: t.md }'),
    at: '3 BAD_VALUE t.md',
    fix: /template_file/,
  },
  {
    name: 'template file missing',
    text: flow('- { name: b, type: report, template_file: t.md }'),
    at: '3 BAD_FILE t.md',
  },
  {
    name: 'a mistake in the template',
    text: flow('- { name: b, type: report, template: "a {% fro x %}" }'),
    at: '3 BAD_TEMPLATE {',
    message: /fro/,
  },
  {
    name: 'a mistake in the template file',
    text: flow('- { name: b, type: report, template_file: t.md }'),
    files: { 't.md': 'one\n\n a {% if %}' },
    at: '3 BAD_TEMPLATE',
  },
  {
    name: 'an output elsewhere',
    text: flow('- { name: b, type: report, template: x, output: ../x }'),
    at: '3 BAD_VALUE ../x',
  },
  // calls
  {
    name: 'unknown workflow',
    text: flow('- { name: b, type: workflow, workflow: sbu-flow }'),
    files: { 'workflows/sub-flow.yaml': `name: Sub\nsteps:\n  ${a}\n` },
    at: '3 UNKNOWN_WORKFLOW sbu-flow',
    fix: /"sub-flow"/,
  },
  {
    name: 'itself, called',
    text: flow('- { name: b, type: workflow, workflow: W }'),
    at: '3 WORKFLOW_CYCLE W',
    message: /calls itself in step "b"/,
  },
  {
    name: 'itself, by the stem of its file',
    text: flow('- { name: b, type: workflow, workflow: w }'),
    at: '3 WORKFLOW_CYCLE w',
  },
  {
    name: 'a circle of calls',
    text: flow('- { name: b, type: workflow, workflow: X }'),
    files: {
      'workflows/x.yaml': 'name: X\nsteps: [{ name: c, type: workflow, workflow: Y }]\n',
      'workflows/y.yaml': 'name: Y\nsteps: [{ name: c, type: workflow, workflow: W }]\n',
    },
    at: '3 WORKFLOW_CYCLE X',
    message: /W -> X -> Y -> W/,
  },
  ...(['{ fodler: x }', '{ n: many }', '{ n: [1] }', '{}', '{ n: "${{ steps.a.items }}" }'] as const).map(
    (given, index): Case => {
      const at = [
        ['4 BAD_INPUT with', '4 BAD_INPUT fodler'],
        ['4 BAD_INPUT with', '4 BAD_INPUT many'],
        ['4 BAD_INPUT with', '4 BAD_INPUT [1]'],
        ['4 BAD_INPUT with'],
        ['4 BAD_INPUT with', '4 BAD_EXPRESSION steps.a.items'],
      ][index] as string[];
      return {
        name: `inputs ${given}`,
        text: flow(a, `- { name: b, type: workflow, workflow: sub, with: ${given} }`),
        files: {
          'workflows/sub.yaml': `name: Sub\ninputs: { folder: { required: true }, n: { type: number } }\nsteps:\n  ${a}\n`,
        },
        at,
      };
    },
  ),
  {
    name: 'a number for a text',
    text: `inputs: { n: { type: number } }\n${flow('- { name: b, type: workflow, workflow: sub, with: { folder: "${{ inputs.n }}" } }')}`,
    files: { 'workflows/sub.yaml': `name: Sub\ninputs: { folder: {} }\nsteps:\n  ${a}\n` },
    at: '4 BAD_EXPRESSION ${{ inputs.n }}',
    message: /number/,
  },
  // inputs
  {
    name: 'a choice without options',
    text: `inputs: { x: { type: choice } }\n${flow(a)}`,
    at: '1 MISSING_KEY x',
  },
  {
    name: 'options of a text',
    text: `inputs: { x: { options: [a] } }\n${flow(a)}`,
    at: '1 CONFLICT options',
  },
  {
    name: 'a default outside of its options',
    text: `inputs: { x: { type: choice, options: [a], default: b } }\n${flow(a)}`,
    at: '1 BAD_INPUT b',
  },
  {
    name: 'a default of another type',
    text: `inputs: { x: { type: number, default: "5" } }\n${flow(a)}`,
    at: '1 BAD_INPUT "5"',
    fix: /quotes/,
  },
  {
    name: 'a default that is never used',
    text: `inputs: { x: { required: true, default: y } }\n${flow(a)}`,
    at: '1 CONFLICT default',
  },
  { name: 'name of an input', text: `inputs: { "a b": {} }\n${flow(a)}`, at: '1 BAD_VALUE "a b"' },
  // triggers
  {
    name: 'a pattern that never matches',
    text: `on: { file: "/abs/*" }\n${flow(a)}`,
    at: '1 BAD_PATTERN "/abs/*"',
  },
  {
    name: 'a pattern in a mapping',
    text: `on: { file: [{ pattern: ["*.a", "b/"] }] }\n${flow(a)}`,
    at: '1 BAD_PATTERN "b/"',
  },
  {
    name: 'a file does not give inputs',
    text: `on: { file: "*" }\ninputs: { x: { required: true } }\n${flow(a)}`,
    at: '1 BAD_INPUT file',
    message: /"x"/,
  },
  {
    name: 'a cron text that is none',
    text: `on: { schedule: "every day" }\n${flow(a)}`,
    at: '1 BAD_SCHEDULE "every day"',
  },
  {
    name: 'a time that never comes',
    text: `on: { schedule: [{ cron: "0 0 30 2 *" }] }\n${flow(a)}`,
    at: '1 BAD_SCHEDULE "0 0 30 2 *"',
    message: /never fires/,
  },
  {
    name: 'a time zone',
    text: `on: { schedule: { cron: "@daily", timezone: Europe/Belrin } }\n${flow(a)}`,
    at: '1 BAD_SCHEDULE Europe/Belrin',
    fix: /Europe\/Berlin/,
  },
  {
    name: 'a schedule without an input',
    text: `on: { schedule: "@daily" }\ninputs: { x: { required: true } }\n${flow(a)}`,
    at: '1 BAD_INPUT schedule',
  },
  {
    name: 'an expression in a schedule',
    text: `on: { schedule: { cron: "@daily", inputs: { x: "\${{ run.id }}" } } }\ninputs: { x: {} }\n${flow(a)}`,
    at: '1 BAD_EXPRESSION "${{ run.id }}"',
  },
];

function marked({ line, code, snippet }: Diagnostic): string {
  const [source = '', carets = ''] = snippet.split('\n');
  const text = source.slice(carets.indexOf('^'), carets.lastIndexOf('^') + 1);
  return `${line} ${code} ${text}`.trimEnd();
}

/** As the program hands it in. */
const checkReportTemplate: ReportTemplateCheck = async (text) =>
  (await import('../../src/workflows/render-template.ts')).checkTemplate(text);

test.each(cases)('$name', async ({ text, at, message, fix, files = {} }) => {
  const error = await load(agents, { 'workflows/w.yaml': text, ...files }, { checkReportTemplate }).then(
    () => undefined,
    (thrown) => thrown,
  );
  if (!(error instanceof ConfigError)) throw error ?? new Error('It was accepted');
  const errors = error.diagnostics.filter(({ severity }) => severity === 'error');
  expect(errors.map(marked)).toEqual([at].flat());
  if (message) expect(errors[0]?.message).toMatch(message);
  if (fix) expect(errors[0]?.fix).toMatch(fix);
  for (const found of errors) {
    expect(found.file).not.toContain('orchestrator.yaml');
    expect(`${found.message}${found.fix}`).not.toMatch(/undefined|\[object/);
    expect(found.fix).not.toBe('');
  }
});

const inConfig: readonly (Omit<Case, 'text'> & { readonly config: string })[] = [
  {
    name: 'rule with an unknown workflow',
    config: 'routing_rules: [{ pattern: "*", workflow: Wx }]\n',
    at: '1 UNKNOWN_WORKFLOW Wx',
    fix: /"w"|"W"/,
  },
  {
    name: 'rule with workflow and agent',
    config: `${agents}routing_rules: [{ pattern: "*", workflow: W, agent: lint }]\n`,
    at: '5 CONFLICT workflow',
  },
  ...['prompt: x', 'batch: {}', 'select: in_order', 'budget: { usd_per_day: 1 }'].map((key) => ({
    name: `rule with workflow and ${key}`,
    config: `routing_rules: [{ pattern: "*", workflow: W, ${key} }]\n`,
    at: `1 CONFLICT ${key.split(':')[0]}`,
    message: /has no effect in rule/,
  })),
  {
    name: 'rule whose workflow needs an input',
    config: 'routing_rules: [{ pattern: "*", workflow: needy }]\n',
    at: '1 BAD_INPUT needy',
  },
  {
    name: 'rule that is called like a step',
    config: 'routing_rules: [{ name: "workflow:x/y", pattern: "*", workflow: W }]\n',
    at: '1 BAD_VALUE "workflow:x/y"',
  },
  {
    name: 'schedule without a name',
    config: 'schedules: [{ cron: "@daily", workflow: W }]\n',
    at: '1 MISSING_KEY { cron: "@daily", workflow: W }',
  },
  {
    name: 'schedule twice',
    config:
      'schedules:\n  - { name: x, cron: "@daily", workflow: W }\n  - { name: x, cron: "@daily", workflow: W }\n',
    at: '3 DUPLICATE_NAME x',
  },
  {
    name: 'schedule of an unknown workflow',
    config: 'schedules: [{ name: x, cron: "@daily", workflow: V }]\n',
    at: '1 UNKNOWN_WORKFLOW V',
  },
  {
    name: 'schedule without its inputs',
    config: 'schedules: [{ name: x, cron: "@daily", workflow: needy }]\n',
    at: '1 BAD_INPUT { name: x, cron: "@daily", workflow: needy }',
  },
  {
    name: 'schedule with an unknown input',
    config: 'schedules: [{ name: x, cron: "@daily", workflow: W, inputs: { y: 1 } }]\n',
    at: '1 BAD_INPUT y',
  },
  {
    name: 'a folder of workflows',
    config: 'workflows: [./workflows/]\n',
    at: '1 BAD_FILE ./workflows/',
    fix: /\/\*\.yaml/,
  },
  { name: 'a file that is not there', config: 'workflows: [nope.yaml]\n', at: '1 BAD_FILE nope.yaml' },
  { name: 'a workflow that is a number', config: 'workflows: [5]\n', at: '1 WRONG_TYPE 5' },
  {
    name: 'a mistake in place',
    config:
      'workflows:\n  - name: P\n    steps:\n      - { name: a, type: approval, message: "${{ nope }}" }\n',
    at: '4 BAD_EXPRESSION nope',
  },
  {
    name: 'an unknown key in place',
    config: 'workflows:\n  - name: P\n    stesp: []\n',
    at: ['2 MISSING_KEY name', '3 UNKNOWN_KEY stesp'],
  },
];

test.each(inConfig)('in the configuration: $name', async ({ config, at, message, fix }) => {
  const error = await load(config, {
    'workflows/w.yaml': flow(a),
    'workflows/needy.yaml': `name: Needy\ninputs: { x: { required: true } }\nsteps:\n  ${a}\n`,
  }).then(
    () => undefined,
    (thrown) => thrown,
  );
  if (!(error instanceof ConfigError)) throw error ?? new Error('It was accepted');
  const errors = error.diagnostics.filter(({ severity }) => severity === 'error');
  expect(errors.map(marked)).toEqual([at].flat());
  if (message) expect(errors[0]?.message).toMatch(message);
  if (fix) expect(errors[0]?.fix).toMatch(fix);
});
