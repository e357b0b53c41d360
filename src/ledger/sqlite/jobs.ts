/** The queue and the record of jobs. Each function here is one change of state with its guard in the `where`. */
import type { JobId, JobRecord } from '../../types/job.ts';
import type { JobEnd, JobLedger, JobSpec, Lease } from '../ledger.ts';
import { AGING_MS, claimJobs, loadByAgent, toLease } from './claims.ts';
import type { Database } from './database.ts';
import { type JobRow, toRecords } from './job-rows.ts';

export function createJobLedger(db: Database, now: () => number): JobLedger {
  const one = (id: JobId): JobRecord | undefined =>
    toRecords(db, rowsOf('select * from job where id = ?', id))[0];
  const rowsOf = (sql: string, ...params: (string | number)[]): JobRow[] => db.all<JobRow>(sql, ...params);

  /** Writes a final state where `guard` holds, and counts it. */
  const end = (
    id: JobId,
    end: JobEnd,
    guard: string,
    ...params: (string | number)[]
  ): JobRecord | undefined => {
    const at = now();
    const changed = db.write(
      `update job set state = ?, reason = ?, message = ?, fix = ?, proof = ?, outputs = ?, usage = ?, cost_usd = ?,
         cached_from = ?, ended_at = ?, not_before = null, worker = null, lease_until = null where id = ? and ${guard}`,
      end.state,
      end.reason ?? null,
      end.message ?? null,
      end.fix ?? null,
      JSON.stringify(end.proof ?? []),
      JSON.stringify(end.outputs ?? []),
      end.usage ? JSON.stringify(end.usage) : null,
      end.costUsd ?? null,
      end.cachedFrom ?? null,
      at,
      id,
      ...params,
    );
    if (changed === 0) return undefined;
    const job = one(id) as JobRecord;
    db.write(
      `insert into tally (day, root, agent, state, jobs, duration_ms, cost_usd) values (?1, ?2, ?3, ?4, 1, ?5, ?6)
       on conflict do update set jobs = jobs + 1, duration_ms = duration_ms + ?5, cost_usd = cost_usd + ?6`,
      new Date(at).toISOString().slice(0, 10),
      job.input.root,
      job.agent,
      job.state,
      job.startedAt === undefined ? 0 : at - job.startedAt,
      job.costUsd ?? 0,
    );
    return job;
  };

  const insert = (spec: JobSpec): boolean => {
    const at = now();
    return (
      db.write(
        `insert into job (id, root, path, sha256, bytes, stamp, rule, agent, key, force, state, priority, rank, depth, parent, queued_at)
         values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 'queued', ?, ?, ?, ?, ?) on conflict (id) do nothing`,
        spec.id,
        spec.input.root,
        spec.input.path,
        spec.input.sha256,
        spec.input.bytes,
        spec.input.stamp,
        spec.rule,
        spec.agent,
        spec.key,
        spec.force ? 1 : 0,
        spec.priority,
        rankOf(at, spec.priority),
        spec.depth,
        spec.parent ?? null,
        at,
      ) > 0
    );
  };

  const idleOf = (root: string, path: string): JobId[] =>
    db
      .all<{ id: JobId }>(
        "select id from job where ended_at is null and root = ? and path = ? and state <> 'running'",
        root,
        path,
      )
      .map((row) => row.id);

  return {
    async enqueue(spec) {
      const older = idleOf(spec.input.root, spec.input.path).filter((id) => id !== spec.id);
      insert(spec);
      const message = 'The file changed before its job started.';
      for (const id of older)
        end(id, { state: 'superseded', message }, "ended_at is null and state <> 'running'");
      return older;
    },

    async record(spec, outcome) {
      insert(spec);
      return end(spec.id, outcome, 'ended_at is null') ?? (one(spec.id) as JobRecord);
    },

    async claim(query) {
      const at = now();
      db.write(
        "update job set state = 'queued', reason = null where state = 'waiting' and reason = 'backoff' and not_before <= ?",
        at,
      );
      return claimJobs(db, at, query);
    },

    async nextDueAt() {
      const row = db.get<{ at: number | null }>(
        "select min(not_before) at from job where state = 'waiting' and reason = 'backoff'",
      );
      return row?.at ?? undefined;
    },

    async heartbeat(worker, leaseMs) {
      db.write(
        "update job set lease_until = ? where state = 'running' and worker = ?",
        now() + leaseMs,
        worker,
      );
    },

    async attempted(lease, attempt, counts) {
      if (!holds(db, lease)) return false;
      db.write(
        'insert or replace into attempt values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)',
        lease.job.id,
        attempt.n,
        attempt.agent,
        attempt.startedAt,
        attempt.endedAt,
        attempt.outcome,
        attempt.exitCode ?? null,
        attempt.signal ?? null,
        attempt.message ?? null,
        JSON.stringify(attempt.sandbox),
        JSON.stringify(attempt.limits),
        attempt.events,
      );
      if (counts) db.write('update job set tries = tries + 1, interruptions = 0 where id = ?', lease.job.id);
      return true;
    },

    async end(lease, outcome) {
      return end(lease.job.id, outcome, "state = 'running' and fence = ?", lease.token);
    },

    async retry(lease, { reason, message, fix, notBefore }) {
      const changed = db.write(
        `update job set state = 'waiting', reason = ?, message = ?, fix = ?, not_before = ?, worker = null, lease_until = null
         where id = ? and state = 'running' and fence = ?`,
        reason,
        message ?? null,
        fix ?? null,
        notBefore,
        lease.job.id,
        lease.token,
      );
      return changed > 0;
    },

    async release(lease, { interrupted, maxInterruptions }) {
      const changed = db.write(
        `update job set worker = null, lease_until = null, interruptions = interruptions + ?1,
           state = case when interruptions + ?1 >= ?2 then 'held' else 'queued' end,
           reason = case when interruptions + ?1 >= ?2 then 'interrupted' end,
           message = case when interruptions + ?1 >= ?2 then 'The daemon died each time this job ran.' end,
           fix = case when interruptions + ?1 >= ?2 then 'Look at the log for the cause, then run \`sluice jobs release ' || substr(id, 1, 8) || '\`.' end
         where id = ?3 and state = 'running' and fence = ?4`,
        interrupted ? 1 : 0,
        maxInterruptions,
        lease.job.id,
        lease.token,
      );
      if (changed === 0) return 'lost';
      return one(lease.job.id)?.state === 'held' ? 'held' : 'queued';
    },

    async endIdle(id, outcome) {
      return end(id, outcome, "ended_at is null and state <> 'running'");
    },

    async reroute(id, { rule, agent, key, priority }) {
      const changed = db.write(
        `update job set rule = ?, agent = ?, key = ?, priority = ?, rank = queued_at - ? * ${AGING_MS},
           state = case when state = 'held' then 'held' else 'queued' end where id = ? and ended_at is null and state <> 'running'`,
        rule,
        agent,
        key,
        priority,
        priority,
        id,
      );
      return changed > 0;
    },

    async unhold(id) {
      return (
        db.write(
          "update job set state = 'queued', reason = null, message = null, fix = null, interruptions = 0 where id = ? and state = 'held'",
          id,
        ) > 0
      );
    },

    async wake({ reason, agent, key, root, path }) {
      const where = ["state = 'waiting'", 'reason = ?'];
      const params: string[] = [reason];
      if (agent !== undefined) where.push('agent = ?'), params.push(agent);
      if (key !== undefined) where.push('key = ?'), params.push(key);
      if (root !== undefined) where.push('root = ?'), params.push(root);
      if (path !== undefined) where.push('path = ?'), params.push(path);
      return db.write(
        `update job set state = 'queued', reason = null, message = null, fix = null, not_before = null where ${where.join(' and ')}`,
        ...params,
      );
    },

    async adopt(spec, { token, worker, leaseMs }) {
      insert(spec);
      const changed = db.write(
        `update job set state = 'running', reason = null, not_before = null, fence = max(fence, ?), worker = ?, lease_until = ?,
           started_at = coalesce(started_at, ?) where id = ? and ended_at is null`,
        token,
        worker,
        now() + leaseMs,
        now(),
        spec.id,
      );
      const [row] = rowsOf('select * from job where id = ?', spec.id);
      return changed > 0 && row ? toLease(db, row) : undefined;
    },

    async orphaned(worker) {
      return rowsOf("select * from job where state = 'running' and worker is not ?", worker).map((row) =>
        toLease(db, row),
      );
    },

    async get(id) {
      return one(id);
    },

    async find(prefix) {
      const end = `${prefix}\u{10ffff}`;
      return toRecords(db, rowsOf('select * from job where id >= ? and id < ? limit 10', prefix, end));
    },

    async openOf(root, path) {
      return toRecords(
        db,
        rowsOf('select * from job where ended_at is null and root = ? and path = ? order by seq', root, path),
      );
    },

    async list({ states, agent, root, path, endedSince, limit }) {
      const where: string[] = [];
      const params: (string | number)[] = [];
      if (states?.length === 1) where.push(`state = '${states[0]}'`);
      else if (states)
        where.push('state in (select value from json_each(?))'), params.push(JSON.stringify(states));
      if (agent !== undefined) where.push('agent = ?'), params.push(agent);
      if (root !== undefined) where.push('root = ?'), params.push(root);
      if (path !== undefined) where.push('path = ?'), params.push(path);
      if (endedSince !== undefined) where.push('ended_at >= ?'), params.push(endedSince);
      const condition = where.length > 0 ? `where ${where.join(' and ')}` : '';
      return toRecords(
        db,
        rowsOf(`select * from job ${condition} order by seq desc limit ?`, ...params, limit),
      );
    },

    async counts() {
      const rows = db.all<{ state: string; n: number }>(
        'select state, count(*) n from job where ended_at is null group by state',
      );
      return {
        queued: 0,
        running: 0,
        waiting: 0,
        held: 0,
        ...Object.fromEntries(rows.map((row) => [row.state, row.n])),
      };
    },

    async openAgents() {
      return db
        .all<{ agent: string }>('select distinct agent from job where ended_at is null')
        .map((row) => row.agent);
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
      return toRecords(
        db,
        rowsOf('select * from job where published = 0 and ended_at is not null order by seq limit ?', limit),
      );
    },

    async published(id) {
      db.write('update job set published = 1 where id = ?', id);
    },

    async prune(before, limit) {
      const ids = db
        .all<{ id: JobId }>(
          `select id from job where ended_at < ? and published = 1
             and seq < (select max(later.seq) from job later where later.root = job.root and later.path = job.path)
             and not exists (select 1 from result where job_id = job.id) limit ?`,
          before,
          limit,
        )
        .map((row) => row.id);
      for (const id of ids) {
        db.write('delete from attempt where job_id = ?', id);
        db.write('delete from job where id = ?', id);
      }
      return ids;
    },
  };
}

function rankOf(queuedAt: number, priority: number): number {
  return queuedAt - Math.round(priority * AGING_MS);
}

function holds(db: Database, lease: Lease): boolean {
  return (
    db.get(
      "select 1 from job where id = ? and state = 'running' and fence = ?",
      lease.job.id,
      lease.token,
    ) !== undefined
  );
}
