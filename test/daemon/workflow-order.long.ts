/** What runs after what, and what a failure does: to the steps after it, to the run, to the exit code. */
import { expect, test } from 'vitest';
import { linesOf } from './agents.ts';
import {
  answer,
  commandStep as command,
  ended,
  expectReports,
  note,
  runByCommand,
  runToEnd,
  startRun,
  statesOf,
  stepOf,
  waitsFor,
  workflowProject,
} from './workflow-rig.ts';

const bad = (line: string) => note(line, 'exit 3');

test('order alone goes on after a failure, `needs` does not; the exit code is that of the run', async () => {
  const project = workflowProject({
    mixed: `name: mixed
steps:
${command('one', note('one'))}${command('two', bad('two'))}${command('three', note('three'))}${command('four', note('four'), 'needs: [two]')}${command('five', note('five'), 'needs: [four]')}${command('six', note('six'), "needs: [two], if: '${{ always() }}'")}${command('seven', note('seven'), 'needs: two, if: "${{ failure() }}"')}${command('eight', note('eight'), 'needs: [one]')}${command('last', note('last'))}`,
    forgiving: `name: forgiving
steps:
${command('two', bad('two'), 'continue_on_error: true')}${command('four', note('four'), 'needs: [two]')}`,
    fine: `name: fine
steps: [{ name: a, type: custom_command, command: ["true"] }]`,
  });
  const { code, run } = await runByCommand(project, 'mixed');
  expect(statesOf(run)).toEqual({
    one: 'succeeded',
    two: 'failed (exit_code)',
    three: 'succeeded',
    four: 'skipped (need_failed)',
    five: 'skipped (need_failed)',
    six: 'succeeded',
    seven: 'succeeded',
    eight: 'succeeded',
    last: 'succeeded',
  });
  expect([code, run.state, run.reason]).toEqual([1, 'failed', 'step_failed']);
  expect(run.message).toContain('two');
  const lines = linesOf(project, 'steps.log');
  expect(lines.toSorted()).toEqual(['eight', 'last', 'one', 'seven', 'six', 'three', 'two']);
  expect(lines.indexOf('one')).toBeLessThan(lines.indexOf('two'));
  expect(lines.indexOf('two')).toBeLessThan(lines.indexOf('three'));
  expect(lines.indexOf('eight')).toBeLessThan(lines.indexOf('last'));
  expectReports(project, run);

  const forgiven = await runByCommand(project, 'forgiving');
  expect(statesOf(forgiven.run)).toEqual({ two: 'failed (exit_code)', four: 'succeeded' });
  expect([forgiven.code, forgiven.run.state]).toEqual([0, 'succeeded']);
  expect(forgiven.run.warnings.join()).toContain('two');
  expectReports(project, forgiven.run);

  const fine = await project.sluice('workflow', 'run', 'fine');
  expect(fine).toMatchObject({ code: 0 });
  expect(fine.stdout).toContain('fine succeeded');
  const unknown = await project.sluice('workflow', 'run', 'fin');
  expect(unknown.code).toBe(2);
  expect(unknown.stderr).toContain('id you mean "fine"');
});

test('`if`, on_failure, outputs and typed inputs, with a daemon', async () => {
  const project = workflowProject({
    w: `name: w
inputs:
  n: { type: number, required: true }
  deep: { type: boolean }
  mode: { type: choice, options: [fast, slow], default: fast }
  data: { type: json }
outputs: { sum: '\${{ steps.sum.outputs.total }}', of: "\${{ inputs.data.list }}" }
steps:
${command('sum', `[sh, -c, 'echo "{\\"total\\": \${{ inputs.n }}, \\"mode\\": \\"\${{ inputs.mode }}\\"}"']`)}${command('deep', note('deep'), "if: '${{ inputs.deep && steps.sum.outputs.total > 2 }}'")}${command('wrong', `[sh, -c, 'exit \${{ inputs.n }}']`, 'outputs: { x: "${{ result }}" }')}${command('seen', `[echo, "\${{ steps.wrong.outcome }} \${{ steps.wrong.error }} \${{ steps.deep.state }}"]`)}${command('github', '[echo, github]', 'if: "${{ steps.wrong.outcome == \'failure\' }}"')}on_failure:
${command('tell', note('told'))}${command('tell_bad', bad('told badly'))}${command('tell_more', `[echo, "\${{ steps.wrong.outcome }}"]`)}`,
  });
  await project.start();
  const run = await runToEnd(project, 'w', { n: '3', deep: 'true', data: { list: [1, 'x'] } });
  expect(statesOf(run)).toEqual({
    sum: 'succeeded',
    deep: 'succeeded',
    wrong: 'failed (exit_code)',
    seen: 'succeeded',
    github: 'succeeded',
    tell: 'succeeded',
    tell_bad: 'failed (exit_code)',
    tell_more: 'succeeded',
  });
  expect(run.outputs).toEqual({ sum: 3, of: [1, 'x'] });
  expect(stepOf(run, 'sum').outputs).toEqual({ total: 3, mode: 'fast' });
  expect(stepOf(run, 'seen').result).toContain('failed');
  expect(stepOf(run, 'tell_more').result).toBe('failed\n');
  expect(linesOf(project, 'steps.log')).toEqual(['deep', 'told', 'told badly']);
  expectReports(project, run);

  const well = await runToEnd(project, 'w', { n: 0, mode: 'slow' });
  expect(statesOf(well)).toMatchObject({ sum: 'succeeded', deep: 'skipped (condition)', wrong: 'succeeded' });
  expect([well.state, well.outputs]).toEqual(['succeeded', { sum: 0, of: null }]);
  expect(stepOf(well, 'tell').state).toBe('pending');
  expectReports(project, well);

  for (const [inputs, words] of [
    [{}, '"n"'],
    [{ n: 'many' }, '"n"'],
    [{ n: 1, mode: 'medium' }, 'fast'],
    [{ n: 1, nn: 2 }, 'Did you mean "n"'],
    [{ n: 1, deep: 'maybe' }, '"deep"'],
  ] as const) {
    const refused = await startRun(project, 'w', inputs).catch((error: Error & { fix?: string }) => error);
    expect(refused).toMatchObject({ code: 'INPUT_INVALID' });
    expect(`${(refused as Error).message} ${(refused as { fix?: string }).fix}`).toContain(words);
  }
});

test('steps run side by side where `needs` allows, and every type of step works in one workflow', async () => {
  const project = workflowProject(
    {
      all: `name: all types
steps:
${command('make', note('make', 'mkdir -p data; echo a > data/a.txt; echo b > data/b.txt; echo \'{"n": 2}\''))}  - { name: files, type: file_processing, directory: data, needs: [make] }
  - { name: agent, type: agent, agent: upper, prompt: "about \${{ steps.make.outputs.n }} files", needs: [make] }
  - { name: on_file, type: agent, capabilities: [shouting], file: data/a.txt, needs: [make] }
  - { name: web, type: http, url: "\${{ inputs.url }}x?q=\${{ steps.make.outputs.n }}", body: { n: "\${{ steps.make.outputs.n }}" }, needs: [make] }
  - { name: sub, type: workflow, workflow: sub, with: { n: "\${{ steps.make.outputs.n }}" }, needs: [make] }
  - { name: ask, type: approval, message: "go on with \${{ steps.sub.outputs.twice }}?", needs: [files, agent, on_file, web, sub] }
  - { name: each, type: custom_command, command: [echo, "\${{ item.name }} \${{ index }}"], for_each: "\${{ glob('data/*') }}", needs: [ask] }
  - { name: paper, type: report, template: "{{ steps.each.counts.total }} and {{ steps.ask.outcome }} {% for i in steps.each.items %}{{ i.result }}{% endfor %}", output: paper.txt, needs: [each] }
inputs: { url: {} }
`,
      sub: `name: sub
inputs: { n: { type: number } }
outputs: { twice: "\${{ inputs.n }}\${{ inputs.n }}" }
steps: [{ name: s, type: custom_command, command: ["true"] }]
`,
    },
    {
      config: `routing_rules: [{ name: txt, pattern: "**/*.txt", agent: upper }]
agents:
  upper: { kind: command, command: [tr, a-z, A-Z, "\${{ file.path }}"], capabilities: [shouting] }
`.replace('[tr, a-z, A-Z, "${{ file.path }}"]', '[sh, -c, \'tr a-z A-Z < "$1"\', sh, "${{ file.path }}"]'),
    },
  );
  const asked: string[] = [];
  const url = await answering(asked);
  const daemon = await project.start();
  const id = await startRun(project, 'all types', { url });
  await waitsFor(project, id, 'ask');
  expect((await answer(project, id, 'approved', { comment: 'well' })).step).toBe('ask');
  const run = await ended(project, id);
  expect(new Set(Object.values(statesOf(run)))).toEqual(new Set(['succeeded']));
  expect(stepOf(run, 'files').outputs).toMatchObject({ processed: 2, total: 2 });
  expect(stepOf(run, 'agent').result).toBe('ABOUT 2 FILES');
  expect(stepOf(run, 'on_file').result).toBe('A\n');
  expect(stepOf(run, 'web').result).toBe('POST /x?q=2 {"n":2}');
  expect(stepOf(run, 'sub').outputs).toEqual({ twice: '22' });
  expect(stepOf(run, 'ask').approval).toMatchObject({ verdict: 'approved', comment: 'well' });
  expect(stepOf(run, 'paper').result).toBe('2 and succeeded a.txt 0\nb.txt 1\n');
  expectReports(project, run);
  daemon.kill('SIGTERM');
  expect(await daemon.exited).toBe(0);
});

async function answering(asked: string[]): Promise<string> {
  const { createServer } = await import('node:http');
  const { onTestFinished } = await import('vitest');
  const server = createServer((request, response) => {
    let body = '';
    request.setEncoding('utf8').on('data', (text: string) => {
      body += text;
    });
    request.on('end', () => {
      asked.push(body);
      response.end(`${request.method} ${request.url} ${body}`);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  return `http://127.0.0.1:${(server.address() as { port: number }).port}/`;
}
