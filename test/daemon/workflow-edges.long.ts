/** What goes wrong in and around steps: each fails, or is refused, with what to do; and nothing hangs. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { linesOf, reconfigure } from './agents.ts';
import { until } from './project.ts';
import {
  commandStep as command,
  ended,
  expectReports,
  note,
  read,
  runByCommand,
  runOf,
  runsOf,
  runToEnd,
  startRun,
  statesOf,
  stepOf,
  workflowProject,
} from './workflow-rig.ts';

test('steps that cannot be done say so: expressions, lists, templates, inputs that are gone, requests', async () => {
  let calls = 0;
  const server = createServer((request, response) => {
    calls += 1;
    if (request.url === '/slow') return;
    if (request.url === '/busy' && calls < 3)
      return void response.writeHead(503, { 'retry-after': '0' }).end('busy');
    if (request.url === '/large') return void response.end('x'.repeat(3 << 20));
    if (request.url?.startsWith('/no')) return void response.writeHead(404).end('not here');
    response.end(Buffer.from((request.headers['x-name'] as string) ?? '', 'latin1'));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const project = workflowProject(
    {
      w: `name: w
inputs: { list: { type: json }, text: { default: plain } }
env: { TOKEN: "\${env:TOKEN}" }
steps:
${command('nothing', note('never'), 'for_each: []')}${command('no_list', note('never'), 'for_each: "${{ inputs.list.none }}"')}${command('object', note('never'), 'for_each: "${{ inputs.list }}"')}${command('json', note('never'), 'if: "${{ fromJSON(inputs.text).x == 1 }}"')}${command('compare', '[echo, "${{ inputs.list.n < inputs.text }}"]')}  - { name: template, type: report, template: "{% for i in (1..100000000) %}{{ i }}{% endfor %}", timeout: 1s }
  - { name: outside, type: report, template: x, output: "\${{ inputs.list.up }}" }
  - { name: gone, type: agent, agent: inspect, file: "no such file" }
  - { name: folder, type: agent, agent: inspect, file: workflows }
  - { name: no_folder, type: file_processing, directory: nowhere }
  - { name: above, type: file_processing, directory: /etc }
${command('no_program', '[no-such-program-here]')}${command('retried', note('retried', 'test $(grep -c retried steps.log) -ge 3'), 'retry: { attempts: 3, initial: 10ms }')}  - { name: not_found, type: http, url: "${url}/no/\${env:TOKEN}" }
  - { name: busy, type: http, url: "${url}/busy", retry: { attempts: 4, initial: 10ms } }
  - { name: slow, type: http, url: "${url}/slow", timeout: 300ms, retry: 1 }
  - { name: refused, type: http, url: "http://127.0.0.1:9/", retry: 1 }
  - { name: large, type: http, url: "${url}/large" }
  - { name: header, type: http, url: "${url}/", headers: { X-Name: "\${{ inputs.list.name }}" } }
${command('reads_large', '[echo, "${{ steps.large.result }}"]')}${command('items', '[echo, "${{ length(steps.nothing.items) }}"]')}`,
    },
    { config: 'agents: { inspect: { kind: builtin } }\n', env: { TOKEN: 's3cr3t-token' } },
  );
  await project.start();
  const run = await runToEnd(project, 'w', { list: { n: 1, up: '../../../x', name: 'größe ☃\n\u0001' } });
  expect(statesOf(run)).toEqual({
    nothing: 'succeeded',
    no_list: 'failed (expression)',
    object: 'failed (expression)',
    json: 'failed (expression)',
    compare: 'failed (expression)',
    template: expect.stringMatching(/^failed \((template|timeout)\)$/),
    outside: 'failed (template)',
    gone: 'failed (input_gone)',
    folder: expect.stringMatching(/^failed \(input_(gone|unreadable)\)$/),
    no_folder: 'failed (input_unreadable)',
    above: 'failed (input_unreadable)',
    no_program: 'failed (spawn_failed)',
    retried: 'succeeded',
    not_found: 'failed (http_error)',
    busy: 'succeeded',
    slow: 'failed (timeout)',
    refused: 'failed (http_error)',
    large: 'succeeded',
    header: 'succeeded',
    reads_large: 'failed (expression)',
    items: 'succeeded',
  });
  for (const step of run.steps)
    if (step.state === 'failed') {
      expect([step.name, step.message?.length]).toEqual([step.name, expect.any(Number)]);
      expect(`${step.name}: ${step.message}`).not.toContain('s3cr3t');
      expect(`${step.name}: ${step.message}`).not.toContain('$command');
    }
  expect(stepOf(run, 'compare').message).toContain('compares number with text');
  expect(stepOf(run, 'retried').attempts).toHaveLength(3);
  expect(linesOf(project, 'steps.log')).toEqual(['retried', 'retried', 'retried']);
  expect(stepOf(run, 'header').result).toBe('größe ☃');
  expect(project.exists('processed/x')).toBe(false);
  expectReports(project, run);
  expect(read(project, join('processed/workflows/w', run.run_id, 'report.html'))).not.toContain('s3cr3t');
});

test('an agent that is taken out of the configuration under way, jobs of steps that people cancel and retry', async () => {
  const project = workflowProject(
    {
      w: `name: w
steps:
${command('wait', note('wait', 'while [ ! -e gate ]; do sleep 0.02; done'))}  - { name: ask, type: agent, agent: writer, prompt: hello }
  - { name: other, type: agent, capabilities: [writing], prompt: hello }
`,
      long: `name: long
steps:
${command('one', note('one', 'sleep 100'))}${command('two', note('two'), 'needs: [one]')}${command('three', note('three'))}`,
    },
    {
      config: `agents:
  writer: { kind: command, command: [cat, "\${{ file.path }}"], capabilities: [writing] }
  spare: { kind: command, command: [tac, "\${{ file.path }}"], capabilities: [writing] }
`,
    },
  );
  await project.start();
  const id = await startRun(project, 'w');
  await until('it has begun', () => linesOf(project, 'steps.log').length === 1);
  project.write('workflows/w.yaml', `name: w\nsteps:\n${command('wait', '["true"]')}`);
  reconfigure(project, (text) => text.replace(/ {2}writer: .*\n/, ''));
  expect((await project.sluice('reload')).code).toBe(0);
  project.write('gate', '');
  const run = await ended(project, id);
  expect(statesOf(run)).toMatchObject({ ask: expect.stringMatching(/^failed/), other: 'succeeded' });
  expect(stepOf(run, 'ask').message).toContain('writer');

  const long = await startRun(project, 'long');
  await until('it has begun', () => linesOf(project, 'steps.log').includes('one'));
  const job = stepOf(await runOf(project, long), 'one').job_id ?? '';
  expect((await project.sluice('jobs', 'cancel', job)).code).toBe(0);
  const cancelled = await ended(project, long);
  expect(cancelled.state).toBe('failed');
  expect(statesOf(cancelled)).toEqual({
    one: 'cancelled (cancelled)',
    two: 'skipped (need_failed)',
    three: 'succeeded',
  });
  const retried = await project.sluice('jobs', 'retry', job);
  expect([retried.code, retried.stderr]).toEqual([1, expect.stringContaining('sluice workflow resume')]);
});

test('detached, interrupted, started from a file and from a step; held files and files that agents of runs leave', async () => {
  const project = workflowProject(
    {
      w: `name: w
steps:
${command('wait', note('wait', 'while [ ! -e gate ]; do sleep 0.02; done'))}`,
      nested: `name: nested
steps:
${command('again', '[sh, -c, "$SLUICE workflow run nested 2>&1"]', 'env: { SLUICE: "${{ inputs.sluice }}" }, sandbox: { mode: off, reason: it is about what happens without }')}inputs: { sluice: {} }
`,
      files: `name: files
steps: [{ name: all, type: file_processing, directory: data }]
`,
    },
    {
      config: `routing_rules: [{ name: all, pattern: "data/**", agent: asks }]
agents:
  asks: { kind: command, command: [cat, "\${{ file.path }}"], budget: { usd_per_day: 1 } }
`,
    },
  );
  const alone = await project.sluice('workflow', 'run', 'w', '--detach');
  expect([alone.code, alone.stderr]).toEqual([1, expect.stringContaining('sluice start')]);
  await project.start();
  const detached = await project.sluice('workflow', 'run', 'w', '--detach');
  expect(detached.code).toBe(0);
  const id = detached.stdout.trim();
  const followed = project.spawn('workflow', 'run', 'w');
  await until('both run', () => linesOf(project, 'steps.log').length === 2);
  followed.pressCtrlC();
  await followed.exited;
  project.write('gate', '');
  expect((await ended(project, id)).state).toBe('succeeded');
  await until('the other goes on too', async () =>
    (await runsOf(project, { workflow: 'w' })).every(({ state }) => state === 'succeeded'),
  );

  project.write(
    'elsewhere/own.yaml',
    `name: own\nsteps: [{ name: a, type: custom_command, command: [pwd] }]\n`,
  );
  const own = await runByCommand(project, '--file', 'elsewhere/own.yaml');
  expect([own.code, stepOf(own.run, 'a').result]).toEqual([0, `${project.dir}\n`]);
  project.write('elsewhere/bad.yaml', 'name: bad\nsteps: [{ name: a, type: custom_comand }]\n');
  const bad = await project.sluice('workflow', 'run', '--file', 'elsewhere/bad.yaml');
  expect([bad.code, bad.stderr]).toEqual([2, expect.stringContaining('elsewhere/bad.yaml:2')]);

  const launcher = join(import.meta.dirname, '../../bin/sluice.js');
  const nested = await runToEnd(project, 'nested', { sluice: `${process.execPath} ${launcher}` });
  expect(nested.state).toBe('failed');
  const depths = await runsOf(project, { workflow: 'nested' });
  expect(depths.length).toBeLessThanOrEqual(7);
  expect(depths.every(({ state }) => state === 'failed')).toBe(true);
});

test('what waits for a person: an approval in a sub-run is answered from above; several at once want a name', async () => {
  const project = workflowProject({
    outer: `name: outer
steps:
  - { name: call, type: workflow, workflow: inner, needs: [] }
${command('done', note('outer'), 'needs: [call]')}`,
    inner: `name: inner
steps:
  - { name: ask, type: approval, message: really? }
${command('done', note('inner'), 'needs: [ask]')}`,
    two: `name: two
steps:
  - { name: first one, type: approval, message: a?, needs: [] }
  - { name: second, type: approval, message: b?, needs: [] }
  - { name: each, type: approval, message: "\${{ item }}?", for_each: [x, y], needs: [] }
`,
  });
  await project.start();
  const outer = await startRun(project, 'outer');
  await until('the outer run waits', async () => (await runOf(project, outer)).state === 'waiting');
  const { stdout } = await project.sluice('workflow', 'show', outer);
  expect(stdout).toContain(`sluice workflow approve ${outer} call`);
  const said = await project.sluice('workflow', 'approve', outer, 'call');
  expect(said.code, said.stderr).toBe(0);
  expect((await ended(project, outer)).state).toBe('succeeded');
  expect(linesOf(project, 'steps.log')).toEqual(['inner', 'outer']);

  const follower = project.spawn('workflow', 'run', 'two');
  await until('it says how each is answered', () => {
    const text = follower.lines.join('\n');
    return ["'first one'", 'second', "'each[0]'", "'each[1]'"].every((step) => text.includes(` ${step}`));
  });
  const two = (await runsOf(project, { workflow: 'two' }))[0]?.run_id ?? '';
  const many = await project.sluice('workflow', 'approve', two);
  expect([many.code, many.stderr]).toEqual([1, expect.stringContaining('first one')]);
  for (const step of ['first one', 'second', 'each[0]', 'each[1]'])
    expect(
      await project.sluice('workflow', step === 'second' ? 'reject' : 'approve', two, step),
    ).toMatchObject({ code: 0 });
  expect(statesOf(await ended(project, two))).toEqual({
    'first one': 'succeeded',
    second: 'failed (rejected)',
    each: 'succeeded',
  });
});

test('steps whose job waits say for what: a budget, a command that a person has to allow; a copy is promoted and undone', async () => {
  const project = workflowProject(
    {
      w: `name: w
steps:
  - { name: cheap, type: agent, agent: paid, prompt: one, needs: [] }
  - { name: dear, type: agent, agent: paid, prompt: two, needs: [cheap] }
  - { name: danger, type: custom_command, command: [sh, -c, "rm -f victim && echo gone"], needs: [], sandbox: { mode: auto, write: [project], confirm: [rm] } }
  - { name: edit, type: agent, agent: editor, file: src/a.txt, needs: [] }
  - { name: see, type: custom_command, command: [cat, src/a.txt], needs: [edit] }
  - { name: adrift, type: agent, agent: editor, prompt: of what, needs: [], continue_on_error: true }
`,
    },
    {
      config: `agents:
  paid: { kind: command, command: [sh, -c, 'echo "{\\"type\\":\\"status\\",\\"payload\\":{\\"cost_usd\\":1.5}}"; echo ok'], budget: { usd_per_day: 1 } }
  editor: { kind: command, command: [sh, -c, 'echo two >> "$1"', sh, "\${{ file.path }}"], workspace: copy }
`,
    },
  );
  project.write('victim', 'x');
  project.write('src/a.txt', 'one\n');
  await project.start();
  const id = await startRun(project, 'w');
  await until('the budget is spent, and a command waits', async () => {
    const { queue, conditions } = await project.status();
    return queue.waiting === 1 && conditions.some(({ code }) => code === 'APPROVAL_WANTED');
  });
  await until('the edit is seen', async () => stepOf(await runOf(project, id), 'see').state === 'succeeded');
  const run = await runOf(project, id);
  expect(statesOf(run)).toMatchObject({ cheap: 'succeeded', dear: 'waiting (budget)', danger: 'running' });
  expect(stepOf(run, 'see').result).toBe('one\ntwo\n');
  expect((await project.sluice('jobs', 'show', stepOf(run, 'adrift').job_id ?? '')).stdout).toMatch(
    /names no file in one\n {2}fix: Name one in the step, such as `file: /,
  );
  expect(run.cost_usd).toBe(1.5);
  const { conditions } = await project.status();
  expect(conditions.find(({ code }) => code === 'APPROVAL_WANTED')?.message).toContain(
    'a step asks to run `rm',
  );
  expect(await project.sluice('jobs', 'approve', stepOf(run, 'danger').job_id ?? '')).toMatchObject({
    code: 0,
    stdout: 'approved: rm -f victim\n',
  });
  await until('it went on', async () => stepOf(await runOf(project, id), 'danger').state === 'succeeded');
  expect(project.exists('victim')).toBe(false);
  reconfigure(project, (text) => text.replace('usd_per_day: 1 ', 'usd_per_day: 9 '));
  expect((await project.sluice('reload')).code).toBe(0);
  expect(statesOf(await ended(project, id))).toMatchObject({ dear: 'succeeded' });
  expect((await project.sluice('undo', stepOf(run, 'edit').job_id ?? '')).code).toBe(0);
  expect(read(project, 'src/a.txt')).toBe('one\n');
});
