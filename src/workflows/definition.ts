/**
 * The version of a workflow that a run keeps: the workflow itself, and beside it every workflow that it can come to call,
 * so that a change of the files under way, or their removal, changes nothing for it.
 */
import { findWorkflow, type WorkflowConfig } from '../config/workflow.ts';

/** What `runs.define` is given: a workflow with one key more. */
export interface KeptDefinition extends WorkflowConfig {
  /** Directly or indirectly called, each once. */
  readonly called: readonly WorkflowConfig[];
}

/** @param known Where called workflows are looked up; validation has made sure that they are there. */
export function keep(workflow: WorkflowConfig, known: readonly WorkflowConfig[]): KeptDefinition {
  const called = new Map<string, WorkflowConfig>();
  const left = [workflow];
  for (let one = left.pop(); one; one = left.pop())
    for (const name of calledBy(one)) {
      if (name === workflow.name || called.has(name)) continue;
      const found = findWorkflow(known, name);
      if (!found) continue;
      called.set(name, found);
      left.push(found);
    }
  return { ...workflow, called: [...called.values()] };
}

/** A called workflow as it was kept; undefined: the definition does not have it. */
export function keptCall(definition: KeptDefinition, name: string): KeptDefinition | undefined {
  const found = definition.called.find((one) => one.name === name);
  return found && keep(found, definition.called);
}

function calledBy({ steps, onFailure }: WorkflowConfig): readonly string[] {
  return [...steps, ...onFailure].flatMap((step) => (step.type === 'workflow' ? [step.workflow] : []));
}
