/** Rows → records of jobs. What is absent is null in a row and missing in a record. */
import type { AttemptRecord, JobRecord, JobStateName } from '../../types/job.ts';

export interface JobRow {
  seq: number;
  id: string;
  root: string;
  path: string;
  sha256: string;
  bytes: number;
  stamp: string;
  rule: string;
  agent: string;
  key: string;
  force: number;
  state: JobStateName;
  reason: NonNullable<JobRecord['reason']> | null;
  message: string | null;
  fix: string | null;
  proof: string;
  priority: number;
  rank: number;
  depth: number;
  parent: string | null;
  queued_at: number;
  started_at: number | null;
  ended_at: number | null;
  not_before: number | null;
  fence: number;
  worker: string | null;
  tries: number;
  interruptions: number;
  /** `AttemptRecord`s by their number, as JSON. */
  attempts: string;
  usage: string | null;
  cost_usd: number | null;
  outputs: string;
  cached_from: string | null;
  lane: string;
  batch: string | null;
  /** The same on all jobs of a running batch; null on others. */
  flight: number | null;
  fallbacks: string;
  promoted: string;
  /** `StepTask` as JSON. */
  step: string | null;
}

const QUEUED = {
  seq: 0,
  id: '',
  root: '',
  path: '',
  sha256: '',
  bytes: 0,
  stamp: '',
  rule: '',
  agent: '',
  key: '',
  force: 0,
  priority: 0,
  rank: 0,
  depth: 0,
  parent: null,
  queued_at: 0,
  started_at: null,
  fence: 0,
  tries: 0,
  interruptions: 0,
  attempts: '{}',
  lane: '',
  batch: null,
  fallbacks: '[]',
  promoted: '[]',
  step: null,
} as const satisfies Partial<JobRow>;
/** What only a job that waits, runs or has ended has. */
const REST = {
  state: 'queued',
  reason: null,
  message: null,
  fix: null,
  proof: '[]',
  ended_at: null,
  not_before: null,
  worker: null,
  usage: null,
  cost_usd: null,
  outputs: '[]',
  cached_from: null,
  flight: null,
} as const satisfies Omit<JobRow, keyof typeof QUEUED>;
const queuedNames = Object.keys(QUEUED) as (keyof typeof QUEUED)[];

/** The columns of a queued job, for `queuedRow`. */
export const QUEUED_COLUMNS = queuedNames.join(', ');

/** @param values Of `QUEUED_COLUMNS`, of a job that is queued. */
export function queuedRow(values: readonly unknown[]): JobRow {
  const row: Record<string, unknown> = { ...QUEUED, ...REST };
  for (let i = 0; i < queuedNames.length; i++) row[queuedNames[i] as string] = values[i];
  return row as unknown as JobRow;
}

export function toRecord(row: JobRow): JobRecord {
  return {
    id: row.id,
    input: { root: row.root, path: row.path, sha256: row.sha256, bytes: row.bytes, stamp: row.stamp },
    rule: row.rule,
    agent: row.agent,
    key: row.key,
    state: row.state,
    ...(row.reason !== null && { reason: row.reason }),
    ...(row.message !== null && { message: row.message }),
    ...(row.fix !== null && { fix: row.fix }),
    proof: toList(row.proof),
    priority: row.priority,
    lane: row.lane,
    ...(row.batch !== null && { batch: row.batch }),
    fallbacks: toList(row.fallbacks),
    promoted: toList(row.promoted),
    depth: row.depth,
    ...(row.parent !== null && { parent: row.parent }),
    queuedAt: row.queued_at,
    ...(row.started_at !== null && { startedAt: row.started_at }),
    ...(row.ended_at !== null && { endedAt: row.ended_at }),
    ...(row.not_before !== null && { notBefore: row.not_before }),
    attempts: toAttempts(row.attempts),
    ...(row.usage !== null && { usage: JSON.parse(row.usage) }),
    costUsd: row.cost_usd,
    outputs: toList(row.outputs),
    ...(row.cached_from !== null && { cachedFrom: row.cached_from }),
    ...(row.step !== null && { step: JSON.parse(row.step) }),
  };
}

/** JavaScript keeps keys that are whole numbers in their order. */
export function toAttempts(json: string): AttemptRecord[] {
  if (json === '{}') return [];
  return Object.values(JSON.parse(json) as Record<string, AttemptRecord>);
}

export function toList<T>(json: string): T[] {
  return json === '[]' ? [] : JSON.parse(json);
}
