/** A day in one message: what ended and how, what it cost, what failed and why, what took longest, what is held. */
import type { JobLedger, TallyRow } from '../ledger/ledger.ts';
import type { RunLedger } from '../ledger/run-ledger.ts';
import { formatDollars } from '../types/dollars.ts';
import { formatElapsed } from '../types/elapsed.ts';
import type { JobRecord } from '../types/job.ts';
import { printableName } from '../types/printable-name.ts';
import type { RunRecord } from '../types/run.ts';

const DAY_MS = 86_400_000;
/** Days with more jobs are told by their totals, and by the newest of them. */
const MAX_JOBS = 5_000;
const MAX_RUNS = 1_000;
/** Reasons, and runs, that are named. */
const MAX_REASONS = 5;

/** The UTC day before: `2026-11-20`. */
export function dayBefore(now: number): string {
  return new Date(now - DAY_MS).toISOString().slice(0, 10);
}

/** @returns undefined when nothing ended that day and nothing waits for a person. */
export async function digestOf(
  {
    jobs,
    runs,
  }: { readonly jobs: Pick<JobLedger, 'tally' | 'list' | 'counts'>; readonly runs: Pick<RunLedger, 'list'> },
  day: string,
): Promise<string | undefined> {
  const rows = (await jobs.tally()).filter((row) => row.day === day);
  const { held } = await jobs.counts();
  const told = await runsOf(runs, day);
  if (rows.length === 0 && held === 0 && told.ended.length + told.waiting.length === 0) return undefined;
  const from = Date.parse(`${day}T00:00:00Z`);
  const ended = (await jobs.list({ endedSince: from, limit: MAX_JOBS })).filter(
    ({ endedAt }) => endedAt !== undefined && endedAt >= from && endedAt < from + DAY_MS,
  );
  return digestText(rows, ended, held, told);
}

/** Runs that nobody called: what runs below them did is theirs. */
async function runsOf(runs: Pick<RunLedger, 'list'>, day: string): Promise<DayOfRuns> {
  const from = Date.parse(`${day}T00:00:00Z`);
  const isOfDay = ({ endedAt }: RunRecord): boolean =>
    endedAt !== undefined && endedAt >= from && endedAt < from + DAY_MS;
  const ended = await runs.list({ parent: null, endedSince: from, limit: MAX_RUNS });
  const waiting = await runs.list({ parent: null, states: ['waiting'], limit: MAX_RUNS });
  return { ended: ended.filter(isOfDay), waiting };
}

export interface DayOfRuns {
  readonly ended: readonly RunRecord[];
  /** For a person, now. */
  readonly waiting: readonly RunRecord[];
}

/** Pure. @param ended Of that day. */
export function digestText(
  rows: readonly TallyRow[],
  ended: readonly JobRecord[],
  held: number,
  runs: DayOfRuns = { ended: [], waiting: [] },
): string {
  const byState = new Map<string, number>();
  let costUsd = 0;
  for (const row of rows) {
    byState.set(row.state, (byState.get(row.state) ?? 0) + row.jobs);
    costUsd += row.costUsd;
  }
  const states = [...byState].map(([state, n]) => `${n} ${state}`).join(', ');
  const reasons = countBy(
    ended.flatMap(({ state, reason }) => (state === 'failed' ? [reason ?? 'unknown'] : [])),
  );
  const slowest = ended
    .flatMap(({ input, agent, startedAt, endedAt }) =>
      // Steps of runs are told with their runs.
      input.root === '' || startedAt === undefined || endedAt === undefined
        ? []
        : [{ input, agent, ms: endedAt - startedAt }],
    )
    .toSorted((a, b) => b.ms - a.ms)[0];
  return [
    states === '' ? 'no jobs ended' : `jobs: ${states}`,
    ...runLines(runs),
    ...(reasons.length > 0
      ? [
          `failures: ${reasons
            .slice(0, MAX_REASONS)
            .map(([reason, n]) => `${n} ${reason}`)
            .join(', ')}`,
        ]
      : []),
    ...(costUsd > 0 ? [`cost: ${formatDollars(costUsd)}`] : []),
    ...(slowest
      ? [
          `slowest: ${slowest.input.root}/${slowest.input.path} → ${slowest.agent}, ${formatElapsed(slowest.ms)}`,
        ]
      : []),
    ...(held > 0 ? [`held until you decide: ${held}`] : []),
  ].join('\n');
}

function runLines({ ended, waiting }: DayOfRuns): string[] {
  const name = ({ workflow, id }: RunRecord): string => `${printableName(workflow)} ${id}`;
  const states = countBy(ended.map(({ state }) => state)).map(([state, n]) => `${n} ${state}`);
  const failed = ended.filter(({ state }) => state === 'failed');
  const longest = ended
    .flatMap((run) =>
      run.startedAt === undefined || run.endedAt === undefined
        ? []
        : [{ run, ms: run.endedAt - run.startedAt }],
    )
    .toSorted((a, b) => b.ms - a.ms)[0];
  return [
    ...(states.length > 0 ? [`runs: ${states.join(', ')}`] : []),
    ...(failed.length > 0
      ? [
          `failed runs: ${listed(failed, (run) => `${name(run)}${run.reason === undefined ? '' : ` (${run.reason})`}`)}`,
        ]
      : []),
    ...(longest ? [`longest run: ${name(longest.run)}, ${formatElapsed(longest.ms)}`] : []),
    ...(waiting.length > 0 ? [`runs that wait for you: ${listed(waiting, name)}`] : []),
  ];
}

function listed(runs: readonly RunRecord[], say: (run: RunRecord) => string): string {
  const more = runs.length - MAX_REASONS;
  return `${runs.slice(0, MAX_REASONS).map(say).join(', ')}${more > 0 ? ` and ${more} more` : ''}`;
}

function countBy(texts: readonly string[]): [string, number][] {
  const counts = new Map<string, number>();
  for (const text of texts) counts.set(text, (counts.get(text) ?? 0) + 1);
  return [...counts].toSorted(([, a], [, b]) => b - a);
}
