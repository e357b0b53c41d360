/** A day in one message: what ended and how, what it cost, what failed and why, what took longest, what is held. */
import type { JobLedger, TallyRow } from '../ledger/ledger.ts';
import { formatElapsed } from '../types/elapsed.ts';
import type { JobRecord } from '../types/job.ts';

const DAY_MS = 86_400_000;
/** Days with more jobs are told by their totals, and by the newest of them. */
const MAX_JOBS = 5_000;
const MAX_REASONS = 5;

/** The UTC day before: `2026-11-20`. */
export function dayBefore(now: number): string {
  return new Date(now - DAY_MS).toISOString().slice(0, 10);
}

/** @returns undefined when nothing ended that day and nothing is held. */
export async function digestOf(
  jobs: Pick<JobLedger, 'tally' | 'list' | 'counts'>,
  day: string,
): Promise<string | undefined> {
  const rows = (await jobs.tally()).filter((row) => row.day === day);
  const { held } = await jobs.counts();
  if (rows.length === 0 && held === 0) return undefined;
  const from = Date.parse(`${day}T00:00:00Z`);
  const ended = (await jobs.list({ endedSince: from, limit: MAX_JOBS })).filter(
    ({ endedAt }) => endedAt !== undefined && endedAt >= from && endedAt < from + DAY_MS,
  );
  return digestText(rows, ended, held);
}

/** Pure. @param ended Of that day. */
export function digestText(rows: readonly TallyRow[], ended: readonly JobRecord[], held: number): string {
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
      startedAt === undefined || endedAt === undefined ? [] : [{ input, agent, ms: endedAt - startedAt }],
    )
    .toSorted((a, b) => b.ms - a.ms)[0];
  return [
    states === '' ? 'no jobs ended' : `jobs: ${states}`,
    ...(reasons.length > 0
      ? [
          `failures: ${reasons
            .slice(0, MAX_REASONS)
            .map(([reason, n]) => `${n} ${reason}`)
            .join(', ')}`,
        ]
      : []),
    ...(costUsd > 0 ? [`cost: $${costUsd.toFixed(2)}`] : []),
    ...(slowest
      ? [
          `slowest: ${slowest.input.root}/${slowest.input.path} → ${slowest.agent}, ${formatElapsed(slowest.ms)}`,
        ]
      : []),
    ...(held > 0 ? [`held until you decide: ${held}`] : []),
  ].join('\n');
}

function countBy(texts: readonly string[]): [string, number][] {
  const counts = new Map<string, number>();
  for (const text of texts) counts.set(text, (counts.get(text) ?? 0) + 1);
  return [...counts].toSorted(([, a], [, b]) => b - a);
}
