/** What may go, goes: by age, number and bytes. What a dry run says is what then happens. */
import { existsSync, mkdirSync, readdirSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import type { Config } from '../../src/config/config.ts';
import { applyRetention } from '../../src/engine/retention.ts';
import { openSqliteLedger } from '../../src/ledger/sqlite/open.ts';
import { RotatingFile } from '../../src/logging/rotating-file.ts';
import { gc } from '../../src/operations/gc.ts';
import { review } from '../ledger/contract/reviews.ts';
import { run, step, stepJob } from '../ledger/run-specs.ts';
import { file as fileRow, spec } from '../ledger/specs.ts';
import { stateFolder } from '../ledger/state-folder.ts';

const DAY_MS = 86_400_000;
const NOW = Date.UTC(2026, 10, 20);

function configOf(
  stateDir: string,
  more: { days?: number; jobs?: number; maxBytes?: number; logBytes?: number } = {},
): Config {
  return {
    stateDir,
    projectDir: dirname(stateDir),
    output: {
      dir: join(stateDir, 'out'),
      retentionMs: (more.days ?? 30) * DAY_MS,
      retentionJobs: more.jobs ?? Number.POSITIVE_INFINITY,
    },
    cache: { ttlMs: 30 * DAY_MS, maxBytes: more.maxBytes ?? 1e9 },
    daemon: { maxLogBytes: more.logBytes ?? 1e9 },
  } as Config;
}

function put(path: string, bytes: number, daysAgo = 0): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, 'x'.repeat(bytes));
  const at = new Date(NOW - daysAgo * DAY_MS);
  utimesSync(path, at, at);
  utimesSync(dirname(path), at, at);
}

/** Ended jobs of one path: all but the last may go. */
async function endedJobs(stateDir: string, count: number, daysAgo: number) {
  let now = NOW - daysAgo * DAY_MS;
  const { ledger } = openSqliteLedger({ stateDir, now: () => now });
  await ledger.files.put(fileRow('a.txt', { jobId: `${count}`, seenAt: now }));
  for (let n = 1; n <= count; n++) {
    now += 1_000;
    await ledger.jobs.record(spec({ id: `${n}`, path: 'a.txt' }), { state: 'failed', reason: 'exit_code' });
    await ledger.jobs.published(`${n}`);
    for (const what of ['history', 'work', 'undo'])
      put(join(stateDir, what, `${n}`, '1', 'promoted.json'), 100);
  }
  await ledger.durable();
  return ledger;
}

test('by age: jobs, and everything that is kept of them; a dry run says exactly that and touches nothing', async () => {
  const stateDir = stateFolder();
  await using ledger = await endedJobs(stateDir, 20, 40);
  const config = configOf(stateDir);
  const plan = await gc({ config, ledger, dryRun: true, now: NOW });
  expect(plan.removed).toContainEqual({ what: 'jobs', items: 19, bytes: 0 });
  expect(plan.removed).toContainEqual({ what: 'history', items: 19, bytes: 1_900 });
  expect(readdirSync(join(stateDir, 'work'))).toHaveLength(20);
  expect(await ledger.jobs.list({ limit: 100 })).toHaveLength(20);
  expect(readdirSync(stateDir).filter((name) => name.startsWith('gc-'))).toEqual([]);

  const done = await gc({ config, ledger, dryRun: false, now: NOW });
  expect(done.removed).toEqual(plan.removed);
  expect(done.kept).toEqual(plan.kept);
  expect(await ledger.jobs.list({ limit: 100 })).toMatchObject([{ id: '20' }]);
  for (const what of ['history', 'work', 'undo']) expect(readdirSync(join(stateDir, what))).toEqual(['20']);
  expect((await gc({ config, ledger, dryRun: false, now: NOW })).removed).toEqual([]);
});

test('by number: the newest stay', async () => {
  const stateDir = stateFolder();
  await using ledger = await endedJobs(stateDir, 20, 1);
  await applyRetention({ config: configOf(stateDir, { jobs: 5 }), ledger, apply: true, now: NOW });
  const left = (await ledger.jobs.list({ limit: 100 })).map(({ id }) => Number(id)).toSorted((a, b) => a - b);
  expect(left).toEqual([16, 17, 18, 19, 20]);
});

test('runs go with the jobs of their steps, their folder and their session; what a dry run says is what goes', async () => {
  const stateDir = stateFolder();
  let now = NOW - 40 * DAY_MS;
  const { ledger } = openSqliteLedger({ stateDir, now: () => now });
  await using _ = ledger;
  const { runs, jobs, sessions } = ledger;
  const config = configOf(stateDir);
  const places = ['one', 'two', 'three'].map((id) => join(config.output.dir, 'workflows/nightly', id));
  for (const id of ['one', 'two', 'three']) {
    const isLatest = id === 'three';
    await runs.create(run(id, isLatest ? {} : { state: 'failed', endedAt: now }));
    await runs.putStep(step(id, 'a', { state: 'failed' }));
    await jobs.record(stepJob(`job-${id}`, id, 'a'), { state: 'failed', reason: 'exit_code' });
    await jobs.published(`job-${id}`);
    await sessions.open({ id, kind: 'run', title: id });
    if (!isLatest) await sessions.close(id);
    put(join(config.output.dir, 'workflows/nightly', id, 'report.md'), 1_000);
    put(join(stateDir, 'work', `job-${id}`, '1', 'stderr'), 100, 40);
  }
  await sessions.open({ id: 'by hand', kind: 'manual', title: '' });
  await sessions.commit('by hand', 'me', [{ op: 'set', owner: '', key: 'k', value: 1, ttlMs: 5 }]);
  await sessions.close('by hand');
  for (const one of ['old', 'new'])
    await ledger.reviews.put(review(one, { endedAt: one === 'old' ? now : NOW }));
  now = NOW;
  await ledger.durable();
  const plan = await gc({ config, ledger, dryRun: true, now: NOW });
  expect(plan.removed).toEqual([
    { what: 'runs', items: 2, bytes: 0 },
    { what: 'reports', items: 2, bytes: 2_000 },
    { what: 'jobs', items: 2, bytes: 0 },
    { what: 'work', items: 2, bytes: 200 },
    { what: 'sessions', items: 1, bytes: 0 },
    { what: 'reviews', items: 1, bytes: 0 },
  ]);
  expect(places.map(existsSync)).toEqual([true, true, true]);
  const done = await gc({ config, ledger, dryRun: false, now: NOW });
  expect(done.removed).toEqual(plan.removed);
  expect(places.map(existsSync)).toEqual([false, false, true]);
  expect((await runs.list({ limit: 9 })).map(({ id }) => id)).toEqual(['three']);
  expect((await sessions.list(9)).map(({ id }) => id)).toEqual(['three']);
  expect((await ledger.reviews.list({ limit: 9 })).map(({ id }) => id)).toEqual(['new']);
  expect(await jobs.list({ limit: 9 })).toMatchObject([{ id: 'job-three' }]);
  expect((await gc({ config, ledger, dryRun: false, now: NOW })).removed).toEqual([]);
});

test('by bytes: older results and undo together; a promotion that is under way stays', async () => {
  const stateDir = stateFolder();
  await using ledger = openSqliteLedger({ stateDir }).ledger;
  put(join(stateDir, 'undo', 'busy', '1', 'placing.json'), 1_000);
  for (let n = 0; n < 10; n++) put(join(stateDir, 'history', `job${n}`, 'result.md'), 1_000);
  const removed = await applyRetention({
    config: configOf(stateDir, { maxBytes: 4_000 }),
    ledger,
    apply: true,
    now: NOW,
  });
  expect(removed).toEqual([{ what: 'history', items: 7, bytes: 7_000 }]);
  expect(existsSync(join(stateDir, 'undo', 'busy', '1', 'placing.json'))).toBe(true);
  await applyRetention({ config: configOf(stateDir, { maxBytes: 0 }), ledger, apply: true, now: NOW });
  expect(readdirSync(join(stateDir, 'undo'))).toEqual(['busy']);
});

test('logs: older ones by age and bytes, never the one that is written; leftovers of what was killed', async () => {
  const stateDir = stateFolder();
  await using ledger = openSqliteLedger({ stateDir }).ledger;
  put(join(stateDir, 'logs/sluice.jsonl'), 5_000, 90);
  put(join(stateDir, 'logs/sluice.1.jsonl'), 1_000, 1);
  put(join(stateDir, 'logs/sluice.2.jsonl'), 1_000, 2);
  put(join(stateDir, 'logs/sluice.3.jsonl'), 1_000, 60);
  put(join(stateDir, 'gc-AbCdEf/ledger.db'), 10, 1);
  put(join(stateDir, 'export-123456/ledger.db'), 10, 0);
  const config = configOf(stateDir, { logBytes: 6_000 });
  const removed = await applyRetention({ config, ledger, apply: true, now: NOW });
  expect(removed.map(({ what, items }) => [what, items])).toEqual([
    ['logs', 2],
    ['leftovers', 1],
  ]);
  expect(readdirSync(join(stateDir, 'logs')).toSorted()).toEqual(['sluice.1.jsonl', 'sluice.jsonl']);
  expect(existsSync(join(stateDir, 'export-123456'))).toBe(true);
});

test('log files together stay under their bound, whatever is written', () => {
  const dir = stateFolder();
  const log = new RotatingFile({ dir, name: 'sluice', maxTotalBytes: 6_000 });
  const total = (): number => readdirSync(dir).reduce((sum, name) => sum + statSync(join(dir, name)).size, 0);
  for (let n = 0; n < 500; n++) {
    log.write(`${'y'.repeat(n % 90)}\n`);
    expect(total()).toBeLessThanOrEqual(6_000);
  }
  log.close();
});
