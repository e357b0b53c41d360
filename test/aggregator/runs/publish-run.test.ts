import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { RunReport } from '../../../src/aggregator/runs/report.ts';
import type { StepRecord } from '../../../src/types/run.ts';
import { createRig, type Rig } from '../rig.ts';
import { hostileNames } from './hostile.ts';
import { createRun, endRun, endStep } from './ledger-run.ts';

const folderOf = (rig: Rig, id: string, workflow = 'nightly') => join(rig.output, 'workflows', workflow, id);
const reportOf = (rig: Rig, id: string, workflow?: string): RunReport =>
  JSON.parse(readFileSync(join(folderOf(rig, id, workflow), 'report.json'), 'utf8')) as RunReport;

test('a run has its reports from the start, and they follow it to its end', async () => {
  await using rig = createRig({ fileMode: 0o640 });
  await using aggregator = rig.start();
  const run = await createRun(rig, 'r1', [{ name: 'lint' }, { name: 'report' }]);
  await aggregator.publishRun('r1');
  expect(reportOf(rig, 'r1')).toMatchObject({ state: 'running', counts: { pending: 2 } });
  expect(aggregator.isRunPublished(run)).toBe(true);

  const { job, workDir } = await endStep(rig, run, 'lint', { result: 'two warnings', costUsd: 0.25 });
  await aggregator.publish(job, workDir);
  const report = await endStep(rig, run, 'report', {});
  await aggregator.publish(report.job, report.workDir);
  await endRun(rig, run);
  await aggregator.publishRun('r1');
  await aggregator.publishRun('r1');
  expect(reportOf(rig, 'r1')).toMatchObject({
    state: 'succeeded',
    cost_usd: 0.25,
    usage: { input_tokens: 10, output_tokens: 5 },
    jobs: 2,
    steps: [
      {
        name: 'lint',
        state: 'succeeded',
        result: 'two warnings',
        attempts: [{ n: 1, outcome: 'exited' }],
        href: 'steps/lint/',
      },
      { name: 'report', state: 'succeeded' },
    ],
  });
  expect(existsSync(join(folderOf(rig, 'r1'), 'steps/lint/result.md'))).toBe(true);
  expect(readdirSync(folderOf(rig, 'r1')).sort()).toEqual([
    'report.html',
    'report.json',
    'report.md',
    'steps',
  ]);
  expect(statSync(join(folderOf(rig, 'r1'), 'report.html')).mode & 0o777).toBe(0o640);
  expect(statSync(folderOf(rig, 'r1')).mode & 0o777).toBe(0o750);
  await aggregator.publishRun('never heard of');
  expect(await aggregator.reportOf('never heard of')).toBeUndefined();

  await aggregator.flush();
  const overview = JSON.parse(readFileSync(join(rig.output, 'index.json'), 'utf8'));
  expect(overview.runs).toMatchObject({
    total: 1,
    counts: { succeeded: 1 },
    latest: [{ run_id: 'r1', cost_usd: 0.25, href: 'workflows/nightly/r1/report.html' }],
  });
  // Steps are no files.
  expect(overview).toMatchObject({ totals: { jobs: 0 }, latest: [] });
  expect(readFileSync(join(rig.output, 'index.html'), 'utf8')).toContain('<h1>1 run</h1>');
});

test('a failed step shows what it wrote last, without secrets', async () => {
  await using rig = createRig();
  await using aggregator = rig.start();
  // A name that holds a secret is what it is on disk; in texts it is not.
  const workflow = 'hunter2 nightly';
  const run = await createRun(rig, 'r1', [{ name: 'test' }], { workflow, inputs: { token: 'hunter2' } });
  const failed = await endStep(rig, run, 'test', {
    stderr: 'connecting with hunter2\nrefused\n',
    end: { state: 'failed', reason: 'exit_code', message: 'exit code 1 after hunter2' },
    record: { reason: 'exit_code', message: 'exit code 1 after hunter2', fix: 'Look <here> & there.' },
  });
  await aggregator.publish(failed.job, failed.workDir);
  await endRun(rig, run, { state: 'failed', reason: 'step_failed' });
  await aggregator.publishRun('r1');
  const texts = ['report.html', 'report.md', 'report.json'].map((name) =>
    readFileSync(join(folderOf(rig, 'r1', workflow), name), 'utf8'),
  );
  for (const text of texts) {
    expect(text).toContain('connecting with ***');
    expect(text).not.toContain('hunter2');
  }
});

test('of many items the failed ones come first, the rest is counted', async () => {
  await using rig = createRig();
  await using aggregator = rig.start();
  const run = await createRun(rig, 'r1', [
    { name: 'each', forEach: { items: { list: [] }, maxParallel: 16 } },
  ]);
  const total = 6_000;
  const t0 = rig.clock.now;
  for (let from = 0; from < total; from += 1000) {
    await rig.ledger.runs.putSteps(
      Array.from({ length: 1000 }, (_, i): StepRecord => {
        const index = from + i;
        const state = index % 2000 === 1999 ? 'failed' : 'succeeded';
        return {
          runId: 'r1',
          id: `each[${index}]`,
          name: 'each',
          index,
          item: `p${index}`,
          state,
          startedAt: t0 + index,
          endedAt: t0 + index + 16,
          ...(state === 'failed' && { reason: 'exit_code' }),
        };
      }),
    );
  }
  await rig.ledger.runs.putStep({
    runId: 'r1',
    id: 'each',
    name: 'each',
    state: 'failed',
    reason: 'item_failed',
    counts: { total },
    startedAt: t0,
    endedAt: t0 + total + 16,
  });
  rig.clock.now = t0 + 10_000;
  await endRun(rig, run, { state: 'failed', reason: 'step_failed' });
  await aggregator.publishRun('r1');
  const [step] = reportOf(rig, 'r1').steps;
  expect(step?.items).toMatchObject({ total, counts: { succeeded: total - 3, failed: 3 } });
  expect(step?.items?.shown.slice(0, 4).map(({ index }) => index)).toEqual([1999, 3999, 5999, 0]);
  expect(step?.items?.shown).toHaveLength(53);
  const load = step?.items?.load ?? [];
  expect(load).toHaveLength(80);
  // Sixteen at a time, whichever pages were looked at.
  const mean = load.reduce((sum, { running }) => sum + running, 0) / load.length;
  expect(mean).toBeGreaterThan(12);
  expect(mean).toBeLessThan(20);
  expect(statSync(join(folderOf(rig, 'r1'), 'report.html')).size).toBeLessThan(200_000);
});

test('of many files the failed ones come first', async () => {
  await using rig = createRig();
  await using aggregator = rig.start();
  const run = await createRun(rig, 'r1', [{ name: 'all', type: 'file_processing' } as never]);
  const ids: string[] = [];
  for (let i = 0; i < 130; i++) {
    const end = { reason: 'timeout', message: 'too slow' } as const;
    const { job, workDir } = await rig.endJob(
      `d/${i}.txt`,
      { result: 'r' },
      i === 120 ? { state: 'failed', end } : {},
    );
    await aggregator.publish(job, workDir);
    ids.push(job.id);
  }
  await rig.ledger.runs.addFiles('r1', 'all', ids);
  await rig.ledger.runs.putStep({
    runId: 'r1',
    id: 'all',
    name: 'all',
    state: 'failed',
    reason: 'files_failed',
    counts: { processed: 129, failed: 1, total: 130 },
    startedAt: 1,
    endedAt: 2,
  });
  await endRun(rig, run, { state: 'failed' });
  await aggregator.publishRun('r1');
  const [step] = reportOf(rig, 'r1').steps;
  expect(step?.files).toMatchObject({ total: 130, counts: { processed: 129, failed: 1, total: 130 } });
  expect(step?.files?.shown).toHaveLength(51);
  expect(step?.files?.shown[0]).toMatchObject({ path: 'd/120.txt', reason: 'timeout' });
  for (const { href = '' } of step?.files?.shown ?? [])
    expect(existsSync(join(folderOf(rig, 'r1'), decodeURIComponent(href), 'receipt.json'))).toBe(true);
});

test('a run that called another tells of it, and what both cost', async () => {
  await using rig = createRig();
  await using aggregator = rig.start();
  const parent = await createRun(rig, 'r1', [{ name: 'call', type: 'workflow' } as never]);
  const child = await createRun(rig, 'r2', [{ name: 'work' }], {
    workflow: 'below',
    trigger: { kind: 'workflow', runId: 'r1', step: 'call' },
  });
  await endStep(rig, child, 'work', { costUsd: 0.5 });
  await endRun(rig, child);
  await rig.ledger.runs.putStep({
    runId: 'r1',
    id: 'call',
    name: 'call',
    state: 'succeeded',
    subRunId: 'r2',
    startedAt: 1,
    endedAt: 2,
  });
  await endRun(rig, parent);
  await aggregator.publishRun('r1');
  await aggregator.publishRun('r2');
  expect(reportOf(rig, 'r1')).toMatchObject({
    cost_usd: 0.5,
    sub_runs: 1,
    steps: [
      {
        cost_usd: 0.5,
        sub_run: {
          run_id: 'r2',
          workflow: 'below',
          state: 'succeeded',
          href: '../../../workflows/below/r2/report.html',
        },
      },
    ],
  });
  expect(reportOf(rig, 'r2', 'below').trigger).toMatchObject({
    kind: 'workflow',
    run_id: 'r1',
    workflow: 'nightly',
    href: '../../../workflows/nightly/r1/report.html',
  });
  await aggregator.flush();
  const overview = JSON.parse(readFileSync(join(rig.output, 'index.json'), 'utf8'));
  expect(overview.runs.latest.map(({ run_id }: { run_id: string }) => run_id)).toEqual(['r1']);
});

test('reports that are missing or torn are written again', async () => {
  await using rig = createRig();
  await using aggregator = rig.start();
  const runs = [];
  for (const id of ['r1', 'r2', 'r3', 'r4']) {
    const run = await createRun(rig, id, [{ name: 'a' }]);
    await endRun(rig, run);
    await aggregator.publishRun(id);
    runs.push(run);
  }
  rmSync(folderOf(rig, 'r1'), { recursive: true });
  writeFileSync(join(folderOf(rig, 'r2'), 'report.json'), '{"schema":1,"run_');
  writeFileSync(join(folderOf(rig, 'r3'), 'report.html'), '');
  expect(await aggregator.rebuild()).toMatchObject({ runs: 3 });
  expect(await aggregator.rebuild()).toMatchObject({ runs: 0 });
  for (const id of ['r1', 'r2', 'r3', 'r4']) expect(reportOf(rig, id).run_id).toBe(id);
});

test('links that were planted on the way are not followed', async () => {
  await using rig = createRig();
  await using aggregator = rig.start();
  const outside = join(rig.dir, 'outside');
  mkdirSync(outside);
  const run = await createRun(rig, 'r1', [{ name: 'a' }]);
  await endRun(rig, run);
  for (const planted of [
    'workflows',
    'workflows/nightly',
    'workflows/nightly/r1',
    'workflows/nightly/r1/report.html',
    'workflows/nightly/r1/.report.html.tmp',
  ]) {
    rmSync(join(rig.output, 'workflows'), { recursive: true, force: true });
    mkdirSync(join(rig.output, planted, '..'), { recursive: true });
    symlinkSync(planted.includes('report') ? join(outside, 'x') : outside, join(rig.output, planted));
    await aggregator.publishRun('r1');
    expect(readdirSync(outside), planted).toEqual([]);
    expect(reportOf(rig, 'r1').run_id).toBe('r1');
  }
  rmSync(join(folderOf(rig, 'r1'), 'report.html'));
  mkdirSync(join(folderOf(rig, 'r1'), 'report.html/x'), { recursive: true });
  await aggregator.publishRun('r1');
  expect(statSync(join(folderOf(rig, 'r1'), 'report.html')).isFile()).toBe(true);
});

test.each(hostileNames.map((name) => [name.slice(0, 30), name]))(
  'a workflow and a step called %j',
  async (_, name) => {
    await using rig = createRig();
    await using aggregator = rig.start();
    const run = await createRun(rig, 'r1', [{ name }], { workflow: name });
    const { job, workDir } = await endStep(rig, run, name.replaceAll('/', '-'), { result: name });
    await aggregator.publish(job, workDir);
    await endRun(rig, run);
    await aggregator.publishRun('r1');
    const folder = aggregator.runFolder(run);
    expect(folder.startsWith(`${rig.output}/workflows/`)).toBe(true);
    expect(readdirSync(folder)).toContain('report.html');
    expect(await aggregator.reportOf('r1')).toMatchObject({
      workflow: name.toWellFormed(),
      state: 'succeeded',
    });
  },
);

test('what a report step writes stays in its folder', async () => {
  await using rig = createRig();
  await using aggregator = rig.start();
  const run = { id: 'r1', workflow: 'nightly' };
  const write = (path: string, text = 'a hunter2') =>
    aggregator.writeStepOutput({ run, stepId: 'report', path, text });
  const { file, bytes } = await write('day/report.md');
  expect(file).toBe(join(folderOf(rig, 'r1'), 'steps/report/outputs/day/report.md'));
  expect(readFileSync(file, 'utf8')).toBe('a ***');
  expect(bytes).toBe(5);
  await write('day/report.md', 'again');
  expect(readFileSync(file, 'utf8')).toBe('again');
  for (const path of [
    '../x',
    '/etc/x',
    'a/../../x',
    '',
    'a//b',
    '.',
    'a\0b',
    'a\\b',
    `${'x'.repeat(300)}`,
    'a/',
  ])
    await expect(write(path), path).rejects.toMatchObject({ code: 'NOT_POSSIBLE' });
  symlinkSync(join(rig.dir), join(folderOf(rig, 'r1'), 'steps/report/outputs/out'));
  await write('out/x.md');
  expect(existsSync(join(rig.dir, 'x.md'))).toBe(false);
});
