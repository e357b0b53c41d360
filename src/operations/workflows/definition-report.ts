/** A workflow as the report of a run in which nothing has begun: drawn by the same hand. */
import { runReport } from '../../aggregator/runs/model.ts';
import type { RunReport } from '../../aggregator/runs/report.ts';
import type { WorkflowConfig } from '../../config/workflow.ts';

export function definitionReport(workflow: WorkflowConfig): RunReport {
  const { name, description, steps, onFailure } = workflow;
  const planned = [
    ...steps.map((config) => ({ config, onFailure: false })),
    ...onFailure.map((config) => ({ config, onFailure: true })),
  ];
  return runReport(
    {
      run: {
        id: '',
        workflow: name,
        definition: '',
        state: 'queued',
        inputs: {},
        trigger: { kind: 'manual', who: '' },
        force: false,
        depth: 0,
        warnings: [],
        createdAt: 0,
      },
      ...(description !== undefined && { definition: { description } }),
      steps: planned.map((step) => ({ name: step.config.name, ...step, tails: [] })),
      spent: { costUsd: null, jobs: 0, attempts: 0 },
      subRuns: 0,
      now: 0,
    },
    '',
  );
}
