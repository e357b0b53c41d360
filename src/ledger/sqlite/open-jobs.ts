/** How many jobs of each agent have not ended: counted as they come and go, since counting them anew takes longer the more there are. */
import type { OpenState } from '../../types/job.ts';
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

const none: Readonly<Record<OpenState, number>> = { queued: 0, running: 0, waiting: 0, held: 0 };

/** Read from the indexes of the states, which hold nothing but open jobs. */
export function openStates(db: Database): Map<string, Readonly<Record<OpenState, number>>> {
  const states = new Map<string, Readonly<Record<OpenState, number>>>();
  for (const state of Object.keys(none) as OpenState[])
    for (const { agent, n } of db.all<{ agent: string; n: number }>(
      `select agent, count(*) n from job where state = '${state}' group by agent`,
    ))
      states.set(agent, { ...none, ...states.get(agent), [state]: n });
  return states;
}
