/** How jobs come into the queue, and what changes them while they are in it and do not run. */
import type { JobId } from '../../types/job.ts';
import type { JobLedger, JobSpec } from '../ledger.ts';
import { gather } from './batches.ts';
import type { Database } from './database.ts';
import { endJob } from './endings.ts';
import { type JobRow, toRecord } from './job-rows.ts';
import { parkQueued, relane } from './moves.ts';
import { countOpen } from './open-jobs.ts';
import { isAnybodyParked, letNextGoOn, wakeAll, wakeFirsts, wakeKey, wakePath } from './single-flight.ts';

/** A job gains one priority for each minute that it waits, so that nothing starves. */
export const AGING_MS = 60_000;

type Queue = Pick<
  JobLedger,
  'enqueue' | 'record' | 'endIdle' | 'reroute' | 'relane' | 'unhold' | 'park' | 'wake'
>;

export function createQueue(db: Database, now: () => number): Queue {
  return {
    async enqueue(spec) {
      const older = idleOf(db, spec.input.root, spec.input.path);
      const at = now();
      // Repeating an enqueue must not supersede what came after it.
      if (!insertJob(db, at, spec)) return [];
      const message = spec.step
        ? 'The step was started anew before its job began.'
        : 'A newer job of its file took its place.';
      for (const id of older) endJob(db, at, id, { state: 'superseded', message }, 'idle');
      if (spec.batch && !spec.hold) gather(db, spec.batch);
      return older;
    },

    async record(spec, end, { queuedAt = now(), endedAt = now() } = {}) {
      insertJob(db, queuedAt, spec);
      if (end.fallbacks || end.promoted)
        db.write(
          'update job set fallbacks = ?, promoted = ? where id = ? and ended_at is null',
          JSON.stringify(end.fallbacks ?? []),
          JSON.stringify(end.promoted ?? []),
          spec.id,
        );
      const ended = endJob(db, endedAt, spec.id, end, 'open');
      return ended ?? toRecord(db.get<JobRow>('select * from job where id = ?', spec.id) as JobRow);
    },

    async endIdle(id, end) {
      return endJob(db, now(), id, end, 'idle');
    },

    async reroute(id, { rule, agent, key, priority, lane = agent }) {
      const before = db.get<JobRow>('select * from job where id = ?', id);
      const changed = db.write(
        `update job set rule = ?1, batch = case when rule = ?1 then batch end, agent = ?2, lane = ?6, key = ?3, rank = rank - round((?4 - priority) * ${AGING_MS}), priority = ?4,
           state = case when state = 'held' then state else 'queued' end,
           reason = case when state = 'held' then reason end, message = case when state = 'held' then message end,
           fix = case when state = 'held' then fix end, not_before = null
         where id = ?5 and ended_at is null and state <> 'running'`,
        rule,
        agent,
        key,
        priority,
        id,
        lane,
      );
      if (changed === 0 || !before) return false;
      countOpen(db, before.agent, -1);
      countOpen(db, agent, 1);
      letNextGoOn(db, before);
      return true;
    },

    async unhold(id, group) {
      const changed = db.write(
        `update job set state = 'queued', reason = null, message = null, fix = null, tries = 0, interruptions = 0,
           batch = coalesce(?, batch)
         where id = ? and state = 'held'`,
        group ?? null,
        id,
      );
      return changed > 0;
    },

    async relane(laneOf) {
      return relane(db, laneOf);
    },

    async park(which, o) {
      return parkQueued(db, which, o);
    },

    async wake({ reason, agent, rule, key, root, path }) {
      if (reason !== 'single_flight') return wakeAll(db, reason, agent, rule);
      if (!isAnybodyParked(db)) return 0;
      if (key !== undefined) return wakeKey(db, key);
      if (root !== undefined && path !== undefined) return wakePath(db, root, path);
      return wakeFirsts(db);
    },
  };
}

/** @returns false when the job is there already. */
export function insertJob(db: Database, at: number, spec: JobSpec): boolean {
  const {
    id,
    input,
    rule,
    agent,
    key,
    priority,
    depth,
    parent,
    force,
    lane = agent,
    batch,
    hold,
    step,
  } = spec;
  const changed = db.write(
    `insert into job (id, root, path, sha256, bytes, stamp, rule, agent, key, force, state,
       reason, message, fix, priority, rank, depth, parent, queued_at, lane, batch, step, run_id)
     values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) on conflict (id) do nothing`,
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
    hold ? 'held' : batch ? 'waiting' : 'queued',
    hold ? hold.reason : batch ? 'batch' : null,
    hold?.message ?? null,
    hold?.fix ?? null,
    priority,
    at - Math.round(priority * AGING_MS),
    depth,
    parent ?? null,
    at,
    lane,
    batch?.group ?? null,
    step ? JSON.stringify(step) : null,
    step?.runId ?? null,
  );
  if (changed > 0) countOpen(db, agent, 1);
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
