/**
 * Which jobs of files the steps of a run took in, in the order in which that happened. What a step that was forgotten had
 * taken in stays under no step's name: its money was spent.
 */
import { setImmediate } from 'node:timers/promises';
import type { JobId } from '../../types/job.ts';
import type { RunLedger } from '../run-ledger.ts';
import { CHUNK, inChunks } from './chunks.ts';
import type { Database } from './database.ts';

/** No step is called so. */
const FORGOTTEN = '';

const ADD = `insert into run_file select ?1, ?2, coalesce(max(n), 0) + 1, ?3 from run_file where run_id = ?1 and step = ?2
  on conflict (job_id, run_id, step) do nothing`;

export function createRunFiles(db: Database): Pick<RunLedger, 'addFiles' | 'files'> {
  return {
    async addFiles(runId, step, jobs) {
      for (const [at, job] of jobs.entries()) {
        if (at > 0 && at % CHUNK === 0) await setImmediate();
        db.write(ADD, runId, step, job);
      }
    },

    async files(runId, step, { after, limit }) {
      const from = after === undefined ? 0 : placeOf(db, runId, step, after);
      if (from === undefined) return [];
      return db
        .all<{ id: JobId }>(
          'select job_id id from run_file where run_id = ? and step = ? and n > ? order by n limit ?',
          runId,
          step,
          from,
          limit,
        )
        .map(({ id }) => id);
    },
  };
}

export function forgetFiles(db: Database, runId: string, step: string): Promise<number> {
  return inChunks(() =>
    db.write(
      `update or replace run_file set step = ?3,
         n = n + (select coalesce(max(n), 0) from run_file where run_id = ?1 and step = ?3)
       where run_id = ?1 and step = ?2 and n in
         (select n from run_file where run_id = ?1 and step = ?2 order by n limit ${CHUNK})`,
      runId,
      step,
      FORGOTTEN,
    ),
  );
}

function placeOf(db: Database, runId: string, step: string, job: JobId): number | undefined {
  return db.get<{ n: number }>(
    'select n from run_file where job_id = ? and run_id = ? and step = ?',
    job,
    runId,
    step,
  )?.n;
}

interface Place {
  readonly step: string;
  readonly n: number;
}

const WINDOW_END = `select step, n from run_file where run_id = ? and (step, n) > (?, ?) order by step, n limit 1 offset ${CHUNK - 1}`;
/** Of a job that several steps took in, the first of its rows. */
const WINDOW = `from run_file taken left join job on job.id = taken.job_id
  where taken.run_id = ? and (taken.step, taken.n) > (?, ?) and (taken.step, taken.n) <= (?, ?)
  and not exists (select 1 from run_file other where other.job_id = taken.job_id and other.run_id = taken.run_id
    and other.step < taken.step)`;
/** After every step. */
const END: Place = { step: '\u{10ffff}', n: Number.MAX_SAFE_INTEGER };

/**
 * Reads the jobs of a run's files a window at a time; the loop turns in between.
 * @param columns Of `job`; null in a row whose job has been removed.
 * @param rest More of the `where`, and what follows it.
 */
export async function* fileJobs<T>(
  db: Database,
  runId: string,
  columns: string,
  rest = '',
  ...params: (string | number)[]
): AsyncGenerator<T[]> {
  let from: Place = { step: FORGOTTEN, n: -1 };
  for (;;) {
    const end = db.get<Place>(WINDOW_END, runId, from.step, from.n);
    const until = end ?? END;
    yield db.all<T>(
      `select ${columns} ${WINDOW} ${rest}`,
      runId,
      from.step,
      from.n,
      until.step,
      until.n,
      ...params,
    );
    if (!end) return;
    from = end;
    await setImmediate();
  }
}
