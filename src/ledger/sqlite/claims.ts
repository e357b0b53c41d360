/**
 * Which job runs next. Hard limits come for free here: one process writes, and the counts are read where the claim is
 * written. The heads of the agents' queues are compared, so cost depends on the number of agents, not of jobs.
 */
import type { JobLedger, Lease } from '../ledger.ts';
import type { Database } from './database.ts';
import { type JobRow, toRecord } from './job-rows.ts';
import { mustWait, park } from './single-flight.ts';

type ClaimQuery = Parameters<JobLedger['claim']>[0];

export function claimJobs(db: Database, at: number, { max, limits, worker, leaseMs }: ClaimQuery): Lease[] {
  wakeDue(db, at);
  const free = freeSlots(db, limits);
  const heads = new Map<string, JobRow>();
  for (const agent of free.keys()) takeHead(db, heads, agent);
  const leases: Lease[] = [];
  while (leases.length < max && heads.size > 0) {
    const head = first(heads.values());
    const { agent } = head;
    if (mustWait(db, head)) park(db, head.id);
    else {
      leases.push(claim(db, head, at, worker, at + leaseMs));
      free.set(agent, (free.get(agent) ?? 0) - 1);
    }
    heads.delete(agent);
    if (leases.length < max && (free.get(agent) ?? 0) > 0) takeHead(db, heads, agent);
  }
  return leases;
}

export function nextDueAt(db: Database): number | undefined {
  const row = db.get<{ at: number }>(
    "select not_before at from job where state = 'waiting' and reason = 'backoff' order by not_before limit 1",
  );
  return row?.at;
}

export function loadByAgent(db: Database): Map<string, number> {
  const rows = db.all<{ agent: string; n: number }>(
    "select agent, count(*) n from job where state = 'running' group by agent",
  );
  return new Map(rows.map(({ agent, n }) => [agent, n]));
}

export function toLease(row: JobRow): Lease {
  return { job: toRecord(row), force: row.force === 1, token: row.fence, triesBefore: row.tries };
}

/** Back-offs that are over. Asked first, because a write begins a transaction even when it changes nothing. */
function wakeDue(db: Database, at: number): void {
  const dueAt = nextDueAt(db);
  if (dueAt === undefined || dueAt > at) return;
  db.write(
    `update job set state = 'queued', reason = null, message = null, fix = null, not_before = null
     where state = 'waiting' and reason = 'backoff' and not_before <= ?`,
    at,
  );
}

function freeSlots(db: Database, limits: ReadonlyMap<string, number>): Map<string, number> {
  const isLimited = [...limits.values()].some(Number.isFinite);
  const running: ReadonlyMap<string, number> = isLimited ? loadByAgent(db) : new Map();
  const free = new Map<string, number>();
  for (const [agent, limit] of limits) {
    const left = limit - (running.get(agent) ?? 0);
    if (left > 0) free.set(agent, left);
  }
  return free;
}

function takeHead(db: Database, heads: Map<string, JobRow>, agent: string): void {
  const head = db.get<JobRow>(
    "select * from job where state = 'queued' and agent = ? order by rank, seq limit 1",
    agent,
  );
  if (head) heads.set(agent, head);
}

function first(heads: Iterable<JobRow>): JobRow {
  let best: JobRow | undefined;
  for (const head of heads)
    if (!best || head.rank < best.rank || (head.rank === best.rank && head.seq < best.seq)) best = head;
  return best as JobRow;
}

/** The row as it is now is told from the row as it was: reading it again cost as much as the change. */
function claim(db: Database, row: JobRow, at: number, worker: string, leaseUntil: number): Lease {
  const fence = row.fence + 1;
  const started_at = row.started_at ?? at;
  db.write(
    `update job set state = 'running', reason = null, message = null, fix = null, not_before = null,
       fence = ?, worker = ?, lease_until = ?, started_at = ? where seq = ?`,
    fence,
    worker,
    leaseUntil,
    started_at,
    row.seq,
  );
  const cleared = { reason: null, message: null, fix: null, not_before: null };
  return toLease({ ...row, ...cleared, state: 'running', fence, started_at });
}
