/** Workflows and schedules as a file would write them, with every default filled in: a part of `configView`. */
import type { EnvEntry, ReviewTerms, RuleConfig, SandboxConfig } from './config.ts';
import { formatDuration } from './duration.ts';
import type { ScheduleConfig, StepConfig, WorkflowConfig, WorkflowInput } from './workflow.ts';

/** How the parts are shown that agents and rules have too. */
export interface SharedViews {
  readonly env: (of: { readonly env: readonly EnvEntry[] }) => unknown;
  readonly expect: (expect: RuleConfig['expect']) => unknown;
  readonly sandbox: (sandbox: SandboxConfig) => unknown;
}

export function viewWorkflow(workflow: WorkflowConfig, shared: SharedViews) {
  const { name, description, inputs, outputs, concurrency, timeoutMs, on } = workflow;
  return {
    name,
    ...(description !== undefined && { description }),
    on: {
      manual: on.manual,
      ...(on.file.length > 0 && {
        file: on.file.map(({ patterns, priority }) => ({ pattern: patterns, priority })),
      }),
      ...(on.schedules.length > 0 && { schedule: on.schedules.map(viewTime) }),
    },
    inputs: Object.fromEntries(inputs.map((input) => [input.name, viewInput(input)])),
    env: shared.env(workflow),
    ...(concurrency && {
      concurrency: { group: concurrency.group, cancel_in_progress: concurrency.cancelInProgress },
    }),
    ...(timeoutMs !== undefined && { timeout: formatDuration(timeoutMs) }),
    steps: workflow.steps.map((step) => viewStep(step, shared)),
    on_failure: workflow.onFailure.map((step) => viewStep(step, shared)),
    outputs,
  };
}

export function viewSchedule(schedule: ScheduleConfig) {
  const { name, workflow } = schedule;
  return { name, workflow, ...viewTime(schedule) };
}

function viewTime({ cron, timezone, inputs, overlap, catchUp }: ScheduleConfig) {
  return { cron, ...(timezone !== undefined && { timezone }), inputs, overlap, catch_up: catchUp };
}

function viewInput({ type, description, required, default: value, options }: WorkflowInput) {
  return {
    type,
    ...(description !== undefined && { description }),
    required,
    ...(value !== undefined && { default: value }),
    ...(options && { options }),
  };
}

function viewStep(step: StepConfig, shared: SharedViews) {
  const { name, type, needs, forEach, outputs, continueOnError, timeoutMs } = step;
  return {
    name,
    type,
    ...(needs && { needs }),
    ...(step.if !== undefined && { if: `\${{ ${step.if} }}` }),
    ...(forEach && {
      for_each: 'expression' in forEach.items ? `\${{ ${forEach.items.expression} }}` : forEach.items.list,
      max_parallel: forEach.maxParallel,
    }),
    ...viewWork(step, shared),
    outputs,
    continue_on_error: continueOnError,
    ...(timeoutMs !== undefined && { timeout: formatDuration(timeoutMs) }),
  };
}

function viewWork(step: StepConfig, shared: SharedViews) {
  switch (step.type) {
    case 'file_processing':
      return { directory: step.directory, recursive: step.recursive };
    case 'custom_command':
      return {
        command: step.command,
        ...viewJob(step, shared),
        env: shared.env(step),
        ...(step.cacheInputs && { cache: { inputs: step.cacheInputs } }),
        sandbox: shared.sandbox(step.sandbox),
      };
    case 'agent':
      return {
        ...(step.agents.length > 1 ? { agent: step.agents, select: step.select } : { agent: step.agents[0] }),
        ...(step.prompt !== undefined && { prompt: step.prompt }),
        ...(step.inputFile !== undefined && { file: step.inputFile }),
        ...viewJob(step, shared),
        ...(step.env.length > 0 && { env: shared.env(step) }),
        cache: step.cache,
      };
    case 'http':
      return {
        ...{ url: step.url, method: step.method, headers: step.headers },
        ...(step.body !== undefined && { body: step.body }),
        ...viewJob(step, shared),
      };
    case 'workflow':
      return { workflow: step.workflow, with: step.with };
    case 'approval':
      return {
        message: step.message,
        // Without a time it has no effect.
        ...(step.timeoutMs !== undefined && { on_timeout: step.onTimeout }),
      };
    case 'review':
      return {
        of: step.of,
        ...(step.prompt !== undefined && { prompt: step.prompt }),
        ...viewTerms(step.reviews),
      };
    case 'report':
      return { template: step.template.text, output: step.output, with: step.with };
    default:
      return step satisfies never;
  }
}

/** Of the configuration, and of a step. */
export function viewTerms({ reviewers, agents, maxRounds, quorum, policy, weights }: ReviewTerms) {
  return {
    reviewers,
    ...(agents.length > 0 && { agents }),
    max_rounds: maxRounds,
    ...(quorum !== undefined && { quorum }),
    policy,
    ...(Object.keys(weights).length > 0 && { weights }),
  };
}

function viewJob({ expect, retry }: Extract<StepConfig, { readonly expect: unknown }>, shared: SharedViews) {
  return {
    expect: shared.expect(expect),
    ...(retry && {
      retry: {
        attempts: retry.attempts,
        initial: formatDuration(retry.initialMs),
        max: formatDuration(retry.maxMs),
      },
    }),
  };
}
