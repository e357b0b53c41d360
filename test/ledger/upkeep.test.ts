/** Files that stay small and copies that are whole, while others read and work goes on. */
import { existsSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { expect, test } from 'vitest';
import { openSqliteLedger } from '../../src/ledger/sqlite/open.ts';
import { retention } from './retention.ts';
import { file, spec } from './specs.ts';
import { stateFolder } from './state-folder.ts';

test('with a number to keep, the ledger stays small, whatever has gone through it', async () => {
  const { jobs, largestBytes, finalBytes, longestReadMs } = await retention({ jobs: 4_000, keep: 200 });
  expect(jobs).toBeLessThanOrEqual(200);
  expect(largestBytes).toBeLessThan(24 << 20);
  expect(finalBytes).toBeLessThan(4 << 20);
  expect(longestReadMs).toBeLessThan(10_000);
});

test('tidy gives unused space back in steps, and cuts the log short, also in the middle of work', async () => {
  const stateDir = stateFolder();
  await using ledger = openSqliteLedger({ stateDir }).ledger;
  for (let n = 0; n < 3_000; n++) await ledger.files.put(file(`f${n}`, { sha256: 'f'.repeat(4_000) }));
  await ledger.durable();
  const full = await ledger.size();
  expect(full).toBeGreaterThan(12e6);
  for (let n = 0; n < 3_000; n++) await ledger.files.put(file(`f${n}`));
  await ledger.jobs.enqueue(spec({ id: 'open' }));
  let turns = 0;
  const turn = (): void => {
    turns += 1;
    timer = setImmediate(turn);
  };
  let timer = setImmediate(turn);
  const tidied = ledger.tidy();
  await ledger.jobs.enqueue(spec({ id: 'meanwhile' }));
  await tidied;
  clearImmediate(timer);
  expect(turns, 'the loop goes on meanwhile').toBeGreaterThan(2);
  expect(statSync(join(stateDir, 'ledger.db-wal')).size).toBeLessThan(4 << 20);
  expect(await ledger.size()).toBeLessThan(full / 3);
  expect((await ledger.jobs.counts()).queued).toBe(2);
  expect(await ledger.files.get('inbox', 'f2999')).toBeDefined();
  await ledger.tidy();
});

test('tidy waits for no reader', async () => {
  const stateDir = stateFolder();
  await using ledger = openSqliteLedger({ stateDir }).ledger;
  using reader = new DatabaseSync(join(stateDir, 'ledger.db'), { readOnly: true });
  for (let n = 0; n < 2_000; n++) await ledger.files.put(file(`f${n}`, { sha256: 'f'.repeat(4_000) }));
  await ledger.durable();
  reader.exec('begin');
  reader.prepare('select count(*) from file').get();
  const began = performance.now();
  await ledger.tidy();
  expect(performance.now() - began).toBeLessThan(4_000);
  reader.exec('commit');
  await ledger.tidy();
  expect(statSync(join(stateDir, 'ledger.db-wal')).size).toBe(0);
});

test('a copy is whole and owner-only, although work goes on', async () => {
  const stateDir = stateFolder();
  const target = join(stateDir, 'copy.db');
  await using ledger = openSqliteLedger({ stateDir }).ledger;
  for (let n = 0; n < 3_000; n++) {
    await ledger.files.put(file(`f${n}`, { jobId: `j${n}` }));
    await ledger.jobs.enqueue(spec({ id: `j${n}` }));
  }
  const copied = ledger.copyTo(target);
  let isDone = false;
  const working = (async () => {
    for (let n = 3_000; !isDone; n++) {
      await ledger.files.put(file(`f${n}`, { jobId: `j${n}` }));
      await ledger.jobs.enqueue(spec({ id: `j${n}` }));
      await ledger.durable();
    }
  })();
  await copied;
  isDone = true;
  await working;
  expect(statSync(target).mode & 0o777).toBe(0o600);
  using db = new DatabaseSync(target, { readOnly: true });
  expect(db.prepare('pragma integrity_check').get()).toEqual({ integrity_check: 'ok' });
  const count = (sql: string): number => (db.prepare(sql).get() as { n: number }).n;
  expect(count('select count(*) n from job')).toBeGreaterThanOrEqual(3_000);
  expect(
    count('select count(*) n from file left join job on job.id = file.job_id where job.id is null'),
  ).toBe(0);
  expect(count(`select count(*) n from meta where value = '${ledger.id}'`)).toBe(1);
});

test('a copy goes only where nothing is, and leaves nothing behind when it cannot be made', async () => {
  const stateDir = stateFolder();
  await using ledger = openSqliteLedger({ stateDir }).ledger;
  const target = join(stateDir, 'there');
  writeFileSync(target, 'precious');
  await expect(ledger.copyTo(target)).rejects.toMatchObject({
    code: 'NOT_POSSIBLE',
    fix: expect.stringContaining('not exist'),
  });
  expect(statSync(target).size).toBe(8);
  const nowhere = join(stateDir, 'no', 'folder');
  await expect(ledger.copyTo(nowhere)).rejects.toMatchObject({ code: 'NOT_POSSIBLE' });
  expect(existsSync(nowhere)).toBe(false);
});
