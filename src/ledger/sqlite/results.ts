/** Which job's result stands for a cache key. */
import type { ResultLedger } from '../ledger.ts';
import type { Database } from './database.ts';

export function createResultLedger(db: Database, now: () => number): ResultLedger {
  return {
    async get(key) {
      return db.get('select job_id "jobId", created_at "createdAt" from result where key = ?', key);
    },
    async put(key, jobId) {
      db.write(
        'insert into result values (?1, ?2, ?3) on conflict do update set job_id = ?2, created_at = ?3',
        key,
        jobId,
        now(),
      );
    },
    async expire(before) {
      return db.write('delete from result where created_at < ?', before);
    },
    async forget(key) {
      db.write('delete from result where key = ?', key);
    },
  };
}
