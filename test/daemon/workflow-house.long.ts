/** Runs among everything else: limits, sandbox, state, schedules, listings, retention, and the worst of names. */
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import type { Receipt } from '../../src/types/receipt.ts';
import { linesOf } from './agents.ts';
import { until } from './project.ts';
import {
  commandStep as command,
  ended,
  expectReports,
  note,
  read,
  runByCommand,
  runsOf,
  runToEnd,
  startRun,
  statesOf,
  stepOf,
  stop,
  workflowProject,
} from './workflow-rig.ts';

test('max_processes holds over the steps of several runs and over files; an agent has its max_load there, too', async () => {
  const busy =
    'mkdir -p busy; d=$(mktemp -d busy/XXXXXX); ls busy | wc -l >> peaks.log; sleep 0.03; rmdir $d';
  const alone =
    'mkdir -p lone; d=$(mktemp -d lone/XXXXXX); ls lone | wc -l >> lone.log; sleep 0.02; rmdir $d';
  const project = workflowProject(
    {
      w: `name: w
steps:
${command('fan', note('fan', busy), 'for_each: [1, 2, 3, 4, 5, 6, 7, 8, 9, 10], max_parallel: 10')}  - { name: agents, type: agent, agent: lone, prompt: "x \${{ item }} \${{ run.id }}", for_each: [1, 2, 3, 4], needs: [] }
`,
    },
    {
      config: `routing_rules: [{ name: all, pattern: "**", agent: busy }]
agents:
  busy: { kind: command, command: ${note('file', busy)}, sandbox: { mode: auto, write: [project] } }
  lone: { kind: command, command: ${note('lone', `${busy}; ${alone}`)}, max_load: 1, sandbox: { mode: auto, write: [project] } }
concurrency_limits: { max_processes: 3, max_concurrent_files: 2 }
`,
    },
  );
  await project.start();
  const runs = [startRun(project, 'w'), startRun(project, 'w')];
  for (let n = 0; n < 10; n++) project.write(`inbox/${n}`, `content ${n}`);
  for (const id of await Promise.all(runs)) expect((await ended(project, id)).state).toBe('succeeded');
  await until('the files are done', () => project.receipts().length === 10);
  const peaks = linesOf(project, 'peaks.log').map(Number);
  expect(peaks).toHaveLength(38);
  expect(Math.max(...peaks)).toBeLessThanOrEqual(3);
  expect(new Set(linesOf(project, 'lone.log'))).toEqual(new Set(['1']));
  const { limits } = (await project.status()) as unknown as {
    limits: { max_processes: { peak: number }; max_concurrent_files: { peak: number } };
  };
  expect([limits.max_processes.peak, limits.max_concurrent_files.peak]).toEqual([3, 2]);
});

test('state goes from step to step and over a restart, is gone with its run, and no other run sees it', async () => {
  const project = workflowProject(
    {
      w: `name: w
steps:
${command('set', '[sh, -c, "sluice state set who \\"a b\\" && sluice state set n --json-value 1 && echo $SLUICE_STATE_TOKEN > token"]')}${command('add', '[sh, -c, \'echo "[{\\"op\\":\\"add\\",\\"key\\":\\"n\\",\\"by\\":1}]" | sluice state transaction\']', 'for_each: [1, 2, 3, 4, 5], max_parallel: 5')}${command('wait', note('wait', 'while [ ! -e gate ]; do sleep 0.02; done'))}${command('get', '[echo, "${{ state.who }} ${{ state.n }} ${{ state.none }}"]')}${command('inside', '[sluice, state, get, n]')}  - { name: sub, type: workflow, workflow: sub }
${command('if', '[echo, yes]', 'if: "${{ state.n > 5 }}"')}`,
      sub: `name: sub
outputs: { seen: "\${{ state.who }}" }
steps: [{ name: look, type: custom_command, command: [sh, -c, "sluice state get who || echo nothing"] }]
`,
    },
    { config: 'output_settings: { retention: 1s }\n' },
  );
  const first = await project.start();
  const id = await startRun(project, 'w');
  await until('it waits', () => linesOf(project, 'steps.log').length === 1);
  first.kill('SIGKILL');
  await first.exited;
  await project.start();
  project.write('gate', '');
  const run = await ended(project, id);
  expect(statesOf(run)).toMatchObject({
    get: 'succeeded',
    inside: 'succeeded',
    sub: 'succeeded',
    if: 'succeeded',
  });
  expect(stepOf(run, 'get').result).toBe('a b 6 \n');
  expect(stepOf(run, 'inside').result).toBe('6\n');
  expect(stepOf(run, 'sub').outputs).toEqual({ seen: null });
  expect((await project.sluice('sessions', 'show', id)).stdout).toContain('a b');
  const folder = join(project.dir, 'processed/workflows/w', id);
  expect(readdirSync(folder)).toContain('report.html');
  // A later run, so that this one is not the latest of its workflow; then its time is over.
  const later = await runToEnd(project, 'w');
  await until('retention lets it go', async () => {
    expect((await project.sluice('gc')).code).toBe(0);
    return !(await runsOf(project)).some(({ run_id }) => run_id === id);
  });
  expect(readdirSync(join(project.dir, 'processed/workflows/w'))).toEqual([later.run_id]);
  expect((await project.sluice('sessions', 'show', id)).code).toBe(1);
  expect((await project.sluice('workflow', 'show', id)).code).toBe(1);
});

test('a step that writes outside its folder does not; what it promised and did not write is a failure', async () => {
  const outside = mkdtempSync(join(tmpdir(), 'sluice-outside-'));
  const atHome = `sluice-was-here-${process.pid}`;
  onTestFinished(() => rmSync(outside, { recursive: true, force: true }));
  const project = workflowProject({
    w: `name: w
steps:
${command('outside', `[sh, -c, 'echo x > ${outside}/x']`)}${command('home', `[sh, -c, 'echo x > ~/${atHome}']`)}${command('ours', `[sh, -c, 'echo x > .sluice/x || ls .sluice/ledger.db']`)}${command('only', `[sh, -c, 'echo in > $SLUICE_OUTPUT_DIR/in; echo x > x']`, 'sandbox: { mode: required }')}${command('declared', `[sh, -c, 'echo out > "$SLUICE_OUTPUT_DIR/out.txt"; echo x > allowed']`, 'expect: { outputs: ["out.txt"] }')}${command('missing', '["true"]', 'expect: { outputs: ["out.txt"] }')}`,
  });
  const { run } = await runByCommand(project, 'w');
  expect(statesOf(run)).toEqual({
    outside: 'failed (exit_code)',
    // In a home of its own.
    home: 'succeeded',
    ours: 'failed (exit_code)',
    only: 'failed (exit_code)',
    declared: 'succeeded',
    missing: 'failed (missing_output)',
  });
  expect(readdirSync(outside)).toEqual([]);
  expect(existsSync(join(homedir(), atHome))).toBe(false);
  expect(project.exists('x')).toBe(false);
  expect(read(project, `processed/workflows/w/${run.run_id}/steps/declared/outputs/out.txt`)).toBe('out\n');
  expectReports(project, run);
});

test('schedules start runs while the daemon runs, and skip while one goes on', async () => {
  const project = workflowProject(
    {
      tick: `name: tick
on: { schedule: "* * * * * *" }
steps:
${command('one', note('tick', 'while [ ! -e gate ]; do sleep 0.02; done'))}`,
      given: `name: given
inputs: { n: { type: number } }
steps:
${command('one', note('given-$1', '', ['${{ inputs.n }} ${{ run.trigger }}']))}`,
    },
    {
      config:
        'schedules: [{ name: each second, cron: "* * * * * *", workflow: given, inputs: { n: 7 }, overlap: queue }]\n',
    },
  );
  const daemon = await project.start();
  await until(
    'two seconds have come',
    () => linesOf(project, 'steps.log').filter((line) => line === 'given-7 schedule').length >= 2,
  );
  expect(linesOf(project, 'steps.log').filter((line) => line === 'tick')).toEqual(['tick']);
  const runs = await runsOf(project);
  expect(new Set(runs.map(({ trigger }) => trigger))).toEqual(
    new Set(['schedule tick', 'schedule each second']),
  );
  expect((await project.sluice('schedules')).stdout).toContain('each second');
  project.write('gate', '');
  await stop(daemon);
});

test('listings, status, stats, export and rebuild know of runs', async () => {
  const project = workflowProject({
    w: `name: w
steps:
${command('good', note('good', 'echo "$SLUICE_JOB_ID" > job; echo made > "$SLUICE_OUTPUT_DIR/made.txt"'))}${command('bad', note('bad', 'echo the last line >&2; exit 1'))}`,
  });
  const daemon = await project.start();
  const run = await runToEnd(project, 'w');
  const jobs = JSON.parse((await project.sluice('jobs', 'list', '--json')).stdout) as Receipt[];
  expect(jobs.map(({ state, run: of }) => [state, of?.step]).toSorted()).toEqual([
    ['failed', 'bad'],
    ['succeeded', 'good'],
  ]);
  const shown = await project.sluice('jobs', 'show', stepOf(run, 'bad').job_id ?? '');
  expect(shown.stdout).toContain('the last line');
  const status = await project.sluice('status', '--json');
  expect(JSON.parse(status.stdout).queue).toMatchObject({ queued: 0, running: 0 });
  expect(JSON.stringify(JSON.parse(status.stdout).agents)).not.toContain('$command');
  expect((await project.sluice('stats', '--json')).code).toBe(0);
  const list = await project.sluice('workflow', 'list', '--json');
  expect(JSON.parse(list.stdout)[0]).toMatchObject({ name: 'w', last_run: { state: 'failed' } });
  expect((await project.sluice('workflow', 'graph', run.run_id)).stdout).toContain('bad');
  expect((await project.sluice('workflow', 'show', 'w')).stdout).toContain('the last line');
  const folder = join('processed/workflows/w', run.run_id);
  rmSync(join(project.dir, folder, 'report.html'));
  rmSync(join(project.dir, folder, 'steps/good/receipt.json'));
  expect((await project.sluice('reports', 'rebuild')).code).toBe(0);
  expectReports(project, run);
  expect(project.exists(join(folder, 'steps/good/receipt.json'))).toBe(true);
  expect(read(project, join(folder, 'steps/good/outputs/made.txt'))).toBe('made\n');
  expect(read(project, 'processed/index.html')).toContain(run.run_id);
  await stop(daemon);
  // A backup holds the runs, and a project made of it can show and resume them.
  expect(await project.sluice('export', 'backup.tar.gz')).toMatchObject({ code: 0, stderr: '' });
  const copy = workflowProject({});
  expect((await copy.sluice('import', join(project.dir, 'backup.tar.gz'), '--replace')).code).toBe(0);
  const there = await copy.sluice('workflow', 'show', run.run_id, '--json');
  expect(statesOf(JSON.parse(there.stdout))).toEqual({ good: 'succeeded', bad: 'failed (exit_code)' });
  expect((await copy.sluice('workflow', 'resume', run.run_id)).code).toBe(1);
  expect(linesOf(copy, 'steps.log').filter((line) => line === 'good')).toEqual([]);
});

test('the worst names of workflows and steps', async () => {
  const names = [
    '..x',
    'a b',
    '-rf',
    "quo'te",
    'dou"ble',
    '$(touch pwned)',
    '<img src=x onerror=alert(1)>',
    'ünï☃',
    '~',
    'con',
    'x'.repeat(100),
    '$HOME',
    '{{ 1 }}',
    '100%',
    '#',
    'a[b]',
    '☃'.repeat(66),
  ];
  const workflow = (name: string) => ({
    name,
    steps: [
      ...names.map((step) => ({ name: step, type: 'custom_command', command: ['echo', 'x'], needs: [] })),
      {
        name: 'reads',
        type: 'custom_command',
        command: ['echo', ...names.map((step) => `\${{ steps['${step.replaceAll("'", "''")}'].outcome }}`)],
        needs: names,
      },
    ],
  });
  const project = workflowProject({});
  project.write(
    'workflows/all.json',
    JSON.stringify([
      workflow('all'),
      ...names.map((name) => ({
        name,
        steps: [{ name: 's', type: 'custom_command', command: ['echo', 'x'] }],
      })),
    ]),
  );
  const checked = await project.sluice('workflow', 'validate');
  expect([checked.code, checked.stderr]).toEqual([0, '']);
  await project.start();
  for (const name of names)
    expect([name, (await runToEnd(project, name)).state]).toEqual([name, 'succeeded']);
  const run = await runToEnd(project, 'all');
  expect(new Set(Object.values(statesOf(run)))).toEqual(new Set(['succeeded']));
  expect(stepOf(run, 'reads').result).toBe(`${names.map(() => 'succeeded').join(' ')}\n`);
  for (const { name, href = '' } of run.steps)
    expect([
      name,
      project.exists(join('processed/workflows/all', run.run_id, decodeURIComponent(href))),
    ]).toEqual([name, true]);
  expect(readdirSync(join(project.dir, 'processed/workflows'))).toHaveLength(names.length + 1);
  expect(project.exists('pwned')).toBe(false);
});
