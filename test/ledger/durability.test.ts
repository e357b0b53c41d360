/** What `durable()` promises: with many writes at once, against kill -9, and beside a reader. */
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, expect, test, vi } from 'vitest';
import { openSqliteLedger } from '../../src/ledger/sqlite/open.ts';
import { startChild } from './child.ts';
import { file, spec } from './specs.ts';
import { stateFolder } from './state-folder.ts';

afterEach(() => void vi.restoreAllMocks());

const writer = join(import.meta.dirname, 'writer.ts');

test('many writes share a commit, and are seen before it', async () => {
  const executed = vi.spyOn(DatabaseSync.prototype, 'exec');
  await using ledger = openSqliteLedger({ stateDir: stateFolder() }).ledger;
  executed.mockClear();
  const promises: Promise<void>[] = [];
  for (let n = 0; n < 500; n++) {
    await ledger.jobs.enqueue(spec({ id: `j${n}` }));
    promises.push(ledger.durable());
  }
  expect((await ledger.jobs.counts()).queued).toBe(500);
  await Promise.all(promises);
  const commits = executed.mock.calls.filter(([sql]) => sql === 'commit').length;
  expect(commits).toBeGreaterThan(0);
  expect(commits).toBeLessThan(100);
});

test('after kill -9 everything that was durable is there', async () => {
  const stateDir = stateFolder();
  const child = startChild(process.execPath, [writer, 'durable', stateDir]);
  let last = 0;
  while (last < 300) last = Number(await child.line('the number of a durable file'));
  await child.kill('SIGKILL');
  {
    const reader = openSqliteLedger({ stateDir, readOnly: true }).ledger;
    expect(await reader.files.get('inbox', `f${last}`)).toBeDefined();
    await reader[Symbol.asyncDispose]();
  }
  const { ledger, setAside } = openSqliteLedger({ stateDir, verify: true });
  await using _ = ledger;
  expect(setAside).toBeUndefined();
  for (let n = 0; n <= last; n++) {
    expect(await ledger.files.get('inbox', `f${n}`), `file ${n} of ${last}`).toBeDefined();
    expect((await ledger.jobs.get(`j${n}`))?.state, `job ${n} of ${last}`).toBe('queued');
  }
});

test('the write-ahead log stays small under load, also while somebody reads', async () => {
  const stateDir = stateFolder();
  await using ledger = openSqliteLedger({ stateDir }).ledger;
  await using reader = openSqliteLedger({ stateDir, readOnly: true }).ledger;
  let written = 0;
  let largest = 0;
  for (let round = 0; round < 40; round++) {
    for (let n = 0; n < 250; n++) {
      const sha256 = 'f'.repeat(4_000);
      await ledger.files.put(file(`${n}/f${round % 4}`, { sha256 }));
      written += sha256.length;
    }
    await ledger.durable();
    expect((await reader.files.list({ limit: 5 })).length).toBe(5);
    largest = Math.max(largest, statSync(join(stateDir, 'ledger.db-wal')).size);
  }
  expect(written).toBeGreaterThan(35e6);
  expect(largest).toBeLessThan(20e6);
});

test('disposing twice is harmless, and writes what was not yet committed', async () => {
  const stateDir = stateFolder();
  const { ledger } = openSqliteLedger({ stateDir });
  await ledger.files.put(file('p'));
  await ledger[Symbol.asyncDispose]();
  await ledger[Symbol.asyncDispose]();
  await using again = openSqliteLedger({ stateDir }).ledger;
  expect(await again.files.get('inbox', 'p')).toBeDefined();
});
