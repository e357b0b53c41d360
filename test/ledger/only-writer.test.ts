/** While we have the ledger others can read it, and nobody else can write: a database browser is refused, and not we. */
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { expect, test } from 'vitest';
import { openSqliteLedger } from '../../src/ledger/sqlite/open.ts';
import { spec } from './specs.ts';
import { stateFolder } from './state-folder.ts';

test('from its opening to its end nobody else can begin to write it, and everybody can read it', async () => {
  const stateDir = stateFolder();
  using other = await (async () => {
    await using ledger = openSqliteLedger({ stateDir }).ledger;
    const other = new DatabaseSync(join(stateDir, 'ledger.db'), { timeout: 0 });
    const isRefused = (): void => expect(() => other.exec('begin immediate')).toThrow('database is locked');
    const jobs = () => other.prepare('select count(*) n from job').get()?.n;
    isRefused();
    for (let n = 1; n <= 3; n++) {
      await ledger.jobs.enqueue(spec({ id: `j${n}`, path: `${n}` }));
      isRefused();
      await ledger.durable();
      isRefused();
      expect(jobs()).toBe(n);
      await ledger.tidy();
      isRefused();
    }
    return other;
  })();
  other.exec('begin immediate; rollback');
});
