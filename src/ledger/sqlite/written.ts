/** Files that come from our own work: where they came from, by root and path. */
import type { JobId } from '../../types/job.ts';
import type { WrittenLedger, WrittenRecord } from '../ledger.ts';
import type { Database } from './database.ts';

interface WrittenRow {
  root: string;
  path: string;
  stamp: string;
  sha256: string | null;
  job_id: JobId;
  depth: number;
  at: number;
}

export function createWrittenLedger(db: Database): WrittenLedger {
  return {
    async get(root, path) {
      const row = db.get<WrittenRow>('select * from written where root = ? and path = ?', root, path);
      return row && toWritten(row);
    },
    async put({ root, path, stamp, sha256, jobId, depth, at }) {
      db.write(
        'insert or replace into written (root, path, stamp, sha256, job_id, depth, at) values (?, ?, ?, ?, ?, ?, ?)',
        root,
        path,
        stamp,
        sha256 ?? null,
        jobId,
        depth,
        at,
      );
    },
    async forget(root, path) {
      db.write('delete from written where root = ? and path = ?', root, path);
    },
    async prune(before) {
      return db.write('delete from written where at < ?', before);
    },
  };
}

function toWritten({ sha256, job_id, ...row }: WrittenRow): WrittenRecord {
  return { ...row, jobId: job_id, ...(sha256 !== null && { sha256 }) };
}
