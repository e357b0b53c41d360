/** What can be called: one entry each, with what it takes (checked at load and again when it runs) and what it gives. */
import type { FileAccess, Scope, Value } from './scope.ts';
import { filesShape, type Kind, type Shape } from './shapes.ts';
import { contains, format, join, length } from './text-functions.ts';
import { type Budget, fromJson, toJson, ValueProblem } from './values.ts';

export interface Parameter {
  readonly name: string;
  /** Absent: anything. */
  readonly kinds?: readonly Kind[];
  /** null is taken as nothing there; otherwise it is refused. */
  readonly nullable?: true;
  readonly optional?: true;
}

export interface Call {
  readonly args: readonly Value[];
  readonly scope: Scope;
  readonly budget: Budget;
}

export interface FunctionSpec {
  readonly parameters: readonly Parameter[];
  /** The last parameter may be given any number of times. */
  readonly isOpen?: true;
  readonly gives: Shape;
  /** Asks how the run stands: only in `if`. */
  readonly isStatus?: true;
  readonly doc: string;
  readonly run: (call: Call) => Value | Promise<Value>;
}

/** Most files that `glob()` lists. */
export const maxGlobFiles = 100_000;

const text: Shape = { kind: 'text' };
const boolean: Shape = { kind: 'boolean' };
const whole: Omit<Parameter, 'name'> = { kinds: ['text'], nullable: true };

const specs = {
  success: status('Nothing that this step depends on has failed.', ({ success }) => success),
  failure: status('Something that this step depends on has failed.', ({ failure }) => failure),
  cancelled: status('The run is being cancelled.', ({ cancelled }) => cancelled),
  always: status('True: the step runs whatever happened.', () => true),
  contains: {
    parameters: [
      { name: 'in', kinds: ['text', 'list'], nullable: true },
      { name: 'value', kinds: ['text', 'number', 'boolean'] },
    ],
    gives: boolean,
    doc: 'A text holds this text, or a list this value. Case matters.',
    run: ({ args: [within = null, value = null] }) => contains(within, value),
  },
  startsWith: {
    parameters: [
      { name: 'text', ...whole },
      { name: 'start', kinds: ['text'] },
    ],
    gives: boolean,
    doc: 'The text begins with the other. Case matters.',
    run: ({ args: [within, start] }) => typeof within === 'string' && within.startsWith(start as string),
  },
  endsWith: {
    parameters: [
      { name: 'text', ...whole },
      { name: 'end', kinds: ['text'] },
    ],
    gives: boolean,
    doc: 'The text ends with the other. Case matters.',
    run: ({ args: [within, end] }) => typeof within === 'string' && within.endsWith(end as string),
  },
  join: {
    parameters: [
      { name: 'list', kinds: ['list'], nullable: true },
      { name: 'separator', kinds: ['text'], optional: true },
    ],
    gives: text,
    doc: 'The items of a list as one text, with `,` or the separator between them.',
    run: ({ args: [list, separator = ','], budget }) => join(list ?? null, separator as string, budget),
  },
  format: {
    parameters: [
      { name: 'template', kinds: ['text'] },
      { name: 'value', optional: true },
    ],
    isOpen: true,
    gives: text,
    doc: 'The text with `{0}`, `{1}` … replaced by the values; `{{` and `}}` stand for braces.',
    run: ({ args: [template, ...values], budget }) => format(template as string, values, budget),
  },
  toJSON: {
    parameters: [{ name: 'value' }],
    gives: text,
    doc: 'The value as JSON, on one line.',
    run: ({ args: [value = null], budget }) => toJson(value, budget),
  },
  fromJSON: {
    parameters: [{ name: 'json', ...whole }],
    gives: { kind: 'any' },
    doc: 'The value that a JSON text stands for; null for null.',
    run: ({ args: [json], budget }) => (typeof json === 'string' ? fromJson(json, budget) : null),
  },
  length: {
    parameters: [{ name: 'value', kinds: ['text', 'list', 'object'], nullable: true }],
    gives: { kind: 'number' },
    doc: 'How many characters a text has, items a list, keys an object; 0 for null.',
    run: ({ args: [value = null] }) => length(value),
  },
  glob: {
    parameters: [{ name: 'pattern', kinds: ['text'] }],
    isOpen: true,
    gives: filesShape,
    doc: `The files of the project folder that match, sorted; at most ${maxGlobFiles.toLocaleString('en')}. A pattern with \`!\` takes away.`,
    run: ({ args, scope }) => filesOf(scope, 'glob').glob(args as readonly string[], maxGlobFiles),
  },
  hashFiles: {
    parameters: [{ name: 'pattern', kinds: ['text'] }],
    isOpen: true,
    gives: text,
    doc: "One checksum over names and contents of the files that match; '' when none does.",
    run: ({ args, scope }) => filesOf(scope, 'hashFiles').hash(args as readonly string[]),
  },
} satisfies Record<string, FunctionSpec>;

export const functions: ReadonlyMap<string, FunctionSpec> = new Map(Object.entries<FunctionSpec>(specs));

/** `contains(in, value)`: how it is written. */
export function signatureOf(name: string, { parameters, isOpen }: FunctionSpec): string {
  const names = parameters.map((one) => (one.optional ? `[${one.name}]` : one.name));
  return `${name}(${names.join(', ')}${isOpen ? ', …' : ''})`;
}

/** The parameter that the argument with this number is for. */
export function parameterOf({ parameters, isOpen }: FunctionSpec, index: number): Parameter | undefined {
  return parameters[index] ?? (isOpen ? parameters.at(-1) : undefined);
}

/** What is wrong with the number of arguments. */
export function countProblem(name: string, spec: FunctionSpec, count: number): string | undefined {
  const least = spec.parameters.filter(({ optional }) => !optional).length;
  const most = spec.isOpen ? Number.POSITIVE_INFINITY : spec.parameters.length;
  if (count >= least && count <= most) return undefined;
  const wanted =
    most === least
      ? `${least}`
      : most === Number.POSITIVE_INFINITY
        ? `at least ${least}`
        : `${least} to ${most}`;
  return `${name}() takes ${wanted} ${wanted === '1' || wanted === 'at least 1' ? 'argument' : 'arguments'}, ${count} ${count === 1 ? 'is' : 'are'} given`;
}

function status(doc: string, ask: (status: NonNullable<Scope['status']>) => boolean): FunctionSpec {
  return {
    parameters: [],
    gives: boolean,
    isStatus: true,
    doc,
    run: ({ scope }) => {
      if (scope.status) return ask(scope.status);
      throw new ValueProblem('nothing is decided here', 'It can be asked in the `if` of a step.');
    },
  };
}

function filesOf({ files }: Scope, name: string): FileAccess {
  if (files) return files;
  throw new ValueProblem(`${name}() cannot be used here`, 'It can be used in workflows.');
}
