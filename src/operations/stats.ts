/** `sluice stats`: the minutes that the ledger keeps, in so many points, with totals and the agents' part in them. */
import type { MetricName } from '../engine/metrics.ts';
import type { Ledger } from '../ledger/ledger.ts';
import type { JobRecord } from '../types/job.ts';

export interface StatsReport {
  /** RFC 3339. */
  readonly since: string;
  readonly until: string;
  /** Length of one point. */
  readonly point_ms: number;
  readonly points: readonly StatsPoint[];
  readonly totals: {
    readonly succeeded: number;
    readonly cached: number;
    readonly failed: number;
    readonly cancelled: number;
    readonly superseded: number;
    readonly cost_usd: number;
    readonly tokens: number;
  };
  readonly queue: Readonly<Record<'queued' | 'running' | 'waiting' | 'held', number>>;
  readonly agents: readonly AgentStats[];
  /** Jobs that `agents` is made from: the newest. */
  readonly jobs_looked_at: number;
}

/** Null: no daemon ran, or there is nothing to divide by. */
export interface StatsPoint {
  readonly at: string;
  readonly files_per_minute: number | null;
  readonly error_rate: number | null;
  readonly queued: number | null;
  readonly oldest_ms: number | null;
  /** Of one core, of the daemon itself. */
  readonly cpu_percent: number | null;
  readonly rss_bytes: number | null;
  readonly state_bytes: number | null;
  readonly cost_usd: number | null;
}

export interface AgentStats {
  readonly agent: string;
  readonly jobs: number;
  readonly succeeded: number;
  readonly failed: number;
  readonly cached: number;
  /** Of those that ran. */
  readonly success_rate: number | null;
  readonly p50_ms: number | null;
  readonly p95_ms: number | null;
  readonly cost_usd: number;
}

export interface StatsQuery {
  /** Epoch milliseconds. */
  readonly since: number;
  /** How many points at most. Default 60. */
  readonly points?: number;
}

type Row = Awaited<ReturnType<Ledger['metrics']['list']>>[number];

const MINUTE_MS = 60_000;
/** Looked at one by one: 2,000 take a tenth of a second, in which the daemon does nothing else. */
const MAX_JOBS = 2_000;
const ran = ['succeeded', 'failed'] as const;
const endings = ['succeeded', 'cached', 'failed', 'cancelled', 'superseded'] as const;

export async function stats(
  ledger: Pick<Ledger, 'metrics'> & { readonly jobs: Pick<Ledger['jobs'], 'list' | 'counts'> },
  { since, points = 60 }: StatsQuery,
  now: number,
): Promise<StatsReport> {
  const rows = await ledger.metrics.list(minuteOf(since), now + MINUTE_MS);
  const jobs = await ledger.jobs.list({ states: endings, endedSince: since, limit: MAX_JOBS });
  const pointMs = Math.max(MINUTE_MS, Math.ceil((now - since) / points / MINUTE_MS) * MINUTE_MS);
  return {
    since: new Date(since).toISOString(),
    until: new Date(now).toISOString(),
    point_ms: pointMs,
    points: toPoints(rows, since, now, pointMs),
    totals: totalsOf(rows, jobs, minuteOf(now)),
    queue: await ledger.jobs.counts(),
    agents: byAgent(jobs),
    jobs_looked_at: jobs.length,
  };
}

/** A project in which nothing has run yet. */
export function emptyStats({ since }: StatsQuery, now: number): StatsReport {
  return {
    since: new Date(since).toISOString(),
    until: new Date(now).toISOString(),
    point_ms: MINUTE_MS,
    points: [],
    totals: totalsOf([], [], now),
    queue: { queued: 0, running: 0, waiting: 0, held: 0 },
    agents: [],
    jobs_looked_at: 0,
  };
}

/** The last point ends with the minute that is under way. */
function toPoints(rows: readonly Row[], since: number, now: number, pointMs: number): StatsPoint[] {
  const end = minuteOf(now) + MINUTE_MS;
  const count = Math.max(1, Math.ceil((end - since) / pointMs));
  const start = end - count * pointMs;
  const groups: Row[][] = Array.from({ length: count }, () => []);
  for (const row of rows) groups[Math.floor((row.minute - start) / pointMs)]?.push(row);
  return groups.map((group, at) => toPoint(group, start + at * pointMs));
}

function toPoint(rows: readonly Row[], at: number): StatsPoint {
  const minutes = rows.length;
  const total = (name: MetricName): number => sum(rows.map(({ values }) => values[name] ?? 0));
  const highest = (name: MetricName): number => Math.max(...rows.map(({ values }) => values[name] ?? 0));
  const done = total('succeeded') + total('cached') + total('failed');
  const had = (value: number): number | null => (minutes === 0 ? null : value);
  return {
    at: new Date(at).toISOString(),
    files_per_minute: had(done / minutes),
    error_rate: done === 0 ? null : total('failed') / done,
    queued: had(highest('queued')),
    oldest_ms: had(highest('oldest_ms')),
    cpu_percent: had((total('cpu_ms') / (minutes * MINUTE_MS)) * 100),
    rss_bytes: had(highest('rss_bytes')),
    state_bytes: had(highest('state_bytes')),
    cost_usd: had(total('cost_usd')),
  };
}

/** Whole minutes from their rows; what ended since, from the jobs themselves. */
function totalsOf(rows: readonly Row[], jobs: readonly JobRecord[], minute: number): StatsReport['totals'] {
  const whole = rows.filter((row) => row.minute < minute);
  const latest = jobs.filter(({ endedAt = 0 }) => endedAt >= minute);
  const total = (name: MetricName): number => sum(whole.map(({ values }) => values[name] ?? 0));
  const ended = (state: string): number => latest.filter((job) => job.state === state).length;
  const paid = latest.filter(({ state }) => state !== 'cached');
  const states = Object.fromEntries(endings.map((state) => [state, total(state) + ended(state)]));
  return {
    ...(states as Record<(typeof endings)[number], number>),
    cost_usd: total('cost_usd') + sum(paid.map(({ costUsd }) => costUsd ?? 0)),
    tokens: total('tokens') + sum(paid.flatMap(({ usage }) => (usage ? Object.values(usage) : []))),
  };
}

function byAgent(jobs: readonly JobRecord[]): AgentStats[] {
  const groups = Map.groupBy(
    jobs.filter(({ state }) => state === 'cached' || ran.some((name) => name === state)),
    ({ agent }) => agent,
  );
  return [...groups]
    .map(([agent, own]) => {
      const count = (state: string): number => own.filter((job) => job.state === state).length;
      const [succeeded, failed] = [count('succeeded'), count('failed')];
      const times = own
        .flatMap(({ state, startedAt, endedAt }) =>
          state === 'cached' || startedAt === undefined || endedAt === undefined ? [] : [endedAt - startedAt],
        )
        .toSorted((a, b) => a - b);
      return {
        agent,
        jobs: own.length,
        succeeded,
        failed,
        cached: count('cached'),
        success_rate: succeeded + failed === 0 ? null : succeeded / (succeeded + failed),
        p50_ms: percentile(times, 0.5),
        p95_ms: percentile(times, 0.95),
        cost_usd: sum(own.map(({ state, costUsd }) => (state === 'cached' ? 0 : (costUsd ?? 0)))),
      };
    })
    .toSorted((a, b) => b.jobs - a.jobs || a.agent.localeCompare(b.agent));
}

/** Nearest rank. */
function percentile(sorted: readonly number[], share: number): number | null {
  return sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] ?? null;
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, n) => total + n, 0);
}

function minuteOf(at: number): number {
  return Math.floor(at / MINUTE_MS) * MINUTE_MS;
}
