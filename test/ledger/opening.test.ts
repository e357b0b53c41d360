/** What is found when a ledger is opened: nothing, an older, a newer or a damaged one. */
import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { expect, test } from 'vitest';
import { hasLedger, openSqliteLedger } from '../../src/ledger/sqlite/open.ts';
import { file, spec } from './specs.ts';
import { stateFolder } from './state-folder.ts';

const PAGE_BYTES = 4_096;

async function filled(stateDir: string): Promise<string> {
  await using ledger = openSqliteLedger({ stateDir }).ledger;
  for (let n = 0; n < 300; n++) {
    await ledger.files.put(file(`f${n}`));
    await ledger.jobs.enqueue(spec({ id: `j${n}` }));
  }
  return join(stateDir, 'ledger.db');
}

const hashOf = (path: string): string => createHash('sha256').update(readFileSync(path)).digest('hex');

test('an empty file becomes a ledger, and opening it again changes nothing of it', async () => {
  const stateDir = join(stateFolder(), 'deep', '.sluice');
  expect(hasLedger(stateDir)).toBe(false);
  mkdirSync(stateDir, { recursive: true });
  writeFileSync(join(stateDir, 'ledger.db'), '');
  expect(hasLedger(stateDir)).toBe(false);
  const first = openSqliteLedger({ stateDir });
  const { id } = first.ledger;
  await first.ledger[Symbol.asyncDispose]();
  expect(hasLedger(stateDir)).toBe(true);
  const before = hashOf(join(stateDir, 'ledger.db'));
  const again = openSqliteLedger({ stateDir });
  expect([again.ledger.id, again.setAside]).toEqual([id, undefined]);
  await again.ledger[Symbol.asyncDispose]();
  expect(hashOf(join(stateDir, 'ledger.db'))).toBe(before);
});

test('a newer ledger is refused, and not touched', async () => {
  const stateDir = stateFolder();
  const path = await filled(stateDir);
  const db = new DatabaseSync(path);
  db.exec('pragma user_version = 99; create table from_the_future (x)');
  db.close();
  const before = hashOf(path);
  for (const readOnly of [false, true])
    expect(() => openSqliteLedger({ stateDir, readOnly })).toThrow(
      expect.objectContaining({ code: 'LEDGER_NEWER', fix: expect.stringContaining('newer version') }),
    );
  expect(hashOf(path)).toBe(before);
  expect(readdirSync(stateDir).filter((name) => name.includes('damaged'))).toEqual([]);
});

function leafOf(path: string, table: string): number {
  using db = new DatabaseSync(path, { readOnly: true });
  const leaf = db
    .prepare("select max(pageno) n from dbstat where name = ? and pagetype = 'leaf'")
    .get(table) as { n: number };
  return leaf.n;
}

function spoilPage(path: string, page: number): void {
  const bytes = readFileSync(path);
  bytes.fill(0xff, (page - 1) * PAGE_BYTES, page * PAGE_BYTES);
  writeFileSync(path, bytes);
}

const damages: Record<string, (path: string) => void> = {
  'a garbage header': (path) => {
    const bytes = readFileSync(path);
    bytes.fill('not a database ', 0, 100);
    writeFileSync(path, bytes);
  },
  'garbage all over': (path) => writeFileSync(path, 'garbage'.repeat(2_000)),
  'half of it': (path) => truncateSync(path, 10 * PAGE_BYTES),
  'a few bytes of it': (path) => truncateSync(path, 50),
  'a flipped page': (path) => spoilPage(path, leafOf(path, 'file')),
  'a folder in its place': (path) => {
    rmSync(path);
    mkdirSync(join(path, 'inside'), { recursive: true });
  },
  "somebody else's database": (path) => {
    rmSync(path);
    const db = new DatabaseSync(path);
    db.exec('create table file (x); pragma user_version = 1');
    db.close();
  },
  "somebody else's database without a version": (path) => {
    rmSync(path);
    const db = new DatabaseSync(path);
    db.exec('create table file (x)');
    db.close();
  },
};

for (const [damage, inflict] of Object.entries(damages))
  test(`a damaged ledger is set aside and a fresh one opened: ${damage}`, async () => {
    const stateDir = stateFolder();
    const path = await filled(stateDir);
    inflict(path);
    writeFileSync(`${path}-wal`, 'rest of a log');
    const { ledger, setAside } = openSqliteLedger({ stateDir, verify: true, now: () => 0 });
    await using _ = ledger;
    expect(setAside).toBe(`${path}.damaged-1970-01-01T00-00-00-000Z`);
    // Where SQLite could make sense of the file it has removed the log itself.
    if (damage === 'a garbage header')
      expect(readdirSync(stateDir)).toContain(`${basename(path)}.damaged-1970-01-01T00-00-00-000Z-wal`);
    expect(await ledger.files.list({ limit: 1 })).toEqual([]);
    await ledger.files.put(file('p'));
    await ledger.durable();
  });

test('a second damaged ledger of the same moment gets a name of its own', async () => {
  const stateDir = stateFolder();
  const names = [];
  for (let n = 0; n < 2; n++) {
    writeFileSync(join(stateDir, 'ledger.db'), 'garbage'.repeat(2_000));
    const { ledger, setAside } = openSqliteLedger({ stateDir, now: () => 0 });
    names.push(setAside);
    await ledger[Symbol.asyncDispose]();
  }
  expect(new Set(names).size).toBe(2);
});

test('a write-ahead log of zero bytes is no damage', async () => {
  const stateDir = stateFolder();
  const path = await filled(stateDir);
  writeFileSync(`${path}-wal`, '');
  const { ledger, setAside } = openSqliteLedger({ stateDir, verify: true });
  await using _ = ledger;
  expect(setAside).toBeUndefined();
  expect(await ledger.files.get('inbox', 'f299')).toBeDefined();
});

test('damage that shows only in use is told as such, and the next start sets the ledger aside', async () => {
  const stateDir = stateFolder();
  const path = await filled(stateDir);
  spoilPage(path, leafOf(path, 'file'));
  const { ledger, setAside } = openSqliteLedger({ stateDir });
  expect(setAside).toBeUndefined();
  const read = async (): Promise<void> => {
    for (let n = 0; n < 300; n++) {
      await ledger.files.get('inbox', `f${n}`);
      await ledger.jobs.get(`j${n}`);
    }
  };
  await expect(read()).rejects.toMatchObject({
    code: 'LEDGER_DAMAGED',
    fix: expect.stringContaining('Restart Sluice'),
  });
  await ledger[Symbol.asyncDispose]();
  const again = openSqliteLedger({ stateDir });
  await using _ = again.ledger;
  expect(again.setAside).toBeDefined();
});

test('a reader beside a writer sees what is committed, makes nothing, and cannot write', async () => {
  const stateDir = stateFolder();
  expect(() => openSqliteLedger({ stateDir, readOnly: true })).toThrow(
    expect.objectContaining({ code: 'STATE_UNWRITABLE' }),
  );
  expect(readdirSync(stateDir)).toEqual([]);
  writeFileSync(join(stateDir, 'ledger.db'), '');
  expect(() => openSqliteLedger({ stateDir, readOnly: true })).toThrow(
    expect.objectContaining({ code: 'NOT_POSSIBLE', fix: expect.stringContaining('sluice start') }),
  );
  await using writer = openSqliteLedger({ stateDir }).ledger;
  await using reader = openSqliteLedger({ stateDir, readOnly: true }).ledger;
  expect(reader.id).toBe(writer.id);
  await writer.files.put(file('p'));
  expect(await reader.files.get('inbox', 'p')).toBeUndefined();
  await writer.durable();
  expect(await reader.files.get('inbox', 'p')).toBeDefined();
  await expect(reader.files.put(file('q'))).rejects.toMatchObject({ code: 'STATE_UNWRITABLE' });
});
