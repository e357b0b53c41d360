/**
 * Totals of jobs by UTC day, root, agent and state. Days of long ago become one row each without a day, so that a ledger
 * of years is read as fast as one of weeks, and still tells what there was since it began.
 */
import type { TallyRow } from '../ledger.ts';
import type { Database } from './database.ts';

export function readTally(db: Database): TallyRow[] {
  db.sums.flush();
  return db.all(
    'select day, root, agent, state, jobs, duration_ms "durationMs", cost_usd "costUsd" from tally order by day, root, agent, state',
  );
}

const FOLD = `insert into tally (day, root, agent, state, jobs, duration_ms, cost_usd)
  select '', root, agent, state, sum(jobs), sum(duration_ms), sum(cost_usd) from tally where day > '' and day < ?1
    group by root, agent, state
  on conflict do update set jobs = jobs + excluded.jobs, duration_ms = duration_ms + excluded.duration_ms,
    cost_usd = cost_usd + excluded.cost_usd`;

/** Both in one transaction: nothing is committed in between. */
export function foldTally(db: Database, beforeDay: string): void {
  db.sums.flush();
  if (db.write(FOLD, beforeDay) > 0) db.write("delete from tally where day > '' and day < ?", beforeDay);
}
