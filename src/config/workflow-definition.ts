/**
 * What decides the result of a workflow, as a text: the definition with prompts and templates, every workflow that it can
 * come to call, and what of their agents would be run. Not names, descriptions or the places of files.
 */
import { hash } from 'node:crypto';
import type { AgentConfig } from './config.ts';
import { whatCliRuns } from './what-cli-runs.ts';
import type { StepConfig, WorkflowConfig } from './workflow.ts';

export function definitionText(
  workflow: WorkflowConfig,
  workflows: readonly WorkflowConfig[],
  agents: ReadonlyMap<string, AgentConfig | undefined>,
): string {
  const byName = new Map(workflows.map((one) => [one.name, one]));
  const called = new Map([[workflow.name, workflow]]);
  for (const one of called.values())
    for (const step of stepsOf(one)) {
      const next = step.type === 'workflow' ? byName.get(step.workflow) : undefined;
      if (next) called.set(next.name, next);
    }
  const names = new Set(
    [...called.values()]
      .flatMap(stepsOf)
      .flatMap((step) =>
        step.type === 'agent' ? step.agents : step.type === 'review' ? step.reviews.agents : [],
      ),
  );
  return JSON.stringify([
    [...called.values()].map(({ name, inputs, outputs, env, concurrency, timeoutMs, ...lists }) => [
      name === workflow.name ? null : name,
      inputs.map(({ description: _, ...input }) => input),
      [outputs, env, concurrency, timeoutMs],
      [lists.steps, lists.onFailure].map((steps) => steps.map(withoutPlaces)),
    ]),
    [...names].toSorted().map((name) => [name, whatRuns(agents.get(name))]),
  ]);
}

export function definitionHash(...of: Parameters<typeof definitionText>): string {
  return hash('sha256', definitionText(...of), 'hex');
}

/** Where a template or a schema stands says nothing of what is in it. */
function withoutPlaces(step: StepConfig): unknown {
  if (step.type === 'report') return { ...step, template: step.template.text };
  if (!('expect' in step)) return step;
  return { ...step, expect: [step.expect.outputs, step.expect.jsonSchema?.schema] };
}

function stepsOf({ steps, onFailure }: WorkflowConfig): readonly StepConfig[] {
  return [...steps, ...onFailure];
}

function whatRuns(agent: AgentConfig | undefined): unknown {
  if (!agent) return null;
  const env = agent.env.filter((entry) => entry.kind === 'set');
  switch (agent.kind) {
    case 'command':
      return [agent.kind, agent.command, env];
    case 'http':
      return [agent.kind, agent.url, agent.headers];
    case 'builtin':
    case 'workflow':
      return [agent.kind];
    case 'claude':
    case 'codex':
    case 'gemini':
    case 'opencode':
    case 'copilot':
    case 'plugin':
      return [agent.kind, whatCliRuns(agent.cli), env];
    default:
      return agent satisfies never;
  }
}
