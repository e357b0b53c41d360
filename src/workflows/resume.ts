/**
 * A run that failed or was cancelled is made ready to go on: what failed is forgotten, with what depends on it and what was
 * skipped; the rest stays. Of a `for_each` only the items that failed; a failed sub-run is resumed itself. The run's own
 * row comes last: after a crash in between it has ended as before, and can be resumed again.
 */
import type { StepConfig } from '../config/workflow.ts';
import { AppError } from '../types/errors.ts';
import { finalRunStates, type RunId, type RunRecord, type StepRecord } from '../types/run.ts';
import { buildDag } from './dag.ts';
import type { KeptDefinition } from './definition.ts';
import type { WorkflowsDeps } from './deps.ts';

type Deps = Pick<WorkflowsDeps, 'ledger' | 'now'>;

/** @returns the run as it is then: open, without what kept it from succeeding. @throws AppError NOT_POSSIBLE. */
export async function reopen(deps: Deps, run: RunRecord): Promise<RunRecord> {
  const { runs } = deps.ledger;
  const definition = (await runs.definition(run.definition)) as KeptDefinition | undefined;
  if (!definition)
    throw new AppError('NOT_POSSIBLE', `Run ${run.id} cannot be resumed: its definition is gone`, {
      fix: 'Start the workflow anew.',
    });
  const rows = new Map((await runs.steps(run.id)).map((row) => [row.name, row]));
  const { forget, mend } = sortOut(definition, rows);
  for (const row of mend) if (!(await mended(deps, row))) forget.push(row.name);
  await runs.forgetSteps(run.id, forget);
  const change = {
    ...{ state: 'running' as const, reason: null, message: null, fix: null, endedAt: null, warnings: [] },
    // Its time begins anew.
    ...(definition.timeoutMs !== undefined && { startedAt: deps.now() }),
  };
  return (await runs.update(run.id, change)) ?? run;
}

/** What is run again from the beginning, and what goes on where it failed. */
function sortOut(
  { steps, onFailure }: KeptDefinition,
  rows: ReadonlyMap<string, StepRecord>,
): { readonly forget: string[]; readonly mend: readonly StepRecord[] } {
  const dag = buildDag(steps);
  const again = new Set<number>();
  const forget: string[] = onFailure.map(({ name }) => name).filter((name) => rows.has(name));
  const mend: StepRecord[] = [];
  for (const index of dag.order) {
    const { name, needs = [] } = dag.nodes[index] as (typeof dag.nodes)[number];
    const row = rows.get(name);
    const dependsOnIt = needs.some((need) => again.has(need));
    const hasFailed = row?.state === 'failed' || row?.state === 'cancelled';
    if (hasFailed || dependsOnIt) again.add(index);
    if (!row) continue;
    if (hasFailed && !dependsOnIt && canBeMended(steps[index] as StepConfig, row)) mend.push(row);
    else if (hasFailed || dependsOnIt || row.state === 'skipped') forget.push(name);
  }
  return { forget, mend };
}

function canBeMended({ forEach, type }: StepConfig, { counts, subRunId }: StepRecord): boolean {
  return forEach ? counts !== undefined : type === 'workflow' && subRunId !== undefined;
}

/** @returns false when it must begin anew after all. */
async function mended(deps: Deps, row: StepRecord): Promise<boolean> {
  const { runs } = deps.ledger;
  if (row.subRunId !== undefined) {
    if (!(await reopenCalled(deps, row.subRunId))) return false;
    await runs.putStep(underWay(row));
    return true;
  }
  for (const state of ['failed', 'cancelled'] as const)
    for (const index of await runs.itemIndexes(row.runId, row.name, [state]))
      await mendItem(deps, row, index);
  await runs.forgetItems(row.runId, row.name, ['failed', 'cancelled', 'skipped']);
  await runs.putStep(underWay(row));
  return true;
}

/** An item that called a run goes on with it; others are forgotten by their state. */
async function mendItem(deps: Deps, { runId, name }: StepRecord, index: number): Promise<void> {
  const { runs } = deps.ledger;
  const [item] = await runs.items(runId, name, index, 1);
  if (item?.index !== index || item.subRunId === undefined) return;
  if (await reopenCalled(deps, item.subRunId)) await runs.putStep(underWay(item));
}

async function reopenCalled(deps: Deps, id: RunId): Promise<boolean> {
  const called = await deps.ledger.runs.get(id);
  if (!called) return false;
  // Succeeded since, or under way by itself: it is only followed.
  if (called.state === 'succeeded' || !finalRunStates.includes(called.state)) return true;
  await reopen(deps, called);
  return true;
}

function underWay(row: StepRecord): StepRecord {
  const { runId, id, name, index, item, subRunId, startedAt, counts } = row;
  const total = counts?.total;
  return {
    ...{ runId, id, name, state: 'running' },
    ...(index !== undefined && { index }),
    ...(item !== undefined && { item }),
    ...(subRunId !== undefined && { subRunId }),
    ...(startedAt !== undefined && { startedAt }),
    ...(total !== undefined && { counts: { total } }),
  };
}
