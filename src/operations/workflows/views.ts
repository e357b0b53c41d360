/** Workflows and runs as listings show them, with the names that files and JSON use. */
import type { WorkflowConfig } from '../../config/workflow.ts';
import type { RunRecord } from '../../types/run.ts';

export interface WorkflowView {
  readonly name: string;
  readonly aliases: readonly string[];
  readonly description?: string;
  readonly file: string;
  readonly steps: number;
  readonly inputs: readonly {
    readonly name: string;
    readonly type: string;
    readonly required: boolean;
    readonly default?: unknown;
    readonly options?: readonly string[];
    readonly description?: string;
  }[];
  /** What starts it besides a person: `file *.csv`, `schedule 0 7 * * *`. */
  readonly triggers: readonly string[];
  readonly last_run?: RunView;
}

export interface RunView {
  readonly run_id: string;
  readonly workflow: string;
  readonly state: string;
  readonly reason?: string;
  readonly message?: string;
  readonly fix?: string;
  readonly trigger: string;
  readonly created_at: string;
  readonly started_at?: string;
  readonly ended_at?: string;
  readonly duration_ms?: number;
  readonly warnings: readonly string[];
  /** The step of another run that called it. */
  readonly parent?: { readonly run_id: string; readonly step: string };
}

export function viewWorkflow(workflow: WorkflowConfig, lastRun?: RunRecord): WorkflowView {
  const { name, aliases, description, file, steps, inputs, on } = workflow;
  return {
    name,
    aliases,
    ...(description !== undefined && { description }),
    file,
    steps: steps.length,
    inputs,
    triggers: [
      ...on.file.map(({ patterns }) => `file ${patterns.join(', ')}`),
      ...on.schedules.map(({ cron, timezone }) => `schedule ${cron}${timezone ? ` (${timezone})` : ''}`),
    ],
    ...(lastRun && { last_run: viewRun(lastRun) }),
  };
}

export function viewRun(run: RunRecord): RunView {
  const { id, workflow, state, reason, message, fix, trigger, createdAt, startedAt, endedAt, warnings } = run;
  return {
    run_id: id,
    workflow,
    state,
    ...(reason !== undefined && { reason }),
    ...(message !== undefined && { message }),
    ...(fix !== undefined && { fix }),
    trigger: triggerWords(run),
    created_at: timeOf(createdAt),
    ...(startedAt !== undefined && { started_at: timeOf(startedAt) }),
    ...(endedAt !== undefined && { ended_at: timeOf(endedAt) }),
    ...(startedAt !== undefined &&
      endedAt !== undefined && { duration_ms: Math.max(0, endedAt - startedAt) }),
    warnings,
    ...(trigger.kind === 'workflow' && { parent: { run_id: trigger.runId, step: trigger.step } }),
  };
}

function triggerWords({ trigger }: RunRecord): string {
  switch (trigger.kind) {
    case 'manual':
      return trigger.who;
    case 'file':
      return `file ${trigger.file.root}/${trigger.file.path}`;
    case 'schedule':
      return `schedule ${trigger.schedule}`;
    case 'workflow':
      return `step ${trigger.step} of ${trigger.runId}`;
    default:
      return trigger satisfies never;
  }
}

function timeOf(at: number): string {
  return new Date(at).toISOString();
}
