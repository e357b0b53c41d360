/** Small values by kind and name that must survive a restart. */
import type { KeptLedger } from '../ledger.ts';
import type { Database } from './database.ts';

export function createKeptLedger(db: Database): KeptLedger {
  return {
    async get(kind, name) {
      const row = db.get<{ value: string }>('select value from kept where kind = ? and name = ?', kind, name);
      return row && JSON.parse(row.value);
    },
    async put(kind, name, value) {
      const json = JSON.stringify(value ?? null);
      db.write('insert into kept values (?1, ?2, ?3) on conflict do update set value = ?3', kind, name, json);
    },
    async forget(kind, name) {
      db.write('delete from kept where kind = ? and name = ?', kind, name);
    },
    async list(kind) {
      const rows = db.all<{ name: string; value: string }>(
        'select name, value from kept where kind = ? order by name',
        kind,
      );
      return rows.map(({ name, value }) => ({ name, value: JSON.parse(value) as unknown }));
    },
  };
}
