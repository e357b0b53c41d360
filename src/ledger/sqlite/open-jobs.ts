/** How many jobs of each agent have not ended: counted as they come and go, since counting them anew takes longer the more there are. */
import type { Database } from './database.ts';

const ADD = 'insert into open_jobs values (?1, ?2) on conflict do update set jobs = jobs + ?2';

/** Call with every change of how many there are, in the same turn. */
export function countOpen(db: Database, agent: string, by: 1 | -1): void {
  db.sums.add(ADD, [agent], [by]);
}

export function openJobs(db: Database): Map<string, number> {
  db.sums.flush();
  const rows = db.all<{ agent: string; jobs: number }>('select agent, jobs from open_jobs where jobs > 0');
  return new Map(rows.map(({ agent, jobs }) => [agent, jobs]));
}
