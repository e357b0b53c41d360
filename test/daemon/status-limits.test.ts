import { expect, test } from 'vitest';
import { stayWithinDay, withClock } from '../badinput/rig.ts';
import { anyDisk, costs, linesOf, script } from './agents.ts';
import { makeProject, until } from './project.ts';

test('status lists every limit with its bound, its use now and its peak', async () => {
  const project = makeProject(
    `
routing_rules: [{ name: all, pattern: "**", agent: work, max_load: 2, budget: { usd_per_day: 7, tokens_per_day: 1000 } }]
budget: { usd_per_day: 9, tokens_per_run: 2000 }
agents:
${script('work', `${costs(0.25, 40)}; while [ ! -e gate ]; do sleep 0.02; done`, 'max_load: 3', 'rate: 100/h', 'budget: { usd_per_day: 5, usd_per_run: 1 }')}
concurrency_limits: { max_processes: 4, max_concurrent_files: 8 }
${anyDisk}`,
    withClock,
  );
  stayWithinDay(project);
  const daemon = await project.start();
  for (let i = 0; i < 3; i++) project.write(`inbox/f${i}.txt`, `content ${i}`);
  await until('two run and have told what they cost', async () => {
    const { limits } = await project.status();
    return limits['agents.work.usd_per_day']?.used === 0.5;
  });
  const shown = JSON.parse((await project.sluice('status', '--json')).stdout) as Awaited<
    ReturnType<typeof project.status>
  >;
  expect(shown.limits).toEqual({
    max_processes: { limit: 4, used: 2, peak: 2 },
    max_concurrent_files: { limit: 8, used: 2, peak: 2 },
    'agents.work.max_load': { limit: 3, used: 2, peak: 2 },
    'agents.work.rate': { limit: 100, used: 2, peak: 2, unit: 'attempts', per_ms: 3_600_000 },
    'rules.all.max_load': { limit: 2, used: 2, peak: 2 },
    'daemon.usd_per_day': { limit: 9, used: 0.5, peak: 0.5, unit: 'usd' },
    'agents.work.usd_per_day': { limit: 5, used: 0.5, peak: 0.5, unit: 'usd' },
    'rules.all.usd_per_day': { limit: 7, used: 0.5, peak: 0.5, unit: 'usd' },
    'rules.all.tokens_per_day': { limit: 1000, used: 80, peak: 80, unit: 'tokens' },
  });
  const { stdout } = await project.sluice('status');
  for (const word of ['max_load', 'usd_per_day', 'rate']) expect(stdout).toContain(word);
  project.write('gate', '');
  await until('all are done', () => project.receipts().length === 3);
  // The place of an attempt is free when its receipt is written, and a moment after.
  await until('no place is taken', async () => (await project.status()).limits.max_processes?.used === 0);
  const { limits } = await project.status();
  expect(limits.max_processes).toEqual({ limit: 4, used: 0, peak: 2 });
  expect(limits['agents.work.usd_per_day']).toMatchObject({ used: 0.75 });
  daemon.kill('SIGTERM');
  expect(await daemon.exited).toBe(0);
  const stopped = JSON.parse((await project.sluice('status', '--json')).stdout) as typeof shown;
  expect(Object.keys(stopped.limits).toSorted()).toEqual(Object.keys(limits).toSorted());
  expect(stopped.limits['agents.work.usd_per_day']).toMatchObject({ limit: 5, used: 0.75 });
  expect(linesOf(project)).toHaveLength(3);
});
