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
    proof: row.proof === '[]' ? [] : JSON.parse(row.proof),
    priority: row.priority,
    depth: row.depth,
    ...(row.parent !== null && { parent: row.parent }),
    queuedAt: row.queued_at,
    ...(row.started_at !== null && { startedAt: row.started_at }),
    ...(row.ended_at !== null && { endedAt: row.ended_at }),
    ...(row.not_before !== null && { notBefore: row.not_before }),
    attempts: toAttempts(row.attempts),
    ...(row.usage !== null && { usage: JSON.parse(row.usage) }),
    costUsd: row.cost_usd,
    outputs: row.outputs === '[]' ? [] : JSON.parse(row.outputs),
    ...(row.cached_from !== null && { cachedFrom: row.cached_from }),
  };
}

/** JavaScript keeps keys that are whole numbers in their order. */
export function toAttempts(json: string): AttemptRecord[] {
  if (json === '{}') return [];
  return Object.values(JSON.parse(json) as Record<string, AttemptRecord>);
}
