/** What a run does with its steps: order, needs, conditions, results, failures. */
import { expect, test } from 'vitest';
import type { StepConfig } from '../../src/config/workflow.ts';
import { agent, approval, command, http, report, workflow } from './definitions.ts';
import { openRig } from './rig.ts';
import type { Ending } from './scripted-jobs.ts';

const failing: Ending = { state: 'failed', reason: 'exit_code', message: 'exit 1' };

/** Runs to the end; steps in `fails` fail. */
async function outcomeOf(steps: readonly StepConfig[], fails: readonly string[] = []) {
  const rig = await openRig([workflow(steps)]);
  rig.jobs.script = ({ step }) => (fails.includes(step) ? failing : {});
  const run = await rig.done();
  return { rig, run, states: await rig.states(run.id) };
}

test('steps without needs follow each other, also after a failure; the run has failed', async () => {
  const { rig, run, states } = await outcomeOf([command('a'), command('b'), command('c')], ['a']);
  expect(rig.jobs.steps).toEqual(['a', 'b', 'c']);
  expect(rig.jobs.mostAtOnce).toBe(1);
  expect(states).toEqual({ a: 'failed exit_code', b: 'succeeded', c: 'succeeded' });
  expect(run).toMatchObject({ state: 'failed', reason: 'step_failed', message: 'step "a" failed: exit 1' });
  expect(run.endedAt).toBeGreaterThanOrEqual(run.startedAt ?? Number.POSITIVE_INFINITY);
});

test('needs: those with none begin together, dependents of a failure are skipped', async () => {
  const steps = [
    command('a', { needs: [] }),
    command('b', { needs: [] }),
    command('c', { needs: ['a'] }),
    command('d', { needs: ['c'] }),
    command('e'),
  ];
  const { rig, run, states } = await outcomeOf(steps, ['a']);
  expect(states).toEqual({
    ...{ a: 'failed exit_code', b: 'succeeded', c: 'skipped need_failed' },
    ...{ d: 'skipped need_failed', e: 'succeeded' },
  });
  expect(rig.jobs.mostAtOnce).toBe(2);
  expect((await rig.steps(run.id)).d?.message).toBe('"a" failed');
});

test('continue_on_error: the run succeeds with a warning and dependents run', async () => {
  const steps = [command('a', { continueOnError: true }), command('b', { needs: ['a'] })];
  const { run, states } = await outcomeOf(steps, ['a']);
  expect(states).toEqual({ a: 'failed exit_code', b: 'succeeded' });
  expect(run).toMatchObject({ state: 'succeeded', warnings: ['step "a" failed: exit 1'] });
});

test.each<[string, StepConfig, readonly string[], string]>([
  ['a condition that holds', command('x', { if: 'inputs.go' }), [], 'succeeded'],
  ['one that does not', command('x', { if: '!inputs.go' }), [], 'skipped condition'],
  ['order only: a failure above does not matter', command('x', { if: 'inputs.go' }), ['a'], 'succeeded'],
  ['success() sees what stands above', command('x', { if: 'success()' }), ['a'], 'skipped condition'],
  ['failure() does, too', command('x', { if: 'failure()' }), ['a'], 'succeeded'],
  ['failure() without one', command('x', { if: 'failure()' }), [], 'skipped condition'],
  [
    'with needs, a plain condition means success',
    command('x', { needs: ['a'], if: 'inputs.go' }),
    ['a'],
    'skipped need_failed',
  ],
  ['always() runs after a failed need', command('x', { needs: ['a'], if: 'always()' }), ['a'], 'succeeded'],
  ['success() of needs alone', command('x', { needs: ['b'], if: 'success()' }), ['a'], 'succeeded'],
  ['failure() of needs alone', command('x', { needs: ['b'], if: 'failure()' }), ['a'], 'skipped condition'],
  [
    'a status in braces',
    command('x', { if: "${{ always() && steps.a.outcome == 'failure' }}" }),
    ['a'],
    'succeeded',
  ],
])('if: %s', async (_, step, fails, expected) => {
  const inputs = [{ name: 'go', type: 'boolean' as const, required: false, default: true }];
  const rig = await openRig([workflow([command('a'), command('b'), step], { inputs })]);
  rig.jobs.script = ({ step: name }) => (fails.includes(name) ? failing : {});
  const run = await rig.done();
  expect((await rig.states(run.id)).x).toBe(expected);
});

test('a skipped need skips, unless the condition asks for more; a failure is seen through a step that ran anyway', async () => {
  const steps = [
    command('off', { needs: [], if: 'false' }),
    command('plain', { needs: ['off'] }),
    command('anyway', { needs: ['off'], if: 'always()' }),
    command('bad', { needs: [] }),
    command('cleanup', { needs: ['bad'], if: 'always()' }),
    command('after', { needs: ['cleanup'] }),
  ];
  const { states } = await outcomeOf(steps, ['bad']);
  expect(states).toEqual({
    off: 'skipped condition',
    plain: 'skipped need_skipped',
    anyway: 'succeeded',
    bad: 'failed exit_code',
    cleanup: 'succeeded',
    after: 'skipped need_failed',
  });
});

test('results, implied and declared outputs reach later steps, each as one argument', async () => {
  const steps = [
    command('make'),
    command('pick', { outputs: { first: '${{ fromJSON(result).list[0] }}', text: 'got ${{ result }}' } }),
    command('use', {
      command: [
        'echo',
        '${{ steps.make.result }}',
        '${{ steps.make.outputs.n }}',
        '-${{ steps.pick.outputs.first }}-',
      ],
      env: [{ kind: 'set', name: 'SAID', value: '${{ steps.pick.outputs.text }} ${env:TOKEN}' }],
    }),
  ];
  const rig = await openRig([workflow(steps, { env: [{ kind: 'set', name: 'ALL', value: 'x' }] })]);
  rig.jobs.script = ({ step }) => {
    if (step === 'make') return { result: '{"n": 3, "s": "a b; rm -rf /"}' };
    return step === 'pick' ? { result: '{"list": ["${env:HOME}"]}' } : {};
  };
  const run = await rig.done();
  expect(run.state).toBe('succeeded');
  const use = rig.jobs.tasks[2];
  expect(use?.work).toMatchObject({
    command: ['echo', '{"n": 3, "s": "a b; rm -rf /"}', '3', '-${env:HOME}-'],
  });
  expect(use?.env).toMatchObject([
    { kind: 'set', name: 'ALL', value: 'x' },
    { kind: 'set', name: 'SAID', value: 'got {"list": ["$${env:HOME}"]} ${env:TOKEN}' },
  ]);
  expect((await rig.steps(run.id)).make?.outputs).toEqual({ n: 3, s: 'a b; rm -rf /' });
});

test('a result of 100 KiB is not in its row, and is read where it is asked for; 2 MiB are an error with its place', async () => {
  const steps = [
    command('big'),
    command('huge'),
    command('reads', { command: ['echo', '${{ length(steps.big.result) }}'] }),
    command('keys', { command: ['echo', '${{ steps.big.outputs.x }}'] }),
    command('states', { command: ['echo', '${{ steps.huge.outcome }}'] }),
    command('toobig', { command: ['echo', 'a ${{ steps.huge.result }}'] }),
  ];
  const rig = await openRig([workflow(steps)]);
  const bytes: Readonly<Record<string, number>> = { big: 100 << 10, huge: 2 << 20 };
  rig.jobs.script = ({ step }) => ({ result: 'x'.repeat(bytes[step] ?? 1) });
  const run = await rig.done();
  const rows = await rig.steps(run.id);
  expect(rows.big).toMatchObject({ state: 'succeeded', resultBytes: 100 << 10 });
  expect(rows.big?.result).toBeUndefined();
  expect(rig.jobs.tasks.find(({ step }) => step === 'reads')?.work).toMatchObject({
    command: ['echo', '102400'],
  });
  expect(rows.keys).toMatchObject({
    state: 'failed',
    reason: 'expression',
    fix: expect.stringContaining('outputs'),
  });
  expect(rows.states?.state).toBe('succeeded');
  expect(rows.toobig).toMatchObject({ state: 'failed', reason: 'expression' });
  expect(rows.toobig?.message).toContain('character 7');
});

test('an error in an expression fails its step with the place; the others go on', async () => {
  const steps = [
    command('bad', { command: ['echo', '${{ fromJSON(inputs.text).x }}'] }),
    command('cond', { if: 'fromJSON(inputs.text)' }),
    command('out', { outputs: { x: '${{ fromJSON(result) }}' } }),
    command('after'),
  ];
  const inputs = [{ name: 'text', type: 'string' as const, required: false, default: 'no json' }];
  const rig = await openRig([workflow(steps, { inputs })]);
  rig.jobs.script = ({ step }) => ({ result: step });
  const run = await rig.done();
  expect(await rig.states(run.id)).toEqual({
    ...{ bad: 'failed expression', cond: 'failed expression', out: 'failed expression', after: 'succeeded' },
  });
  expect((await rig.steps(run.id)).bad?.message).toMatch(/character \d+ of .*\n.*\n *\^/);
  expect(rig.jobs.steps).toEqual(['out', 'after']);
});

test('on_failure steps run one after another when the run failed, and change nothing about it', async () => {
  const onFailure = [command('tell', { command: ['say', '${{ steps.a.error }}'] }), command('more')];
  const definition = workflow([command('a')], { onFailure });
  const rig = await openRig([definition]);
  rig.jobs.script = ({ step }) => (step === 'more' ? {} : failing);
  const run = await rig.done();
  expect(rig.jobs.steps).toEqual(['a', 'tell', 'more']);
  expect(rig.jobs.tasks[1]?.work).toMatchObject({ command: ['say', 'exit 1'] });
  expect(run).toMatchObject({ state: 'failed', warnings: ['on_failure step "tell" failed: exit 1'] });
  rig.jobs.script = () => ({});
  const good = await rig.done();
  expect(await rig.states(good.id)).toEqual({ a: 'succeeded' });
});

test('outputs of the run; when they cannot be made it has failed', async () => {
  const outputs = { n: '${{ fromJSON(steps.a.result) }}' };
  const rig = await openRig([workflow([command('a')], { outputs })]);
  rig.jobs.script = () => ({ result: '[1, 2]' });
  expect(await rig.done()).toMatchObject({ state: 'succeeded', outputs: { n: [1, 2] } });
  rig.jobs.script = () => ({ result: 'oh' });
  expect(await rig.done()).toMatchObject({ state: 'failed', reason: 'invalid' });
});

test('a run has a session with its id while it goes on; its state is read by expressions', async () => {
  const rig = await openRig([
    workflow([command('a'), command('b', { command: ['x', '${{ state.found }}'] })]),
  ]);
  const { id } = await rig.run();
  await rig.jobs.of('a');
  const change = { op: 'set', owner: '', key: 'found', value: [1] } as const;
  await rig.ledger.sessions.commit(id, 'step a', [change]);
  await rig.jobs.end('a');
  await rig.jobs.end('b');
  await rig.engine.done(id);
  expect(rig.jobs.tasks[1]?.work).toMatchObject({ command: ['x', '[1]'] });
  expect((await rig.ledger.sessions.get(id))?.endedAt).toBeDefined();
});

test('an agent step: candidates in their order, the prompt, a file of the project, cache and force', async () => {
  const steps = [
    agent('review', {
      agents: ['a', 'b'],
      prompt: 'Look at ${{ inputs.what }}',
      inputFile: 'wf-${{ inputs.what }}.txt',
    }),
    agent('gone', { inputFile: 'no/such file' }),
  ];
  const inputs = [{ name: 'what', type: 'string' as const, required: true }];
  const rig = await openRig([workflow(steps, { inputs })], {
    selectAgents: async (names) => names.toReversed(),
  });
  rig.jobs.script = () => ({});
  const { writeFileSync } = await import('node:fs');
  writeFileSync(`${rig.dir}/wf-x.txt`, 'hello');
  const trigger = { kind: 'manual', who: 'me' } as const;
  const { id } = await rig.engine.run({
    workflow: 'wf',
    inputs: { what: 'x' },
    trigger,
    force: true,
    depth: 2,
  });
  await rig.engine.done(id);
  expect(rig.jobs.tasks[0]).toMatchObject({
    work: { kind: 'agent', agents: ['b', 'a'], prompt: 'Look at x' },
    file: { path: `${rig.dir}/wf-x.txt`, bytes: 5 },
    isShared: true,
  });
  expect(rig.jobs.asked.get('review')).toMatchObject({ force: true, depth: 2 });
  expect((await rig.states(id)).gone).toBe('failed input_gone');
});

test('an HTTP step: values stay values in the URL, in headers and in JSON', async () => {
  const step = http('post', {
    url: '${{ inputs.base }}/files/${{ inputs.name }}?q=${{ inputs.name }}',
    headers: { authorization: 'Bearer ${env:TOKEN}', 'x-name': '${{ inputs.evil }}' },
    body: { name: '${{ inputs.name }}', list: ['${{ inputs.count }}', 1] },
  });
  const inputs = (['base', 'name', 'evil'] as const).map((name) => ({
    name,
    type: 'string' as const,
    required: true,
  }));
  const count = { name: 'count', type: 'number' as const, required: true };
  const rig = await openRig([workflow([step], { inputs: [...inputs, count] })]);
  rig.jobs.script = () => ({});
  await rig.done('wf', { base: 'http://h:1', name: 'a/../b&c', evil: 'x\r\nevil: ${env:HOME}', count: 5 });
  expect(rig.jobs.tasks[0]?.work).toEqual({
    kind: 'http',
    method: 'POST',
    url: 'http://h:1/files/a%2F..%2Fb%26c?q=a%2F..%2Fb%26c',
    headers: {
      authorization: 'Bearer ${env:TOKEN}',
      'x-name': 'x evil: $${env:HOME}',
      'content-type': 'application/json',
    },
    body: '{"name":"a/../b&c","list":[5,1]}',
  });
});

test('a report step renders over the run so far; a wrong template fails it with its place', async () => {
  const text =
    '{% for s in steps %}{{ s[0] }}={{ s[1].state }} {% endfor %}{{ who }} {{ run.workflow }} {{ inputs.x }}';
  const steps = [
    command('a'),
    report('page', text, { output: '${{ run.workflow }}.md', with: { who: 'hello ${{ steps.a.result }}' } }),
    report('wrong', 'a\n{% if %}'),
    report('out', 'x', { output: '../../etc/passwd' }),
  ];
  const inputs = [{ name: 'x', type: 'number' as const, required: false, default: 7 }];
  const rig = await openRig([workflow(steps, { inputs })]);
  rig.jobs.script = () => ({ result: 'you' });
  const run = await rig.done();
  const rows = await rig.steps(run.id);
  expect(rows.page).toMatchObject({
    state: 'succeeded',
    outputs: { file: expect.stringContaining('wf.md') },
  });
  expect(rows.page?.result).toBe('a=succeeded page=running hello you wf 7');
  expect(rows.wrong).toMatchObject({ state: 'failed', reason: 'template' });
  expect(rows.wrong?.message).toContain('report.liquid:2');
  expect(rows.out).toMatchObject({ state: 'failed', reason: 'template' });
});

test('a workflow without steps succeeds; one that does not exist is named with what is near', async () => {
  const rig = await openRig([workflow([], { aliases: ['short'] })]);
  expect((await rig.done('short')).state).toBe('succeeded');
  await expect(rig.run('wff')).rejects.toMatchObject({
    code: 'UNKNOWN_WORKFLOW',
    fix: expect.stringContaining('"wf"'),
  });
  const trigger = { kind: 'manual', who: 'me' } as const;
  await expect(rig.engine.run({ workflow: 'wf', inputs: {}, trigger, depth: 6 })).rejects.toMatchObject({
    code: 'DEPTH_EXCEEDED',
  });
});

test('a definition that changes under way changes nothing for the run', async () => {
  const rig = await openRig([workflow([command('a'), command('b', { command: ['old'] })])]);
  const { id } = await rig.run();
  await rig.jobs.of('a');
  rig.engine.configure({ ...rig.config, workflows: [workflow([command('a'), command('z')])] });
  await rig.jobs.end('a');
  await rig.jobs.end('b');
  expect((await rig.engine.done(id)).state).toBe('succeeded');
  expect(rig.jobs.tasks[1]?.work).toMatchObject({ command: ['old'] });
});

test('messages are redacted, a job that waits is seen, and one that is held makes the run wait', async () => {
  const rig = await openRig([workflow([command('a')])]);
  const { id } = await rig.run();
  await rig.jobs.tell('a', 'waiting', { reason: 'backoff', message: 'again: hunter2' });
  expect((await rig.steps(id)).a).toMatchObject({
    state: 'waiting',
    reason: 'backoff',
    message: 'again: ***',
  });
  await rig.jobs.tell('a', 'held', { reason: 'interrupted' });
  expect((await rig.engine.done(id)).state).toBe('waiting');
  await rig.jobs.tell('a', 'started');
  expect((await rig.steps(id)).a?.reason).toBeUndefined();
  await rig.jobs.end('a', { state: 'failed', reason: 'exit_code', message: 'hunter2' });
  await rig.event('run_ended');
  expect((await rig.ledger.runs.get(id))?.message).toBe('step "a" failed: ***');
});

test('an approval: answered, rejected, too late', async () => {
  const steps = [
    approval('ask', { needs: [], message: 'Deploy ${{ run.workflow }}?' }),
    approval('late', { needs: [], timeoutMs: 20 }),
    approval('granted', { needs: [], timeoutMs: 20, onTimeout: 'approve' }),
    command('go', { needs: ['ask'], command: ['x', '${{ steps.ask.outputs.by }}'] }),
  ];
  const rig = await openRig([workflow(steps)]);
  rig.jobs.script = () => ({});
  const { id } = await rig.run();
  await Promise.all([rig.event('step_ended', 'late'), rig.event('step_ended', 'granted')]);
  expect(await rig.engine.done(id)).toMatchObject({ state: 'waiting' });
  expect((await rig.steps(id)).ask).toMatchObject({ state: 'waiting', message: 'Deploy wf?' });
  expect(await rig.engine.answer(id, undefined, 'approved', 'ann', 'fine')).toMatchObject({
    state: 'succeeded',
    answer: { verdict: 'approved', by: 'ann', comment: 'fine' },
  });
  await expect(rig.engine.answer(id, 'ask', 'rejected', 'bob')).rejects.toMatchObject({
    code: 'NOT_POSSIBLE',
  });
  expect((await rig.engine.done(id)).state).toBe('failed');
  expect(await rig.states(id)).toEqual({
    ...{ ask: 'succeeded', late: 'failed approval_timeout', granted: 'succeeded', go: 'succeeded' },
  });
  expect(rig.jobs.tasks[0]?.work).toMatchObject({ command: ['x', 'ann'] });
  expect(rig.reports.filter((one) => one === id).length).toBeGreaterThanOrEqual(2);
});

test('a rejected approval fails its step, and what needs it is skipped', async () => {
  const rig = await openRig([workflow([approval('ask'), command('go', { needs: ['ask'] })])]);
  const { id } = await rig.run();
  await rig.event('run_waiting');
  await rig.engine.answer(id, 'ask', 'rejected', 'bob', 'not on a Friday');
  expect((await rig.engine.done(id)).message).toBe('step "ask" failed: rejected by bob: not on a Friday');
  expect(await rig.states(id)).toEqual({ ask: 'failed rejected', go: 'skipped need_failed' });
});

test('env: what commands see, what `env` says, and nothing else of the process', async () => {
  const step = command('a', {
    command: ['x', '${{ env.GREETING }}', '${{ env.LANG }}', '-${{ env.SECRET }}-', '${{ env.PASSED }}'],
    env: [{ kind: 'pass', name: 'PASSED' }],
  });
  const env = [{ kind: 'set' as const, name: 'GREETING', value: 'hello ${{ inputs.who }}' }];
  const inputs = [{ name: 'who', type: 'string' as const, required: true }];
  const rig = await openRig([workflow([step], { env, inputs })], {
    env: { LANG: 'C', SECRET: 'hunter2', PASSED: 'yes' },
  });
  rig.jobs.script = () => ({});
  await rig.done('wf', { who: 'you' });
  expect(rig.jobs.tasks[0]?.work).toMatchObject({ command: ['x', 'hello you', 'C', '--', 'yes'] });
});

test('all steps as one value, and the state of what has not run', async () => {
  const steps = [command('a'), command('b', { command: ['x', '${{ toJSON(steps) }}'] })];
  const rig = await openRig([workflow(steps)]);
  rig.jobs.script = () => ({ result: 'said' });
  await rig.done();
  const [, b] = rig.jobs.tasks;
  const said = JSON.parse((b?.work.kind === 'command' && b.work.command[1]) || '{}');
  expect(said.a).toEqual({
    outcome: 'succeeded',
    state: 'succeeded',
    result: 'said',
    outputs: {},
    counts: {},
    error: null,
  });
});

test('a fault of our own fails its step with what it is, and the run comes to an end', async () => {
  const rig = await openRig([workflow([agent('a'), command('b')])], {
    selectAgents: () => Promise.reject(new TypeError('oops')),
  });
  rig.jobs.script = () => ({});
  const run = await rig.done();
  expect(await rig.states(run.id)).toEqual({ a: 'failed internal', b: 'succeeded' });
});

test('a ledger that answers with errors is a condition, and the run goes on at the next start', async () => {
  const rig = await openRig([workflow([command('a'), command('b')])]);
  const { id } = await rig.run();
  await rig.jobs.of('a');
  const { runs } = rig.deps.ledger;
  const putStep = runs.putStep;
  runs.putStep = () => Promise.reject(new Error('no disk'));
  await rig.jobs.end('a');
  while (rig.conditions.length === 0) await new Promise((resolve) => setImmediate(resolve));
  expect((await rig.engine.done(id)).state).toBe('running');
  expect(rig.conditions).toEqual([`Run ${id} of "wf" stands still: no disk`]);
  runs.putStep = putStep;
  await rig.restart();
  await rig.jobs.end('b');
  expect((await rig.engine.done(id)).state).toBe('succeeded');
});
