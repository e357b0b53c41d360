/** `for_each`: the window, bad lists, failures, restarts, many items. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { command, workflow } from './definitions.ts';
import { openRig } from './rig.ts';

const over = (expression: string, maxParallel = 16) => ({ items: { expression }, maxParallel });

test('items run in a window, see item and index, and are a list for later steps', async () => {
  const steps = [
    command('each', {
      forEach: { items: { list: ['a', '${{ inputs.x }}', 'c'] }, maxParallel: 2 },
      command: ['echo', '${{ item }}', '${{ index }}'],
      outputs: { up: '${{ result }}-${{ item }}' },
    }),
    command('after', {
      command: ['x', '${{ steps.each.items[1].outputs.up }}', '${{ steps.each.counts.total }}'],
    }),
  ];
  const inputs = [{ name: 'x', type: 'string' as const, required: false, default: 'b' }];
  const rig = await openRig([workflow(steps, { inputs })]);
  rig.jobs.script = ({ step }) => ({ result: step });
  const run = await rig.done();
  expect(run.state).toBe('succeeded');
  expect(rig.jobs.mostAtOnce).toBe(2);
  expect(rig.jobs.tasks.map(({ work }) => 'command' in work && work.command)).toEqual([
    ['echo', 'a', '0'],
    ['echo', 'b', '1'],
    ['echo', 'c', '2'],
    ['x', 'each[1]-b', '3'],
  ]);
  const items = await rig.ledger.runs.items(run.id, 'each', 0, 10);
  expect(items.map(({ id, item }) => [id, item])).toEqual([
    ['each[0]', 'a'],
    ['each[1]', 'b'],
    ['each[2]', 'c'],
  ]);
});

test.each<[string, string, string, string | undefined]>([
  ['an empty list', '[]', 'succeeded', 'nothing to do: the list is empty'],
  ['a text', '"abc"', 'failed expression', 'gives a string'],
  ['an object', '{"a": 1}', 'failed expression', 'gives an object'],
  ['nothing', 'null', 'failed expression', 'gives nothing (null)'],
])('over %s', async (_, json, state, message) => {
  const rig = await openRig([
    workflow([command('list'), command('each', { forEach: over('fromJSON(steps.list.result)') })]),
  ]);
  rig.jobs.script = () => ({ result: json });
  const run = await rig.done();
  expect((await rig.states(run.id)).each).toBe(state);
  expect((await rig.steps(run.id)).each?.message).toContain(message);
});

test('one failed item fails the step after all have run; an item with a wrong expression is one', async () => {
  const step = command('each', {
    forEach: over('fromJSON(\'[1, "x", 3, 4]\')', 2),
    command: ['x', '${{ item > 0 }}'],
  });
  const rig = await openRig([workflow([step])]);
  rig.jobs.script = ({ step: id }) =>
    id === 'each[2]' ? { state: 'failed', reason: 'exit_code', message: 'exit 3' } : {};
  const run = await rig.done();
  const { each } = await rig.steps(run.id);
  expect(each).toMatchObject({
    state: 'failed',
    reason: 'item_failed',
    counts: { total: 4, succeeded: 2, failed: 2 },
  });
  expect(each?.message).toContain('2 of 4 items failed; the first, item 1:');
  expect(rig.jobs.steps).toEqual(['each[0]', 'each[2]', 'each[3]']);
});

test('a restart goes on with the list as it was, and repeats no item', async () => {
  const steps = [command('each', { forEach: over("glob('*.txt')", 2), command: ['x', '${{ item.name }}'] })];
  const rig = await openRig([workflow(steps)]);
  for (const name of ['a', 'b', 'c', 'd']) writeFileSync(join(rig.dir, `${name}.txt`), name);
  const { id } = await rig.run();
  await rig.jobs.submitted(2);
  await rig.jobs.end('each[0]');
  await rig.jobs.submitted(3);
  writeFileSync(join(rig.dir, '0.txt'), 'new');
  await rig.restart();
  await rig.jobs.end('each[1]');
  await rig.jobs.end('each[2]');
  await rig.jobs.end('each[3]');
  expect((await rig.engine.done(id)).state).toBe('succeeded');
  expect(rig.jobs.tasks.map(({ work }) => 'command' in work && work.command[1])).toEqual([
    'a.txt',
    'b.txt',
    'c.txt',
    'd.txt',
  ]);
});

test('cancelled in the middle: items that had not begun never do', async () => {
  const rig = await openRig([workflow([command('each', { forEach: over("fromJSON('[1,2,3,4,5]')", 2) })])]);
  const { id } = await rig.run();
  await rig.jobs.submitted(2);
  await rig.jobs.end('each[0]');
  await rig.jobs.submitted(3);
  await rig.engine.cancel(id, 'ann');
  expect(await rig.engine.done(id)).toMatchObject({ state: 'cancelled', message: 'cancelled by ann' });
  expect(rig.jobs.tasks).toHaveLength(3);
  expect(await rig.ledger.runs.itemCounts(id, 'each')).toEqual({ succeeded: 1, cancelled: 2 });
  expect((await rig.steps(id)).each).toMatchObject({ state: 'cancelled', counts: { total: 5 } });
});

test('20,000 items stream: never more than the window is open, and their list cannot be had', async () => {
  const steps = [
    command('list'),
    command('each', { forEach: over('fromJSON(steps.list.result)', 8), command: ['x', '${{ item }}'] }),
    command('items', { command: ['x', '${{ toJSON(steps.each.items) }}'] }),
    command('count', { command: ['x', '${{ steps.each.counts.succeeded }}'] }),
  ];
  const rig = await openRig([workflow(steps)]);
  const list = JSON.stringify(Array.from({ length: 20_000 }, (_, n) => `item ${n}`));
  rig.jobs.script = ({ step }) => (step === 'list' ? { result: list } : {});
  const run = await rig.done();
  expect(await rig.states(run.id)).toEqual({
    ...{ list: 'succeeded', each: 'succeeded', items: 'failed expression', count: 'succeeded' },
  });
  expect(rig.jobs.mostAtOnce).toBe(8);
  expect(new Set(rig.jobs.steps).size).toBe(20_002);
  expect(rig.jobs.tasks.at(-1)?.work).toMatchObject({ command: ['x', '20000'] });
  const { items } = await rig.steps(run.id);
  expect(items?.message).toContain('more than 1000 items');
  expect(rig.events.filter(({ type }) => type === 'progress').length).toBeLessThan(1_000);
});
