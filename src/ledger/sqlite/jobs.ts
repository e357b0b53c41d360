/** The jobs of the ledger: each function of the port is one change of state (or one question), in the file of its kind. */
import type { JobLedger } from '../ledger.ts';
import { followClock } from './clock.ts';
import type { Database } from './database.ts';
import { createJobQueries } from './job-queries.ts';
import { createLeases } from './leases.ts';
import { createQueue } from './queue.ts';
import { prune } from './retention.ts';
import { foldTally } from './tally.ts';

export function createJobLedger(db: Database, now: () => number): JobLedger {
  const clock = followClock(db, now);
  return {
    ...createQueue(db, clock),
    ...createLeases(db, clock),
    ...createJobQueries(db, clock),
    async published(id) {
      db.write('update job set published = 1 where id = ?', id);
    },
    async prune(before, limit, keep) {
      return prune(db, before, limit, keep);
    },
    async foldTally(beforeDay) {
      foldTally(db, beforeDay);
    },
  };
}
