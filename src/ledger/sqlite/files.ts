/** What is known of each file. */
import type { Disposition } from '../../types/job.ts';
import type { FileLedger } from '../ledger.ts';
import type { Database } from './database.ts';
import { type FileRow, splitPath, toFileRecord } from './file-rows.ts';

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
      return row && toFileRecord(row);
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
      const rows = db.allCommitted<{ name: string; stamp: string }>(
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
        // `0` follows `/`: everything below the folder, as a range of the primary key.
        where.push("(folder = ? or (folder > ? || '/' and folder < ? || '0'))"),
          params.push(under, under, under);
      const rows = db.all<FileRow>(
        `select * from file where ${where.join(' and ')} order by seen_at desc limit ?`,
        ...params,
        limit,
      );
      return rows.map(toFileRecord);
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
