/** Who changed what and when: configuration, log level, control. Nothing of it is changed; the oldest are forgotten. */
import type { AuditLedger } from '../ledger.ts';
import type { Database } from './database.ts';

export function createAuditLedger(db: Database, now: () => number): AuditLedger {
  return {
    async append({ type, who, data }) {
      db.write(
        'insert into audit (at, type, who, data) values (?, ?, ?, ?)',
        now(),
        type,
        who,
        JSON.stringify(data ?? null),
      );
    },
    async list(limit) {
      const rows = db.all<{ at: number; type: string; who: string; data: string }>(
        'select at, type, who, data from audit order by seq desc limit ?',
        limit,
      );
      return rows.map((row) => ({ ...row, data: JSON.parse(row.data) }));
    },
    async prune(keep) {
      return db.write('delete from audit where seq <= (select max(seq) from audit) - ?', keep);
    },
  };
}
