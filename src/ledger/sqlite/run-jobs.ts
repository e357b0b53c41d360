/**
 * The jobs of one run, newest first: those of its steps by their index; those of its files by looking through all of
 * them, a window at a time, of which only the numbers of the newest are kept.
 */
import type { JobQuery } from '../ledger.ts';
import type { Database } from './database.ts';
import type { JobRow } from './job-rows.ts';
import { fileJobs } from './run-files.ts';

export async function listOfRun(db: Database, query: JobQuery & { run: string }): Promise<JobRow[]> {
  const { run, limit } = query;
  const { sql, params } = filter(query);
  let newest = db
    .all<{ seq: number }>(
      `select seq from job where run_id = ? ${sql} order by seq desc limit ?`,
      run,
      ...params,
      limit,
    )
    .map(({ seq }) => seq);
  if (query.runFiles) {
    const rest = `${sql} and job.seq is not null order by +job.seq desc limit ?`;
    for await (const rows of fileJobs<{ seq: number }>(db, run, 'job.seq', rest, ...params, limit)) {
      newest.push(...rows.map(({ seq }) => seq));
      newest = newest.sort((a, b) => b - a).slice(0, limit);
    }
  }
  return newest.flatMap((seq) => db.get<JobRow>('select * from job where seq = ?', seq) ?? []);
}

/** `+`: the jobs of the run are few beside all that are in a state. */
function filter({ states, reason, agent, root, path, endedSince }: JobQuery): {
  sql: string;
  params: (string | number)[];
} {
  const where: string[] = [];
  const params: (string | number)[] = [];
  const also = (condition: string, ...values: readonly (string | number | undefined)[]): void => {
    for (const value of values) {
      if (value === undefined) return;
      params.push(value);
    }
    where.push(`and +job.${condition}`);
  };
  if (states) also(`state in (${states.map(() => '?').join(', ')})`, ...states);
  also('reason = ?', reason);
  also('agent = ?', agent);
  also('root = ?', root);
  also('path = ?', path);
  also('ended_at >= ?', endedSince);
  return { sql: where.join(' '), params };
}
