/** The one place where a job reaches a final state: it is counted here, and the next of its key or path goes on. */
import type { JobId, JobRecord } from '../../types/job.ts';
import type { JobEnd, Lease } from '../ledger.ts';
import type { Database } from './database.ts';
import { type JobRow, toAttempts, toRecord } from './job-rows.ts';
import { letNextGoOn } from './single-flight.ts';

const END = `update job set state = ?, reason = ?, message = ?, fix = ?, proof = ?, outputs = ?, usage = ?, cost_usd = ?,
  cached_from = ?, ended_at = ?, not_before = null, worker = null, lease_until = null where id = ? and ended_at is null`;

/** Which jobs may be ended: any that does not run, or any that has not ended. */
const guards = {
  idle: `${END} and state <> 'running' returning *`,
  open: `${END} returning *`,
};
const END_LEASED = `${END} and state = 'running' and fence = ? returning attempts`;

/** @returns undefined, and nothing is changed, when the job has ended, or runs and should be idle. */
export function endJob(
  db: Database,
  at: number,
  id: JobId,
  end: JobEnd,
  guard: 'idle' | 'open',
): JobRecord | undefined {
  const row = db.writeReturning<JobRow>(guards[guard], ...values(end, at), id);
  return row && concluded(db, toRecord(row));
}

/**
 * The record is told from the lease: nothing but its attempts can have changed while it was held, and reading the whole
 * row again cost a third of the ending.
 * @returns undefined, and nothing is changed, when the lease is lost.
 */
export function endLeased(db: Database, at: number, lease: Lease, end: JobEnd): JobRecord | undefined {
  const { job, token } = lease;
  const row = db.writeReturning<{ attempts: string }>(END_LEASED, ...values(end, at), job.id, token);
  if (!row) return undefined;
  const { proof = [], outputs = [], costUsd = null, ...rest } = end;
  const attempts = toAttempts(row.attempts);
  return concluded(db, { ...job, ...rest, proof, outputs, costUsd, attempts, endedAt: at });
}

function values(end: JobEnd, at: number): (string | number | null)[] {
  return [
    end.state,
    end.reason ?? null,
    end.message ?? null,
    end.fix ?? null,
    toJson(end.proof),
    toJson(end.outputs),
    end.usage ? JSON.stringify(end.usage) : null,
    end.costUsd ?? null,
    end.cachedFrom ?? null,
    at,
  ];
}

function toJson(list: readonly unknown[] | undefined): string {
  return list && list.length > 0 ? JSON.stringify(list) : '[]';
}

function concluded(db: Database, job: JobRecord): JobRecord {
  const { root, path } = job.input;
  count(db, job);
  letNextGoOn(db, { key: job.key, root, path });
  return job;
}

function count(db: Database, { input, agent, state, startedAt, endedAt = 0, costUsd }: JobRecord): void {
  db.write(
    `insert into tally (day, root, agent, state, jobs, duration_ms, cost_usd) values (?1, ?2, ?3, ?4, 1, ?5, ?6)
     on conflict do update set jobs = jobs + 1, duration_ms = duration_ms + ?5, cost_usd = cost_usd + ?6`,
    new Date(endedAt).toISOString().slice(0, 10),
    input.root,
    agent,
    state,
    startedAt === undefined ? 0 : Math.max(0, endedAt - startedAt),
    costUsd ?? 0,
  );
}
