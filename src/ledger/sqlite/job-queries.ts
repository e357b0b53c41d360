/** What can be asked about jobs without changing them. */
import type { JobStateName } from '../../types/job.ts';
import type { JobLedger, JobQuery } from '../ledger.ts';
import { loadByAgent, nextDueAt } from './claims.ts';
import type { Database } from './database.ts';
import { type JobRow, toRecord } from './job-rows.ts';

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

export function createJobQueries(db: Database): JobQueries {
  return {
    async nextDueAt() {
      return nextDueAt(db);
    },

    async get(id) {
      const row = db.get<JobRow>('select * from job where id = ?', id);
      return row && toRecord(row);
    },

    async find(prefix) {
      const end = `${prefix}\u{10ffff}`;
      return db
        .all<JobRow>('select * from job where id >= ? and id < ? order by id limit 10', prefix, end)
        .map(toRecord);
    },

    async openOf(root, path) {
      return db
        .all<JobRow>(
          'select * from job where ended_at is null and root = ? and path = ? order by seq',
          root,
          path,
        )
        .map(toRecord);
    },

    async list(query) {
      // One query per state, since each state has an index in the order of the list; then the newest of all.
      const rows = query.states
        ? [...new Set(query.states)].flatMap((state) => listRows(db, query, state))
        : listRows(db, query);
      if (query.states && query.states.length > 1) rows.sort((a, b) => b.seq - a.seq);
      return rows.slice(0, query.limit).map(toRecord);
    },

    async counts() {
      const counts = { queued: 0, running: 0, waiting: 0, held: 0 };
      for (const state of Object.keys(counts) as (keyof typeof counts)[])
        counts[state] = db.get<{ n: number }>(`select count(*) n from job where state = '${state}'`)?.n ?? 0;
      return counts;
    },

    async openAgents() {
      const rows = db.all<{ agent: string }>(
        `select agent from job where state = 'queued' union select agent from job where state = 'running'
         union select agent from job where state = 'waiting' union select agent from job where state = 'held'`,
      );
      return rows.map(({ agent }) => agent);
    },

    async load() {
      return loadByAgent(db);
    },

    async tally() {
      return db.all(
        'select day, root, agent, state, jobs, duration_ms "durationMs", cost_usd "costUsd" from tally order by day, root, agent, state',
      );
    },

    async unpublished(limit) {
      return db
        .all<JobRow>(
          'select * from job where published = 0 and ended_at is not null order by seq limit ?',
          limit,
        )
        .map(toRecord);
    },
  };
}

function listRows(
  db: Database,
  { agent, root, path, endedSince, limit }: JobQuery,
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
