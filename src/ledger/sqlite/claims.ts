/**
 * Which job runs next. Hard limits come for free here: one process writes, and the counts are read where the claim is
 * written. The heads of the queues are compared, so cost depends on the number of lanes, not of jobs.
 */
import type { JobLedger, Lease } from '../ledger.ts';
import { flightOf, prefixOf, takeCompanions } from './batches.ts';
import type { Database } from './database.ts';
import { wakeDue } from './due.ts';
import { type JobRow, QUEUED_COLUMNS, queuedRow, toRecord } from './job-rows.ts';
import { roomOf } from './lanes.ts';
import { mustWait, park } from './single-flight.ts';

type ClaimQuery = Parameters<JobLedger['claim']>[0];

interface Holder {
  readonly at: number;
  readonly worker: string;
  readonly leaseUntil: number;
}

const HEAD = `select ${QUEUED_COLUMNS} from job where state = 'queued' and lane = ? order by rank, seq limit 1`;

export function claimJobs(db: Database, at: number, query: ClaimQuery): Lease[] {
  const { max, maxFiles = Number.POSITIVE_INFINITY, batchSizes, worker, leaseMs } = query;
  wakeDue(db, at);
  const room = roomOf(db, at, query);
  const holder = { at, worker, leaseUntil: at + leaseMs };
  const heads = new Map<string, JobRow>();
  for (const lane of room.lanes()) takeHead(db, heads, lane);
  const leases: Lease[] = [];
  let filesLeft = maxFiles;
  while (leases.length < max && filesLeft >= 1 && heads.size > 0) {
    const head = first(heads.values());
    const { lane } = head;
    heads.delete(lane);
    if (!room.has(lane)) continue;
    if (mustWait(db, head)) park(db, head.id);
    else {
      const size = Math.min(sizeOf(head, batchSizes), filesLeft);
      const lease = size > 1 ? claimBatch(db, head, holder, size) : claim(db, head, holder, null);
      leases.push(lease);
      filesLeft -= 1 + lease.companions.length;
      room.taken(lane);
    }
    if (leases.length < max && room.has(lane)) takeHead(db, heads, lane);
  }
  return leases;
}

export function toLease(row: JobRow): Lease {
  return {
    job: toRecord(row),
    companions: [],
    force: row.force === 1,
    token: row.fence,
    triesBefore: row.tries,
  };
}

function takeHead(db: Database, heads: Map<string, JobRow>, lane: string): void {
  const head = db.getValues(HEAD, lane);
  if (head) heads.set(lane, queuedRow(head));
}

function first(heads: Iterable<JobRow>): JobRow {
  let best: JobRow | undefined;
  for (const head of heads)
    if (!best || head.rank < best.rank || (head.rank === best.rank && head.seq < best.seq)) best = head;
  return best as JobRow;
}

/** A group whose rule has no size any more is worked on one by one. */
function sizeOf({ batch }: JobRow, sizes: ReadonlyMap<string, number> | undefined): number {
  return batch === null ? 1 : (sizes?.get(prefixOf(batch)) ?? 1);
}

function claimBatch(db: Database, head: JobRow, holder: Holder, size: number): Lease {
  const flight = flightOf(head.seq, head.fence + 1);
  const lease = claim(db, head, holder, flight);
  const companions: Lease[] = [];
  takeCompanions(db, head, Math.floor(size) - 1, (row) => {
    companions.push(claim(db, row, holder, flight));
  });
  return { ...lease, companions };
}

/** The row as it is now is made from the row as it was: reading it again cost as much as the change, a copy twice that. */
function claim(db: Database, row: JobRow, { at, worker, leaseUntil }: Holder, flight: number | null): Lease {
  const fence = row.fence + 1;
  const started_at = row.started_at ?? at;
  db.write(
    `update job set state = 'running', reason = null, message = null, fix = null, not_before = null,
       fence = ?, worker = ?, lease_until = ?, started_at = ?, flight = ? where seq = ?`,
    fence,
    worker,
    leaseUntil,
    started_at,
    flight,
    row.seq,
  );
  const cleared = { reason: null, message: null, fix: null, not_before: null };
  return toLease(Object.assign(row, cleared, { state: 'running', fence, started_at }));
}
