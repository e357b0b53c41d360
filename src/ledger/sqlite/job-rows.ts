/** Rows ↔ records of jobs and attempts. */
import type { AttemptRecord, JobRecord, JobStateName } from '../../types/job.ts';
import type { Database } from './database.ts';

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
  reason: JobRecord['reason'] | null;
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
  tries: number;
  interruptions: number;
  usage: string | null;
  cost_usd: number | null;
  outputs: string;
  cached_from: string | null;
}

interface AttemptRow {
  job_id: string;
  n: number;
  agent: string;
  started_at: number;
  ended_at: number;
  outcome: string;
  exit_code: number | null;
  signal: string | null;
  message: string | null;
  sandbox: string;
  limits: string;
  events: number;
}

/** Records of these rows, in their order, with their attempts (one query for all). */
export function toRecords(db: Database, rows: readonly JobRow[]): JobRecord[] {
  const tried = rows.filter((row) => row.fence > 0).map((row) => row.id);
  const attempts = new Map<string, AttemptRecord[]>();
  if (tried.length > 0) {
    const found = db.all<AttemptRow>(
      'select * from attempt where job_id in (select value from json_each(?)) order by job_id, n',
      JSON.stringify(tried),
    );
    for (const row of found) {
      const list = attempts.get(row.job_id);
      if (list) list.push(toAttempt(row));
      else attempts.set(row.job_id, [toAttempt(row)]);
    }
  }
  return rows.map((row) => toRecord(row, attempts.get(row.id) ?? []));
}

function toRecord(row: JobRow, attempts: readonly AttemptRecord[]): JobRecord {
  return {
    id: row.id,
    input: { root: row.root, path: row.path, sha256: row.sha256, bytes: row.bytes, stamp: row.stamp },
    rule: row.rule,
    agent: row.agent,
    key: row.key,
    state: row.state,
    ...(row.reason !== null && row.reason !== undefined && { reason: row.reason }),
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
    attempts,
    ...(row.usage !== null && { usage: JSON.parse(row.usage) }),
    costUsd: row.cost_usd,
    outputs: row.outputs === '[]' ? [] : JSON.parse(row.outputs),
    ...(row.cached_from !== null && { cachedFrom: row.cached_from }),
  };
}

function toAttempt(row: AttemptRow): AttemptRecord {
  return {
    n: row.n,
    agent: row.agent,
    startedAt: row.started_at,
    endedAt: row.ended_at,
    outcome: row.outcome,
    ...(row.exit_code !== null && { exitCode: row.exit_code }),
    ...(row.signal !== null && { signal: row.signal }),
    ...(row.message !== null && { message: row.message }),
    sandbox: JSON.parse(row.sandbox),
    limits: JSON.parse(row.limits),
    events: row.events,
  };
}
