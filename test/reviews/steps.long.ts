/** `review` steps of workflows, and steps that are reviewed by themselves: real runs, their reports, what they cost. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { RunReport } from '../../src/aggregator/runs/report.ts';
import { jobsOf } from '../daemon/agents.ts';
import type { Project } from '../daemon/project.ts';
import { until } from '../daemon/project.ts';
import {
  answer,
  ended,
  expectReports,
  runByCommand,
  runOf,
  runToEnd,
  startRun,
  statesOf,
  stepOf,
  waitsFor,
} from '../daemon/workflow-rig.ts';
import { askers, blocker, concern, type Reviewed, reviewedProject, says } from './reviewed.ts';

const workflow = `name: judged
inputs: { topic: { type: string } }
steps:
  - { name: write, type: agent, agent: author, prompt: "Write about \${{ inputs.topic }}." }
  - { name: judge, type: review, of: write, prompt: "whether \${{ inputs.topic }} is named", needs: [write] }
  - { name: after, type: custom_command, command: [echo, "\${{ steps.judge.outputs.decision }} \${{ steps.judge.result }}"], needs: [judge] }
`;

/** Work of agents is reviewed by `review` steps alone. */
function judgedProject(o: Parameters<typeof reviewedProject>[0] = {}): Reviewed {
  const project = reviewedProject({ reviews: 'on: [], max_rounds: 3', ...o });
  project.write('workflows/judged.yaml', workflow);
  return project;
}

const brief = (run: RunReport, step: string) =>
  (stepOf(run, step).reviews ?? []).map(
    ({ round, decision, is_revised: isRevised, verdicts }) =>
      `${round} ${isRevised ? 'revised' : decision} ${verdicts.map(({ agent, verdict }) => `${agent} ${verdict}`).join(', ')}`,
  );
const folderOf = (project: Project, run: RunReport) =>
  join(project.dir, 'processed/workflows', run.workflow, run.run_id);

test('a review step lets work pass, warns, asks, has it mended, and stops the run', async () => {
  const project = judgedProject();
  project.author(
    { when: { prompt: 'Name the source.' }, steps: says('Mended: the source is known.') },
    { when: { prompt: 'about risky' }, steps: says('Risky, and proud of it.') },
  );
  project.reviewers(
    { when: 'about doubtful', agent: 'one', say: concern() },
    { when: 'about strange', say: concern('Is this meant?') },
    { when: 'Mended: the source is known.' },
    { when: 'about sources', agent: 'two', say: blocker('Name the source.') },
    { when: 'about risky', agent: 'one', say: blocker('It deletes everything.') },
  );
  await project.start();

  const fine = await runToEnd(project, 'judged', { topic: 'cats' });
  expect([fine.state, fine.warnings, ...brief(fine, 'judge')]).toEqual([
    'succeeded',
    [],
    '1 continue one approved, two approved',
  ]);
  expect(stepOf(fine, 'after').result).toBe('continue All is well.\n\n');
  expectReports(project, fine);
  expect(readdirSync(join(folderOf(project, fine), 'reviews')).toSorted()).toEqual([
    'judge-round-1.json',
    'judge-round-1.md',
  ]);
  // What the owner wants looked at reached them.
  const round = JSON.parse(readFileSync(join(folderOf(project, fine), 'reviews/judge-round-1.json'), 'utf8'));
  expect(round).toMatchObject({
    subject: { kind: 'step', step: 'write' },
    author: 'author',
    trigger: 'step',
  });

  const doubtful = await runToEnd(project, 'judged', { topic: 'doubtful' });
  expect([doubtful.state, ...brief(doubtful, 'judge')]).toEqual([
    'succeeded',
    '1 warn one concern, two approved',
  ]);
  expect(doubtful.warnings).toEqual(['step "judge": one has a concern']);
  const page = readFileSync(join(folderOf(project, doubtful), 'report.html'), 'utf8');
  expect(page).toContain('succeeded, with a warning');
  expect(page).toContain('What reviewers say');
  expect(page).toContain('It could be clearer.');
  expect(page).toContain('href="reviews/judge-round-1.md"');

  const mended = await runToEnd(project, 'judged', { topic: 'sources' });
  expect(brief(mended, 'judge')).toEqual([
    '1 revised one approved, two blocker',
    '2 continue one approved, two approved',
  ]);
  expect(stepOf(mended, 'judge').result).toBe('Mended: the source is known.\n');
  expect(stepOf(mended, 'write').result).toBe('All is well.\n');
  expect(stepOf(mended, 'judge').outputs).toMatchObject({ decision: 'continue', rounds: 2 });
  // The author twice; reviewers are commands that cost nothing that is known.
  expect(mended.cost_usd).toBeCloseTo(2 * 0.00472);
  expect(stepOf(mended, 'judge').cost_usd).toBeCloseTo(0.00472);
  expect(mended.jobs).toBe(1 + 2 + 1 + 2 + 1);

  const strange = await startRun(project, 'judged', { topic: 'strange' });
  await waitsFor(project, strange, 'judge');
  expect(await askers(project)).toEqual([`run ${strange}: judge`]);
  const status = (await project.sluice('status')).stdout;
  expect(status).toContain(`sluice workflow approve ${strange}`);
  expect(status).toContain(join(project.dir, 'processed/workflows/judged', strange, 'reviews'));
  const waiting = await runOf(project, strange);
  expect(stepOf(waiting, 'judge')).toMatchObject({
    ...{ state: 'waiting', message: 'one, two have concerns (weight 2)' },
    approval: { ask: `sluice workflow approve ${strange} judge` },
  });
  await answer(project, strange, 'approved', { comment: 'It is meant.' });
  const approved = await ended(project, strange);
  expect([approved.state, stepOf(approved, 'judge').message]).toEqual([
    'succeeded',
    expect.stringMatching(/^one, two have concerns \(weight 2\); accepted by .*: It is meant\.$/),
  ]);
  expect(await askers(project)).toEqual([]);
  const again = await startRun(project, 'judged', { topic: 'strange' });
  await waitsFor(project, again, 'judge');
  expect((await project.sluice('workflow', 'reject', again)).code).toBe(0);
  expect(statesOf(await ended(project, again))).toEqual({
    write: 'cached',
    judge: 'failed (rejected)',
    after: 'skipped (need_failed)',
  });

  // Its author has nothing else to say: the run fails, and a person looks at it.
  const risky = await runToEnd(project, 'judged', { topic: 'risky' });
  expect([risky.state, statesOf(risky).judge]).toEqual(['failed', 'failed (review_stopped)']);
  expect(brief(risky, 'judge')).toEqual([
    '1 revised one blocker, two approved',
    '2 stop one blocker, two approved',
  ]);
  expect(risky.message).toContain('one has a blocker; the work is unchanged since the last round');
  // Somebody has seen to it; what is there is judged anew.
  project.reviewers();
  expect((await project.sluice('workflow', 'resume', risky.run_id)).code).toBe(0);
  const resumed = await runOf(project, risky.run_id);
  expect([resumed.state, ...brief(resumed, 'judge')]).toEqual([
    'succeeded',
    '1 continue one approved, two approved',
  ]);
  expect(stepOf(resumed, 'write').attempts).toHaveLength(1);
  // Reviewers are no run and no workflow of their own.
  expect(readdirSync(join(project.dir, 'processed/workflows'))).toEqual(['judged']);
  expect((await project.sluice('workflow', 'list', '--runs')).stdout).not.toContain('reviews');
});

test('without a daemon, with one place, and over a restart', async () => {
  const project = judgedProject({ limits: '{ max_processes: 1 }' });
  project.reviewers(
    { when: 'about slow', agent: 'one' },
    { when: 'about slow', agent: 'two', until: 'go' },
    { when: 'about strange', say: concern() },
  );
  const alone = await runByCommand(project, 'judged', '--input', 'topic=cats');
  expect([alone.code, ...brief(alone.run, 'judge')]).toEqual([0, '1 continue one approved, two approved']);
  const asking = await runByCommand(project, 'judged', '--input', 'topic=strange');
  expect([asking.code, asking.run.state]).toEqual([1, 'waiting']);

  const daemon = await project.start();
  const id = await startRun(project, 'judged', { topic: 'slow' });
  await until('two is asked', () => project.asked().filter((line) => line.endsWith('slow')).length === 2);
  daemon.kill('SIGKILL');
  await daemon.exited;
  const second = await project.start();
  await until(
    'two is asked on',
    () => project.asked().filter((line) => line === 'two about slow').length === 2,
  );
  project.write('go', '');
  const run = await ended(project, id);
  expect([run.state, ...brief(run, 'judge')]).toEqual(['succeeded', '1 continue one approved, two approved']);
  expect(project.asked().filter((line) => line === 'one about slow')).toHaveLength(1);
  // It still asks, also after the restart.
  expect(await askers(project)).toEqual([`run ${asking.run.run_id}: judge`]);
  second.kill('SIGTERM');
  expect(await second.exited).toBe(0);
});

test('who is asked about a run that is cancelled is let go; steps are reviewed by themselves, too', async () => {
  const project = reviewedProject();
  project.write('workflows/judged.yaml', workflow);
  project.write(
    'workflows/plain.yaml',
    'name: plain\nsteps:\n  - { name: first, type: agent, agent: author, prompt: Go on. }\n  - { name: second, type: agent, agent: author, prompt: Go further. }\n',
  );
  project.reviewers({ when: '"write" of workflow', until: 'go' });
  project.author({ when: { prompt: 'about cats' }, steps: says('Cats.') });
  await project.start();
  const plain = await runToEnd(project, 'plain');
  expect(brief(plain, 'first')).toEqual(['1 continue one approved, two approved']);
  expect(brief(plain, 'second')).toEqual(['1 continue one approved, two approved']);
  expect(stepOf(plain, 'first').reviews?.[0]?.href).toBe('steps/first/reviews/round-1.md');
  expect(existsSync(join(folderOf(project, plain), 'steps/first/reviews/round-1.md'))).toBe(true);
  expect(readFileSync(join(folderOf(project, plain), 'report.md'), 'utf8')).toContain('What reviewers say');
  // Two of the author, and of two reviewers of each: all of it is the run's.
  expect(plain.jobs).toBe(6);

  const id = await startRun(project, 'judged', { topic: 'cats' });
  await until(
    'the step asks',
    () => project.asked().filter((line) => line.includes('of workflow')).length === 2,
  );
  expect((await project.sluice('workflow', 'cancel', id)).code).toBe(0);
  await ended(project, id);
  await until('nobody is asked any more', async () =>
    (await jobsOf(project)).every(({ state }) => ['succeeded', 'cancelled'].includes(state)),
  );
  const run = await runOf(project, id);
  expect(run.state).toBe('cancelled');
  expect(stepOf(run, 'judge').reviews?.[0]?.why).toBe('the work was over before anything was decided');
});
