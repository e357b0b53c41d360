/** Runs that files start: by a rule and by `on`, many at once, changed under way, failed and tried again, writing where they watch. */
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { processesOf } from '../badinput/rig.ts';
import { linesOf, resultOf } from './agents.ts';
import { type Project, until } from './project.ts';
import {
  commandStep as command,
  ended,
  expectReports,
  note,
  runByCommand,
  runOf,
  runsOf,
  stepOf,
  stop,
  workflowProject,
} from './workflow-rig.ts';

async function settled(project: Project, count: number): Promise<void> {
  await until(`${count} files have a receipt and nothing is open`, async () => {
    const { queue } = await project.status();
    return project.receipts().length === count && queue.queued + queue.running + queue.waiting === 0;
  });
}

test('a rule and `on.file` send files to a workflow; receipt, result, retry; `sluice run` does the same', async () => {
  const project = workflowProject(
    {
      csv: `name: csv
on: { file: "**/*.tsv" }
steps:
${command('count', note('count-$1', 'wc -l < "$2"; case $1 in bad*) test -e mended;; esac', ['${{ file.rel }}', '${{ file.path }}']))}${command('tell', '[echo, "${{ steps.count.result }} ${{ run.trigger }} ${{ length(files) }} ${{ file.bytes }}"]', 'needs: [count]')}`,
    },
    { config: 'routing_rules: [{ name: sheets, pattern: "**/*.csv", workflow: csv }]\n' },
  );
  project.write('inbox/a.csv', 'x\ny\n');
  project.write('inbox/deep/b.tsv', 'x\n');
  project.write('inbox/bad.csv', 'x\n');
  const daemon = await project.start();
  await settled(project, 3);
  expect(
    project
      .receipts()
      .map(({ input, state, rule }) => [input.path, state, rule])
      .toSorted(),
  ).toEqual([
    ['a.csv', 'succeeded', 'sheets'],
    ['bad.csv', 'failed', 'sheets'],
    ['deep/b.tsv', 'succeeded', expect.any(String)],
  ]);
  const runs = await runsOf(project);
  expect(runs.map(({ trigger, state }) => [trigger, state]).toSorted()).toEqual([
    ['file inbox/a.csv', 'succeeded'],
    ['file inbox/bad.csv', 'failed'],
    ['file inbox/deep/b.tsv', 'succeeded'],
  ]);
  const id = runs.find(({ trigger }) => trigger === 'file inbox/a.csv')?.run_id ?? '';
  const run = await ended(project, id);
  expect(stepOf(run, 'tell').result).toBe('2\n file 1 4\n');
  expectReports(project, run);
  const result = resultOf(project, 'a.csv');
  expect(result).toContain(`workflows/csv/${id}/report.html`);
  const link = /\]\(([^)]+)\)/.exec(result)?.[1] ?? '';
  expect(project.exists(join('processed/files/inbox/a.csv', link))).toBe(true);
  const failed = project.receipt('bad.csv');
  expect(failed).toMatchObject({ reason: 'exit_code', message: expect.stringContaining('count') });
  expect((await project.sluice('why', 'inbox/a.csv')).stdout).toContain('csv');

  project.write('mended', '');
  expect((await project.sluice('jobs', 'retry', 'inbox/bad.csv')).code).toBe(0);
  await until('it succeeded', () => project.receipt('bad.csv')?.state === 'succeeded');
  expect(linesOf(project, 'steps.log').toSorted()).toEqual(
    ['count-a.csv', 'count-bad.csv', 'count-bad.csv', 'count-deep/b.tsv'].toSorted(),
  );
  await stop(daemon);
  project.write('inbox/late.csv', 'z\n');
  const late = await project.sluice('run', '--json');
  expect([late.code, late.stderr]).toEqual([0, '']);
  expect(project.receipt('late.csv')?.state).toBe('succeeded');
  const listed = await project.sluice('jobs', 'list', '--json');
  expect(listed.code).toBe(0);
});

test.each([
  ['queue', 'succeeded', undefined],
  ['restart', 'cancelled', 'on_file_changed'],
])(
  'a file that changes while its run goes on gets a run of its own; on_change: %s',
  async (onChange, state, reason) => {
    const project = workflowProject(
      {
        w: `name: w
steps:
${command('read', note('read', 'cat "$1"; while [ ! -e gate ]; do sleep 0.02; done', ['${{ file.path }}']))}${command('after', note('after-$1', '', ['${{ steps.read.result }}']))}`,
      },
      {
        config: `watch: [{ path: ./inbox, on_change: ${onChange} }]
routing_rules: [{ name: all, pattern: "**", workflow: w }]
`,
      },
    );
    project.write('inbox/a.txt', 'one');
    await project.start();
    await until('the first run reads it', () => linesOf(project, 'steps.log').length === 1);
    const [first] = await runsOf(project);
    project.write('inbox/a.txt', 'two');
    if (onChange === 'restart') await ended(project, first?.run_id ?? '');
    else await until('the change waits', async () => (await project.status()).queue.waiting === 1);
    project.write('gate', '');
    await until('there are two runs', async () => (await runsOf(project)).length === 2);
    const [second] = await runsOf(project);
    const run = await ended(project, second?.run_id ?? '');
    expect(stepOf(run, 'read').result).toBe('two');
    expect(await ended(project, first?.run_id ?? '')).toMatchObject({ state, ...(reason && { reason }) });
    await settled(project, 1);
    expect(project.receipt('a.txt')).toMatchObject({ state: 'succeeded', input: { bytes: 3 } });
    expect(resultOf(project, 'a.txt')).toContain(run.run_id);
    expect(linesOf(project, 'steps.log').at(-1)).toBe('after-two');
  },
);

test('many files at once under small limits: no deadlock, the limits hold, over a kill, with files in files', async () => {
  const busy =
    'mkdir -p busy; d=$(mktemp -d busy/XXXXXX); ls busy | wc -l >> peaks.log; sleep 0.03; rmdir $d';
  const project = workflowProject(
    {
      outer: `name: outer
steps:
${command('one', note('one-$1', busy, ['${{ file.name }}']))}  - { name: inner, type: file_processing, directory: "data/\${{ file.stem }}" }
${command('two', note('two', busy), 'for_each: [1, 2], needs: [inner]')}`,
    },
    {
      config: `routing_rules:
  - { name: outer, pattern: "*.job", workflow: outer }
  - { name: inner, pattern: "data/**", agent: inner }
agents:
  inner: { kind: command, command: ${note('deep', busy)}, sandbox: { mode: auto, write: [project] } }
concurrency_limits: { max_processes: 2, max_concurrent_files: 1 }
`,
    },
  );
  const files = 12;
  for (let n = 0; n < files; n++) {
    project.write(`data/f${n}/in.txt`, `content ${n}`);
    project.write(`inbox/f${n}.job`, `job ${n}`);
  }
  const daemon = await project.start();
  await until('some have ended', () => linesOf(project, 'steps.log').includes('two'));
  daemon.kill('SIGKILL');
  await daemon.exited;
  await until('no process of a step is left', () => processesOf(project).length === 0);
  rmSync(join(project.dir, 'busy'), { recursive: true, force: true });
  await project.start();
  await settled(project, 2 * files);
  expect(new Set(project.receipts().map(({ state }) => state))).toEqual(new Set(['succeeded']));
  expect(Math.max(...linesOf(project, 'peaks.log').map(Number))).toBeLessThanOrEqual(2);
  expect((await runsOf(project)).every(({ state }) => state === 'succeeded')).toBe(true);
});

test('runs that files start do not start others: directories that hold their own files, and those of other workflows', async () => {
  const both = (name: string, ext: string) => `name: ${name}
on: { file: "**/*.${ext}" }
steps:
${command('one', note(`${name}-$1`, '', ['${{ file.name }}']))}  - { name: all, type: file_processing, directory: inbox }
  - { name: sub, type: workflow, workflow: sub, with: { from: ${name} } }
`;
  const project = workflowProject(
    {
      py: both('py', 'py'),
      js: both('js', 'js'),
      sub: `name: sub\ninputs: { from: {} }\nsteps: [{ name: again, type: file_processing, directory: inbox }]\n`,
      whole: `name: whole\nsteps: [{ name: all, type: file_processing, directory: inbox }]\n`,
    },
    {
      config: `routing_rules: [{ name: text, pattern: "**/*.txt", agent: inspect }]
agents: { inspect: { kind: builtin } }
concurrency_limits: { max_processes: 2, max_concurrent_files: 2 }
`,
    },
  );
  const files = 5;
  for (let n = 0; n < files; n++)
    for (const ext of ['py', 'js', 'txt']) project.write(`inbox/${n}.${ext}`, `${ext} ${n}`);
  await project.start();
  await settled(project, 3 * files);
  expect(new Set(project.receipts().map(({ state }) => state))).toEqual(new Set(['succeeded']));
  const [last] = await runsOf(project);
  const run = await runOf(project, last?.run_id ?? '');
  expect(stepOf(run, 'all').outputs).toMatchObject({ ignored: 2 * files, total: 3 * files, failed: 0 });
  expect(stepOf(run, 'all').message).toContain(`${2 * files} files go to a workflow and are left out`);
  expect(linesOf(project, 'steps.log')).toHaveLength(2 * files);
  // One that a person starts waits for the runs of all.
  project.write('inbox/0.py', 'changed');
  const whole = await runByCommand(project, 'whole', '--force');
  expect(whole.code).toBe(0);
  expect(stepOf(whole.run, 'all').outputs).toMatchObject({
    processed: 3 * files,
    total: 3 * files,
    ignored: 0,
  });
});
