/** What people do with runs: cancel, answer, let them wait for each other, pause and stop under them. */
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { expect, test } from 'vitest';
import { processesOf } from '../badinput/rig.ts';
import { linesOf } from './agents.ts';
import { type Project, until } from './project.ts';
import {
  answer,
  commandStep as command,
  ended,
  expectReports,
  note,
  runByCommand,
  runOf,
  runsOf,
  runToEnd,
  startRun,
  statesOf,
  stepOf,
  stop,
  waitsFor,
  workflowProject,
} from './workflow-rig.ts';

const untilGate = 'while [ ! -e gate ]; do sleep 0.02; done';
/** A tree that does not go by itself: a child that is deaf, in a session of its own. */
const deafTree = `setsid sh -c 'trap : TERM INT HUP; while :; do sleep 100; done' & wait`;

/** The helper that starts processes stays as long as its daemon. */
async function onlyHelperIsLeft(project: Project): Promise<void> {
  await until('no process of a step is left', () => processesOf(project).length <= 1);
}

test('cancel ends process trees, sub-runs and waiting steps, and what cleans up runs; from the command line, with and without a daemon', async () => {
  const project = workflowProject({
    w: `name: w
steps:
${command('tree', note('tree', deafTree), 'needs: []')}${command('many', note('many-$1', untilGate, ['${{ item }}']), 'for_each: [a, b], needs: []')}  - { name: sub, type: workflow, workflow: sub, needs: [] }
  - { name: ask, type: approval, message: well?, needs: [] }
${command('after', note('after'), 'needs: [tree]')}${command('clean', note('clean'), 'if: "${{ cancelled() }}", needs: [tree, many, sub, ask]')}on_failure:
${command('no', note('no'))}`,
    sub: `name: sub\nsteps:\n${command('deep', note('deep', untilGate))}`,
    slow: `name: slow\nsteps:\n${command('tree', note('slow', deafTree))}${command('later', note('later'))}`,
  });
  const daemon = await project.start();
  const id = await startRun(project, 'w');
  await until('all have begun', () => linesOf(project, 'steps.log').length === 4);
  await until(
    'the approval is asked',
    async () => stepOf(await runOf(project, id), 'ask').state === 'waiting',
  );
  const { code, stdout } = await project.sluice('workflow', 'cancel', id.slice(-6));
  expect([code, stdout]).toEqual([0, `cancelled ${id}\n`]);
  const run = await ended(project, id);
  expect(run).toMatchObject({ state: 'cancelled', reason: 'cancelled' });
  expect(statesOf(run)).toEqual({
    tree: 'cancelled (cancelled)',
    many: 'cancelled (cancelled)',
    sub: 'cancelled (cancelled)',
    ask: 'cancelled (cancelled)',
    after: 'cancelled (cancelled)',
    clean: 'succeeded',
    no: 'pending',
  });
  expect((await runsOf(project, { workflow: 'sub', all: true }))[0]?.state).toBe('cancelled');
  expect(linesOf(project, 'steps.log').toSorted()).toEqual(['clean', 'deep', 'many-a', 'many-b', 'tree']);
  await onlyHelperIsLeft(project);
  expectReports(project, run);
  for (const verb of ['cancel', 'approve', 'reject'])
    expect(await project.sluice('workflow', verb, id)).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('cancelled'),
    });

  // Left open by a daemon that was killed, and cancelled without one.
  const open = await startRun(project, 'slow');
  await until('it has begun', () => linesOf(project, 'steps.log').includes('slow'));
  // What others can read of it is what a kill leaves; a commit may be a moment late.
  await until('it is on disk', () => isCommitted(project.dir, open));
  daemon.kill('SIGKILL');
  await daemon.exited;
  expect(await project.sluice('workflow', 'cancel', open)).toMatchObject({ code: 0 });
  const { stdout: shown } = await project.sluice('workflow', 'show', open, '--json');
  expect(JSON.parse(shown)).toMatchObject({ state: 'cancelled' });
  await until('nothing is left', () => processesOf(project).length === 0);
  // Nothing was begun in order to be cancelled.
  expect(linesOf(project, 'steps.log').filter((line) => ['slow', 'later'].includes(line))).toEqual(['slow']);
});

test('time-outs: of a step, of its retries, of a run, of a sub-run; on_failure runs', async () => {
  const project = workflowProject({
    step: `name: step
steps:
${command('slow', note('slow', deafTree), 'timeout: 300ms')}${command('next', note('next'))}`,
    run: `name: run
timeout: 700ms
steps:
${command('slow', note('run-slow', deafTree))}${command('next', note('run-next'))}on_failure:
${command('tell', note('told'))}`,
    sub: `name: sub
steps:
  - { name: call, type: workflow, workflow: run_sub, timeout: 500ms }
`,
    run_sub: `name: run_sub\nsteps:\n${command('slow', note('sub-slow', untilGate))}`,
  });
  await project.start();
  const [step, run, sub] = await Promise.all(['step', 'run', 'sub'].map((name) => runToEnd(project, name)));
  expect(statesOf(step as never)).toEqual({ slow: 'failed (timeout)', next: 'succeeded' });
  expect(run).toMatchObject({ state: 'failed', reason: 'timeout' });
  expect(statesOf(run as never)).toEqual({
    slow: 'cancelled (cancelled)',
    next: 'cancelled (cancelled)',
    tell: 'succeeded',
  });
  expect(statesOf(sub as never)).toEqual({ call: 'failed (timeout)' });
  expect((await runsOf(project, { workflow: 'run_sub', all: true }))[0]?.state).toBe('cancelled');
  // On a busy machine the time may be over before a slow one has written that it began.
  const lines = linesOf(project, 'steps.log').toSorted();
  expect(lines.filter((line) => !line.endsWith('slow'))).toEqual(['next', 'told']);
  expect(['run-slow', 'slow', 'sub-slow']).toEqual(
    expect.arrayContaining(lines.filter((line) => line.endsWith('slow'))),
  );
  await onlyHelperIsLeft(project);
  for (const one of [step, run, sub]) expectReports(project, one as never);
});

test('approvals: by a person, twice, by time, and over a restart without anybody', async () => {
  const asks = (name: string, more: string, on = '') => `name: ${name}
steps:
${command('before', note(`${name}-before`))}  - { name: ask, type: approval, message: "publish \${{ inputs.what }}?"${more} }
${command('after', note(`${name}-after`), 'needs: [ask]')}inputs: { what: { default: it } }
${on}`;
  const project = workflowProject({
    asked: asks('asked', ''),
    late_no: asks('late_no', ', timeout: 400ms'),
    late_yes: asks('late_yes', ', timeout: 400ms, on_timeout: approve'),
  });
  const daemon = await project.start();
  const [no, yes, approved, rejected, waiting] = await Promise.all([
    startRun(project, 'late_no'),
    startRun(project, 'late_yes'),
    startRun(project, 'asked', { what: 'v1' }),
    startRun(project, 'asked'),
    startRun(project, 'asked'),
  ]);
  await Promise.all([approved, rejected, waiting].map((id) => waitsFor(project, id, 'ask')));
  const shown = await project.sluice('workflow', 'show', approved);
  expect(shown.stdout).toContain('publish v1?');
  // Who comes second is told so.
  const answers = await Promise.allSettled([
    answer(project, approved, 'approved'),
    answer(project, approved, 'rejected'),
    answer(project, approved, 'approved'),
  ]);
  expect(answers.map(({ status }) => status).toSorted()).toEqual(['fulfilled', 'rejected', 'rejected']);
  expect(await project.sluice('workflow', 'reject', rejected, 'ask', '--comment', 'not today')).toMatchObject(
    {
      code: 0,
      stdout: `rejected ask of ${rejected}\n`,
    },
  );
  const said = await ended(project, approved);
  expect(said.state).toBe('succeeded');
  const refused = await ended(project, rejected);
  expect(statesOf(refused)).toEqual({
    before: 'succeeded',
    ask: 'failed (rejected)',
    after: 'skipped (need_failed)',
  });
  expect(stepOf(refused, 'ask').approval).toMatchObject({ verdict: 'rejected', comment: 'not today' });
  expect(statesOf(await ended(project, no))).toMatchObject({ ask: 'failed (approval_timeout)' });
  expect(statesOf(await ended(project, yes))).toMatchObject({ ask: 'succeeded', after: 'succeeded' });
  expect((await project.sluice('status', '--json')).code).toBe(0);

  daemon.kill('SIGKILL');
  await daemon.exited;
  const second = await project.start();
  await waitsFor(project, waiting, 'ask');
  await stop(second);
  // Answered without a daemon: the rest of the run goes on in that command.
  const late = await project.sluice('workflow', 'approve', waiting, '--json');
  expect(late.code, late.stderr).toBe(0);
  expect(JSON.parse(late.stdout)).toMatchObject({ run_id: waiting, state: 'succeeded' });
  expect(linesOf(project, 'steps.log').filter((line) => line === 'asked-before')).toHaveLength(3);

  // Without a daemon a run ends where a person is asked, and says how to go on.
  const alone = await runByCommand(project, 'asked');
  expect([alone.code, alone.run.state]).toEqual([1, 'waiting']);
  const text = await project.sluice('workflow', 'run', 'asked');
  expect(text.code).toBe(1);
  expect(text.stdout + text.stderr).toContain('sluice workflow approve');
  const none = await project.sluice('workflow', 'reject', alone.run.run_id, '--json');
  expect([none.code, JSON.parse(none.stdout).state]).toEqual([1, 'failed']);
});

test('a concurrency group: one after another in order, over a restart; cancel_in_progress lets the newest win', async () => {
  const project = workflowProject({
    line: `name: line
inputs: { n: {}, group: { default: g } }
concurrency: "deploy-\${{ inputs.group }}"
steps:
${command('a', note('begin-$1', untilGate, ['${{ inputs.n }}']))}${command('b', note('end-$1', '', ['${{ inputs.n }}']))}`,
    newest: `name: newest
inputs: { n: {} }
concurrency: { group: n, cancel_in_progress: true }
steps:
${command('a', note('newest-$1', untilGate, ['${{ inputs.n }}']))}`,
  });
  const first = await project.start();
  const ids: string[] = [];
  for (const n of ['1', '2', '3']) ids.push(await startRun(project, 'line', { n }));
  const other = await startRun(project, 'line', { n: 'x', group: 'other' });
  await until('two have begun', () => linesOf(project, 'steps.log').length === 2);
  expect((await Promise.all(ids.map((id) => runOf(project, id)))).map(({ state }) => state)).toEqual([
    'running',
    'queued',
    'queued',
  ]);
  const newest: string[] = [];
  for (const n of ['1', '2', '3']) {
    newest.push(await startRun(project, 'newest', { n }));
    await until(`the newest runs: ${n}`, () => linesOf(project, 'steps.log').includes(`newest-${n}`));
  }
  first.kill('SIGKILL');
  await first.exited;
  await project.start();
  expect((await runOf(project, ids[1] as string)).state).toBe('queued');
  await project.sluice('workflow', 'cancel', ids[1] as string);
  project.write('gate', '');
  const ends = await Promise.all([...ids, other, ...newest].map((id) => ended(project, id)));
  expect(ends.map(({ state, reason }) => reason ?? state)).toEqual([
    ...['succeeded', 'cancelled', 'succeeded', 'succeeded'],
    ...['replaced', 'replaced', 'succeeded'],
  ]);
  const lines = linesOf(project, 'steps.log');
  expect(lines.indexOf('end-1')).toBeLessThan(lines.indexOf('begin-3'));
  expect(lines).not.toContain('begin-2');
});

test('pause holds what has not begun, resume lets it go on; stop drains, and a second start goes on', async () => {
  const project = workflowProject(
    {
      w: `name: w
steps:
${command('one', note('one', untilGate))}${command('two', note('two'))}`,
      quick: `name: quick\nsteps:\n${command('one', note('quick', 'while [ ! -e quick ]; do sleep 0.02; done'))}${command('two', note('quick-two'))}`,
      endless: `name: endless\nsteps:\n${command('one', note('endless', 'while [ ! -e endless ]; do sleep 0.02; done; echo endless-end >> steps.log'))}${command('two', note('endless-two'))}`,
    },
    { config: 'daemon: { min_free_disk: 1MiB, drain: 1s }\n' },
  );
  const daemon = await project.start();
  const id = await startRun(project, 'w');
  await until('it has begun', () => linesOf(project, 'steps.log').length === 1);
  expect((await project.sluice('pause')).code).toBe(0);
  project.write('gate', '');
  await until(
    'the first step has ended',
    async () => stepOf(await runOf(project, id), 'one').state === 'succeeded',
  );
  const later = await startRun(project, 'w');
  expect([(await runOf(project, id)).state, (await runOf(project, later)).state]).toEqual([
    'running',
    'running',
  ]);
  expect(linesOf(project, 'steps.log')).toEqual(['one']);
  expect((await project.sluice('resume')).code).toBe(0);
  expect((await ended(project, id)).state).toBe('succeeded');
  expect((await ended(project, later)).state).toBe('succeeded');

  const [quick, endless] = [await startRun(project, 'quick'), await startRun(project, 'endless')];
  await until('both have begun', () => linesOf(project, 'steps.log').length === 6);
  const stopped = project.sluice('stop');
  await until('it drains', async () => (await project.status()).state === 'draining');
  project.write('quick', '');
  expect((await stopped).code).toBe(0);
  expect(await daemon.exited).toBe(0);
  expect(linesOf(project, 'steps.log').slice(4).toSorted()).toEqual(['endless', 'quick']);
  project.write('endless', '');
  await project.start();
  expect(statesOf(await ended(project, quick))).toEqual({ one: 'succeeded', two: 'succeeded' });
  expect(statesOf(await ended(project, endless))).toEqual({ one: 'succeeded', two: 'succeeded' });
  const counts = Object.groupBy(linesOf(project, 'steps.log').slice(4), (line) => line);
  // What had succeeded within the drain is not run again; what was ended is.
  expect(Object.fromEntries(Object.entries(counts).map(([line, all]) => [line, all?.length]))).toEqual({
    quick: 1,
    'quick-two': 1,
    endless: 2,
    'endless-end': 1,
    'endless-two': 1,
  });
});

function isCommitted(dir: string, run: string): boolean {
  const db = new DatabaseSync(join(dir, '.sluice/ledger.db'), { readOnly: true, timeout: 10_000 });
  try {
    return db.prepare("select 1 from step where run_id = ? and state = 'running'").get(run) !== undefined;
  } finally {
    db.close();
  }
}
