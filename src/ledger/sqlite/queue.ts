/** How jobs come into the queue, and what changes them while they are in it and do not run. */
import type { JobId } from '../../types/job.ts';
import type { JobLedger, JobSpec } from '../ledger.ts';
import type { Database } from './database.ts';
import { endJob } from './endings.ts';
import { type JobRow, toRecord } from './job-rows.ts';
import { isAnybodyParked, letNextGoOn, wakeAll, wakeFirsts, wakeKey, wakePath } from './single-flight.ts';

/** A job gains one priority for each minute that it waits, so that nothing starves. */
export const AGING_MS = 60_000;

type Queue = Pick<JobLedger, 'enqueue' | 'record' | 'endIdle' | 'reroute' | 'unhold' | 'wake'>;

export function createQueue(db: Database, now: () => number): Queue {
  return {
    async enqueue(spec) {
      const older = idleOf(db, spec.input.root, spec.input.path);
      const at = now();
      // Repeating an enqueue must not supersede what came after it.
      if (!insertJob(db, at, spec)) return [];
      const message = 'The file changed before its job started.';
      for (const id of older) endJob(db, at, id, { state: 'superseded', message }, 'idle');
      return older;
    },

    async record(spec, end, { queuedAt = now(), endedAt = now() } = {}) {
      insertJob(db, queuedAt, spec);
      const ended = endJob(db, endedAt, spec.id, end, 'open');
      return ended ?? toRecord(db.get<JobRow>('select * from job where id = ?', spec.id) as JobRow);
    },

    async endIdle(id, end) {
      return endJob(db, now(), id, end, 'idle');
    },

    async reroute(id, { rule, agent, key, priority }) {
      const before = db.get<JobRow>('select * from job where id = ?', id);
      const changed = db.write(
        `update job set rule = ?1, agent = ?2, key = ?3, rank = rank - round((?4 - priority) * ${AGING_MS}), priority = ?4,
           state = case when state = 'held' then state else 'queued' end,
           reason = case when state = 'held' then reason end, message = case when state = 'held' then message end,
           fix = case when state = 'held' then fix end, not_before = null
         where id = ?5 and ended_at is null and state <> 'running'`,
        rule,
        agent,
        key,
        priority,
        id,
      );
      if (changed === 0 || !before) return false;
      letNextGoOn(db, before);
      return true;
    },

    async unhold(id) {
      const changed = db.write(
        `update job set state = 'queued', reason = null, message = null, fix = null, interruptions = 0
         where id = ? and state = 'held'`,
        id,
      );
      return changed > 0;
    },

    async wake({ reason, agent, key, root, path }) {
      if (reason !== 'single_flight') return wakeAll(db, reason, agent);
      if (!isAnybodyParked(db)) return 0;
      if (key !== undefined) return wakeKey(db, key);
      if (root !== undefined && path !== undefined) return wakePath(db, root, path);
      return wakeFirsts(db);
    },
  };
}

/** @returns false when the job is there already. */
export function insertJob(db: Database, at: number, spec: JobSpec): boolean {
  const { id, input, rule, agent, key, priority, depth, parent, force } = spec;
  const changed = db.write(
    `insert into job (id, root, path, sha256, bytes, stamp, rule, agent, key, force, state, priority, rank, depth, parent, queued_at)
     values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 'queued', ?, ?, ?, ?, ?) on conflict (id) do nothing`,
    id,
    input.root,
    input.path,
    input.sha256,
    input.bytes,
    input.stamp,
    rule,
    agent,
    key,
    force ? 1 : 0,
    priority,
    at - Math.round(priority * AGING_MS),
    depth,
    parent ?? null,
    at,
  );
  return changed > 0;
}

function idleOf(db: Database, root: string, path: string): JobId[] {
  return db
    .all<{ id: JobId }>(
      "select id from job where root = ? and path = ? and ended_at is null and state <> 'running'",
      root,
      path,
    )
    .map(({ id }) => id);
}
