/** `resume`: what failed and what depends on it runs again, nothing else does. */
import { expect, test } from 'vitest';
import { approval, call, command, workflow } from './definitions.ts';
import { openRig } from './rig.ts';
import type { Ending } from './scripted-jobs.ts';

const failing: Ending = { state: 'failed', reason: 'exit_code', message: 'exit 1' };

test('a failed step, its dependents and what was skipped run again; what succeeded does not', async () => {
  const steps = [
    command('good', { needs: [] }),
    command('bad', { needs: [] }),
    command('child', { needs: ['bad'] }),
    command('cleanup', { needs: ['bad'], if: 'always()' }),
    command('off', { needs: [], if: 'false' }),
    command('apart', { needs: ['good'] }),
  ];
  const rig = await openRig([workflow(steps, { onFailure: [command('tell')] })]);
  rig.jobs.script = ({ step }) => (step === 'bad' ? failing : {});
  const run = await rig.done();
  expect(new Set(rig.jobs.steps)).toEqual(new Set(['good', 'bad', 'apart', 'cleanup', 'tell']));
  rig.jobs.tasks.splice(0);
  rig.jobs.script = () => ({});
  const again = await rig.engine.resume(run.id);
  expect(again).toMatchObject({ id: run.id, state: 'running' });
  expect(again.reason).toBeUndefined();
  const done = await rig.engine.done(run.id);
  expect(done).toMatchObject({ state: 'succeeded', warnings: [] });
  expect(new Set(rig.jobs.steps)).toEqual(new Set(['bad', 'child', 'cleanup']));
  expect((await rig.states(run.id)).off).toBe('skipped condition');
  await expect(rig.engine.resume(run.id)).rejects.toMatchObject({ code: 'NOT_POSSIBLE' });
  await expect(rig.engine.resume('nope')).rejects.toMatchObject({ code: 'NOT_FOUND' });
});

test('of a for_each only the items that failed; with force nothing comes from the cache', async () => {
  const each = command('each', { forEach: { items: { list: [1, 2, 3, 4] }, maxParallel: 2 } });
  const rig = await openRig([workflow([each, command('after', { needs: ['each'] })])]);
  rig.jobs.script = ({ step }) => (step === 'each[1]' || step === 'each[3]' ? failing : {});
  const run = await rig.done();
  rig.jobs.tasks.splice(0);
  rig.jobs.script = () => ({});
  await rig.engine.resume(run.id, { force: true });
  expect((await rig.engine.done(run.id)).state).toBe('succeeded');
  expect(rig.jobs.steps).toEqual(['each[1]', 'each[3]', 'after']);
  expect(rig.jobs.asked.get('each[1]')?.force).toBe(true);
  expect((await rig.steps(run.id)).each?.counts).toMatchObject({ total: 4, succeeded: 4, failed: 0 });
});

test('a failed sub-run goes on itself, also as an item', async () => {
  const inner = workflow([command('first'), command('second')], {
    name: 'inner',
    inputs: [{ name: 'n', type: 'number', required: false, default: 0 }],
  });
  const steps = [
    call('one', 'inner', { needs: [] }),
    call('each', 'inner', {
      needs: [],
      with: { n: '${{ item }}' },
      forEach: { items: { list: [1, 2] }, maxParallel: 1 },
    }),
  ];
  const rig = await openRig([workflow(steps), inner]);
  rig.jobs.script = ({ step, runId }) => (step === 'second' && bad.has(runId) ? failing : {});
  const bad = new Set<string>();
  let isResumed = false;
  rig.engine.events.subscribe((event) => {
    if (event.type !== 'run_started' || event.run.trigger.kind !== 'workflow') return;
    if (!isResumed && event.run.trigger.step !== 'each[0]') bad.add(event.run.id);
  });
  const run = await rig.done();
  expect(await rig.states(run.id)).toEqual({ one: 'failed run_failed', each: 'failed item_failed' });
  const before = await rig.ledger.runs.list({ parent: run.id, limit: 10 });
  isResumed = true;
  bad.clear();
  rig.jobs.tasks.splice(0);
  await rig.engine.resume(run.id);
  expect((await rig.engine.done(run.id)).state).toBe('succeeded');
  expect(rig.jobs.steps).toEqual(['second', 'second']);
  const after = await rig.ledger.runs.list({ parent: run.id, limit: 10 });
  expect(after.map(({ id, state }) => [id, state])).toEqual(before.map(({ id }) => [id, 'succeeded']));
  await expect(rig.engine.resume(after[0]?.id ?? '')).rejects.toMatchObject({
    fix: expect.stringContaining('anew'),
  });
});

test('a rejected approval is asked again; a run that goes on cannot be resumed; its time begins anew', async () => {
  const rig = await openRig([workflow([approval('ask')], { timeoutMs: 60_000 })]);
  const run = await rig.done();
  await expect(rig.engine.resume(run.id)).rejects.toMatchObject({ code: 'NOT_POSSIBLE' });
  await rig.engine.answer(run.id, undefined, 'rejected', 'ann');
  const failed = await rig.engine.done(run.id);
  const again = await rig.engine.resume(run.id);
  expect(again.startedAt).toBeGreaterThanOrEqual(failed.endedAt ?? Number.POSITIVE_INFINITY);
  expect((await rig.engine.done(run.id)).state).toBe('waiting');
  await rig.engine.answer(run.id, undefined, 'approved', 'ann');
  expect((await rig.engine.done(run.id)).state).toBe('succeeded');
});

test('a cancelled run goes on with what it had not done, in line behind its group', async () => {
  const concurrency = { group: 'g', cancelInProgress: false };
  const rig = await openRig([workflow([command('a'), command('b')], { concurrency })]);
  const first = await rig.run();
  await rig.jobs.end('a');
  await rig.jobs.of('b');
  await rig.engine.cancel(first.id, 'ann');
  await rig.engine.done(first.id);
  const second = await rig.run();
  await rig.jobs.submitted(3);
  expect((await rig.engine.resume(first.id)).state).toBe('queued');
  await rig.engine.cancel(second.id, 'ann');
  await rig.jobs.submitted(4);
  expect(rig.jobs.tasks[3]).toMatchObject({ runId: first.id, step: 'b' });
  await rig.jobs.end('b');
  expect((await rig.engine.done(first.id)).state).toBe('succeeded');
});
