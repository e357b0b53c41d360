/**
 * Which runs are forgotten: whole trees, a run with all the runs that its steps called. Never the latest of a workflow,
 * which is the one that people look for; and only when nothing in it is open and none of its results is used for others:
 * those stand in the run's folder, which goes with it. A run is gone at once; its steps, files and session follow a few at
 * a time, after a crash at the next try. The jobs of its steps go by the rules of all jobs from then on (`retention.ts`).
 */
import { setImmediate } from 'node:timers/promises';
import type { RunId, RunRecord } from '../../types/run.ts';
import { CHUNK, inChunks } from './chunks.ts';
import type { Database } from './database.ts';
import { dropUnusedDefinitions } from './definitions.ts';
import { IS_OPEN } from './run-rows.ts';
import { removeSession } from './session-retention.ts';
import { removeSome } from './steps.ts';

type Gone = Pick<RunRecord, 'id' | 'workflow'>;

/** A run with everything below it; `union`, not `union all`, ends even where rows were made to go in a circle. */
const tree = (top: string): string => `with recursive tree (id) as (
    select ${top} union select below.id from tree join run below on below.parent = tree.id)`;

const ENDED = `select id from run where ended_at is not null and ended_at < ? and not ${IS_OPEN}
  and exists (select 1 from run later where later.workflow = run.workflow and later.seq > run.seq)
  and (parent is null or not exists (select 1 from run caller where caller.id = run.parent))
  and not exists (${tree('run.id')} select 1 from tree join run member on member.id = tree.id
    where member.${IS_OPEN} or exists (select 1 from job where job.id = member.job_id and job.ended_at is null)
      or exists (select 1 from job made cross join result on result.key = made.key and result.job_id = made.id
        where made.run_id = member.id and made.key <> ''))
  order by ended_at limit ?`;

/**
 * @param keep Of runs that may go the newest stay: so many, and only as many as have no more jobs of steps than this.
 * @returns the runs that went, callers before those they called.
 */
export async function pruneRuns(
  db: Database,
  at: number,
  before: number,
  limit: number,
  keep?: number,
): Promise<readonly Gone[]> {
  await finishRemoval(db);
  const since = keep === undefined ? before : Math.max(before, ...endsOfNewest(db, keep));
  const gone: Gone[] = [];
  for (const { id } of db.all<{ id: RunId }>(ENDED, since, limit)) gone.push(...forgetTree(db, id));
  await finishRemoval(db);
  dropUnusedDefinitions(db, at);
  return gone;
}

function forgetTree(db: Database, top: RunId): Gone[] {
  const members = db.all<Gone>(
    `${tree('?')} select run.id, run.workflow from tree join run on run.id = tree.id`,
    top,
  );
  for (const { id } of members) {
    db.write('insert or ignore into run_gone values (?)', id);
    db.write('delete from run where id = ?', id);
  }
  return members.map(({ id, workflow }) => ({ id, workflow }));
}

async function finishRemoval(db: Database): Promise<void> {
  for (const { id } of db.all<{ id: RunId }>('select id from run_gone')) {
    await removeSome(db, 'run_id = ?', id);
    await inChunks(() =>
      db.write(
        `delete from run_file where run_id = ?1 and (step, n) in
           (select step, n from run_file where run_id = ?1 order by step, n limit ${CHUNK})`,
        id,
      ),
    );
    removeSession(db, id);
    db.write('delete from run_gone where id = ?', id);
    await setImmediate();
  }
}

/** Runs that ended before these are not among the newest: by the number of runs, and of their jobs. */
function endsOfNewest(db: Database, keep: number): number[] {
  const offset = Math.max(0, keep - 1);
  const ends = [
    'select ended_at at from run where +parent is null and ended_at is not null order by ended_at desc limit 1 offset ?',
    'select ended_at at from job where run_id is not null and ended_at is not null order by ended_at desc limit 1 offset ?',
  ];
  return ends.flatMap((sql) => db.get<{ at: number }>(sql, offset)?.at ?? []);
}
