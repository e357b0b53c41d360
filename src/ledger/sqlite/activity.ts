/**
 * What agents did, by UTC day: numbers that grow with each attempt and each end, in the commit of what they count. Money
 * and tokens are those of `spending`. How long attempts took stands in one row for each day, agent and bucket that was
 * met, because rows can be added to like any other sum.
 */
import type { AttemptRecord, FailureReason, JobId } from '../../types/job.ts';
import type { ActivityLedger, AgentActivity, AgentFailure } from '../activity-ledger.ts';
import { latencyBucket } from '../latency.ts';
import type { Database } from './database.ts';

type Counts = Omit<AgentActivity, 'agent' | 'latency'>;

const nothing: Counts = { attempts: 0, unknown: 0, costUsd: 0, tokens: 0, succeeded: 0, failed: 0 };

export function createActivityLedger(db: Database): ActivityLedger {
  return {
    async since(day) {
      db.sums.flush();
      const counts = new Map<string, Counts>();
      const add = ({ agent, ...some }: { readonly agent: string } & Partial<Counts>): void =>
        void counts.set(agent, { ...nothing, ...counts.get(agent), ...some });
      db.all<{ agent: string } & Partial<Counts>>(SPENT, day).forEach(add);
      db.all<{ agent: string } & Partial<Counts>>(ENDED, day).forEach(add);
      const latencies = new Map<string, Map<number, number>>();
      for (const { agent, bucket, n } of db.all<{ agent: string; bucket: number; n: number }>(LATENCY, day)) {
        const histogram = latencies.get(agent) ?? new Map<number, number>();
        latencies.set(agent, histogram.set(bucket, n));
      }
      return [...new Set([...counts.keys(), ...latencies.keys()])].map((agent) => ({
        agent,
        ...(counts.get(agent) ?? nothing),
        latency: latencies.get(agent) ?? new Map(),
      }));
    },

    async failures() {
      const rows = db.all<{
        agent: string;
        at: number;
        job: JobId;
        reason: FailureReason | null;
        message: string;
      }>('select agent, at, job_id job, reason, message from agent_failure');
      return new Map(
        rows.map(({ agent, at, job, reason, message }): [string, AgentFailure] => [
          agent,
          { agent, at, jobId: job, ...(reason !== null && { reason }), message },
        ]),
      );
    },

    async prune(beforeDay) {
      db.sums.flush();
      return (
        db.write('delete from agent_day where day < ?', beforeDay) +
        db.write('delete from agent_latency where day < ?', beforeDay) +
        db.write('delete from agent_failure where at < ?', Date.parse(beforeDay))
      );
    },
  };
}

const SPENT = `select agent, sum(attempts) attempts, sum(unknown) unknown, sum(cost_usd) "costUsd", sum(tokens) tokens
  from spending where day >= ? group by agent`;
const ENDED =
  'select agent, sum(succeeded) succeeded, sum(failed) failed from agent_day where day >= ? group by agent';
const LATENCY =
  'select agent, bucket, sum(attempts) n from agent_latency where day >= ? group by agent, bucket';

const COUNT = `insert into agent_day (day, agent, succeeded, failed) values (?1, ?2, ?3, ?4)
  on conflict do update set succeeded = succeeded + ?3, failed = failed + ?4`;
const TIME = `insert into agent_latency (day, agent, bucket, attempts) values (?1, ?2, ?3, ?4)
  on conflict do update set attempts = attempts + ?4`;
const FAIL = `insert into agent_failure (agent, at, job_id, reason, message) values (?1, ?2, ?3, ?4, ?5)
  on conflict do update set at = ?2, job_id = ?3, reason = ?4, message = ?5 where at <= ?2`;
const FAILURE_CHARS = 2_000;

/** What was ended by us, or never began, says nothing about how long the agent takes. */
const untimed: ReadonlySet<string> = new Set([
  'cancelled',
  'interrupted',
  'reviewed',
  'spawn_failed',
  'unconfinable',
  'unreachable',
]);

/** An attempt has ended. @param isCounted Of a batch only the first counts it. */
export function countAttempt(db: Database, jobId: JobId, attempt: AttemptRecord, isCounted: boolean): void {
  const { agent, outcome, startedAt, endedAt, message, cli } = attempt;
  if (isCounted && !untimed.has(outcome))
    db.sums.add(TIME, [dayOf(endedAt), agent, String(latencyBucket(endedAt - startedAt))], [1]);
  // One that is started again with what it lacked has not failed.
  if (message !== undefined && cli?.next === undefined) fail(db, agent, endedAt, jobId, null, message);
}

/** A job has come to an end by an attempt of this agent, or went on to another because of it. */
export function countEnd(
  db: Database,
  at: number,
  { id, agent }: { readonly id: JobId; readonly agent: string },
  end:
    | { readonly isSuccess: true }
    | { readonly isSuccess: false; readonly reason?: FailureReason; readonly message?: string },
): void {
  db.sums.add(COUNT, [dayOf(at), agent], end.isSuccess ? [1, 0] : [0, 1]);
  if (!end.isSuccess) fail(db, agent, at, id, end.reason ?? null, end.message ?? end.reason ?? 'failed');
}

function fail(
  db: Database,
  agent: string,
  at: number,
  jobId: JobId,
  reason: string | null,
  message: string,
): void {
  db.write(FAIL, agent, at, jobId, reason, message.slice(0, FAILURE_CHARS));
}

function dayOf(at: number): string {
  return new Date(at).toISOString().slice(0, 10);
}
