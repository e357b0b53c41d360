/** Workflows and runs from the configuration and the ledger: with a daemon and without. */
import { suggest } from '../../config/suggest.ts';
import { findWorkflow, type WorkflowConfig } from '../../config/workflow.ts';
import type { Ledger } from '../../ledger/ledger.ts';
import { AppError } from '../../types/errors.ts';
import type { RunState } from '../../types/run.ts';
import { type RunView, viewRun, viewWorkflow, type WorkflowView } from './views.ts';

export interface RunsQuery {
  readonly workflow?: string;
  readonly states?: readonly RunState[];
  /** Also runs that other runs called. */
  readonly all?: boolean;
  readonly limit: number;
}

type Workflows = readonly WorkflowConfig[];

export function listWorkflows(
  { runs }: Pick<Ledger, 'runs'>,
  workflows: Workflows,
): Promise<readonly WorkflowView[]> {
  return Promise.all(
    workflows.map(async (workflow) => {
      const [last] = await runs.list({ workflow: workflow.name, limit: 1 });
      return viewWorkflow(workflow, last);
    }),
  );
}

/** A workflow that is configured no longer can still have runs. @throws AppError UNKNOWN_WORKFLOW. */
export async function listRuns(
  { runs }: Pick<Ledger, 'runs'>,
  workflows: Workflows,
  { workflow, states, all = false, limit }: RunsQuery,
): Promise<readonly RunView[]> {
  const name = workflow === undefined ? undefined : (findWorkflow(workflows, workflow)?.name ?? workflow);
  const found = await runs.list({
    ...(name !== undefined && { workflow: name }),
    ...(states && { states }),
    ...(!all && { parent: null }),
    limit,
  });
  if (
    found.length === 0 &&
    name !== undefined &&
    (await runs.list({ workflow: name, limit: 1 })).length === 0
  )
    requireWorkflow(workflows, name);
  return found.map(viewRun);
}

/** @throws AppError UNKNOWN_WORKFLOW. */
export function requireWorkflow(workflows: Workflows, name: string): WorkflowConfig {
  const found = findWorkflow(workflows, name);
  if (found) return found;
  const names = workflows.flatMap((one) => [one.name, ...one.aliases]);
  throw new AppError('UNKNOWN_WORKFLOW', `There is no workflow "${name}"`, {
    fix:
      names.length === 0
        ? 'Write one into `workflows/`, or run `sluice workflow new --template code-quality`.'
        : suggest(name, names, 'Workflows'),
  });
}
