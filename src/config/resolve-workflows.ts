/**
 * Definitions → workflows: names that are theirs alone, inputs, steps in an order that can be run, expressions that read
 * what is there, calls that end. Definitions may call each other across files, so all are looked at together.
 */
import { relative } from 'node:path';
import { checkTemplate } from '../expressions/expressions.ts';
import { AGENTS_TEST, REVIEWS } from '../types/step-task.ts';
import { checkCalls } from './check-calls.ts';
import { checkOrder } from './check-order.ts';
import type { ReviewTerms } from './config.ts';
import { parseDuration } from './duration.ts';
import type { ReadWorkflows, WrittenWorkflow } from './read-workflows.ts';
import { resolveEnv } from './resolve-agents.ts';
import { resolveInputs } from './resolve-inputs.ts';
import { plainTerms } from './resolve-reviews.ts';
import { resolveStep } from './resolve-steps.ts';
import type { KnownAgents } from './resolve-target.ts';
import { resolveFileTriggers, resolveOwnSchedules } from './resolve-triggers.ts';
import type { Loose, Resolving } from './resolving.ts';
import type { StepFile } from './schema-workflow.ts';
import type { Path } from './source.ts';
import { type Before, stepsBefore } from './step-order.ts';
import {
  fileCounts,
  knownIn,
  reviewOutputs,
  type ScopeParts,
  stepsNamed,
  type VisibleStep,
} from './step-scope.ts';
import { type CalledWorkflow, reportProblems, type StepPlace, type Where } from './step-texts.ts';
import type { StepConfig, WorkflowConfig, WorkflowInput } from './workflow.ts';

export interface ResolvedWorkflow {
  readonly workflow: WorkflowConfig;
  /** With the findings of its file, and where it stands there. */
  readonly context: Resolving;
  readonly at: Path;
}

export interface ResolvedWorkflows {
  readonly list: readonly ResolvedWorkflow[];
  /** By name or alias; `broken`: it is there, but cannot be used, which has been told. */
  find(name: string): CalledWorkflow | 'broken' | undefined;
  readonly names: readonly string[];
}

/** Names end up as names of folders. */
const maxNameBytes = 200;

/** Work of reviewers, and of agents that are tried out, goes by these. */
const reserved: ReadonlySet<string> = new Set([REVIEWS, AGENTS_TEST]);

interface Draft extends WrittenWorkflow {
  readonly name: string;
  readonly inputs: readonly WorkflowInput[];
}

/**
 * @param reviews What holds where a `review` step says nothing.
 * @param others Workflows that are there besides, of another configuration.
 */
export async function resolveWorkflows(
  read: ReadWorkflows,
  agents: KnownAgents,
  reviews: ReviewTerms = plainTerms,
  others: readonly WorkflowConfig[] = [],
): Promise<ResolvedWorkflows> {
  const drafts: Draft[] = read.workflows.map((written) => ({
    ...written,
    name: written.data.name ?? '',
    inputs: resolveInputs(written.context, [...written.at, 'inputs'], written.data.inputs ?? {}),
  }));
  checkNames(drafts);
  const aliases = ownAliases(drafts);
  const find = (
    name: string,
  ): (CalledWorkflow & { readonly outputs: readonly string[] }) | 'broken' | undefined => {
    const draft =
      drafts.find((one) => one.name === name) ?? drafts.find((one) => aliases.get(one)?.includes(name));
    if (draft)
      return { name: draft.name, inputs: draft.inputs, outputs: Object.keys(draft.data.outputs ?? {}) };
    const other = others.find((one) => one.name === name) ?? others.find((one) => one.aliases.includes(name));
    if (other) return { name: other.name, inputs: other.inputs, outputs: Object.keys(other.outputs) };
    return read.broken.has(name) || !read.isComplete ? 'broken' : undefined;
  };
  const names = [
    ...drafts.flatMap((one) => [one.name, ...(aliases.get(one) ?? [])]),
    ...others.flatMap((one) => [one.name, ...one.aliases]),
  ].toSorted();
  const list: ResolvedWorkflow[] = [];
  for (const draft of drafts) {
    const workflow = await resolveWorkflow(draft, { agents, reviews, find, names }, aliases.get(draft) ?? []);
    list.push({ workflow, context: draft.context, at: draft.at });
  }
  checkCalls(list, others);
  return { list, find, names };
}

function checkNames(drafts: readonly Draft[]): void {
  const taken = new Map<string, Draft>();
  for (const draft of drafts) {
    const { name, context, at } = draft;
    checkLength(context, [...at, 'name'], name);
    // They are folders: on some disks `A` and `a` are one.
    const key = name.normalize('NFC').toLowerCase();
    if (reserved.has(key))
      context.findings.error(
        'BAD_VALUE',
        [...at, 'name'],
        `the workflow name "${name}" is one that Sluice uses itself`,
        'Give it another name.',
      );
    const first = taken.get(key);
    if (first) {
      const line = first.context.findings.lineOf([...first.at, 'name']);
      context.findings.error(
        'DUPLICATE_NAME',
        [...at, 'name'],
        `the workflow name "${name}" is taken (${first.file === draft.file ? `line ${line}` : `${relative(context.projectDir, first.file)}:${line}`})`,
        'Give one of the two another name.',
      );
    } else taken.set(key, draft);
  }
}

function checkLength({ findings }: Resolving, at: Path, name: string): void {
  if (Buffer.byteLength(name) > maxNameBytes)
    findings.error(
      'BAD_VALUE',
      at,
      `the name is longer than ${maxNameBytes} bytes, and becomes the name of a folder`,
      'Make it shorter.',
    );
}

/** A stem that two files have, or that is the name of another workflow, is nobody's alias. */
function ownAliases(drafts: readonly Draft[]): ReadonlyMap<Draft, readonly string[]> {
  const count = new Map<string, number>();
  for (const name of drafts.flatMap((draft) => [draft.name, ...draft.aliases]))
    count.set(name, (count.get(name) ?? 0) + 1);
  return new Map(drafts.map((draft) => [draft, draft.aliases.filter((alias) => count.get(alias) === 1)]));
}

interface Surroundings {
  readonly agents: KnownAgents;
  readonly reviews: ReviewTerms;
  readonly names: readonly string[];
  find(name: string): (CalledWorkflow & { readonly outputs: readonly string[] }) | 'broken' | undefined;
}

interface WrittenStep {
  readonly step: Loose<StepFile>;
  readonly name: string;
  readonly at: Path;
  readonly needs?: readonly string[];
}

async function resolveWorkflow(
  draft: Draft,
  around: Surroundings,
  aliases: readonly string[],
): Promise<WorkflowConfig> {
  const { context, at, data, file, inputs, name } = draft;
  const steps = writtenSteps(data.steps ?? [], [...at, 'steps']);
  const onFailure = writtenSteps(data.on_failure ?? [], [...at, 'on_failure']);
  checkStepNames(context, [...steps, ...onFailure]);
  refuseNeeds(context, onFailure);
  const isOrdered = checkOrder(context, steps, draft.stepNames, new Set(onFailure.map((step) => step.name)));

  const visible = [...steps, ...onFailure].map((one) => visibleStep(one, around));
  const byName = new Map(visible.map((step) => [step.name, step]));
  const programs = new Set<string>();
  const place = ({ step, name: asking, at }: WrittenStep, before: Before): StepPlace => {
    const isItem = step.for_each !== undefined;
    const common = { inputs, before, asking };
    const parts: Readonly<Record<Where, Partial<ScopeParts>>> = {
      condition: { status: true },
      once: {},
      item: { isItem },
      result: { isItem, hasResult: true },
      env: { isItem, isEnv: true },
    };
    return {
      ...{ context, at, file, programs, agents: around.agents, workflows: around },
      ...{ reviews: around.reviews, stepNames: draft.stepNames },
      get stepsBefore() {
        return new Map(visible.filter((step) => before.has(step.name)).map((step) => [step.name, step]));
      },
      known: (where, text) =>
        knownIn({ ...common, steps: stepsNamed(visible, byName, text), ...parts[where] }),
    };
  };
  const all = new Set(steps.map((step) => step.name));
  const before = isOrdered ? stepsBefore(steps) : steps.map(() => all);
  const resolved: StepConfig[] = [];
  for (const [index, written] of steps.entries())
    resolved.push(...(await one(place(written, before[index] ?? all), written)));
  const failing: StepConfig[] = [];
  for (const [index, written] of onFailure.entries()) {
    const above = new Set(onFailure.slice(0, index).map((step) => step.name));
    failing.push(
      ...(await one(place(written, { has: (step) => all.has(step) || above.has(step) }), written)),
    );
  }

  const texts = (at: Path, text: string, before?: Before, isEnv = false) => {
    if (!text.includes('${{')) return;
    const named = stepsNamed(visible, byName, text);
    const known = knownIn({ inputs, steps: named, isEnv, ...(before && { before }) });
    reportProblems(context, at, text, checkTemplate(text, known));
  };
  const outputs: [string, string][] = [];
  for (const [key, text] of Object.entries(data.outputs ?? {})) {
    if (text === undefined) continue;
    texts([...at, 'outputs', key], text, all);
    outputs.push([key, text]);
  }
  const env = await resolveEnv(
    { ...context, checkTemplate: (where, text) => texts(where, text, undefined, true) },
    [...at, 'env'],
    data.env as never,
  );
  const concurrency = resolveConcurrency(data.concurrency);
  if (concurrency) {
    const where = [...at, 'concurrency'];
    texts(typeof data.concurrency === 'string' ? where : [...where, 'group'], concurrency.group);
  }
  const timeoutMs = parseDuration(data.timeout ?? '');
  return {
    name,
    aliases,
    ...(data.description !== undefined && { description: data.description }),
    file,
    inputs,
    outputs: Object.fromEntries(outputs),
    env,
    ...(concurrency && { concurrency }),
    ...(timeoutMs !== undefined && { timeoutMs }),
    on: {
      manual: data.on?.manual ?? true,
      file: resolveFileTriggers(context, [...at, 'on', 'file'], data.on?.file as never, inputs),
      schedules: await resolveOwnSchedules(context, [...at, 'on', 'schedule'], data.on?.schedule as never, {
        name,
        inputs,
      }),
    },
    steps: resolved,
    onFailure: failing,
  };
}

async function one(place: StepPlace, { step }: WrittenStep): Promise<readonly StepConfig[]> {
  const found = await resolveStep(place, step);
  return found ? [found] : [];
}

/** What was left out for its shape has been reported. */
function writtenSteps(list: Loose<readonly StepFile[]>, at: Path): readonly WrittenStep[] {
  return [...list.entries()].flatMap(([index, step]) => {
    if (step?.name === undefined) return [];
    const needs =
      step.needs === undefined ? undefined : [step.needs].flat().filter((need) => need !== undefined);
    return [{ step: step as Loose<StepFile>, name: step.name, at: [...at, index], ...(needs && { needs }) }];
  });
}

function checkStepNames(context: Resolving, steps: readonly WrittenStep[]): void {
  const { findings } = context;
  const taken = new Map<string, WrittenStep>();
  for (const step of steps) {
    const { name, at } = step;
    const here = [...at, 'name'];
    checkLength(context, here, name);
    if (/\[\d+\]$/.test(name))
      findings.error(
        'BAD_VALUE',
        here,
        `"${name}" is the name of an item of a step with \`for_each\``,
        `Write it without brackets: \`${name.replace(/\[(\d+)\]$/, '-$1')}\`.`,
      );
    const key = name.normalize('NFC').toLowerCase();
    const first = taken.get(key);
    if (first)
      findings.error(
        'DUPLICATE_NAME',
        here,
        `the step name "${name}" is taken (line ${findings.lineOf([...first.at, 'name'])})`,
        'Give one of the two another name.',
      );
    else taken.set(key, step);
  }
}

function refuseNeeds({ findings }: Resolving, steps: readonly WrittenStep[]): void {
  for (const { at, needs } of steps)
    if (needs)
      findings.add(
        'error',
        'CONFLICT',
        { path: [...at, 'needs'], key: true },
        '`needs` has no effect under `on_failure`: its steps run one after another',
        'Remove it; `if` says when one is left out.',
      );
}

function visibleStep({ step, name }: WrittenStep, around: Surroundings): VisibleStep {
  const declared = Object.keys(step.outputs ?? {});
  const called = step.type === 'workflow' ? around.find(step.workflow ?? '') : undefined;
  const made =
    step.type === 'file_processing'
      ? fileCounts
      : step.type === 'review'
        ? reviewOutputs
        : typeof called === 'object'
          ? called.outputs
          : undefined;
  return {
    name,
    type: step.type ?? '',
    hasItems: step.for_each !== undefined,
    outputs: declared.length > 0 ? declared : step.for_each === undefined ? made : undefined,
  };
}

function resolveConcurrency(
  written: Loose<string | { readonly group: string; readonly cancel_in_progress: boolean }> | undefined,
): WorkflowConfig['concurrency'] {
  if (written === undefined) return undefined;
  if (typeof written === 'string') return { group: written, cancelInProgress: false };
  return written.group === undefined
    ? undefined
    : { group: written.group, cancelInProgress: written.cancel_in_progress ?? false };
}
