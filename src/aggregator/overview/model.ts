/**
 * What the overview says, as data: `index.json`, and what the page is drawn from. Pure. Totals come from the ledger's
 * tally, which is kept as jobs end, and lists are bounded, so the cost does not grow with the number of results.
 */
import type { TallyRow } from '../../ledger/ledger.ts';
import type { JobRecord, JobStateName } from '../../types/job.ts';
import type { RunRecord, RunState } from '../../types/run.ts';
import { resultPlace } from '../places.ts';
import { leavesFiles } from '../publish.ts';
import { rfc3339 } from '../receipt.ts';
import { reportNames, runPlace } from '../runs/places.ts';
import { folderHref } from './html.ts';

export interface OverviewInput {
  readonly tally: readonly TallyRow[];
  readonly open: Readonly<Record<'queued' | 'running' | 'waiting' | 'held', number>>;
  /** Ended jobs, newest first. */
  readonly latest: readonly JobRecord[];
  readonly failures: readonly JobRecord[];
  readonly held: readonly JobRecord[];
  /** Runs that no other run called, newest first. */
  readonly runs: readonly RunRecord[];
  /** There are more runs than that. */
  readonly moreRuns: boolean;
  /** What runs cost, where it is known. */
  readonly runCosts: ReadonlyMap<string, number | null>;
  /** The output folder. */
  readonly dir: string;
  readonly now: number;
}

export interface OutcomeCounts {
  readonly succeeded: number;
  readonly cached: number;
  readonly failed: number;
  /** Cancelled and superseded. */
  readonly other: number;
}

export interface OverviewModel {
  readonly schema: 1;
  readonly generated_at: string;
  readonly totals: OutcomeCounts & {
    readonly jobs: number;
    readonly duration_ms: number;
    readonly cost_usd: number;
  };
  readonly open: OverviewInput['open'];
  /** UTC days up to today, without a gap. */
  readonly days: readonly (OutcomeCounts & { readonly day: string })[];
  /** How long the latest jobs took; `below_ms` null: everything longer. */
  readonly durations: readonly { readonly below_ms: number | null; readonly jobs: number }[];
  readonly agents: readonly {
    readonly agent: string;
    readonly jobs: number;
    readonly failed: number;
    readonly mean_ms: number;
    readonly cost_usd: number;
  }[];
  readonly latest: readonly OverviewJob[];
  readonly failures: readonly OverviewJob[];
  readonly held: readonly OverviewJob[];
  readonly runs: {
    /** Of the latest so many; `more`: there were others before. */
    readonly counts: Readonly<Partial<Record<RunState, number>>>;
    readonly total: number;
    readonly more: boolean;
    readonly latest: readonly OverviewRun[];
    /** Those that wait for a person. */
    readonly waiting: readonly OverviewRun[];
  };
}

export interface OverviewRun {
  readonly run_id: string;
  readonly workflow: string;
  readonly state: RunState;
  readonly reason?: string;
  readonly message?: string;
  readonly trigger: string;
  readonly warnings: number;
  readonly started_at?: string;
  readonly ended_at?: string;
  readonly duration_ms?: number;
  readonly cost_usd: number | null;
  /** Link to its report; absent: it has not begun. */
  readonly href?: string;
}

export interface OverviewJob {
  readonly job_id: string;
  readonly root: string;
  readonly path: string;
  readonly state: JobStateName;
  readonly reason?: string;
  readonly message?: string;
  readonly fix?: string;
  readonly agent: string;
  readonly rule: string;
  readonly ended_at?: string;
  readonly duration_ms?: number;
  readonly cost_usd: number | null;
  /** Link to its folder, relative to the overview; absent when a newer result stands there, or none. */
  readonly href?: string;
}

const dayMs = 86_400_000;
const shownDays = 30;
const maxAgents = 20;
/** Of these the page shows the first. */
export const shownRuns = 30;
const maxText = 1000;
/** Upper ends in milliseconds: about three steps to a factor of ten, on lengths that people know. */
const durationSteps = [10, 30, 100, 300, 1000, 3000, 10_000, 30_000, 120_000, 600_000, 3_600_000];

export function overviewModel(input: OverviewInput): OverviewModel {
  const newest = new Set<string>();
  const show = (job: JobRecord): OverviewJob => overviewJob(job, input.dir, newest);
  const latest = input.latest.map(show);
  newest.clear();
  // Steps of runs are jobs too; here files are counted.
  const files = input.tally.filter(({ root }) => root !== '');
  return {
    schema: 1,
    generated_at: rfc3339(input.now),
    totals: {
      ...countOutcomes(files),
      jobs: sum(files, 'jobs'),
      duration_ms: Math.round(sum(input.tally, 'durationMs')),
      cost_usd: sum(input.tally, 'costUsd'),
    },
    open: input.open,
    days: toDays(input.tally, input.now),
    durations: toHistogram(
      latest.flatMap(({ state, duration_ms }) =>
        state !== 'cached' && duration_ms !== undefined ? [duration_ms] : [],
      ),
    ),
    agents: toAgents(input.tally),
    latest,
    failures: input.failures.map(show),
    held: input.held.map(show),
    runs: runsOf(input),
  };
}

function runsOf({ runs, moreRuns: more, runCosts }: OverviewInput): OverviewModel['runs'] {
  const counts: Partial<Record<RunState, number>> = {};
  for (const { state } of runs) counts[state] = (counts[state] ?? 0) + 1;
  const show = (run: RunRecord): OverviewRun => overviewRun(run, runCosts.get(run.id) ?? null);
  return {
    counts,
    total: runs.length,
    more,
    latest: runs.slice(0, shownRuns).map(show),
    waiting: runs
      .filter(({ state }) => state === 'waiting')
      .slice(0, shownRuns)
      .map(show),
  };
}

function overviewRun(run: RunRecord, costUsd: number | null): OverviewRun {
  const { startedAt, endedAt } = run;
  return {
    run_id: run.id,
    workflow: run.workflow,
    state: run.state,
    ...(run.reason !== undefined && { reason: run.reason }),
    ...(run.message !== undefined && { message: cut(run.message) }),
    trigger: triggerOf(run),
    warnings: run.warnings.length,
    ...(startedAt !== undefined && { started_at: rfc3339(startedAt) }),
    ...(endedAt !== undefined && { ended_at: rfc3339(endedAt) }),
    ...(startedAt !== undefined &&
      endedAt !== undefined && { duration_ms: Math.max(0, Math.round(endedAt - startedAt)) }),
    cost_usd: costUsd,
    ...(startedAt !== undefined && { href: `${folderHref(runPlace(run))}${reportNames.html}` }),
  };
}

function triggerOf({ trigger }: RunRecord): string {
  switch (trigger.kind) {
    case 'manual':
      return trigger.who;
    case 'schedule':
      return trigger.schedule;
    case 'file':
      return `${trigger.file.root}/${trigger.file.path}`;
    case 'workflow':
      return trigger.runId;
  }
}

function overviewJob(job: JobRecord, dir: string, newest: Set<string>): OverviewJob {
  const place = resultPlace(dir, job.input.root, job.input.path);
  const key = place.join('/');
  const linked = leavesFiles(job) && !newest.has(key);
  if (leavesFiles(job)) newest.add(key);
  const took =
    job.startedAt !== undefined && job.endedAt !== undefined
      ? Math.max(0, Math.round(job.endedAt - job.startedAt))
      : undefined;
  return {
    job_id: job.id,
    root: job.input.root,
    path: job.input.path,
    state: job.state,
    ...(job.reason !== undefined && { reason: job.reason }),
    ...(job.message !== undefined && { message: cut(job.message) }),
    ...(job.fix !== undefined && { fix: cut(job.fix) }),
    agent: job.agent,
    rule: job.rule,
    ...(job.endedAt !== undefined && { ended_at: rfc3339(job.endedAt) }),
    ...(took !== undefined && { duration_ms: took }),
    cost_usd: job.costUsd,
    ...(linked && { href: folderHref(place) }),
  };
}

function toDays(tally: readonly TallyRow[], now: number): OverviewModel['days'] {
  const rows = Map.groupBy(tally, ({ day }) => day);
  return Array.from({ length: shownDays }, (_, i) => {
    const day = rfc3339(now - (shownDays - 1 - i) * dayMs).slice(0, 10);
    return { day, ...countOutcomes(rows.get(day) ?? []) };
  });
}

function toAgents(tally: readonly TallyRow[]): OverviewModel['agents'] {
  return [...Map.groupBy(tally, ({ agent }) => agent)]
    .map(([agent, rows]) => {
      const ran = rows.filter(({ state }) => state === 'succeeded' || state === 'failed');
      const { failed } = countOutcomes(rows);
      const mean = sum(ran, 'durationMs') / Math.max(1, sum(ran, 'jobs'));
      return {
        agent,
        jobs: sum(rows, 'jobs'),
        failed,
        mean_ms: Math.round(mean),
        cost_usd: sum(rows, 'costUsd'),
      };
    })
    .sort((a, b) => b.jobs - a.jobs || (a.agent < b.agent ? -1 : 1))
    .slice(0, maxAgents);
}

export function toHistogram(durationsMs: readonly number[]): OverviewModel['durations'] {
  const bins = [...durationSteps, Infinity].map((below) => ({
    below_ms: below === Infinity ? null : below,
    jobs: 0,
  }));
  for (const ms of durationsMs) {
    const at = durationSteps.findIndex((below) => ms < below);
    (bins[at === -1 ? bins.length - 1 : at] as { jobs: number }).jobs += 1;
  }
  return bins;
}

function countOutcomes(rows: readonly TallyRow[]): OutcomeCounts {
  const counts = { succeeded: 0, cached: 0, failed: 0, other: 0 };
  for (const { state, jobs } of rows)
    counts[state === 'cancelled' || state === 'superseded' ? 'other' : state] += jobs;
  return counts;
}

function sum(rows: readonly TallyRow[], key: 'jobs' | 'durationMs' | 'costUsd'): number {
  return rows.reduce((total, row) => total + row[key], 0);
}

function cut(text: string): string {
  return text.length > maxText ? `${text.slice(0, maxText).toWellFormed()} …` : text;
}
