/** The one place where a job reaches a final state: it is counted here, and the next of its key or path goes on. */
import type { JobId, JobRecord } from '../../types/job.ts';
import type { JobEnd } from '../ledger.ts';
import type { Database } from './database.ts';
import { type JobRow, toRecord } from './job-rows.ts';
import { letNextGoOn } from './single-flight.ts';

/** Which jobs may be ended: the one whose lease is held; any that does not run; any that has not ended. */
export type EndGuard = { readonly fence: number } | 'idle' | 'open';

/** @returns undefined, and nothing is changed, when the guard does not hold. */
export function endJob(
  db: Database,
  at: number,
  id: JobId,
  end: JobEnd,
  guard: EndGuard,
): JobRecord | undefined {
  const row = db.writeReturning<JobRow>(
    `update job set state = ?, reason = ?, message = ?, fix = ?, proof = ?, outputs = ?, usage = ?, cost_usd = ?,
       cached_from = ?, ended_at = ?, not_before = null, worker = null, lease_until = null
     where id = ? and ended_at is null and ${condition(guard)} returning *`,
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
    id,
    ...(typeof guard === 'object' ? [guard.fence] : []),
  );
  if (!row) return undefined;
  count(db, row, at);
  letNextGoOn(db, row);
  return toRecord(row);
}

function condition(guard: EndGuard): string {
  if (typeof guard === 'object') return "state = 'running' and fence = ?";
  return guard === 'idle' ? "state <> 'running'" : 'true';
}

function count(db: Database, row: JobRow, at: number): void {
  db.write(
    `insert into tally (day, root, agent, state, jobs, duration_ms, cost_usd) values (?1, ?2, ?3, ?4, 1, ?5, ?6)
     on conflict do update set jobs = jobs + 1, duration_ms = duration_ms + ?5, cost_usd = cost_usd + ?6`,
    new Date(at).toISOString().slice(0, 10),
    row.root,
    row.agent,
    row.state,
    row.started_at === null ? 0 : Math.max(0, at - row.started_at),
    row.cost_usd ?? 0,
  );
}

function toJson(list: readonly unknown[] | undefined): string {
  return list && list.length > 0 ? JSON.stringify(list) : '[]';
}
