/** Workflows that call each other: a way that leads back would never end. */
import type { ResolvedWorkflow } from './resolve-workflows.ts';
import type { Path } from './source.ts';
import type { WorkflowConfig } from './workflow.ts';

interface Call {
  readonly to: string;
  readonly step: string;
  readonly at: Path;
}

/** @param others Are known not to call each other in circles; they can be part of a way through `list`. */
export function checkCalls(list: readonly ResolvedWorkflow[], others: readonly WorkflowConfig[]): void {
  const own = new Map(list.map((one) => [one.workflow.name, one]));
  const calls = new Map<string, readonly Call[]>();
  for (const workflow of others) calls.set(workflow.name, callsOf(workflow, []));
  for (const { workflow, at } of list) calls.set(workflow.name, callsOf(workflow, at));
  const done = new Set<string>();
  const visit = (name: string, way: readonly { readonly name: string; readonly call: Call }[]): void => {
    const begin = way.findIndex((one) => one.name === name);
    if (begin >= 0) {
      report(own, way.slice(begin));
      return;
    }
    if (done.has(name)) return;
    for (const call of calls.get(name) ?? []) visit(call.to, [...way, { name, call }]);
    done.add(name);
  };
  for (const { workflow } of list) visit(workflow.name, []);
}

function callsOf({ steps, onFailure }: WorkflowConfig, at: Path): readonly Call[] {
  const of = (list: WorkflowConfig['steps'], key: string) =>
    list.flatMap((step, index) =>
      step.type === 'workflow'
        ? [{ to: step.workflow, step: step.name, at: [...at, key, index, 'workflow'] }]
        : [],
    );
  return [...of(steps, 'steps'), ...of(onFailure, 'on_failure')];
}

function report(
  own: ReadonlyMap<string, ResolvedWorkflow>,
  circle: readonly { readonly name: string; readonly call: Call }[],
): void {
  const told = circle.find(({ name }) => own.has(name));
  const owner = told && own.get(told.name);
  if (!told || !owner) return;
  const from = circle.indexOf(told);
  const way = [...circle.slice(from), ...circle.slice(0, from)].map(({ name }) => name);
  owner.context.findings.error(
    'WORKFLOW_CYCLE',
    told.call.at,
    way.length === 1
      ? `the workflow "${told.name}" calls itself in step "${told.call.step}"`
      : `workflows call each other in a circle: ${[...way, told.name].join(' -> ')}`,
    way.length === 1
      ? 'Use `for_each` to do something for each of several things.'
      : 'Remove this call, or another one of them.',
  );
}
