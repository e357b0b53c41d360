/** What is known of each file. Folder and name are kept apart so that the sweep can ask for one folder. */
import type { Disposition, JobId } from '../../types/job.ts';
import type { FileLedger, FileRecord } from '../ledger.ts';
import type { Database } from './database.ts';

interface FileRow {
  root: string;
  folder: string;
  name: string;
  stamp: string;
  sha256: string | null;
  bytes: number;
  disposition: Disposition | null;
  job_id: string | null;
  first_seen_at: number;
  seen_at: number;
  gone: number;
}

export function createFileLedger(db: Database, now: () => number): FileLedger {
  return {
    async get(root, path) {
      const { folder, name } = splitPath(path);
      const row = db.get<FileRow>(
        'select * from file where root = ? and folder = ? and name = ?',
        root,
        folder,
        name,
      );
      return row && toRecord(row);
    },

    async put(file) {
      const { folder, name } = splitPath(file.path);
      db.write(
        `insert into file (root, folder, name, stamp, sha256, bytes, disposition, job_id, first_seen_at, seen_at, gone)
         values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?9, ?10)
         on conflict do update set stamp = ?4, sha256 = ?5, bytes = ?6, disposition = ?7, job_id = ?8, seen_at = ?9, gone = ?10`,
        file.root,
        folder,
        name,
        file.stamp,
        file.sha256 ?? null,
        file.bytes,
        file.disposition ?? null,
        file.jobId ?? null,
        file.seenAt,
        file.gone ? 1 : 0,
      );
    },

    async setDisposition(root, path, jobId, disposition) {
      const { folder, name } = splitPath(path);
      db.write(
        'update file set disposition = ? where root = ? and folder = ? and name = ? and job_id = ?',
        disposition ?? null,
        root,
        folder,
        name,
        jobId,
      );
    },

    async setGone(root, path) {
      const { folder, name } = splitPath(path);
      db.write(
        'update file set gone = 1, seen_at = ? where root = ? and folder = ? and name = ?',
        now(),
        root,
        folder,
        name,
      );
    },

    async inFolder(root, folder) {
      await db.durable();
      const rows = db.all<{ name: string; stamp: string }>(
        'select name, stamp from file where root = ? and folder = ? and gone = 0',
        root,
        folder,
      );
      return new Map(rows.map((row) => [row.name, row.stamp]));
    },

    async list({ root, disposition, under, limit }) {
      const where = ['gone = 0'];
      const params: (string | number)[] = [];
      if (root !== undefined) where.push('root = ?'), params.push(root);
      if (disposition !== undefined) where.push('disposition = ?'), params.push(disposition);
      if (under !== undefined && under !== '')
        where.push("(folder = ? or substr(folder, 1, length(?) + 1) = ? || '/')"),
          params.push(under, under, under);
      const rows = db.all<FileRow>(
        `select * from file where ${where.join(' and ')} order by seen_at desc limit ?`,
        ...params,
        limit,
      );
      return rows.map(toRecord);
    },

    async counts() {
      const rows = db.all<{ disposition: Disposition; n: number }>(
        'select disposition, count(*) n from file where gone = 0 and disposition is not null group by disposition',
      );
      return Object.fromEntries(rows.map((row) => [row.disposition, row.n]));
    },

    async isNewRoot(root) {
      return db.get('select 1 from root where name = ?', root) === undefined;
    },

    async markRoot(root) {
      db.write('insert or ignore into root (name, first_seen_at) values (?, ?)', root, now());
    },
  };
}

function toRecord(row: FileRow): FileRecord {
  return {
    root: row.root,
    path: row.folder === '' ? row.name : `${row.folder}/${row.name}`,
    stamp: row.stamp,
    bytes: row.bytes,
    ...(row.sha256 !== null && { sha256: row.sha256 }),
    ...(row.disposition !== null && { disposition: row.disposition }),
    ...(row.job_id !== null && { jobId: row.job_id as JobId }),
    firstSeenAt: row.first_seen_at,
    seenAt: row.seen_at,
    gone: row.gone === 1,
  };
}

function splitPath(path: string): { folder: string; name: string } {
  const slash = path.lastIndexOf('/');
  return { folder: slash < 0 ? '' : path.slice(0, slash), name: path.slice(slash + 1) };
}
