/** The one place where a job reaches a final state: it is counted here, and the next of its key or path goes on. */
import type { JobId, JobRecord, PromotedFile } from '../../types/job.ts';
import type { JobEnd, Lease } from '../ledger.ts';
import { countEnd } from './activity.ts';
import type { Database } from './database.ts';
import { type JobRow, toAttempts, toList, toRecord } from './job-rows.ts';
import { countOpen } from './open-jobs.ts';
import { letNextGoOn } from './single-flight.ts';

const END = `update job set state = ?, reason = ?, message = ?, fix = ?, proof = ?, outputs = ?, usage = ?, cost_usd = ?,
  cached_from = ?, ended_at = ?, not_before = null, worker = null, lease_until = null, flight = null`;

const COUNT = `insert into tally (day, root, agent, state, jobs, duration_ms, cost_usd) values (?1, ?2, ?3, ?4, ?5, ?6, ?7)
  on conflict do update set jobs = jobs + ?5, duration_ms = duration_ms + ?6, cost_usd = cost_usd + ?7`;

/** Which jobs may be ended: any that does not run, or any that has not ended. */
const guards = {
  idle: `${END} where id = ? and ended_at is null and state <> 'running' returning *`,
  open: `${END} where id = ? and ended_at is null returning *`,
};
const END_LEASED = `${END} where seq = ?`;
const LEASED = "select seq, attempts, promoted from job where id = ? and state = 'running' and fence = ?";

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
 * The record is told from the lease: nothing but its attempts and what it promoted can have changed while it was held,
 * and reading the whole row again cost a third of the ending.
 * @returns undefined, and nothing is changed, when the lease is lost.
 */
export function endLeased(db: Database, at: number, lease: Lease, end: JobEnd): JobRecord | undefined {
  const { job, token } = lease;
  // Read, then written: `returning` costs more than both.
  const row = db.get<Pick<JobRow, 'seq' | 'attempts' | 'promoted'>>(LEASED, job.id, token);
  if (!row) return undefined;
  db.write(END_LEASED, ...values(end, at), row.seq);
  const { proof = [], outputs = [], costUsd = null, ...rest } = end;
  const attempts = toAttempts(row.attempts);
  const promoted = toList<PromotedFile>(row.promoted);
  if (attempts.some(({ n }) => n === token)) countEndOf(db, at, job, end);
  return concluded(db, { ...job, ...rest, proof, outputs, costUsd, attempts, promoted, endedAt: at });
}

/** What was cancelled or overtaken says nothing about the agent. */
function countEndOf(db: Database, at: number, job: JobRecord, { state, reason, message }: JobEnd): void {
  if (state === 'succeeded') countEnd(db, at, job, { isSuccess: true });
  else if (state === 'failed')
    countEnd(db, at, job, {
      isSuccess: false,
      ...(reason !== undefined && { reason }),
      ...(message !== undefined && { message }),
    });
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
  countOpen(db, job.agent, -1);
  letNextGoOn(db, { key: job.key, root, path });
  return job;
}

function count(db: Database, { input, agent, state, startedAt, endedAt = 0, costUsd }: JobRecord): void {
  const durationMs = startedAt === undefined ? 0 : Math.max(0, endedAt - startedAt);
  const day = new Date(endedAt).toISOString().slice(0, 10);
  db.sums.add(COUNT, [day, input.root, agent, state], [1, durationMs, costUsd ?? 0]);
}
