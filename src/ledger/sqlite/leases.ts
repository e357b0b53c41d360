/**
 * What happens to a job while it runs. Every change here is made by whoever holds the lease: the fence in the `where`
 * is the guard, and nothing is changed without it.
 */
import type { FailureReason, Fallback } from '../../types/job.ts';
import type { Destination, JobLedger, Lease } from '../ledger.ts';
import { countAttempt, countEnd } from './activity.ts';
import { flightOf } from './batches.ts';
import { claimJobs, toLease } from './claims.ts';
import type { Database } from './database.ts';
import { endLeased } from './endings.ts';
import { type JobRow, toAttempts } from './job-rows.ts';
import { countOpen } from './open-jobs.ts';
import { AGING_MS, insertJob } from './queue.ts';
import { letNextGoOn } from './single-flight.ts';
import { spend } from './spending.ts';

type Leases = Pick<
  JobLedger,
  | 'claim'
  | 'heartbeat'
  | 'attempted'
  | 'promoted'
  | 'end'
  | 'retry'
  | 'release'
  | 'hold'
  | 'fallBack'
  | 'moveOn'
  | 'regroup'
  | 'adopt'
  | 'orphaned'
>;

type JobKey = Pick<JobRow, 'key' | 'root' | 'path'>;

const HOLDS = "id = ? and state = 'running' and fence = ?";
const WHOSE_TURN = 'returning key, root, path';
const LET_GO = 'worker = null, lease_until = null, flight = null';
const TOLD = `select seq, attempts, tries, interruptions, flight from job where ${HOLDS}`;

type Told = Pick<JobRow, 'seq' | 'attempts' | 'tries' | 'interruptions' | 'flight'>;

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
      // Read, then written: `returning` costs as much as both.
      const row = db.get<Told>(TOLD, lease.job.id, lease.token);
      if (!row) return false;
      // By its number, so that telling it twice (after a crash in between) counts it once.
      const attempts = row.attempts === '{}' ? {} : JSON.parse(row.attempts);
      const isNew = attempts[attempt.n] === undefined;
      attempts[attempt.n] = attempt;
      db.write(
        'update job set attempts = ?, tries = ?, interruptions = ? where seq = ?',
        JSON.stringify(attempts),
        row.tries + (counts && isNew ? 1 : 0),
        counts ? 0 : row.interruptions,
        row.seq,
      );
      const isFirst = row.flight === null || row.flight === flightOf(row.seq, lease.token);
      if (isNew) {
        spend(db, lease.job.rule, attempt, isFirst);
        countAttempt(db, lease.job.id, attempt, isFirst);
      }
      return true;
    },

    async end(lease, outcome) {
      return endLeased(db, now(), lease, outcome);
    },

    async retry(lease, { reason, message, fix, notBefore, group, isAnew = false }) {
      const row = db.writeReturning<JobKey>(
        `update job set state = 'waiting', reason = ?, message = ?, fix = ?, not_before = ?, batch = coalesce(?, batch),
           tries = iif(?, 0, tries), ${LET_GO} where ${HOLDS} ${WHOSE_TURN}`,
        reason,
        message ?? null,
        fix ?? null,
        notBefore ?? null,
        group ?? null,
        isAnew ? 1 : 0,
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
      if (isHeld) holdInterrupted(db, row);
      letNextGoOn(db, row);
      return isHeld ? 'held' : 'queued';
    },

    async adopt(spec, { token, worker, leaseMs }) {
      const at = now();
      insertJob(db, at, spec);
      const row = db.writeReturning<JobRow>(
        `update job set state = 'running', reason = null, message = null, fix = null, not_before = null,
           fence = ?1, worker = ?2, lease_until = ?3, flight = null, started_at = coalesce(started_at, ?4)
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

    async promoted(lease, files) {
      const { job, token } = lease;
      return db.write(`update job set promoted = ? where ${HOLDS}`, JSON.stringify(files), job.id, token) > 0;
    },

    async hold({ job, token }, { reason, message, fix }) {
      const row = db.writeReturning<JobKey>(
        `update job set state = 'held', reason = ?, message = ?, fix = ?, ${LET_GO} where ${HOLDS} ${WHOSE_TURN}`,
        reason,
        message,
        fix,
        job.id,
        token,
      );
      if (row) letNextGoOn(db, row);
      return row !== undefined;
    },

    async fallBack(lease, to, because) {
      if (!sendTo(db, lease, to, because)) return false;
      countFallback(db, now(), lease, because);
      return true;
    },

    async moveOn(lease, to) {
      return sendTo(db, lease, to);
    },

    async regroup({ job, token }, group) {
      const row = db.writeReturning<JobKey>(
        `update job set state = 'queued', batch = ?, ${LET_GO} where ${HOLDS} ${WHOSE_TURN}`,
        group,
        job.id,
        token,
      );
      if (row) letNextGoOn(db, row);
      return row !== undefined;
    },
  };
}

/** One because of an attempt is a failure of its agent; because of a closed gate nobody has failed. */
function countFallback(db: Database, at: number, { job, token }: Lease, { reason, message }: Fallback): void {
  const row = db.get<Pick<JobRow, 'attempts'>>('select attempts from job where id = ?', job.id);
  if (!toAttempts(row?.attempts ?? '{}').some(({ n }) => n === token)) return;
  countEnd(db, at, job, {
    isSuccess: false,
    reason: reason as FailureReason,
    ...(message !== undefined && { message }),
  });
}

const AGAIN_FROM_THE_START =
  "tries = 0, interruptions = 0, fallbacks = json_insert(fallbacks, '$[#]', json(?8)),";

/** In one step: whoever gave the job back first and moved it then would find it claimed in between. */
function sendTo(
  db: Database,
  { job, token }: Lease,
  { rule, agent, key, priority, lane = agent }: Destination,
  because?: Fallback,
): boolean {
  const changed = db.write(
    `update job set state = 'queued', rule = ?1, batch = case when rule = ?1 then batch end, agent = ?2, lane = ?3,
       key = ?4, rank = rank - round((?5 - priority) * ${AGING_MS}), priority = ?5, ${because ? AGAIN_FROM_THE_START : ''}
       ${LET_GO} where id = ?6 and state = 'running' and fence = ?7`,
    rule,
    agent,
    lane,
    key,
    priority,
    job.id,
    token,
    ...(because ? [JSON.stringify(because)] : []),
  );
  if (changed === 0) return false;
  countOpen(db, job.agent, -1);
  countOpen(db, agent, 1);
  letNextGoOn(db, { key: job.key, root: job.input.root, path: job.input.path });
  return true;
}

function giveBack(db: Database, lease: Lease, interruptions: number): JobRow | undefined {
  return db.writeReturning<JobRow>(
    `update job set state = 'queued', ${LET_GO}, interruptions = interruptions + ?
     where ${HOLDS} returning *`,
    interruptions,
    lease.job.id,
    lease.token,
  );
}

function holdInterrupted(db: Database, { id }: JobRow): void {
  db.write(
    "update job set state = 'held', reason = 'interrupted', message = ?, fix = ? where id = ?",
    'The daemon, or the helper that starts agents, died each time this job ran.',
    `Look at the log for the cause, then run \`sluice jobs release ${id.slice(0, 8)}\`.`,
    id,
  );
}
