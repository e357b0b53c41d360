/** Rows ↔ records of steps and of the items of `for_each`. */
import type { StepRecord, StepState } from '../../types/run.ts';

/** What stands in `item` for a step itself. */
export const OWN = -1;

export interface StepRow {
  run_id: string;
  name: string;
  item: number;
  state: StepState;
  reason: string | null;
  message: string | null;
  fix: string | null;
  job_id: string | null;
  sub_run_id: string | null;
  cached_from: string | null;
  wait_until: number | null;
  started_at: number | null;
  ended_at: number | null;
  value: string | null;
  counts: string | null;
  answer: string | null;
  outputs: string | null;
  result_bytes: number | null;
  result: string | null;
}

/** In the order of `toValues`. */
export const STEP_COLUMNS = [
  'run_id',
  'name',
  'item',
  'state',
  'reason',
  'message',
  'fix',
  'job_id',
  'sub_run_id',
  'cached_from',
  'wait_until',
  'started_at',
  'ended_at',
  'value',
  'counts',
  'answer',
  'outputs',
  'result_bytes',
  'result',
] as const satisfies readonly (keyof StepRow)[];

export function toValues(step: StepRecord): (string | number | null)[] {
  return [
    step.runId,
    step.name,
    step.index ?? OWN,
    step.state,
    step.reason ?? null,
    step.message ?? null,
    step.fix ?? null,
    step.jobId ?? null,
    step.subRunId ?? null,
    step.cachedFrom ?? null,
    step.waitUntil ?? null,
    step.startedAt ?? null,
    step.endedAt ?? null,
    toJson(step.item),
    toJson(step.counts),
    toJson(step.answer),
    toJson(step.outputs),
    step.resultBytes ?? null,
    step.result ?? null,
  ];
}

export function toStep(row: StepRow): StepRecord {
  const isItem = row.item !== OWN;
  return {
    runId: row.run_id,
    id: isItem ? `${row.name}[${row.item}]` : row.name,
    name: row.name,
    ...(isItem && { index: row.item }),
    ...(row.value !== null && { item: JSON.parse(row.value) }),
    state: row.state,
    ...(row.reason !== null && { reason: row.reason }),
    ...(row.message !== null && { message: row.message }),
    ...(row.fix !== null && { fix: row.fix }),
    ...(row.job_id !== null && { jobId: row.job_id }),
    ...(row.sub_run_id !== null && { subRunId: row.sub_run_id }),
    ...(row.result !== null && { result: row.result }),
    ...(row.result_bytes !== null && { resultBytes: row.result_bytes }),
    ...(row.outputs !== null && { outputs: JSON.parse(row.outputs) }),
    ...(row.cached_from !== null && { cachedFrom: row.cached_from }),
    ...(row.counts !== null && { counts: JSON.parse(row.counts) }),
    ...(row.wait_until !== null && { waitUntil: row.wait_until }),
    ...(row.answer !== null && { answer: JSON.parse(row.answer) }),
    ...(row.started_at !== null && { startedAt: row.started_at }),
    ...(row.ended_at !== null && { endedAt: row.ended_at }),
  };
}

/** `null` is a value, too: an item of a list may be nothing. */
function toJson(value: unknown): string | null {
  return value === undefined ? null : JSON.stringify(value);
}
