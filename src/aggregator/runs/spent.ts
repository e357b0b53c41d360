/** What a run used, with the runs that its steps called. Bounded: of very many runs below, the first are added up. */
import type { RunLedger } from '../../ledger/run-ledger.ts';
import type { RunId } from '../../types/run.ts';
import { addUsage } from '../../types/usage.ts';
import type { Spent } from './facts.ts';

export interface RunSpent {
  readonly spent: Spent;
  readonly jobs: number;
  readonly attempts: number;
  /** Runs below it that were added. */
  readonly runs: number;
}

const mostRuns = 1_000;

export async function runSpent(
  runs: Pick<RunLedger, 'spent' | 'list'>,
  id: RunId,
  budget = { left: mostRuns },
): Promise<RunSpent> {
  const { jobs, attempts, ...spent } = await runs.spent(id);
  let sum: RunSpent = { spent, jobs, attempts, runs: 0 };
  if (budget.left <= 0) return sum;
  const called = await runs.list({ parent: id, limit: budget.left });
  budget.left -= called.length;
  for (const run of called) {
    const below = await runSpent(runs, run.id, budget);
    sum = {
      spent: addSpent(sum.spent, below.spent),
      jobs: sum.jobs + below.jobs,
      attempts: sum.attempts + below.attempts,
      runs: sum.runs + 1 + below.runs,
    };
  }
  return sum;
}

/** Null plus nothing stays null: unknown is not free. */
export function addSpent(a: Spent, b: Spent): Spent {
  const usage = a.usage && b.usage ? addUsage(a.usage, b.usage) : (a.usage ?? b.usage);
  const costUsd = a.costUsd === null ? b.costUsd : a.costUsd + (b.costUsd ?? 0);
  return { ...(usage && { usage }), costUsd };
}
