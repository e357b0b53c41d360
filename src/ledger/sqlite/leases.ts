/**
 * What happens to a job while it runs. Every change here is made by whoever holds the lease: the fence in the `where`
 * is the guard, and nothing is changed without it.
 */
import type { JobLedger, Lease } from '../ledger.ts';
import { claimJobs, toLease } from './claims.ts';
import type { Database } from './database.ts';
import { endLeased } from './endings.ts';
import type { JobRow } from './job-rows.ts';
import { insertJob } from './queue.ts';
import { letNextGoOn } from './single-flight.ts';

type Leases = Pick<
  JobLedger,
  'claim' | 'heartbeat' | 'attempted' | 'end' | 'retry' | 'release' | 'adopt' | 'orphaned'
>;

const HOLDS = "id = ? and state = 'running' and fence = ?";
const PUT_ATTEMPT = 'attempts = json_set(attempts, ?1, json(?2))';
const IF_HELD = "id = ?3 and state = 'running' and fence = ?4";
const ATTEMPTED = `update job set ${PUT_ATTEMPT} where ${IF_HELD}`;
const ATTEMPTED_COUNTED = `update job set ${PUT_ATTEMPT}, interruptions = 0,
  tries = tries + (json_type(attempts, ?1) is null) where ${IF_HELD}`;

export function createLeases(db: Database, now: () => number): Leases {
  return {
    async claim(query) {
      return claimJobs(db, now(), query);
    },

    async heartbeat(worker, leaseMs) {
      db.write(
        "update job set lease_until = ? where state = 'running' and worker = ?",
        now() + leaseMs,
        worker,
      );
    },

    async attempted(lease, attempt, counts) {
      // By its number, so that telling it twice (after a crash in between) counts it once.
      const place = `$."${attempt.n}"`;
      const changed = db.write(
        counts ? ATTEMPTED_COUNTED : ATTEMPTED,
        place,
        JSON.stringify(attempt),
        lease.job.id,
        lease.token,
      );
      return changed > 0;
    },

    async end(lease, outcome) {
      return endLeased(db, now(), lease, outcome);
    },

    async retry(lease, { reason, message, fix, notBefore }) {
      const row = db.writeReturning<JobRow>(
        `update job set state = 'waiting', reason = ?, message = ?, fix = ?, not_before = ?, worker = null,
           lease_until = null where ${HOLDS} returning *`,
        reason,
        message ?? null,
        fix ?? null,
        notBefore,
        lease.job.id,
        lease.token,
      );
      if (row) letNextGoOn(db, row);
      return row !== undefined;
    },

    async release(lease, { interrupted, maxInterruptions }) {
      const row = giveBack(db, lease, interrupted ? 1 : 0);
      if (!row) return 'lost';
      const isHeld = interrupted && row.interruptions >= maxInterruptions;
      if (isHeld) hold(db, row);
      letNextGoOn(db, row);
      return isHeld ? 'held' : 'queued';
    },

    async adopt(spec, { token, worker, leaseMs }) {
      const at = now();
      insertJob(db, at, spec);
      const row = db.writeReturning<JobRow>(
        `update job set state = 'running', reason = null, message = null, fix = null, not_before = null,
           fence = ?1, worker = ?2, lease_until = ?3, started_at = coalesce(started_at, ?4)
         where id = ?5 and ended_at is null and fence <= ?1 returning *`,
        token,
        worker,
        at + leaseMs,
        at,
        spec.id,
      );
      return row && toLease(row);
    },

    async orphaned(worker) {
      return db
        .all<JobRow>("select * from job where state = 'running' and worker is not ?", worker)
        .map(toLease);
    },
  };
}

function giveBack(db: Database, lease: Lease, interruptions: number): JobRow | undefined {
  return db.writeReturning<JobRow>(
    `update job set state = 'queued', worker = null, lease_until = null, interruptions = interruptions + ?
     where ${HOLDS} returning *`,
    interruptions,
    lease.job.id,
    lease.token,
  );
}

function hold(db: Database, { id }: JobRow): void {
  db.write(
    "update job set state = 'held', reason = 'interrupted', message = ?, fix = ? where id = ?",
    'The daemon died each time this job ran.',
    `Look at the log for the cause, then run \`sluice jobs release ${id.slice(0, 8)}\`.`,
    id,
  );
}
