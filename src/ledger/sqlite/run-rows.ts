/** Rows → records of runs, and what a change of a run is in its row. */
import type { RunReason, RunRecord, RunState } from '../../types/run.ts';
import type { RunChange } from '../run-ledger.ts';

/** What has not ended: a run in one of these is never forgotten. */
export const IS_OPEN = "state in ('queued', 'running', 'waiting')";

export interface RunRow {
  seq: number;
  id: string;
  workflow: string;
  definition: string;
  state: RunState;
  reason: RunReason | null;
  message: string | null;
  fix: string | null;
  inputs: string;
  /** Its trigger. */
  origin: string;
  /** Of that: the run that called it, and the job of the file that began it. */
  parent: string | null;
  job_id: string | null;
  force: number;
  depth: number;
  concurrency: string | null;
  outputs: string | null;
  warnings: string;
  created_at: number;
  started_at: number | null;
  ended_at: number | null;
}

export function toRun(row: RunRow): RunRecord {
  return {
    id: row.id,
    workflow: row.workflow,
    definition: row.definition,
    state: row.state,
    ...(row.reason !== null && { reason: row.reason }),
    ...(row.message !== null && { message: row.message }),
    ...(row.fix !== null && { fix: row.fix }),
    inputs: JSON.parse(row.inputs),
    trigger: JSON.parse(row.origin),
    force: row.force === 1,
    depth: row.depth,
    ...(row.concurrency !== null && { group: row.concurrency }),
    ...(row.outputs !== null && { outputs: JSON.parse(row.outputs) }),
    warnings: JSON.parse(row.warnings),
    createdAt: row.created_at,
    ...(row.started_at !== null && { startedAt: row.started_at }),
    ...(row.ended_at !== null && { endedAt: row.ended_at }),
  };
}

/** The row with the change made. */
export function changed(row: RunRow, change: RunChange): RunRow {
  const { state, inputs, group, outputs, warnings, startedAt, reason, message, fix, endedAt } = change;
  return {
    ...row,
    ...(state !== undefined && { state }),
    ...(inputs !== undefined && { inputs: JSON.stringify(inputs) }),
    ...(group !== undefined && { concurrency: group }),
    ...(outputs !== undefined && { outputs: JSON.stringify(outputs) }),
    ...(warnings !== undefined && { warnings: JSON.stringify(warnings) }),
    ...(startedAt !== undefined && { started_at: startedAt }),
    ...(reason !== undefined && { reason }),
    ...(message !== undefined && { message }),
    ...(fix !== undefined && { fix }),
    ...(endedAt !== undefined && { ended_at: endedAt }),
  };
}
