/**
 * What was spent, by UTC day, agent and rule: added to as attempts end, so that a budget is one small question. An
 * attempt that is told twice is counted once: the caller looks whether its number is new to the job.
 */
import type { AttemptRecord, Usage } from '../../types/job.ts';
import type { SpendingLedger, SpendingRow } from '../ledger.ts';
import type { Database } from './database.ts';

export function createSpendingLedger(db: Database): SpendingLedger {
  return {
    async of(day) {
      db.sums.flush();
      return db
        .all<Omit<SpendingRow, 'costUsd'> & { cost: number }>(
          'select day, agent, rule, attempts, unknown, cost_usd cost, tokens from spending where day = ?',
          day,
        )
        .map(({ cost, ...row }) => ({ ...row, costUsd: cost }));
    },
    async prune(beforeDay) {
      return db.write('delete from spending where day < ?', beforeDay);
    },
  };
}

const SPEND = `insert into spending (day, agent, rule, attempts, unknown, cost_usd, tokens) values (?1, ?2, ?3, ?4, ?5, ?6, ?7)
  on conflict do update set attempts = attempts + ?4, unknown = unknown + ?5, cost_usd = cost_usd + ?6, tokens = tokens + ?7`;

/** Ended by us before it could say what it cost: that says nothing about the agent. */
const wasCutShort: ReadonlySet<string> = new Set(['cancelled', 'interrupted']);

/** @param isCounted Of a batch every file brings its share of the cost, and only the first counts the attempt. */
export function spend(db: Database, rule: string, attempt: AttemptRecord, isCounted: boolean): void {
  const { agent, endedAt, usage, costUsd } = attempt;
  const attempts = isCounted ? 1 : 0;
  const unknown = costUsd === undefined && !wasCutShort.has(attempt.outcome) ? attempts : 0;
  const day = new Date(endedAt).toISOString().slice(0, 10);
  db.sums.add(SPEND, [day, agent, rule], [attempts, unknown, costUsd ?? 0, usage ? tokensOf(usage) : 0]);
}

function tokensOf(usage: Usage): number {
  return usage.input_tokens + usage.cache_read_tokens + usage.cache_write_tokens + usage.output_tokens;
}
