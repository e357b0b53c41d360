/**
 * What is forgotten. The latest job of a file that is still there stays, however old: it says why the file is not
 * processed again. So does a job whose result is used for others. Files that are gone are forgotten with their jobs.
 * The job of a step stays as long as its run, and the job of a file that a run took in as long as that run is open.
 */
import { setImmediate } from 'node:timers/promises';
import type { JobId } from '../../types/job.ts';
import type { Database } from './database.ts';
import { joinPath } from './file-rows.ts';
import { IS_OPEN } from './run-rows.ts';

const PRUNABLE = `ended_at < ? and published = 1
  and not exists (select 1 from result where result.key = job.key and result.job_id = job.id)
  and (run_id is null or not exists (select 1 from run where run.id = job.run_id))
  and not exists (select 1 from run_file taken join run on run.id = taken.run_id
    where taken.job_id = job.id and run.${IS_OPEN})`;

/**
 * @param keep Of jobs that may go at most so many stay, the newest; default: all.
 * @returns ids of the jobs that were removed: at most `limit`.
 */
export async function prune(
  db: Database,
  before: number,
  limit: number,
  keep?: number,
): Promise<readonly JobId[]> {
  const ids = await pruneByAge(db, before, limit);
  if (keep === undefined || ids.length >= limit) return ids;
  const since = endOfNewest(db, keep);
  return since === undefined ? ids : [...ids, ...(await pruneByCount(db, since, limit - ids.length))];
}

async function pruneByAge(db: Database, before: number, limit: number): Promise<JobId[]> {
  const ids = await removeEarlier(db, before, limit);
  for (const file of goneFiles(db, before, limit)) {
    if (ids.length >= limit) break;
    ids.push(...forget(db, file, before, limit - ids.length));
  }
  return ids;
}

/** Jobs that ended before this are not among the newest. */
function endOfNewest(db: Database, keep: number): number | undefined {
  const offset = Math.max(0, keep - 1);
  return db.get<{ at: number }>(
    'select ended_at at from job where ended_at is not null order by ended_at desc limit 1 offset ?',
    offset,
  )?.at;
}

/** Unlike age, number does not ask how long a file has been gone. */
async function pruneByCount(db: Database, since: number, limit: number): Promise<JobId[]> {
  const ids = await removeEarlier(db, since, limit);
  for (const file of goneFilesOfJobs(db, since, limit - ids.length))
    ids.push(...forget(db, file, since, limit - ids.length));
  return ids;
}

const FOLDER = "rtrim(path, replace(path, '/', ''))";

function goneFilesOfJobs(db: Database, before: number, limit: number): GoneFile[] {
  return db.all<GoneFile>(
    `select distinct file.root, file.folder, file.name
     from (select root, ${FOLDER} folder, path from job where ${PRUNABLE}) ended
     join file on file.root = ended.root and file.folder = rtrim(ended.folder, '/')
       and file.name = substr(ended.path, length(ended.folder) + 1) and file.gone = 1 limit ?`,
    before,
    limit,
  );
}

/** Most are kept, mostly: they are looked through a window at a time. */
const WINDOW = 5_000;
const WINDOW_END = `select ended_at endedAt, seq from job where ended_at is not null and (ended_at, seq) > (?, ?)
  and ended_at < ? order by ended_at, seq limit 1 offset ${WINDOW - 1}`;
const EARLIER = `select id from job where ${PRUNABLE} and (ended_at, seq) > (?, ?) and (ended_at, seq) <= (?, ?) and (
    run_id is not null
    or exists (select 1 from job open where open.root = job.root and open.path = job.path and open.ended_at is null)
    or exists (select 1 from job later where later.root = job.root and later.path = job.path
      and (later.ended_at, later.seq) > (job.ended_at, job.seq))) limit ?`;

/** Removes those that are not the latest of their path, and those of steps. */
async function removeEarlier(db: Database, before: number, limit: number): Promise<JobId[]> {
  const ids: JobId[] = [];
  let from = { endedAt: -1, seq: -1 };
  for (;;) {
    const end = db.get<typeof from>(WINDOW_END, from.endedAt, from.seq, before);
    const until = end ?? { endedAt: before, seq: -1 };
    const window = [from.endedAt, from.seq, until.endedAt, until.seq];
    const found = db.all<{ id: JobId }>(EARLIER, before, ...window, limit - ids.length).map(({ id }) => id);
    remove(db, found);
    ids.push(...found);
    if (!end || ids.length >= limit) return ids;
    from = end;
    await setImmediate();
  }
}

interface GoneFile {
  readonly root: string;
  readonly folder: string;
  readonly name: string;
}

function goneFiles(db: Database, before: number, limit: number): GoneFile[] {
  return db.all<GoneFile>(
    `select root, folder, name from file where gone = 1 and seen_at < ?
       and not exists (select 1 from job join result on result.key = job.key and result.job_id = job.id where job.id = file.job_id)
     order by seen_at limit ?`,
    before,
    limit,
  );
}

function forget(db: Database, { root, folder, name }: GoneFile, before: number, limit: number): JobId[] {
  const path = joinPath(folder, name);
  const rows = db.all<{ id: JobId }>(
    `select id from job where root = ? and path = ? and ${PRUNABLE} order by seq limit ?`,
    root,
    path,
    before,
    limit,
  );
  const ids = rows.map(({ id }) => id);
  remove(db, ids);
  if (!db.get('select 1 from job where root = ? and path = ?', root, path))
    db.write('delete from file where root = ? and folder = ? and name = ?', root, folder, name);
  return ids;
}

function remove(db: Database, ids: readonly JobId[]): void {
  for (const id of ids) db.write('delete from job where id = ?', id);
}
