/** One row of numbers a minute, as JSON: names come and go with versions and agents, and are never asked for one by one. */
import type { MetricLedger } from '../ledger.ts';
import type { Database } from './database.ts';

export function createMetricLedger(db: Database): MetricLedger {
  return {
    async put(minute, values) {
      db.write(
        'insert into metric values (?1, ?2) on conflict do update set data = json_patch(data, ?2)',
        minute,
        JSON.stringify(values),
      );
    },
    async list(since, until) {
      const rows = db.all<{ minute: number; data: string }>(
        'select minute, data from metric where minute >= ? and minute < ? order by minute',
        since,
        until,
      );
      return rows.map(({ minute, data }) => ({ minute, values: JSON.parse(data) as Record<string, number> }));
    },
    async prune(before) {
      return db.write('delete from metric where minute < ?', before);
    },
  };
}
