/** Runs that are ended from outside: cancelled, replaced, out of time; and what runs then all the same. */
import { expect, test } from 'vitest';
import { approval, call, command, workflow } from './definitions.ts';
import { openRig } from './rig.ts';

test('cancel: the job is cancelled and ends first, then clean-up steps run, nothing else does', async () => {
  const steps = [
    command('a'),
    command('b'),
    command('clean', { if: 'always()' }),
    command('only', { if: 'cancelled()' }),
    command('not', { if: 'failure() && !cancelled()' }),
  ];
  const rig = await openRig([workflow(steps, { onFailure: [command('never')] })]);
  rig.jobs.endsWhenCancelled = false;
  const { id } = await rig.run();
  await rig.jobs.of('a');
  expect(await rig.engine.cancel(id, 'ann')).toMatchObject({ state: 'running', reason: 'cancelled' });
  expect(rig.jobs.cancelled).toEqual(['a']);
  expect(rig.jobs.tasks).toHaveLength(1);
  await rig.jobs.end('a', { state: 'cancelled' });
  await rig.jobs.end('clean');
  await rig.jobs.end('only');
  expect(await rig.engine.done(id)).toMatchObject({
    state: 'cancelled',
    reason: 'cancelled',
    message: 'cancelled by ann',
  });
  expect(await rig.states(id)).toEqual({
    ...{ a: 'cancelled cancelled', b: 'cancelled cancelled', clean: 'succeeded', only: 'succeeded' },
    not: 'cancelled cancelled',
  });
  await expect(rig.engine.cancel(id, 'ann')).rejects.toMatchObject({ code: 'NOT_POSSIBLE' });
});

test('cancelled twice: clean-up steps are cancelled, too', async () => {
  const rig = await openRig([
    workflow([command('a'), command('clean', { if: 'always()' }), command('more', { if: 'always()' })]),
  ]);
  const { id } = await rig.run();
  await rig.jobs.of('a');
  await rig.engine.cancel(id, 'ann');
  await rig.jobs.of('clean');
  await rig.engine.cancel(id, 'ann');
  expect((await rig.engine.done(id)).state).toBe('cancelled');
  expect(rig.jobs.steps).toEqual(['a', 'clean']);
});

test('a restart while it is being cancelled goes on with that', async () => {
  const rig = await openRig([workflow([command('a'), command('b'), command('clean', { if: 'always()' })])]);
  rig.jobs.endsWhenCancelled = false;
  const { id } = await rig.run();
  await rig.jobs.of('a');
  await rig.engine.cancel(id, 'ann');
  await rig.restart();
  expect(rig.jobs.cancelled).toEqual(['a', 'a']);
  await rig.jobs.end('a', { state: 'cancelled' });
  await rig.jobs.end('clean');
  expect((await rig.engine.done(id)).message).toBe('cancelled by ann');
  expect(rig.jobs.steps).toEqual(['a', 'clean']);
});

test('a waiting approval is cancelled with its run', async () => {
  const rig = await openRig([workflow([approval('ask')])]);
  const { id } = await rig.run();
  await rig.event('run_waiting');
  await rig.engine.cancel(id, 'ann');
  expect((await rig.engine.done(id)).state).toBe('cancelled');
});

test('the time-out of a run: what runs is cancelled, the run has failed, on_failure runs', async () => {
  const onFailure = [command('tell')];
  const rig = await openRig([
    workflow([command('a'), command('b'), command('fix', { if: 'failure()' })], {
      timeoutMs: 1_500,
      onFailure,
    }),
  ]);
  rig.jobs.script = ({ step }) => (step === 'a' ? undefined : {});
  const run = await rig.done();
  expect(run).toMatchObject({ state: 'failed', reason: 'timeout' });
  expect(rig.jobs.cancelled).toEqual(['a']);
  expect(await rig.states(run.id)).toEqual({
    ...{ a: 'cancelled cancelled', b: 'cancelled cancelled', fix: 'succeeded', tell: 'succeeded' },
  });
});

test('the time-out counts over a restart', async () => {
  const rig = await openRig([workflow([command('a')], { timeoutMs: 1_500 })]);
  const { id } = await rig.run();
  await rig.jobs.of('a');
  await rig.restart();
  expect(await rig.engine.done(id)).toMatchObject({ state: 'failed', reason: 'timeout' });
});

test('a job that somebody cancels fails the run, not its order', async () => {
  const rig = await openRig([workflow([command('a'), command('b')])]);
  const { id } = await rig.run();
  await rig.jobs.end('a', { state: 'cancelled', message: 'by hand' });
  await rig.jobs.end('b');
  expect(await rig.engine.done(id)).toMatchObject({
    state: 'failed',
    message: 'step "a" was cancelled: by hand',
  });
});

test('sub-workflows: inputs and outputs, failure, cancelling, time-out of the step', async () => {
  const inner = workflow([command('in', { command: ['x', '${{ inputs.n }}'] })], {
    name: 'inner',
    inputs: [{ name: 'n', type: 'number', required: true }],
    outputs: { twice: '${{ steps.in.result }}' },
  });
  const outer = workflow(
    [
      call('call', 'inner', { with: { n: '${{ inputs.n }}' } }),
      command('use', { needs: ['call'], command: ['y', '${{ steps.call.outputs.twice }}'] }),
      call('bad', 'inner', { with: { n: 'many' } }),
      call('slow', 'inner', { with: { n: 9 }, timeoutMs: 1_500 }),
    ],
    { inputs: [{ name: 'n', type: 'number', required: false, default: 4 }] },
  );
  const rig = await openRig([outer, inner]);
  rig.jobs.script = ({ work }) =>
    'command' in work && work.command[1] === '9' ? undefined : { result: '8' };
  const run = await rig.done();
  expect(rig.jobs.tasks.slice(0, 2).map(({ work }) => 'command' in work && work.command)).toEqual([
    ['x', '4'],
    ['y', '8'],
  ]);
  expect(await rig.states(run.id)).toEqual({
    ...{ call: 'succeeded', use: 'succeeded', bad: 'failed input_invalid', slow: 'failed timeout' },
  });
  const children = await rig.ledger.runs.list({ parent: run.id, limit: 10 });
  expect(children.map(({ state }) => state)).toEqual(['cancelled', 'succeeded']);
  expect(await rig.ledger.sessions.get(children[0]?.id ?? '')).toMatchObject({ kind: 'run' });
});

test('a sub-run that waits makes its caller wait; it is answered through the caller, and goes on after a restart', async () => {
  const inner = workflow([approval('ask'), command('in')], { name: 'inner' });
  const rig = await openRig([workflow([call('call', 'inner')]), inner]);
  rig.jobs.script = () => ({});
  const run = await rig.done();
  expect(run.state).toBe('waiting');
  await rig.restart();
  expect((await rig.engine.done(run.id)).state).toBe('waiting');
  await rig.engine.answer(run.id, undefined, 'approved', 'ann');
  expect((await rig.engine.done(run.id)).state).toBe('succeeded');
});

test('cancelling a run cancels what it called; a called run that somebody cancels fails its step', async () => {
  const inner = workflow([command('in')], { name: 'inner' });
  const rig = await openRig([workflow([call('call', 'inner')]), inner]);
  const first = await rig.run();
  await rig.jobs.of('in');
  await rig.engine.cancel(first.id, 'ann');
  expect((await rig.engine.done(first.id)).state).toBe('cancelled');
  const second = await rig.run();
  await rig.jobs.submitted(2);
  const [child] = await rig.ledger.runs.list({ parent: second.id, limit: 1 });
  await rig.engine.cancel(child?.id ?? '', 'bob');
  expect((await rig.engine.done(second.id)).state).toBe('failed');
});

test('a called workflow that is gone from the configuration is still in the definition of the run', async () => {
  const inner = workflow([command('in')], { name: 'inner' });
  const deep = workflow([call('more', 'inner')], { name: 'deep' });
  const rig = await openRig([workflow([command('a'), call('call', 'deep')]), deep, inner]);
  const { id } = await rig.run();
  await rig.jobs.of('a');
  rig.engine.configure({ ...rig.config, workflows: [] });
  await rig.jobs.end('a');
  await rig.jobs.end('in');
  expect((await rig.engine.done(id)).state).toBe('succeeded');
});
