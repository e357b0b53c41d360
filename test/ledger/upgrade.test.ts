/** A ledger that an earlier version made is brought up to date with everything in it. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { expect, test } from 'vitest';
import { openSqliteLedger } from '../../src/ledger/sqlite/open.ts';
import { APPLICATION_ID, migrations } from '../../src/ledger/sqlite/schema.ts';
import { aboutJob, aboutStep } from '../../src/types/review.ts';
import { run, step, stepJob } from './run-specs.ts';
import { attempt, claim, ids } from './specs.ts';
import { stateFolder } from './state-folder.ts';

const insert = `insert into job (id, root, path, sha256, bytes, stamp, rule, agent, key, state, reason, priority, rank, depth,
  queued_at, not_before, fence, worker, attempts, ended_at, published)
  values (?, 'inbox', ?, 'ff', 3, 's', 'all', ?, '', ?, ?, 0, ?, 0, 1000, ?, ?, ?, ?, ?, ?)`;

/** With a job in each state, as the first version wrote them. */
function firstVersion(stateDir: string, ended = 1): string {
  mkdirSync(stateDir, { recursive: true });
  const file = join(stateDir, 'ledger.db');
  using db = new DatabaseSync(file);
  db.exec('pragma journal_mode = wal');
  db.exec(
    `pragma application_id = ${APPLICATION_ID}; ${migrations[0]}; insert into meta values ('id', 'first')`,
  );
  db.exec('pragma user_version = 1; begin');
  const put = db.prepare(insert);
  put.run('queued', 'p1', 'a', 'queued', null, 1, null, 0, null, '{}', null, 0);
  put.run('other', 'p2', 'b', 'queued', null, 2, null, 0, null, '{}', null, 0);
  put.run('running', 'p3', 'a', 'running', null, 3, null, 4, 'w0', '{}', null, 0);
  put.run('backoff', 'p4', 'a', 'waiting', 'backoff', 4, 2_000, 1, null, '{}', null, 0);
  put.run('parked', 'p5', 'a', 'waiting', 'agent_unavailable', 5, 0, 1, null, '{}', null, 0);
  put.run('held', 'p6', 'a', 'held', 'interrupted', 6, null, 1, null, '{}', null, 0);
  const attempts = JSON.stringify({ 1: attempt(1) });
  for (let n = 0; n < ended; n++)
    put.run(`ended${n}`, `e${n}`, 'a', 'succeeded', null, 7, null, 1, null, attempts, 1_500, 1);
  db.exec('commit');
  return file;
}

test('a ledger of the first version is upgraded with its jobs intact', async () => {
  const stateDir = stateFolder();
  const file = firstVersion(stateDir);
  let now = 1_000;
  {
    const { ledger, setAside } = openSqliteLedger({ stateDir, now: () => now });
    await using _ = ledger;
    expect([ledger.id, setAside]).toEqual(['first', undefined]);
    const { jobs } = ledger;
    expect(await jobs.counts()).toEqual({ queued: 2, running: 1, waiting: 2, held: 1 });
    expect(await jobs.get('ended0')).toMatchObject({
      lane: 'a',
      fallbacks: [],
      promoted: [],
      attempts: [attempt(1)],
    });
    expect(await jobs.load()).toEqual(new Map([['a', 1]]));
    expect(ids(await claim(ledger, { agents: ['a', 'b'] }))).toEqual(['queued', 'other']);
    expect(ids(await jobs.orphaned('w'))).toEqual(['running']);
    expect(await jobs.nextDueAt()).toBe(2_000);
    now = 2_000;
    expect(ids(await claim(ledger))).toEqual(['backoff']);
    expect(await jobs.wake({ reason: 'agent_unavailable' })).toBe(1);
    expect(await jobs.unhold('held')).toBe(true);
    expect(ids(await claim(ledger))).toEqual(['parked', 'held']);
  }
  using db = new DatabaseSync(file, { readOnly: true });
  expect(db.prepare('pragma user_version').get()).toEqual({ user_version: migrations.length });
  expect(db.prepare('pragma application_id').get()).toEqual({ application_id: APPLICATION_ID });
  expect(db.prepare('pragma auto_vacuum').get(), 'its unused space can be given back').toEqual({
    auto_vacuum: 2,
  });
  expect(db.prepare('pragma integrity_check').get()).toEqual({ integrity_check: 'ok' });
});

test('a large ledger of the first version is not written anew', async () => {
  const stateDir = stateFolder();
  const file = firstVersion(stateDir);
  {
    using db = new DatabaseSync(file);
    db.exec(
      'create table ballast (x); insert into ballast values (zeroblob(70 << 20)); pragma wal_checkpoint(truncate)',
    );
  }
  await using ledger = openSqliteLedger({ stateDir }).ledger;
  expect((await ledger.jobs.counts()).queued).toBe(2);
  using db = new DatabaseSync(file, { readOnly: true });
  expect(db.prepare('pragma auto_vacuum').get()).toEqual({ auto_vacuum: 0 });
});

/** With a job in each place that the third version adds something to. */
function secondVersion(stateDir: string): string {
  const file = firstVersion(stateDir, 3);
  using db = new DatabaseSync(file);
  db.exec(`begin; ${migrations[1]}; pragma user_version = 2; commit`);
  db.exec(`update job set batch = 'g', fallbacks = '[{"agent":"b","reason":"quota"}]' where id = 'queued';
    insert into kept values ('k', 'n', '1'); insert into spending values ('1970-01-01', 'a', 'r', 1, 0, 2, 3);
    insert into tally values ('1970-01-01', 'r1', 'a', 'succeeded', 4, 5, 2), ('1970-01-01', 'r2', 'a', 'succeeded', 1, 5, 2),
      ('1970-01-01', 'r1', 'a', 'failed', 2, 5, 0), ('1970-01-01', 'r1', 'b', 'cached', 9, 0, 0)`);
  return file;
}

test('a ledger of the second version keeps its jobs and takes runs, steps and sessions', async () => {
  const stateDir = stateFolder();
  const file = secondVersion(stateDir);
  {
    const { ledger, setAside } = openSqliteLedger({ stateDir, now: () => 1_000 });
    await using _ = ledger;
    expect([ledger.id, setAside]).toEqual(['first', undefined]);
    const { jobs, runs, sessions } = ledger;
    expect(await jobs.counts()).toEqual({ queued: 2, running: 1, waiting: 2, held: 1 });
    const fallbacks = [{ agent: 'b', reason: 'quota' }];
    expect(await jobs.get('queued')).toMatchObject({ batch: 'g', fallbacks });
    for (const job of await jobs.list({ limit: 99 })) expect(job).not.toHaveProperty('step');
    expect(await ledger.kept.get('k', 'n')).toBe(1);
    expect(await ledger.spending.of('1970-01-01')).toMatchObject([{ costUsd: 2 }]);
    expect(await ledger.activity.since('1970-01-01'), 'earlier days are counted by job').toEqual([
      {
        ...{ agent: 'a', attempts: 1, unknown: 0, costUsd: 2, tokens: 3, succeeded: 5, failed: 2 },
        latency: new Map(),
      },
    ]);
    expect([await runs.open(), await sessions.list(9)]).toEqual([[], []]);
    await runs.create(run('r'));
    await jobs.enqueue(stepJob('of a step', 'r', 'a'));
    expect(ids(await jobs.list({ run: 'r', limit: 9 }))).toEqual(['of a step']);
    expect(ids(await claim(ledger)), 'oldest first').toEqual(['queued', 'of a step']);
  }
  using db = new DatabaseSync(file, { readOnly: true });
  expect(db.prepare('pragma user_version').get()).toEqual({ user_version: migrations.length });
  expect(db.prepare('pragma integrity_check').get()).toEqual({ integrity_check: 'ok' });
});

test('rounds of reviews that an earlier version kept are found by what they are about', async () => {
  const stateDir = stateFolder();
  mkdirSync(stateDir, { recursive: true });
  const version = migrations.findIndex((sql) => sql.includes('review_about'));
  {
    using db = new DatabaseSync(join(stateDir, 'ledger.db'));
    db.exec(`pragma application_id = ${APPLICATION_ID}; pragma journal_mode = wal`);
    for (const sql of migrations.slice(0, version)) db.exec(sql);
    db.exec(`insert into meta values ('id', 'first'); pragma user_version = ${version}`);
    const put = db.prepare('insert into review (id, session, started_at, value) values (?, ?, 1, ?)');
    for (const id of ['j', 'k'])
      put.run(id, id, JSON.stringify({ id, subject: { kind: 'job', jobId: id, attempt: 1 } }));
    const subject = { kind: 'step', runId: 'r', workflow: 'w', step: 'a b', jobId: 'x' };
    put.run('s', 'r', JSON.stringify({ id: 's', subject }));
  }
  await using ledger = openSqliteLedger({ stateDir }).ledger;
  const about = async (word: string) =>
    (await ledger.reviews.list({ about: word, limit: 9 })).map(({ id }) => id);
  expect([await about(aboutJob('j')), await about(aboutStep('r', 'a b'))]).toEqual([['j'], ['s']]);
});

test('an upgraded ledger and a new one have the same tables and indexes', async () => {
  const shape = async (upgraded: boolean): Promise<unknown[]> => {
    const stateDir = stateFolder();
    if (upgraded) secondVersion(stateDir);
    await openSqliteLedger({ stateDir }).ledger[Symbol.asyncDispose]();
    using db = new DatabaseSync(join(stateDir, 'ledger.db'), { readOnly: true });
    return db.prepare('select type, name, sql from sqlite_schema order by name').all();
  };
  expect(await shape(true)).toEqual(await shape(false));
});

test('a run whose removal was cut short is removed by the next', async () => {
  const stateDir = stateFolder();
  const file = join(stateDir, 'ledger.db');
  {
    await using ledger = openSqliteLedger({ stateDir }).ledger;
    await ledger.runs.putSteps([step('gone', 'a'), step('gone', 'e', {}, 1), step('here', 'a')]);
    await ledger.runs.addFiles('gone', 'a', ['j']);
    await ledger.sessions.open({ id: 'gone', kind: 'run', title: '' });
  }
  {
    using db = new DatabaseSync(file);
    db.exec("insert into run_gone values ('gone')");
  }
  await using ledger = openSqliteLedger({ stateDir }).ledger;
  expect(await ledger.runs.prune(0, 5)).toEqual([]);
  expect([await ledger.runs.steps('gone'), await ledger.runs.files('gone', 'a', { limit: 9 })]).toEqual([
    [],
    [],
  ]);
  expect(await ledger.runs.itemCounts('gone', 'e')).toEqual({});
  expect(await ledger.sessions.get('gone')).toBeUndefined();
  expect(await ledger.runs.steps('here')).toHaveLength(1);
  await ledger.durable();
  using db = new DatabaseSync(file, { readOnly: true });
  expect(db.prepare('select * from run_gone').all()).toEqual([]);
});

test('a reader does not upgrade a ledger', () => {
  const stateDir = stateFolder();
  firstVersion(stateDir);
  expect(() => openSqliteLedger({ stateDir, readOnly: true })).toThrow(
    expect.objectContaining({ code: 'NOT_POSSIBLE', fix: expect.stringContaining('sluice start') }),
  );
});
