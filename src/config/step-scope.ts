/** What the expressions of a workflow can read, place by place: for the check when its file is loaded. */

import { fileShape, filesShape, type Known, type Shape } from '../expressions/expressions.ts';
import { finalStepStates } from '../types/run.ts';
import type { Before } from './step-order.ts';
import { nearest } from './suggest.ts';
import type { WorkflowInput } from './workflow.ts';

/** A step, as others see it. */
export interface VisibleStep {
  readonly name: string;
  readonly type: string;
  readonly hasItems: boolean;
  /** Undefined: what there is, is known when it has run. */
  readonly outputs: readonly string[] | undefined;
}

export interface ScopeParts {
  readonly inputs: readonly WorkflowInput[];
  /** The steps of the workflow. */
  readonly steps: readonly VisibleStep[];
  /** Those that have ended before; undefined: none can be read here. */
  readonly before?: Before;
  /** Who asks: a step's name. */
  readonly asking?: string;
  /** Within a step with `for_each`, where it is about one item. */
  readonly isItem?: boolean;
  /** In the `outputs` of a step. */
  readonly hasResult?: boolean;
  /** In `if`. */
  readonly status?: boolean;
  /** In a value of `env`. */
  readonly isEnv?: boolean;
}

const manySteps = 200;
const readName = /\bsteps\s*(?:\.\s*([\w-]+)|\[\s*(?:'([^']*)'|"([^"]*)"))/g;

/**
 * The steps that a text can speak of. Of many only those that are named, and what is nearest to a name
 * that is none: shapes of all, for each step anew, would take seconds where there are thousands.
 */
export function stepsNamed(
  steps: readonly VisibleStep[],
  byName: ReadonlyMap<string, VisibleStep>,
  text: string,
): readonly VisibleStep[] {
  if (steps.length <= manySteps) return steps;
  const found = new Map<string, VisibleStep>();
  for (const [, plain, single, double] of text.matchAll(readName)) {
    const name = plain ?? single ?? double ?? '';
    const step = byName.get(name) ?? byName.get(nearest(name, [...byName.keys()]) ?? '');
    if (step) found.set(step.name, step);
  }
  return [...found.values()];
}

const any: Shape = { kind: 'any' };
const text = (doc: string): Shape => ({ kind: 'text', doc });
const oneOf = (values: readonly string[], doc: string): Shape => ({ kind: 'text', values, doc });
const outcomeShape = oneOf(['succeeded', 'failed', 'skipped', 'cancelled'], 'how it went');
const stateShape = oneOf(finalStepStates, 'its state; cached as well');
const number = (doc: string): Shape => ({ kind: 'number', doc });
const anyKeys = (doc: string): Shape => ({ kind: 'object', keys: {}, open: true, doc });

/** Dispositions of files, and how many there are. */
export const fileCounts = [
  ...['processed', 'cached', 'failed', 'quarantined', 'ignored', 'unrouted', 'held'],
  'total',
] as const;

/** What a `review` step gives. */
export const reviewOutputs = ['decision', 'why', 'rounds', 'verdicts'] as const;

export function knownIn(parts: ScopeParts): Known {
  const { before } = parts;
  const early = (name: string): Shape => ({
    kind: 'absent',
    why: `\`${name}\` cannot be read before the run has begun`,
    fix: 'Use `inputs`, `file`, `run` and `env` here.',
  });
  return {
    status: parts.status === true,
    contexts: {
      file: fileShape,
      files: filesShape,
      inputs: {
        kind: 'object',
        keys: Object.fromEntries(parts.inputs.map((input) => [input.name, inputShape(input)])),
      },
      run: runShape,
      env: parts.isEnv
        ? {
            kind: 'absent',
            why: '`env` cannot be read in `env` itself',
            fix: 'Write the value out, or make it an input with a `default`.',
          }
        : anyKeys('environment: what commands see of it, and what `env` says'),
      steps: before
        ? {
            kind: 'object',
            keys: Object.fromEntries(parts.steps.map((step) => [step.name, stepShape(step, before, parts)])),
          }
        : early('steps'),
      state: before ? anyKeys('shared state of the session') : early('state'),
      item: parts.isItem ? any : noItem('item'),
      index: parts.isItem ? number('place of the item, from 0') : noItem('index'),
      result: parts.hasResult
        ? text('result of the step')
        : {
            kind: 'absent',
            why: '`result` can only be read in the `outputs` of a step',
            fix: 'Write `steps.NAME.result` for the result of another step.',
          },
    },
  };
}

const runShape: Shape = {
  kind: 'object',
  keys: {
    id: text('id of the run, also that of its session'),
    workflow: text('name of the workflow'),
    started_at: text('when it began, RFC 3339'),
    trigger: text('manual, file, schedule or workflow'),
    dir: text('absolute folder of its results'),
    session: text('id of its session'),
  },
};

function noItem(name: string): Shape {
  return {
    kind: 'absent',
    why: `\`${name}\` can only be read in a step with \`for_each\``,
    fix: 'Add `for_each` to the step; its own list and its `if` are read once, before there are items.',
  };
}

function inputShape({ type, description, options }: WorkflowInput): Shape {
  const doc = description === undefined ? {} : { doc: description };
  switch (type) {
    case 'string':
      return { kind: 'text', ...doc };
    case 'choice':
      return { kind: 'text', ...(options && { values: options }), ...doc };
    case 'number':
    case 'boolean':
      return { kind: type, ...doc };
    case 'json':
      return { kind: 'any', ...doc };
    default:
      return type satisfies never;
  }
}

function stepShape(step: VisibleStep, before: Before, { asking }: ScopeParts): Shape {
  const { name, type, hasItems, outputs } = step;
  if (!before.has(name)) {
    const isItself = name === asking;
    return {
      kind: 'absent',
      why: isItself
        ? `step "${name}" reads itself`
        : `step "${name}" does not run before ${asking === undefined ? 'this' : `step "${asking}"`}`,
      fix: isItself
        ? 'Its own result is `result`, in its `outputs`.'
        : `Add \`needs: [${name}]\`, or move it up.`,
    };
  }
  const files = type === 'file_processing';
  const noCounts: Shape = {
    kind: 'absent',
    why: `step "${name}" has no \`for_each\``,
    fix: 'Read its `result`, `outputs` or `outcome`.',
  };
  return {
    kind: 'object',
    keys: {
      result: text('its result'),
      outcome: outcomeShape,
      state: stateShape,
      outputs: outputs
        ? {
            kind: 'object',
            keys: Object.fromEntries(outputs.map((key) => [key, files ? number('files') : any])),
          }
        : anyKeys('its outputs'),
      items: hasItems ? { kind: 'list', items: itemShape } : noCounts,
      counts: hasItems || files ? anyKeys('how many there are of each') : noCounts,
      error: any,
    },
  };
}

const itemShape: Shape = {
  kind: 'object',
  keys: {
    outcome: outcomeShape,
    state: stateShape,
    result: text('its result'),
    outputs: anyKeys('its outputs'),
  },
};
