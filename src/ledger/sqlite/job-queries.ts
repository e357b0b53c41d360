/** What can be asked about jobs without changing them. */
import type { JobRecord, JobStateName } from '../../types/job.ts';
import type { JobLedger, JobQuery } from '../ledger.ts';
import { gatheredAt } from './batches.ts';
import type { Database } from './database.ts';
import { nextDueAt } from './due.ts';
import { type JobRow, toRecord } from './job-rows.ts';
import { loadBy } from './lanes.ts';
import { openJobs, openStates } from './open-jobs.ts';
import { rateFreeAt, startedWithin } from './rates.ts';
import { listOfRun } from './run-jobs.ts';
import { readTally } from './tally.ts';
import { waits } from './waits.ts';

type JobQueries = Pick<
  JobLedger,
  | 'nextDueAt'
  | 'get'
  | 'find'
  | 'openOf'
  | 'list'
  | 'counts'
  | 'openAgents'
  | 'load'
  | 'loadByRule'
  | 'openByAgent'
  | 'openStates'
  | 'waits'
  | 'oldestQueuedAt'
  | 'rateFreeAt'
  | 'startedWithin'
  | 'tally'
  | 'unpublished'
>;

/** Written out, because SQLite takes a partial index only where the query says the condition of that index. */
const inState: Readonly<Record<JobStateName, string>> = {
  queued: "state = 'queued'",
  running: "state = 'running'",
  waiting: "state = 'waiting'",
  held: "state = 'held'",
  succeeded: "ended_at is not null and state = 'succeeded'",
  cached: "ended_at is not null and state = 'cached'",
  failed: "ended_at is not null and state = 'failed'",
  cancelled: "ended_at is not null and state = 'cancelled'",
  superseded: "ended_at is not null and state = 'superseded'",
};

export function createJobQueries(db: Database, now: () => number): JobQueries {
  const record = (row: JobRow): JobRecord => toRecord(withStart(db, row));
  return {
    async nextDueAt() {
      return nextDueAt(db);
    },

    async get(id) {
      const row = db.get<JobRow>('select * from job where id = ?', id);
      return row && record(row);
    },

    async find(prefix) {
      const end = `${prefix}\u{10ffff}`;
      return db
        .all<JobRow>('select * from job where id >= ? and id < ? order by id limit 10', prefix, end)
        .map(record);
    },

    async openOf(root, path) {
      return db
        .all<JobRow>(
          'select * from job where ended_at is null and root = ? and path = ? order by seq',
          root,
          path,
        )
        .map(record);
    },

    async list({ run, ...query }) {
      if (run !== undefined) return (await listOfRun(db, { ...query, run })).map(record);
      // One query per state, since each state has an index in the order of the list; then the newest of all.
      const rows = query.states
        ? [...new Set(query.states)].flatMap((state) => listRows(db, query, state))
        : listRows(db, query);
      if (query.states && query.states.length > 1) rows.sort((a, b) => b.seq - a.seq);
      return rows.slice(0, query.limit).map(record);
    },

    async counts() {
      const counts = { queued: 0, running: 0, waiting: 0, held: 0 };
      for (const state of Object.keys(counts) as (keyof typeof counts)[])
        counts[state] = db.get<{ n: number }>(`select count(*) n from job where state = '${state}'`)?.n ?? 0;
      return counts;
    },

    async openAgents() {
      return [...openJobs(db).keys()];
    },

    async load() {
      return loadBy(db, 'agent');
    },

    async loadByRule() {
      return loadBy(db, 'rule');
    },

    async openByAgent() {
      return openJobs(db);
    },

    async openStates() {
      return openStates(db);
    },

    async waits() {
      return waits(db);
    },

    async oldestQueuedAt() {
      const row = db.get<{ at: number | null }>("select min(queued_at) at from job where state = 'queued'");
      return row?.at ?? undefined;
    },

    async rateFreeAt(agent, rate) {
      return rateFreeAt(db, now(), agent, rate);
    },

    async startedWithin(agent, perMs) {
      return startedWithin(db, now(), agent, perMs);
    },

    async tally() {
      return readTally(db);
    },

    async unpublished(limit) {
      return db
        .all<JobRow>(
          'select * from job where published = 0 and ended_at is not null order by seq limit ?',
          limit,
        )
        .map(record);
    },
  };
}

/** A job that gathers for a batch waits until its group starts. */
function withStart(db: Database, row: JobRow): JobRow {
  if (row.state !== 'waiting' || row.reason !== 'batch' || row.not_before !== null || row.batch === null)
    return row;
  return { ...row, not_before: gatheredAt(db, row.batch) ?? null };
}

function listRows(
  db: Database,
  { reason, agent, root, path, endedSince, limit }: JobQuery,
  state?: JobStateName,
): JobRow[] {
  const where: string[] = [];
  const params: (string | number)[] = [];
  if (state !== undefined) where.push(inState[state]);
  const also = (condition: string, value: string | number | undefined): void => {
    if (value === undefined) return;
    where.push(condition);
    params.push(value);
  };
  also('reason = ?', reason);
  also('agent = ?', agent);
  also('root = ?', root);
  also('path = ?', path);
  also('ended_at >= ?', endedSince);
  const condition = where.length > 0 ? `where ${where.join(' and ')}` : '';
  // Few rows, found by an index in another order: `+` keeps SQLite from reading all jobs for the sake of the order.
  const isFew = endedSince !== undefined || state === 'queued' || state === 'running' || state === 'waiting';
  const order = isFew ? '+seq' : 'seq';
  return db.all<JobRow>(`select * from job ${condition} order by ${order} desc limit ?`, ...params, limit);
}
