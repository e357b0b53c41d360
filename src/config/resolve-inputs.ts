/** `inputs` of a workflow, and the values that others give to them: steps that call it, schedules. */
import type { checkTemplate } from '../expressions/expressions.ts';
import { convertInput } from './check-input.ts';
import type { Loose, Resolving } from './resolving.ts';
import type { WorkflowFile } from './schema-workflow.ts';
import type { Path } from './source.ts';
import { suggest } from './suggest.ts';
import type { WorkflowInput } from './workflow.ts';

/** @param at Of `inputs`. */
export function resolveInputs(
  { findings }: Resolving,
  at: Path,
  inputs: Loose<WorkflowFile['inputs']>,
): readonly WorkflowInput[] {
  const resolved: WorkflowInput[] = [];
  for (const [name, written] of Object.entries(inputs)) {
    if (written === undefined) continue;
    const { type = 'string', description, required = false, options } = written;
    const here = [...at, name];
    const choices = (options ?? []).filter((option) => option !== undefined);
    if (type === 'choice' && options === undefined && !findings.has([...here, 'options']))
      findings.add(
        'error',
        'MISSING_KEY',
        { path: here, key: true },
        `the choice "${name}" has no \`options\``,
        'Add them: `options: [fast, thorough]`.',
      );
    if (type !== 'choice' && options !== undefined)
      findings.add(
        'error',
        'CONFLICT',
        { path: [...here, 'options'], key: true },
        `\`options\` has no effect: input "${name}" is of type ${type}`,
        'Write `type: choice`, or remove it.',
      );
    const input: WorkflowInput = {
      name,
      type,
      ...(description !== undefined && { description }),
      required,
      ...(type === 'choice' && { options: choices }),
    };
    // A default of null is none.
    const given: unknown = written.default ?? undefined;
    if (given !== undefined && required)
      findings.add(
        'error',
        'CONFLICT',
        { path: [...here, 'default'], key: true },
        `\`default\` has no effect: input "${name}" is required`,
        'Remove one of the two.',
      );
    resolved.push(
      given === undefined
        ? input
        : { ...input, default: defaultOf(findings, [...here, 'default'], input, given) },
    );
  }
  return resolved;
}

/** Written as what it is: a text is no number here, and JSON need not be put into quotes. */
function defaultOf(findings: Resolving['findings'], at: Path, input: WorkflowInput, given: unknown): unknown {
  if (typeof given === 'string' && given.includes('${{'))
    findings.error('BAD_EXPRESSION', at, '`${{ … }}` is not filled in here', 'Write the value itself.');
  if (input.type === 'json') return given;
  const converted = convertInput(input, given);
  if ('value' in converted && typeof converted.value === typeof given) return converted.value;
  const { problem, fix } =
    'problem' in converted
      ? converted
      : {
          problem: `input "${input.name}" is of type ${input.type}, and its default is text`,
          fix: 'Remove the quotes.',
        };
  findings.error('BAD_INPUT', at, problem.replace(/^input/, 'the default of input'), fix);
  return given;
}

/**
 * What is given to a workflow: every name must be one of its inputs, none may be missing, values must fit.
 * @param at Of the mapping; `owner`: of what gives them, where one is missing.
 * @param checkText Checks a text that holds `${{ … }}`; absent: it is not filled in here.
 */
export function checkGiven(
  { findings }: Resolving,
  at: Path,
  owner: Path,
  given: Readonly<Record<string, unknown>>,
  called: { readonly name: string; readonly inputs: readonly WorkflowInput[] },
  checkText?: (at: Path, text: string, expected: Parameters<typeof checkTemplate>[2]) => void,
): void {
  const names = called.inputs.map(({ name }) => name);
  for (const [name, value] of Object.entries(given)) {
    const here = [...at, name];
    const input = called.inputs.find((one) => one.name === name);
    if (!input) {
      findings.add(
        'error',
        'BAD_INPUT',
        { path: here, key: true },
        `the workflow "${called.name}" has no input "${name}"`,
        suggest(name, names, 'Its inputs') || 'Remove it: it has none.',
      );
      continue;
    }
    if (holdsTemplate(value)) {
      if (!checkText)
        findings.error('BAD_EXPRESSION', here, '`${{ … }}` is not filled in here', 'Write the value itself.');
      else if (typeof value === 'string') checkText(here, value, expectedOf(input));
      continue;
    }
    // What is null counts as not given.
    if (value === null) continue;
    const converted = convertInput(input, value);
    if ('problem' in converted) findings.error('BAD_INPUT', here, converted.problem, converted.fix);
  }
  const missing = called.inputs.filter(({ name, required }) => required && (given[name] ?? null) === null);
  if (missing.length > 0)
    findings.add(
      'error',
      'BAD_INPUT',
      { path: findings.has(at) ? at : owner, key: true },
      `the workflow "${called.name}" needs the ${missing.length === 1 ? 'input' : 'inputs'} ${missing.map(({ name }) => `"${name}"`).join(', ')}`,
      `Add ${missing.map(({ name }) => `\`${name}: …\``).join(', ')}.`,
    );
}

export function holdsTemplate(value: unknown): boolean {
  if (typeof value === 'string') return value.includes('${{');
  if (typeof value !== 'object' || value === null) return false;
  return Object.values(value).some(holdsTemplate);
}

/** Texts are converted to what the input is. */
function expectedOf({ type }: WorkflowInput): Parameters<typeof checkTemplate>[2] {
  switch (type) {
    case 'string':
    case 'choice':
      return ['text'];
    case 'number':
      return ['number', 'text'];
    case 'boolean':
      return ['boolean', 'text'];
    case 'json':
      return undefined;
    default:
      return type satisfies never;
  }
}
