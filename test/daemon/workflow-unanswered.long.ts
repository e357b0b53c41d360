/** `sluice run` does not wait for people: it ends, says who has to answer, and what was answered goes on later. */
import { expect, test } from 'vitest';
import type { RunReport } from '../../src/operations/run.ts';
import type { Receipt } from '../../src/types/receipt.ts';
import { linesOf } from './agents.ts';
import { until } from './project.ts';
import { commandStep as command, note, runsOf, stop, workflowProject } from './workflow-rig.ts';

const asking = `name: asking
on: { file: "**/*.ask" }
steps:
${command('before', note('before-$1', '', ['${{ file.rel }}']))}  - { name: ok, type: approval, needs: before, message: "Publish \${{ file.name }}?" }
${command('after', note('after-$1', '', ['${{ file.rel }}']), 'needs: ok')}`;

async function runFiles(
  project: ReturnType<typeof workflowProject>,
): Promise<RunReport & { code: number | null }> {
  const { code, stdout, stderr } = await project.sluice('run', '--json');
  expect(stderr).toBe('');
  return { ...(JSON.parse(stdout) as RunReport), code };
}

test('without a daemon: files behind those that wait are told, too; an answer goes on, and what had ended is not run again', async () => {
  const project = workflowProject(
    { asking },
    { config: 'concurrency_limits: { max_processes: 8, max_concurrent_files: 3 }\n' },
  );
  for (const name of ['a', 'b', 'c']) project.write(`inbox/${name}.ask`, name);
  project.write('inbox/plain.txt', 'x');
  const first = await runFiles(project);
  expect([first.code, first.state]).toEqual([1, 'failed']);
  expect(first.files).toMatchObject({ found: 4, open: 3 });
  const told = first.problems.map(({ state, reason, message }) => [state, reason, message]);
  expect(told.filter(([state]) => state === 'waiting')).toEqual([
    ['waiting', 'approval', expect.stringMatching(/^run \S+ waits for a person: Publish [abc]\.ask\?$/)],
    ['waiting', 'approval', expect.stringMatching(/^run \S+ waits for a person: Publish [abc]\.ask\?$/)],
  ]);
  expect(told.filter(([state]) => state === 'queued')).toHaveLength(1);
  expect(first.problems[0]?.fix).toMatch(/sluice workflow approve \d{8}-/);

  const id = /approve (\S+?)`/.exec(first.problems[0]?.fix ?? '')?.[1] ?? '';
  const approved = await project.sluice('workflow', 'approve', id, '--json');
  expect(JSON.parse(approved.stdout)).toMatchObject({ run_id: id, state: 'succeeded' });
  expect(approved.code).toBe(0);

  // There is room for the third one now.
  const second = await runFiles(project);
  expect(second.files).toMatchObject({ found: 4, open: 2 });
  expect(second.problems.map(({ state }) => state)).toEqual(['waiting', 'waiting']);
  // The third one may have been under way when `approve` ended: what is cut off is done again, what had ended is not.
  const lines = linesOf(project, 'steps.log');
  for (const { path } of first.problems.filter(({ state }) => state === 'waiting'))
    expect(lines.filter((line) => line === `before-${path}`)).toHaveLength(1);
  expect(lines.filter((line) => line.startsWith('after'))).toHaveLength(1);
});

test('with a daemon: the command ends, a condition tells who is asked, and the run goes on when it is answered', async () => {
  const project = workflowProject({ asking });
  const daemon = await project.start();
  project.write('inbox/a.ask', 'a');
  const { code, problems } = await runFiles(project);
  expect([code, problems.length, problems[0]?.reason]).toEqual([1, 1, 'approval']);
  const wanted = async () =>
    (await project.status()).conditions.filter((one) => one.code === 'APPROVAL_WANTED');
  expect(await wanted()).toMatchObject([
    { message: expect.stringContaining('asks: Publish a.ask?'), fix: expect.stringContaining('approve') },
  ]);
  expect((await project.sluice('workflow', 'approve')).code).toBe(0);
  expect(await wanted()).toEqual([]);
  const nothing = await project.sluice('workflow', 'approve');
  expect([nothing.code, nothing.stderr]).toEqual([1, expect.stringContaining('No run waits for an answer')]);
  await until('the file has its receipt', () => project.receipt('a.ask')?.state === 'succeeded');
  expect(await runsOf(project)).toMatchObject([{ state: 'succeeded' }]);
  expect(linesOf(project, 'steps.log')).toEqual(['before-a.ask', 'after-a.ask']);
  await stop(daemon);
});

test('a stop while files wait for people begins nothing again, and takes no time', async () => {
  const project = workflowProject({ asking });
  const daemon = await project.start();
  for (const name of ['a', 'b', 'c']) project.write(`inbox/${name}.ask`, name);
  await until('all wait', async () => {
    const runs = await runsOf(project, { state: 'waiting' });
    return runs.length === 3;
  });
  const several = await project.sluice('workflow', 'reject');
  expect([several.code, several.stderr]).toEqual([
    1,
    expect.stringMatching(/3 runs wait for an answer\n +fix: Name one of them: \S+, \S+, \S+\.\n/),
  ]);
  await stop(daemon);
  const jobs = JSON.parse((await project.sluice('jobs', 'list', '--json')).stdout) as Receipt[];
  const files = jobs.filter(({ run }) => run === undefined);
  expect(files.map(({ state, attempts }) => [state, attempts.length])).toEqual([
    ['queued', 1],
    ['queued', 1],
    ['queued', 1],
  ]);
});
