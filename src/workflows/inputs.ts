/** What a run was started with → the typed inputs of its workflow: texts of a command line become numbers, lists, choices. */
import { convertInput } from '../config/check-input.ts';
import { nearest } from '../config/suggest.ts';
import type { WorkflowConfig, WorkflowInput } from '../config/workflow.ts';
import { AppError } from '../types/errors.ts';

/** @throws AppError INPUT_INVALID, which names the input. */
export function resolveInputs(
  { name: workflow, inputs }: Pick<WorkflowConfig, 'name' | 'inputs'>,
  given: Readonly<Record<string, unknown>>,
): Readonly<Record<string, unknown>> {
  const names = inputs.map(({ name }) => name);
  for (const name of Object.keys(given)) if (!names.includes(name)) throw unknown(workflow, name, names);
  const values: [string, unknown][] = inputs.map((input) => {
    const value = Object.hasOwn(given, input.name) ? given[input.name] : undefined;
    if (value !== undefined && value !== null) return [input.name, typed(workflow, input, value)];
    if (input.default !== undefined) return [input.name, input.default];
    if (input.required) throw invalid(workflow, input, 'is required, and there is no value for it');
    return [input.name, null];
  });
  return Object.fromEntries(values);
}

function typed(workflow: string, input: WorkflowInput, value: unknown): unknown {
  const converted = convertInput(input, asText(input, value));
  if ('value' in converted) return converted.value;
  const { type, options = [] } = input;
  const near = type === 'choice' && typeof value === 'string' ? nearest(value, options) : undefined;
  const hint = near === undefined ? '' : ` (did you mean "${near}"?)`;
  throw invalid(workflow, input, `must be ${wantedBy(input)}, not ${shown(value)}${hint}`);
}

/** Expressions give numbers where a text is wanted: the count of a step, for one. */
function asText({ type }: WorkflowInput, value: unknown): unknown {
  const isText = type === 'string' || type === 'choice';
  return isText && (typeof value === 'number' || typeof value === 'boolean') ? String(value) : value;
}

function wantedBy({ type, options = [] }: WorkflowInput): string {
  const words = { string: 'a text', number: 'a number', boolean: 'true or false', json: 'JSON' } as const;
  return type === 'choice' ? `one of ${options.join(', ')}` : words[type];
}

function invalid(workflow: string, { name, description }: WorkflowInput, problem: string): AppError {
  const what = description === undefined ? '' : ` (${description})`;
  return new AppError('INPUT_INVALID', `The input "${name}" of "${workflow}"${what} ${problem}`, {
    fix: `Give it with \`--input ${name}=…\`, or where the workflow is called; \`sluice workflow graph\` lists its inputs.`,
  });
}

function unknown(workflow: string, name: string, names: readonly string[]): AppError {
  const near = nearest(name, names);
  const list = names.length === 0 ? 'It takes none.' : `Its inputs: ${names.join(', ')}.`;
  return new AppError('INPUT_INVALID', `"${workflow}" has no input "${name}"`, {
    fix: near === undefined ? list : `Did you mean "${near}"? ${list}`,
  });
}

function shown(value: unknown): string {
  const text = typeof value === 'string' ? JSON.stringify(value) : (JSON.stringify(value) ?? String(value));
  return text.length > 60 ? `${text.slice(0, 57)}…` : text;
}
