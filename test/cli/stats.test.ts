/** What is drawn, and the numbers under it; with a daemon and without one. */
import { expect, test } from 'vitest';
import { sparkline } from '../../src/cli/sparkline.ts';
import { openSqliteLedger } from '../../src/ledger/sqlite/open.ts';
import { type StatsReport, stats } from '../../src/operations/stats.ts';
import { spec } from '../ledger/specs.ts';
import { stateFolder } from '../ledger/state-folder.ts';
import { makeProject, until } from './sluice.ts';

const MINUTE_MS = 60_000;

test.each([
  [[], 10, ''],
  [[0, 0, 0], 10, '▁▁▁'],
  [[0, 1, 2, 4], 10, '▁▃▅█'],
  [[null, 5, null], 10, ' █ '],
  [[0.0001, 100], 10, '▂█'],
  [[1, 2, 3, 4, 5, 6, 7, 8], 4, '▃▅▇█'],
  [[null, null, 8, 8], 2, ' █'],
])('%j in %d characters: "%s"', (numbers, width, bars) => {
  expect(sparkline(numbers, width)).toBe(bars);
});

test('minutes become points, the minute that is under way comes from the jobs', async () => {
  const now = Date.UTC(2026, 10, 20, 12, 0, 30);
  const at = (minutesAgo: number): number => Math.floor(now / MINUTE_MS) * MINUTE_MS - minutesAgo * MINUTE_MS;
  const { ledger } = openSqliteLedger({ stateDir: stateFolder(), now: () => now });
  await using _ = ledger;
  await ledger.metrics.put(at(3), {
    succeeded: 8,
    failed: 2,
    queued: 5,
    oldest_ms: 900,
    cpu_ms: 6_000,
    rss_bytes: 100,
    cost_usd: 1,
  });
  await ledger.metrics.put(at(2), { succeeded: 1, cached: 1, rss_bytes: 90 });
  // Written by a daemon that was restarted within this minute: counted from the jobs.
  await ledger.metrics.put(at(0), { succeeded: 50 });
  for (const [id, state, ms] of [
    ['1', 'succeeded', 100],
    ['2', 'succeeded', 300],
    ['3', 'failed', 200],
  ] as const)
    await ledger.jobs.record(spec({ id }), { state, costUsd: 0.5 }, { queuedAt: now - ms, endedAt: now });

  const report = await stats(ledger, { since: now - 5 * MINUTE_MS, points: 60 }, now);
  expect(report.point_ms).toBe(MINUTE_MS);
  expect(report.points.map((point) => point.files_per_minute)).toEqual([null, null, 10, 2, null, 50]);
  expect(report.points[2]).toMatchObject({
    error_rate: 0.2,
    queued: 5,
    oldest_ms: 900,
    cpu_percent: 10,
    cost_usd: 1,
  });
  expect(report.points[0]).toMatchObject({ error_rate: null, rss_bytes: null });
  expect(report.totals).toMatchObject({ succeeded: 11, cached: 1, failed: 3, cost_usd: 2.5 });
  expect(report.agents).toMatchObject([{ agent: 'a', jobs: 3, succeeded: 2, failed: 1, cost_usd: 1.5 }]);
  expect(report.agents[0]?.success_rate).toBeCloseTo(2 / 3);

  const coarse = await stats(ledger, { since: now - 24 * 60 * MINUTE_MS, points: 10 }, now);
  expect(coarse.points.length).toBeLessThanOrEqual(11);
  expect(coarse.points.at(-1)?.queued).toBe(5);
});

test('stats before, with and after a daemon', async () => {
  const project = makeProject();
  expect(await project.json<StatsReport>('stats')).toMatchObject({ points: [], agents: [] });
  const daemon = await project.start();
  project.write('inbox/a.txt', 'a');
  project.write('inbox/b.bad', 'b');
  await until('both have ended', async () => {
    const { succeeded, failed } = (await project.json<StatsReport>('stats')).totals;
    return succeeded === 1 && failed === 1;
  });
  const during = await project.json<StatsReport>('stats', '--since', '1h');
  expect(during.totals).toMatchObject({ succeeded: 1, failed: 1 });
  expect(during.agents.map(({ agent }) => agent).toSorted()).toEqual(['fail', 'sum']);
  const gone = new Promise((done) => daemon.once('exit', done));
  daemon.kill('SIGTERM');
  await gone;
  // The minute that had begun was written when it ended.
  const { code, stdout, stderr } = await project.call('stats', '--since', '1d');
  expect([code, stderr]).toEqual([0, '']);
  expect(stdout).toMatch(/files\/min .*█/);
  expect(stdout).toMatch(/sum +1 +100 %/);
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  expect(stdout).not.toMatch(/\u001b/);
  expect((await project.call('stats', '--since', 'soon')).code).toBe(2);
});
