/** How a workflow's definition is checked for its shape, and how its parts are called in messages. */
import type { ShapeForm, ShapeValidator } from './shape.ts';
import { keysOfAgents } from './shape.ts';
import type { Path } from './source.ts';
import { isMapping } from './unsupported.ts';

const types = [
  'file_processing',
  'custom_command',
  'agent',
  'http',
  'workflow',
  'approval',
  'review',
  'report',
];

/** Keys of steps, and the types that have them; those that every type has are not here. */
const owners: Readonly<Record<string, readonly string[]>> = {
  directory: ['file_processing'],
  recursive: ['file_processing'],
  command: ['custom_command'],
  sandbox: ['custom_command'],
  cache: ['custom_command', 'agent'],
  env: ['custom_command', 'agent'],
  agent: ['agent'],
  capabilities: ['agent'],
  select: ['agent'],
  prompt: ['agent', 'review'],
  prompt_file: ['agent'],
  file: ['agent'],
  url: ['http'],
  method: ['http'],
  headers: ['http'],
  body: ['http'],
  expect: ['custom_command', 'agent', 'http'],
  retry: ['custom_command', 'agent', 'http'],
  workflow: ['workflow'],
  with: ['workflow', 'report'],
  of: ['review'],
  ...Object.fromEntries(
    ['reviewers', 'agents', 'max_rounds', 'quorum', 'policy', 'weights'].map((key) => [key, ['review']]),
  ),
  message: ['approval'],
  on_timeout: ['approval'],
  template: ['report'],
  template_file: ['report'],
  output: ['report'],
};

/** @param at Where the definition stands in its file. */
export function workflowForm(validate: ShapeValidator, at: Path): ShapeForm {
  return {
    validate,
    at,
    place,
    label: (path, data) =>
      path.length === 0 ? 'a workflow' : isOfStep(path) ? place(path, data) : `\`${dotted(path)}\``,
    tag: { key: 'type', values: types, guess: guessType },
    noEffect,
    elsewhere,
  };
}

function isOfStep([list, index]: Path): boolean {
  return (list === 'steps' || list === 'on_failure') && typeof index === 'number';
}

function place(path: Path, data: unknown): string {
  if (path.length === 0) return 'the workflow';
  if (!isOfStep(path)) return `\`${dotted(path)}\``;
  const step = stepAt(path, data);
  const name =
    isMapping(step) && typeof step.name === 'string'
      ? `step "${step.name}"`
      : `\`${dotted(path.slice(0, 2))}\``;
  return path.length > 2 ? `\`${dotted(path.slice(2))}\` of ${name}` : name;
}

function stepAt([list, index]: Path, data: unknown): unknown {
  const steps = isMapping(data) ? data[String(list)] : undefined;
  return Array.isArray(steps) ? steps[Number(index)] : undefined;
}

/** A key of steps that a step of this type does not have. */
function noEffect(key: string, path: Path, data: unknown) {
  const types = Object.hasOwn(owners, key) ? owners[key] : undefined;
  if (!isOfStep(path) || path.length !== 2 || types === undefined) return undefined;
  const step = stepAt(path, data);
  const type = isMapping(step) ? step.type : undefined;
  const instead =
    key === 'sandbox' && type === 'agent'
      ? 'Remove it; an agent is confined by its own `sandbox`.'
      : `Remove it: \`${key}\` belongs to steps of type ${types.join(', ')}.`;
  return { message: `\`${key}\` has no effect in a step of type \`${type}\``, fix: instead };
}

/** Keys of other engines, and of other levels. */
function elsewhere(key: string, path: Path): string | undefined {
  if (isOfStep(path) && path[2] === 'expect' && key === 'schema') return 'Write `json_schema: FILE`.';
  if (isOfStep(path) && path.length === 2) {
    if (keysOfAgents.has(key))
      return `\`${key}\` belongs to the agent that does it, under \`agents\` of the configuration.`;
    const known: Readonly<Record<string, string>> = {
      run: 'Write `type: custom_command` and `command: …`; for a shell `command: [sh, -c, "…"]`.',
      uses: 'Write `type: workflow` and `workflow: NAME`, or a step of another type.',
      schema: 'Write `expect: { json_schema: FILE }`.',
      id: 'Its `name` is what other steps call it by.',
      depends_on: 'Write `needs: […]`.',
      'timeout-minutes': 'Write `timeout: 10m`.',
      'continue-on-error': 'Write `continue_on_error: true`.',
      'working-directory': 'Commands run in the project folder: `command: [sh, -c, "cd … && …"]`.',
      inputs: 'Write `with: { … }`; what decides a command is `cache: { inputs: […] }`.',
      on: '`on` belongs to the workflow.',
      concurrency: '`concurrency` belongs to the workflow; `max_parallel` is for the items of `for_each`.',
    };
    return Object.hasOwn(known, key) ? known[key] : undefined;
  }
  if (path.length > 0) return undefined;
  const known: Readonly<Record<string, string>> = {
    jobs: 'A workflow has `steps`, which can run side by side: `needs: []` starts at once.',
    tasks: 'Write `steps:`, a list.',
    schedule: 'Write `on: { schedule: "0 7 * * *" }`.',
    triggers: 'Write `on: { file: …, schedule: … }`.',
  };
  return Object.hasOwn(known, key) ? known[key] : undefined;
}

function guessType(data: unknown): string {
  if (!isMapping(data)) return 'custom_command';
  const keys: readonly (readonly [string, string])[] = [
    ['command', 'custom_command'],
    ['directory', 'file_processing'],
    ['agent', 'agent'],
    ['capabilities', 'agent'],
    ['of', 'review'],
    ['reviewers', 'review'],
    ['prompt', 'agent'],
    ['url', 'http'],
    ['workflow', 'workflow'],
    ['message', 'approval'],
    ['template', 'report'],
    ['template_file', 'report'],
  ];
  return keys.find(([key]) => data[key] !== undefined)?.[1] ?? 'custom_command';
}

function dotted(path: Path): string {
  return path
    .map((part, index) => (typeof part === 'number' ? `[${part}]` : index === 0 ? part : `.${part}`))
    .join('');
}
