/** Concurrency groups: one after another, replaced, called by each other. */
import { expect, test } from 'vitest';
import { Groups } from '../../src/workflows/groups.ts';
import { approval, call, command, workflow } from './definitions.ts';
import { openRig } from './rig.ts';

const concurrency = { group: 'g-${{ inputs.x }}', cancelInProgress: false };
const inputs = [{ name: 'x', type: 'string' as const, required: false, default: '' }];

test('runs of one group go in the order in which they came; other groups do not wait', async () => {
  const rig = await openRig([workflow([command('a')], { concurrency, inputs })]);
  const [first, second, third, other] = await Promise.all([
    rig.run(),
    rig.run(),
    rig.run(),
    rig.run('wf', { x: 'o' }),
  ]);
  expect([first, second, third, other].map(({ state, group }) => [state, group])).toEqual([
    ...[
      ['running', 'g-'],
      ['queued', 'g-'],
      ['queued', 'g-'],
    ],
    ['running', 'g-o'],
  ]);
  expect(second.startedAt).toBeUndefined();
  await rig.jobs.submitted(2);
  expect(new Set(rig.jobs.tasks.map(({ runId }) => runId))).toEqual(new Set([first.id, other.id]));
  rig.jobs.script = () => ({});
  for (const { id } of rig.jobs.asked.values()) await rig.jobs.end(id);
  const [one] = rig.jobs.tasks.filter(({ runId }) => runId === first.id);
  expect(one).toBeDefined();
  for (const task of rig.jobs.tasks)
    await rig.jobs.end((await rig.ledger.runs.step(task.runId, 'a'))?.jobId ?? '');
  expect((await rig.engine.done(third.id)).state).toBe('succeeded');
  const order = rig.jobs.tasks.map(({ runId }) => runId).filter((id) => id !== other.id);
  expect(order).toEqual([first.id, second.id, third.id]);
});

test('a queued run can be cancelled, waits on after a restart, and is seen to wait for a person', async () => {
  const rig = await openRig([workflow([approval('ask')], { concurrency, inputs })]);
  const first = await rig.done();
  const second = await rig.run();
  const third = await rig.run();
  expect((await rig.engine.done(third.id)).state).toBe('queued');
  await rig.engine.cancel(second.id, 'ann');
  expect(await rig.ledger.runs.get(second.id)).toMatchObject({ state: 'cancelled' });
  await rig.restart();
  expect((await rig.ledger.runs.get(third.id))?.state).toBe('queued');
  await rig.engine.answer(first.id, undefined, 'approved', 'ann');
  await rig.engine.done(first.id);
  expect((await rig.engine.done(third.id)).state).toBe('waiting');
});

test('cancel_in_progress: the newest takes the place of all before it', async () => {
  const rig = await openRig([
    workflow([command('a')], { concurrency: { ...concurrency, cancelInProgress: true }, inputs }),
  ]);
  const first = await rig.run();
  await rig.jobs.of('a');
  const second = await rig.run();
  expect(await rig.engine.done(first.id)).toMatchObject({ state: 'cancelled', reason: 'replaced' });
  await rig.jobs.submitted(2);
  rig.jobs.script = () => ({});
  await rig.jobs.end('a');
  expect((await rig.engine.done(second.id)).state).toBe('succeeded');
});

test('a run called by one that holds the group goes with it', async () => {
  const same = { group: 'same', cancelInProgress: true };
  const inner = workflow([command('in')], { name: 'inner', concurrency: same });
  const rig = await openRig([workflow([call('call', 'inner')], { concurrency: same }), inner]);
  rig.jobs.script = () => ({});
  expect((await rig.done()).state).toBe('succeeded');
});

test('two runs that hold what the other calls: one is told, instead of both waiting for ever', async () => {
  const on = (group: string) => ({ concurrency: { group, cancelInProgress: false } });
  const rig = await openRig([
    workflow([command('a'), call('call', 'one-in')], { name: 'two', ...on('G2') }),
    workflow([command('b'), call('call', 'two-in')], { name: 'one', ...on('G1') }),
    workflow([command('c')], { name: 'one-in', ...on('G1') }),
    workflow([command('d')], { name: 'two-in', ...on('G2') }),
  ]);
  rig.jobs.script = ({ step }) => (step === 'a' || step === 'b' ? undefined : {});
  const one = await rig.run('one');
  const two = await rig.run('two');
  await rig.jobs.end('b');
  await rig.event('step_started', 'call');
  await rig.jobs.end('a');
  expect((await rig.engine.done(two.id)).message).toContain('wait for ever');
  expect((await rig.engine.done(one.id)).state).toBe('succeeded');
});

test('lines are left in any order', () => {
  const groups = new Groups();
  const join = (id: string) => groups.join({ id, group: 'g' });
  expect([join('a'), join('b'), join('c'), join('a')]).toEqual([true, false, false, true]);
  expect(groups.leave('b')).toBeUndefined();
  expect(groups.holderBefore('c')).toBe('a');
  expect(groups.leave('a')).toBe('c');
  expect(groups.leave('c')).toBeUndefined();
  expect(join('d')).toBe(true);
});
