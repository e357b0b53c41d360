/** What is not run again: equal work in a second run, and what had succeeded in a run that is resumed. */
import { expect, test } from 'vitest';
import { linesOf } from './agents.ts';
import { until } from './project.ts';
import {
  commandStep as command,
  expectReports,
  note,
  runByCommand,
  runOf,
  runToEnd,
  statesOf,
  stepOf,
  workflowProject,
} from './workflow-rig.ts';

test('an agent step comes from the cache by its input, a command step by the inputs that it names; --force runs both', async () => {
  const project = workflowProject(
    {
      w: `name: w
inputs: { about: { default: birds } }
steps:
${command('plain', note('plain'))}${command('build', note('build', 'cat src/*.txt'), 'cache: { inputs: ["src/**"] }')}  - { name: ask, type: agent, agent: writer, prompt: "about \${{ inputs.about }}", outputs: { words: "\${{ result }}" } }
  - { name: look, type: agent, agent: writer, file: src/a.txt }
  - { name: never, type: agent, agent: writer, prompt: always, cache: false }
`,
      other: `name: other
steps: [{ name: other_name, type: agent, agent: writer, prompt: "about birds" }]
`,
    },
    {
      config: `agents:
  writer: { kind: command, command: [sh, -c, 'echo "agent $(cat "$1")" >> steps.log; cat "$1"', sh, "\${{ file.path }}"], sandbox: { mode: auto, write: [project] } }
`,
    },
  );
  project.write('src/a.txt', 'one');
  await project.start();
  const first = await runToEnd(project, 'w');
  expect(new Set(Object.values(statesOf(first)))).toEqual(new Set(['succeeded']));
  const lines = () => linesOf(project, 'steps.log').splice(0);
  expect(lines()).toEqual(['plain', 'build', 'agent about birds', 'agent one', 'agent always']);

  const second = await runToEnd(project, 'w');
  expect(statesOf(second)).toEqual({
    plain: 'succeeded',
    build: 'cached',
    ask: 'cached',
    look: 'cached',
    never: 'succeeded',
  });
  expect(stepOf(second, 'build')).toMatchObject({
    result: 'one',
    cached_from: stepOf(first, 'build').job_id,
  });
  expect(stepOf(second, 'ask').outputs).toEqual({ words: 'about birds' });
  expect(lines().slice(5)).toEqual(['plain', 'agent always']);
  expectReports(project, second);
  // The same work under another name, in another workflow.
  expect(statesOf(await runToEnd(project, 'other'))).toEqual({ other_name: 'cached' });

  project.write('src/a.txt', 'two');
  const third = await runToEnd(project, 'w', { about: 'bees' });
  expect(new Set(Object.values(statesOf(third)))).toEqual(new Set(['succeeded']));
  expect(stepOf(third, 'build').result).toBe('two');
  expect(lines().slice(7)).toEqual(['plain', 'build', 'agent about bees', 'agent two', 'agent always']);

  const forced = await runByCommand(project, 'w', '--force', '--input', 'about=bees');
  expect(new Set(Object.values(statesOf(forced.run)))).toEqual(new Set(['succeeded']));
  expect(lines()).toHaveLength(17);
});

test('resume runs what failed and what depends on it, with the definition that the run began with', async () => {
  const definition = (word: string) => `name: w
steps:
${command('good', note(`good-${word}`, 'echo well'))}${command('bad', note(`bad-${word}`, 'test -e mended'), 'needs: [good]')}${command('after', note(`after-${word}`), 'needs: [bad]')}${command('aside', note(`aside-${word}`), 'needs: []')}${command('each', note(`each-${word}-$1`, 'case $1 in *3) test -e mended;; esac', ['${{ item }}']), 'for_each: [i0, i1, i2, i3, i4], needs: []')}  - { name: sub, type: workflow, workflow: sub, needs: [] }
  - { name: sum, type: custom_command, command: [echo, "\${{ steps.each.counts.succeeded }} \${{ steps.good.result }}"], needs: [each, sub, after] }
on_failure:
${command('tell', note(`told-${word}`))}`;
  const project = workflowProject({
    w: definition('old'),
    sub: `name: sub
steps:
${command('sub_good', note('sub_good'))}${command('sub_bad', note('sub_bad', 'test -e mended'))}`,
  });
  const daemon = await project.start();
  const failed = await runToEnd(project, 'w');
  expect(statesOf(failed)).toEqual({
    good: 'succeeded',
    bad: 'failed (exit_code)',
    after: 'skipped (need_failed)',
    aside: 'succeeded',
    each: 'failed (item_failed)',
    sub: 'failed (run_failed)',
    sum: 'skipped (need_failed)',
    tell: 'succeeded',
  });
  const before = linesOf(project, 'steps.log');
  expect(before.toSorted()).toEqual(
    [
      ...['aside-old', 'bad-old', 'each-old-i0', 'each-old-i1', 'each-old-i2', 'each-old-i3', 'each-old-i4'],
      ...['good-old', 'sub_bad', 'sub_good', 'told-old'],
    ].toSorted(),
  );

  // Changed under way: the run keeps its version, a new one has the new.
  project.write('workflows/w.yaml', definition('new'));
  expect((await project.sluice('reload')).code).toBe(0);
  const still = await project.sluice('workflow', 'resume', failed.run_id);
  expect(still.code).toBe(1);
  expect(linesOf(project, 'steps.log').slice(before.length).toSorted()).toEqual([
    'bad-old',
    'each-old-i3',
    'sub_bad',
    'told-old',
  ]);
  const midway = linesOf(project, 'steps.log').length;
  project.write('mended', '');
  daemon.kill('SIGTERM');
  await daemon.exited;
  // Without a daemon, too.
  const mended = await project.sluice('workflow', 'resume', failed.run_id, '--json');
  expect(mended.code, mended.stderr).toBe(0);
  const run = JSON.parse(mended.stdout) as typeof failed;
  expect(run).toMatchObject({ run_id: failed.run_id, state: 'succeeded' });
  expect(statesOf(run)).toMatchObject({
    sub: 'succeeded',
    sum: 'succeeded',
    each: 'succeeded',
    after: 'succeeded',
  });
  expect(stepOf(run, 'sum').result).toBe('5 well\n\n');
  expect(stepOf(run, 'tell').state).toBe('pending');
  expect(linesOf(project, 'steps.log').slice(midway).toSorted()).toEqual([
    'after-old',
    'bad-old',
    'each-old-i3',
    'sub_bad',
  ]);
  expectReports(project, run);
  const again = await project.sluice('workflow', 'resume', failed.run_id);
  expect([again.code, again.stderr]).toEqual([1, expect.stringContaining('it succeeded')]);

  const fresh = await runByCommand(project, 'w');
  expect(fresh.code).toBe(0);
  expect(linesOf(project, 'steps.log')).toContain('good-new');
});

test('a run keeps the definition that it began with while its file is changed, broken and removed', async () => {
  const project = workflowProject({
    w: `name: w
steps:
${command('one', note('one', 'while [ ! -e gate ]; do sleep 0.02; done'))}${command('two', note('two-old'))}`,
  });
  await project.start();
  const run = runToEnd(project, 'w');
  await until('it has begun', () => linesOf(project, 'steps.log').length === 1);
  project.write('workflows/w.yaml', 'name: w\nsteps: [{ name: one, type: custom_command, comand: x }]\n');
  const broken = await project.sluice('reload');
  expect([broken.code, broken.stderr]).toEqual([2, expect.stringContaining('comand')]);
  project.write('workflows/w.yaml', `name: w\nsteps:\n${command('two', note('two-new'))}`);
  expect((await project.sluice('reload')).code).toBe(0);
  project.write('gate', '');
  const { run_id: id, state } = await run;
  expect(state).toBe('succeeded');
  expect(linesOf(project, 'steps.log')).toEqual(['one', 'two-old']);
  expect((await runOf(project, id)).steps.map(({ name }) => name)).toEqual(['one', 'two']);
  await runToEnd(project, 'w');
  expect(linesOf(project, 'steps.log').at(-1)).toBe('two-new');
});
