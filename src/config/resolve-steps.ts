/** The steps of a workflow, type by type: what each of them wants done, with everything that can be known before it runs. */
import { checkExpression, checkTemplate, withoutBraces } from '../expressions/expressions.ts';
import { parseDuration } from './duration.ts';
import { checkGiven } from './resolve-inputs.ts';
import { resolveAgentStep } from './resolve-step-agent.ts';
import { resolveCommandStep } from './resolve-step-command.ts';
import { resolveHttpStep, resolveJob } from './resolve-step-job.ts';
import { resolveReport } from './resolve-step-report.ts';
import { resolveReviewStep } from './resolve-step-review.ts';
import { reportUnknownWorkflow } from './resolve-target.ts';
import type { Loose } from './resolving.ts';
import type { StepFile } from './schema-workflow.ts';
import { checkDeep, checkText, reportProblems, type StepOf, type StepPlace } from './step-texts.ts';
import type { StepConfig } from './workflow.ts';

const defaultParallel = 16;

export async function resolveStep(place: StepPlace, step: Loose<StepFile>): Promise<StepConfig | undefined> {
  const common = resolveCommon(place, step);
  switch (step.type) {
    case 'file_processing': {
      checkText(place, [...place.at, 'directory'], step.directory ?? '', ['text']);
      return {
        ...common,
        type: step.type,
        directory: step.directory ?? '',
        recursive: step.recursive ?? true,
      };
    }
    case 'custom_command':
      return { ...common, ...(await resolveJob(place, step)), ...(await resolveCommandStep(place, step)) };
    case 'agent':
      return { ...common, ...(await resolveJob(place, step)), ...(await resolveAgentStep(place, step)) };
    case 'http':
      return { ...common, ...(await resolveJob(place, step)), ...(await resolveHttpStep(place, step)) };
    case 'workflow':
      return { ...common, type: step.type, ...resolveCall(place, step) };
    case 'approval': {
      checkText(place, [...place.at, 'message'], step.message ?? '');
      const { findings } = place.context;
      if (
        step.timeout === undefined &&
        findings.has([...place.at, 'on_timeout']) &&
        !findings.has([...place.at, 'timeout'])
      )
        findings.add(
          'error',
          'CONFLICT',
          { path: [...place.at, 'on_timeout'], key: true },
          '`on_timeout` has no effect: the step waits for ever',
          'Add `timeout: 2d`, or remove it.',
        );
      return {
        ...common,
        type: step.type,
        message: step.message ?? '',
        onTimeout: step.on_timeout ?? 'reject',
      };
    }
    case 'review':
      return { ...common, ...resolveReviewStep(place, step) };
    case 'report':
      return { ...common, type: step.type, ...(await resolveReport(place, step)) };
    default:
      return undefined;
  }
}

function resolveCommon(place: StepPlace, step: Loose<StepFile>) {
  const { context, at, known } = place;
  const needs =
    step.needs === undefined ? undefined : [step.needs].flat().filter((need) => need !== undefined);
  let condition: string | undefined;
  if (step.if !== undefined) {
    condition = typeof step.if === 'string' ? step.if : String(step.if);
    reportProblems(
      context,
      [...at, 'if'],
      condition,
      checkExpression(condition, known('condition', condition)),
    );
    condition = withoutBraces(condition).trim();
  }
  const forEach = resolveForEach(place, step);
  const outputs: [string, string][] = [];
  for (const [name, text] of Object.entries(step.outputs ?? {})) {
    if (text === undefined) continue;
    checkText(place, [...at, 'outputs', name], text, undefined, 'result');
    outputs.push([name, text]);
  }
  const timeoutMs = parseDuration(step.timeout ?? '');
  return {
    name: step.name ?? '',
    ...(needs && { needs }),
    ...(condition !== undefined && { if: condition }),
    ...(forEach && { forEach }),
    outputs: Object.fromEntries(outputs),
    continueOnError: step.continue_on_error ?? false,
    ...(timeoutMs !== undefined && { timeoutMs }),
  };
}

function resolveForEach(place: StepPlace, step: Loose<StepFile>): StepConfig['forEach'] {
  const { context, at, known } = place;
  const { findings } = context;
  const written = step.for_each as
    | string
    | readonly unknown[]
    | { items?: string | readonly unknown[]; max_parallel?: number }
    | undefined;
  if (written === undefined) {
    if (step.max_parallel !== undefined && !findings.has([...at, 'for_each']))
      findings.add(
        'error',
        'CONFLICT',
        { path: [...at, 'max_parallel'], key: true },
        '`max_parallel` has no effect: the step has no `for_each`',
        'Remove it, or add `for_each`.',
      );
    return undefined;
  }
  const isMapping = typeof written === 'object' && !Array.isArray(written);
  const mapping = isMapping
    ? (written as { items?: string | readonly unknown[]; max_parallel?: number })
    : {};
  const items = isMapping ? mapping.items : (written as string | readonly unknown[]);
  const here = isMapping ? [...at, 'for_each', 'items'] : [...at, 'for_each'];
  if (step.max_parallel !== undefined && mapping.max_parallel !== undefined)
    findings.add(
      'error',
      'CONFLICT',
      { path: [...at, 'max_parallel'], key: true },
      '`max_parallel` is given twice, here and in `for_each`',
      'Keep one of the two.',
    );
  const maxParallel = step.max_parallel ?? mapping.max_parallel ?? defaultParallel;
  if (typeof items === 'string') {
    reportProblems(context, here, items, checkExpression(items, known('once', items), ['list']));
    return { items: { expression: withoutBraces(items).trim() }, maxParallel };
  }
  checkDeep(place, here, items ?? [], 'once');
  return { items: { list: items ?? [] }, maxParallel };
}

function resolveCall(place: StepPlace, step: StepOf<'workflow'>) {
  const { context, at, workflows, known } = place;
  const given = (step.with ?? {}) as Readonly<Record<string, unknown>>;
  const found = step.workflow === undefined ? 'broken' : workflows.find(step.workflow);
  checkDeep(place, [...at, 'with'], given);
  if (found === undefined)
    reportUnknownWorkflow(
      context.findings,
      [...at, 'workflow'],
      `unknown workflow "${step.workflow}" in step "${step.name ?? ''}"`,
      step.workflow ?? '',
      workflows,
    );
  else if (found !== 'broken')
    checkGiven(context, [...at, 'with'], at, given, found, (path, text, expected) => {
      // Its expressions have been looked at: what is new here is what they must give.
      if (checkTemplate(text, known('item', text)).length === 0) checkText(place, path, text, expected);
    });
  return {
    workflow: found === 'broken' || found === undefined ? (step.workflow ?? '') : found.name,
    with: given,
  };
}
