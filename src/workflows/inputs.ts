/** What a run was started with → the typed inputs of its workflow: texts of a command line become numbers, lists, choices. */
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
  const refuse = (wanted: string): AppError =>
    invalid(workflow, input, `must be ${wanted}, not ${shown(value)}`);
  switch (input.type) {
    case 'string':
      if (typeof value === 'string') return value;
      if (typeof value === 'number' || typeof value === 'boolean') return String(value);
      throw refuse('a text');
    case 'number': {
      if (typeof value === 'number' && Number.isFinite(value)) return value;
      const number = typeof value === 'string' && value.trim() !== '' ? Number(value) : Number.NaN;
      if (!Number.isFinite(number)) throw refuse('a number');
      return number;
    }
    case 'boolean':
      if (typeof value === 'boolean') return value;
      if (value === 'true' || value === 'false') return value === 'true';
      throw refuse('true or false');
    case 'choice': {
      const { options = [] } = input;
      if (options.includes(String(value)) && typeof value !== 'object') return String(value);
      const near = typeof value === 'string' ? nearest(value, options) : undefined;
      throw refuse(`one of ${options.join(', ')}${near === undefined ? '' : ` (did you mean "${near}"?)`}`);
    }
    case 'json':
      return typeof value === 'string' ? parsed(value, refuse) : value;
    default:
      return input.type satisfies never;
  }
}

function parsed(text: string, refuse: (wanted: string) => AppError): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw refuse('JSON');
  }
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
