/**
 * Which job runs next. Hard limits come for free here: one process writes, and the counts are read where the claim is
 * written. The heads of the agents' queues are compared, so cost depends on the number of agents, not of jobs.
 */
import type { JobId } from '../../types/job.ts';
import type { Lease } from '../ledger.ts';
import type { Database } from './database.ts';
import { type JobRow, toRecords } from './job-rows.ts';

/** A job gains one priority for each minute that it waits, so that nothing starves. */
export const AGING_MS = 60_000;

export interface ClaimQuery {
  readonly max: number;
  readonly limits: ReadonlyMap<string, number>;
  readonly worker: string;
  readonly leaseMs: number;
}

export function claimJobs(db: Database, now: number, { max, limits, worker, leaseMs }: ClaimQuery): Lease[] {
  const free = freeSlots(db, limits);
  const leases: Lease[] = [];
  const heads = new Map<string, JobRow>();
  for (const agent of free.keys()) refill(db, heads, agent);
  while (leases.length < max && heads.size > 0) {
    const row = first(heads.values());
    if (mustWait(db, row)) {
      db.write(
        "update job set state = 'waiting', reason = 'single_flight' where id = ? and state = 'queued'",
        row.id,
      );
    } else {
      leases.push(claim(db, row, now, worker, leaseMs));
      const left = (free.get(row.agent) ?? 0) - 1;
      free.set(row.agent, left);
    }
    heads.delete(row.agent);
    if ((free.get(row.agent) ?? 0) > 0) refill(db, heads, row.agent);
  }
  return leases;
}

function freeSlots(db: Database, limits: ReadonlyMap<string, number>): Map<string, number> {
  const running = loadByAgent(db);
  const free = new Map<string, number>();
  for (const [agent, limit] of limits) {
    const left = limit - (running.get(agent) ?? 0);
    if (left > 0) free.set(agent, left);
  }
  return free;
}

export function loadByAgent(db: Database): Map<string, number> {
  const rows = db.all<{ agent: string; n: number }>(
    "select agent, count(*) n from job where state = 'running' group by agent",
  );
  return new Map(rows.map((row) => [row.agent, row.n]));
}

function refill(db: Database, heads: Map<string, JobRow>, agent: string): void {
  const row = db.get<JobRow>(
    "select * from job where state = 'queued' and agent = ? order by rank, seq limit 1",
    agent,
  );
  if (row) heads.set(agent, row);
}

function first(rows: Iterable<JobRow>): JobRow {
  let best: JobRow | undefined;
  for (const row of rows)
    if (!best || row.rank < best.rank || (row.rank === best.rank && row.seq < best.seq)) best = row;
  return best as JobRow;
}

/** Another job of its key may make the attempt needless; another of its path writes to the same place. */
function mustWait(db: Database, row: JobRow): boolean {
  if (row.key !== '' && db.get("select 1 from job where state = 'running' and key = ?", row.key)) return true;
  const samePath = "select 1 from job where ended_at is null and root = ? and path = ? and state = 'running'";
  return db.get(samePath, row.root, row.path) !== undefined;
}

function claim(db: Database, row: JobRow, now: number, worker: string, leaseMs: number): Lease {
  const token = row.fence + 1;
  db.write(
    `update job set state = 'running', reason = null, message = null, fix = null, not_before = null, fence = ?,
       worker = ?, lease_until = ?, started_at = coalesce(started_at, ?) where id = ? and state = 'queued'`,
    token,
    worker,
    now + leaseMs,
    now,
    row.id as JobId,
  );
  return toLease(db, {
    ...row,
    state: 'running',
    reason: null,
    message: null,
    fix: null,
    fence: token,
    started_at: row.started_at ?? now,
  });
}

export function toLease(db: Database, row: JobRow): Lease {
  const [job] = toRecords(db, [row]);
  return {
    job: job as NonNullable<typeof job>,
    force: row.force === 1,
    token: row.fence,
    triesBefore: row.tries,
  };
}
