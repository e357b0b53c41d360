/** A process that was killed while it changed the ledger's file by a rollback journal: while it made it, mostly. */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { expect, test } from 'vitest';
import { openSqliteLedger } from '../../src/ledger/sqlite/open.ts';
import { stateFolder } from './state-folder.ts';

/** Leaves a journal that has to be rolled back, and half of the pages that it is about. */
const dies = `
  const { DatabaseSync } = require('node:sqlite');
  const db = new DatabaseSync(process.argv[1]);
  db.exec('pragma journal_mode = delete; pragma cache_size = 1; pragma cache_spill = 1; begin immediate');
  db.exec('create table half (text)');
  const insert = db.prepare('insert into half values (?)');
  for (let n = 0; n < 500; n++) insert.run('x'.repeat(4000));
  process.kill(process.pid, 'SIGKILL');
`;

function killWhileWriting(file: string): void {
  expect(spawnSync(process.execPath, ['-e', dies, file]).signal).toBe('SIGKILL');
  expect(existsSync(`${file}-journal`)).toBe(true);
  const reader = new DatabaseSync(file, { readOnly: true });
  expect(() => reader.prepare('pragma user_version').get()).toThrow(/readonly/);
  reader.close();
}

test('killed while the ledger was made: the next one makes it', async () => {
  const stateDir = stateFolder();
  killWhileWriting(join(stateDir, 'ledger.db'));
  await using ledger = openSqliteLedger({ stateDir }).ledger;
  await ledger.kept.put('a', 'b', 1);
  expect(await ledger.kept.get('a', 'b')).toBe(1);
});

test('a ledger that was there before keeps what it holds', async () => {
  const stateDir = stateFolder();
  {
    await using ledger = openSqliteLedger({ stateDir }).ledger;
    await ledger.kept.put('a', 'b', 1);
    await ledger.durable();
  }
  killWhileWriting(join(stateDir, 'ledger.db'));
  await using ledger = openSqliteLedger({ stateDir }).ledger;
  expect(await ledger.kept.get('a', 'b')).toBe(1);
});
