/**
 * The process dies between any two writes, again and again: nothing runs twice, nothing is lost, and the run comes to the
 * same end as one that was left in peace.
 */
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import type { StepConfig } from '../../src/config/workflow.ts';
import { finalRunStates } from '../../src/types/run.ts';
import { approval, call, command, workflow } from './definitions.ts';
import { openRig, type Rig } from './rig.ts';

interface Shape {
  readonly kind: 'command' | 'each' | 'call' | 'callEach' | 'ask' | 'reads';
  readonly needs: readonly number[] | undefined;
  readonly if: string | undefined;
  readonly fails: boolean;
  readonly continueOnError: boolean;
}

const shapes = (size: number): fc.Arbitrary<readonly Shape[]> =>
  fc.tuple(
    ...Array.from({ length: size }, (_, index) =>
      fc.record({
        kind: fc.constantFrom<Shape['kind']>(
          'command',
          'command',
          'reads',
          'each',
          'call',
          'callEach',
          'ask',
        ),
        needs: fc.option(fc.subarray(Array.from({ length: index }, (__, at) => at)), { nil: undefined }),
        if: fc.option(fc.constantFrom('always()', 'failure()', 'success()', 'false'), {
          nil: undefined,
          freq: 3,
        }),
        fails: fc.boolean(),
        continueOnError: fc.boolean(),
      }),
    ),
  );

const inner = workflow([command('first'), command('second', { if: 'success()' })], {
  name: 'inner',
  inputs: [{ name: 'n', type: 'number', required: false, default: 0 }],
  outputs: { said: '${{ steps.first.result }}' },
});

function stepOf({ kind, needs, if: condition, continueOnError }: Shape, index: number): StepConfig {
  const name = `s${index}`;
  const forEach = { items: { list: [1, 2, 3] }, maxParallel: 2 };
  const common = {
    continueOnError,
    ...(needs && { needs: needs.map((at) => `s${at}`) }),
    ...(condition !== undefined && { if: condition }),
  };
  switch (kind) {
    case 'command':
      return command(name, common);
    case 'reads':
      return command(name, {
        ...common,
        command: ['echo', `\${{ toJSON(steps.s${Math.max(0, index - 1)}.outputs) }}`],
      });
    case 'each':
      return command(name, { ...common, forEach });
    case 'call':
      return call(name, 'inner', common);
    case 'callEach':
      return call(name, 'inner', { ...common, forEach, with: { n: '${{ item }}' } });
    case 'ask':
      return approval(name, common);
    default:
      return kind satisfies never;
  }
}

const cases = fc.integer({ min: 1, max: 6 }).chain((size) =>
  fc.record({
    steps: shapes(size),
    onFailure: fc.boolean(),
    group: fc.boolean(),
    /** After so many writes each engine dies; after these it is left in peace. */
    kills: fc.array(fc.integer({ min: 0, max: 25 }), { minLength: 1, maxLength: 6 }),
  }),
);

test('killed between any two writes a run does everything once and ends as it would have', async () => {
  const rig = await openRig([inner]);
  await fc.assert(
    fc.asyncProperty(cases, async ({ steps, onFailure, group, kills }) => {
      const definition = workflow(steps.map(stepOf), {
        onFailure: onFailure ? [command('tell'), command('mend')] : [],
        ...(group && { concurrency: { group: 'one', cancelInProgress: false } }),
      });
      const fails = new Set(steps.flatMap(({ fails: does }, index) => (does ? [`s${index}`] : [])));
      rig.config.workflows = [definition, inner];
      rig.jobs.script = ({ step }) =>
        fails.has(step.replace(/\[2\]$/, '')) ? { state: 'failed', reason: 'exit_code' } : { result: step };
      const calm = await play(rig, fails, []);
      expect(await play(rig, fails, kills)).toEqual(calm);
    }),
    { numRuns: 60 },
  );
  expect(rig.conditions).toEqual([]);
});

test('killed at each single write of one run, in turn', async () => {
  const definition = workflow(
    [
      command('a'),
      call('b', 'inner'),
      command('c', { needs: ['a'], forEach: { items: { expression: "fromJSON('[1,2]')" }, maxParallel: 1 } }),
      approval('d'),
      command('e', { if: 'always()' }),
    ],
    { onFailure: [command('tell')] },
  );
  const rig = await openRig([definition, inner]);
  rig.jobs.script = ({ step }) => (step === 'c[1]' ? { state: 'failed' } : { result: step });
  const calm = await play(rig, new Set(), []);
  for (let write = 0; write < 60; write += 1) expect(await play(rig, new Set(), [write])).toEqual(calm);
});

/** Runs `wf` to its end, over the deaths of its engines. @returns what can be compared. */
async function play(rig: Rig, rejects: ReadonlySet<string>, kills: readonly number[]) {
  const before = rig.jobs.tasks.length;
  let id: string | undefined;
  for (const kill of [...kills, Number.POSITIVE_INFINITY]) {
    let writes = 0;
    const { died } = await rig.restart(() => writes++ < kill);
    const work = async (): Promise<void> => {
      id ??= (await newest(rig, before)) ?? (await rig.run()).id;
      await goOn(rig, id, rejects);
    };
    await Promise.race([died, work()]);
  }
  const run = id ?? '';
  const tasks = rig.jobs.tasks.slice(before);
  const done = tasks.map(({ runId, step }) => `${runId}/${step}`);
  expect(done).toHaveLength(new Set(done).size);
  const children = await rig.ledger.runs.list({ parent: run, limit: 100 });
  const callers = children.map(({ trigger }) => (trigger.kind === 'workflow' ? trigger.step : ''));
  expect(callers).toHaveLength(new Set(callers).size);
  const ended = await rig.ledger.runs.get(run);
  return {
    state: ended?.state,
    message: ended?.message,
    warnings: [...(ended?.warnings ?? [])].sort(),
    states: await rig.states(run),
    children: Object.fromEntries(callers.map((caller, at) => [caller, children[at]?.state])),
    jobs: tasks.map(({ step }) => step).sort(),
  };
}

/** The run that an engine began which died before it could say so. */
async function newest(rig: Rig, tasksBefore: number): Promise<string | undefined> {
  const seen = new Set(rig.jobs.tasks.slice(0, tasksBefore).map(({ runId }) => runId));
  const open = (await rig.ledger.runs.open()).filter(({ trigger }) => trigger.kind === 'manual');
  return open.find(({ id }) => !seen.has(id))?.id;
}

async function goOn(rig: Rig, id: string, rejects: ReadonlySet<string>): Promise<void> {
  for (;;) {
    const run = await rig.engine.done(id);
    if (finalRunStates.includes(run.state)) return;
    for (const row of await rig.ledger.runs.steps(id))
      if (row.state === 'waiting')
        await rig.engine.answer(id, row.name, rejects.has(row.name) ? 'rejected' : 'approved', 'ann');
  }
}
