/**
 * What is forgotten. The latest job of a file that is still there stays, however old: it says why the file is not
 * processed again. So does a job whose result is used for others. Files that are gone are forgotten with their jobs.
 */
import type { JobId } from '../../types/job.ts';
import type { Database } from './database.ts';
import { joinPath } from './file-rows.ts';

const PRUNABLE = `ended_at < ? and published = 1
  and not exists (select 1 from result where result.key = job.key and result.job_id = job.id)`;

/** @returns ids of the jobs that were removed: at most `limit`. */
export function prune(db: Database, before: number, limit: number): readonly JobId[] {
  const ids = earlierJobs(db, before, limit);
  remove(db, ids);
  for (const file of goneFiles(db, before, limit)) {
    if (ids.length >= limit) break;
    ids.push(...forget(db, file, before, limit - ids.length));
  }
  return ids;
}

function earlierJobs(db: Database, before: number, limit: number): JobId[] {
  const rows = db.all<{ id: JobId }>(
    `select id from job where ${PRUNABLE} and (
       exists (select 1 from job open where open.root = job.root and open.path = job.path and open.ended_at is null)
       or exists (select 1 from job later where later.root = job.root and later.path = job.path
         and (later.ended_at, later.seq) > (job.ended_at, job.seq))) limit ?`,
    before,
    limit,
  );
  return rows.map(({ id }) => id);
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
