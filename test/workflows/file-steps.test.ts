/** Files: those of a `file_processing` step, and the run of a file that a rule sent to a workflow. */
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { expect, test } from 'vitest';
import type { AgentCall } from '../../src/types/agent.ts';
import type { JobRecord } from '../../src/types/job.ts';
import type { FilePage, WorkflowsDeps } from '../../src/workflows/deps.ts';
import { command, files, workflow } from './definitions.ts';
import { openRig, type Rig } from './rig.ts';

const nothing = { unrouted: 0, ignored: 0, quarantined: 0 };

/** Pages that the test gives out one by one. */
function directory() {
  const pages: (() => FilePage)[] = [];
  const asked: Parameters<WorkflowsDeps['files']['process']>[0][] = [];
  const again = new Map<string, () => JobRecord>();
  const port = (access: WorkflowsDeps['files']['access']): WorkflowsDeps['files'] => ({
    access,
    async *process(o) {
      asked.push(o);
      for (const page of pages) {
        const told = page();
        yield { ...told, jobs: told.jobs.filter(({ input }) => !o.isTaken?.(input.root, input.path)) };
      }
    },
    again: async ({ id }) => again.get(id)?.(),
  });
  return { pages, asked, again, port };
}

async function withDirectory(steps: Parameters<typeof workflow>[0]) {
  const dir = directory();
  const rig = await openRig([workflow(steps)], {
    files: dir.port({ glob: async () => [], hash: async () => '' }),
  });
  return { rig, dir };
}

test('every file of a directory: counts by disposition, and failures fail the step', async () => {
  const { rig, dir } = await withDirectory([
    files('all', { directory: './src', recursive: false }),
    command('x', {
      command: ['x', '${{ steps.all.outputs.processed }}', '${{ files[0].rel }}', '${{ length(files) }}'],
    }),
  ]);
  const made: JobRecord[] = [];
  dir.pages.push(() => {
    made.push(
      rig.jobs.addFile('a'),
      rig.jobs.addFile('b'),
      rig.jobs.addFile('c', { state: 'cached', endedAt: 1 }),
    );
    return { jobs: made, unrouted: 2, ignored: 1, quarantined: 0 };
  });
  const { id } = await rig.run();
  await rig.event('progress');
  const [a, b] = made as [JobRecord, JobRecord];
  await rig.jobs.end(a.id);
  await rig.jobs.end(b.id, { state: 'failed', message: 'exit 2' });
  await rig.jobs.end('x');
  await rig.engine.done(id);
  expect(dir.asked[0]).toMatchObject({
    directory: join(rig.dir, 'src'),
    recursive: false,
    runId: id,
    step: 'all',
  });
  expect((await rig.steps(id)).all).toMatchObject({
    state: 'failed',
    reason: 'files_failed',
    message: '1 of 6 files failed: b: exit 2',
    counts: {
      processed: 1,
      cached: 1,
      failed: 1,
      quarantined: 0,
      ignored: 1,
      unrouted: 2,
      held: 0,
      total: 6,
    },
  });
  expect(rig.jobs.tasks[0]?.work).toMatchObject({ command: ['x', '1', 'a', '3'] });
  expect(await rig.ledger.runs.files(id, 'all', { limit: 10 })).toEqual(made.map((job) => job.id));
});

test('a held file makes the run wait; a superseded one is followed to its successor', async () => {
  const { rig, dir } = await withDirectory([files('all')]);
  const made: JobRecord[] = [];
  dir.pages.push(() => {
    made.push(rig.jobs.addFile('a'), rig.jobs.addFile('b', { state: 'held', reason: 'too_expensive' }));
    return { jobs: made, ...nothing };
  });
  const { id } = await rig.run();
  await rig.event('progress');
  const [a, b] = made as [JobRecord, JobRecord];
  dir.again.set(a.id, () => {
    made.push(rig.jobs.addFile('a'));
    return made[2] as JobRecord;
  });
  await rig.jobs.end(a.id, { state: 'superseded' });
  await rig.jobs.until(() => made.length === 3);
  const waiting = rig.event('run_waiting');
  await rig.jobs.end(made[2]?.id ?? '');
  await waiting;
  expect((await rig.engine.done(id)).state).toBe('waiting');
  await rig.jobs.tell(b.id, 'started');
  await rig.jobs.end(b.id);
  expect((await rig.engine.done(id)).state).toBe('succeeded');
  expect((await rig.steps(id)).all?.counts).toMatchObject({ processed: 2, held: 0, total: 2 });
});

test('a restart in the middle takes no file twice; when all were listed they are not listed again', async () => {
  const { rig, dir } = await withDirectory([files('all'), command('x')]);
  const a = rig.jobs.addFile('a');
  const b = rig.jobs.addFile('b');
  const gap = Promise.withResolvers<void>();
  dir.pages.push(() => ({ jobs: [a], ...nothing, unrouted: 1 }));
  dir.pages.push(() => {
    gap.resolve();
    throw new Error('the process dies here');
  });
  const { id } = await rig.run();
  await gap.promise;
  // Whatever became of the first engine, the next one starts from the ledger alone.
  await rig.ledger.runs.putStep({ runId: id, id: 'all', name: 'all', state: 'running', startedAt: 1 });
  await rig.ledger.runs.update(id, { state: 'running', endedAt: null, reason: null });
  const listed = Promise.withResolvers<void>();
  dir.pages.splice(
    1,
    1,
    () => ({ jobs: [b], ...nothing }),
    () => {
      listed.resolve();
      return { jobs: [], ...nothing };
    },
  );
  await rig.restart();
  await listed.promise;
  await rig.jobs.end(a.id);
  expect(await rig.ledger.runs.files(id, 'all', { limit: 10 })).toEqual([a.id, b.id]);
  while ((await rig.steps(id)).all?.counts === undefined) await nextTurn();
  await rig.restart();
  expect(dir.asked).toHaveLength(2);
  await rig.jobs.end(b.id);
  await rig.jobs.end('x');
  await rig.engine.done(id);
  expect((await rig.steps(id)).all).toMatchObject({
    state: 'succeeded',
    counts: { processed: 2, unrouted: 1, total: 3 },
  });
});

test('cancelled: jobs that the step began are cancelled, those that were there before go on', async () => {
  const { rig, dir } = await withDirectory([files('all')]);
  const before = rig.jobs.addFile('old', { queuedAt: 1 });
  const own: JobRecord[] = [];
  dir.pages.push(() => {
    own.push(rig.jobs.addFile('new', { queuedAt: Date.now() + 1 }));
    return { jobs: [before, ...own], ...nothing };
  });
  const { id } = await rig.run();
  await rig.event('progress');
  await rig.engine.cancel(id, 'ann');
  expect((await rig.engine.done(id)).state).toBe('cancelled');
  expect(rig.jobs.cancelled).toEqual(['new']);
});

function callFor(rig: Rig, jobId: string): AgentCall {
  const workDir = join(rig.dir, 'work');
  mkdirSync(join(workDir, 'outputs'), { recursive: true });
  const input = {
    ...{
      root: 'inbox',
      rootDir: join(rig.dir, 'inbox'),
      path: 'sub/a.txt',
      file: join(rig.dir, 'inbox/sub/a.txt'),
    },
    ...{ sha256: 'abc', bytes: 3 },
  };
  const agent = {
    kind: 'workflow',
    name: '$workflow:wf',
    workflow: 'wf',
    sandbox: { mode: 'off', reason: 'steps' },
  };
  return { jobId, agent, depth: 1, input, inputs: [input], workDir } as unknown as AgentCall;
}

test('the run of a file: its values, its result, its exit', async () => {
  const rig = await openRig([
    workflow([
      command('a', { command: ['x', '${{ file.path }}', '${{ file.stem }}', '${{ files[0].rel }}'] }),
    ]),
  ]);
  const job = rig.jobs.addFile('sub/a.txt', { priority: 7 });
  rig.jobs.script = ({ step }) => (step === 'a' ? { state: 'failed', message: 'no *luck*' } : {});
  const result = await rig.engine.runForFile(callFor(rig, job.id), new AbortController().signal);
  expect(result).toMatchObject({
    outcome: { kind: 'exited', exitCode: 1 },
    stderrTail: 'step "a" failed: no *luck*',
  });
  expect(rig.jobs.tasks[0]?.work).toMatchObject({
    command: ['x', join(rig.dir, 'inbox/sub/a.txt'), 'a', 'sub/a.txt'],
  });
  expect(rig.jobs.asked.get('a')).toMatchObject({ priority: 7, depth: 1, parent: job.id });
  const text = readFileSync(result.resultFile ?? '', 'utf8');
  expect(text).toContain('# wf: failed');
  expect(text).toMatch(/\[Report of run .*\]\(\.\.\/.*\/report\.html\)/);
  expect(text).toContain('- **a** failed: no \\*luck\\*');
  expect(result.resultBytes).toBe(Buffer.byteLength(text));
});

test('stopping leaves the run open, and the next attempt goes on with it; one that has ended is its result', async () => {
  const rig = await openRig([workflow([command('a'), command('b')])]);
  const job = rig.jobs.addFile('sub/a.txt');
  const stop = new AbortController();
  const first = rig.engine.runForFile(callFor(rig, job.id), stop.signal);
  await rig.jobs.end('a');
  await rig.jobs.of('b');
  stop.abort('stopping');
  expect((await first).outcome).toEqual({ kind: 'cancelled', reason: 'stopping' });
  await rig.restart();
  const second = rig.engine.runForFile(callFor(rig, job.id), new AbortController().signal);
  await rig.jobs.end('b');
  expect((await second).outcome).toEqual({ kind: 'exited', exitCode: 0 });
  const third = await rig.engine.runForFile(callFor(rig, job.id), new AbortController().signal);
  expect(third.outcome).toEqual({ kind: 'exited', exitCode: 0 });
  expect(rig.jobs.steps).toEqual(['a', 'b']);
});

test('a file that changes, or a job that is cancelled, ends the run', async () => {
  const rig = await openRig([workflow([command('a')])]);
  for (const [abort, reason] of [
    ['superseded', 'on_file_changed'],
    ['by hand', 'cancelled'],
  ] as const) {
    const job = rig.jobs.addFile('sub/a.txt');
    const signal = new AbortController();
    const attempt = rig.engine.runForFile(callFor(rig, job.id), signal.signal);
    const started = rig.event('step_started');
    await started;
    signal.abort(abort);
    expect((await attempt).outcome).toEqual({ kind: 'cancelled', reason: abort });
    expect(await rig.ledger.runs.ofJob(job.id)).toMatchObject([{ state: 'cancelled', reason }]);
  }
  const job = rig.jobs.addFile('sub/a.txt');
  void rig.engine.runForFile(callFor(rig, job.id), new AbortController().signal);
  await rig.event('step_started');
  await rig.restart();
  const ended = rig.event('run_ended');
  await rig.jobs.end(job.id, { state: 'superseded' });
  expect((await ended).run).toMatchObject({ state: 'cancelled', reason: 'on_file_changed' });
});

test('a workflow that is gone, or wants inputs that no file has, is a failure that says so', async () => {
  const rig = await openRig([workflow([], { inputs: [{ name: 'n', type: 'number', required: true }] })]);
  const job = rig.jobs.addFile('sub/a.txt');
  const missing = await rig.engine.runForFile(callFor(rig, job.id), new AbortController().signal);
  expect(missing).toMatchObject({ outcome: { exitCode: 1 }, stderrTail: expect.stringContaining('"n"') });
  rig.engine.configure({ ...rig.config, workflows: [] });
  const gone = await rig.engine.runForFile(callFor(rig, job.id), new AbortController().signal);
  expect(gone.stderrTail).toContain('There is no workflow "wf"');
});
