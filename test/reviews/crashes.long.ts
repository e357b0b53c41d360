/** Reviews through deaths of the daemon, with few places, without a daemon, with reviewers that are not there. */
import { appendFileSync, existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { costs, jobsOf, linesOf, reconfigure, unconfined } from '../daemon/agents.ts';
import { until } from '../daemon/project.ts';
import {
  blocker,
  brief,
  concern,
  event,
  filesOf,
  jobOf,
  reached,
  reviewedProject,
  says,
} from './reviewed.ts';

test('killed in the middle of a review it goes on with those who were asked; nobody is asked twice', async () => {
  const project = reviewedProject();
  project.author(
    { when: { prompt: 'The sum is 5.' }, steps: says('It is 5.') },
    { when: { prompt: 'second.txt' }, steps: says('It is 4.') },
  );
  project.reviewers(
    { when: 'first.txt', agent: 'one' },
    { when: 'first.txt', agent: 'two', until: 'go' },
    { when: 'It is 5.' },
    { when: 'second.txt', agent: 'one', say: blocker('The sum is 5.') },
    { when: 'second.txt', agent: 'two', until: 'go' },
  );
  project.write('inbox/first.txt', 'first');
  project.write('inbox/second.txt', 'second');
  const daemon = await project.start();
  const answered = async (path: string): Promise<boolean> => {
    const job = await jobOf(project, path).catch(() => undefined);
    const [one] = (await jobsOf(project)).filter(
      ({ agent, run }) => agent === 'one' && run?.run_id === job?.job_id,
    );
    return job?.state === 'waiting' && one?.state === 'succeeded' && project.asked().includes(`two ${path}`);
  };
  for (const path of ['first.txt', 'second.txt'])
    await until(`one has answered, and two is being asked about ${path}`, () => answered(path));
  daemon.kill('SIGKILL');
  await daemon.exited;
  const before = project.asked().length;
  await project.start();
  await until('those who had not answered are asked on', () => project.asked().length === before + 2);
  project.write('go', '');
  expect(brief(await reached(project, 'first.txt', 'succeeded'))).toEqual([
    '1 result: continue one approved, two approved',
  ]);
  const second = await reached(project, 'second.txt', 'succeeded');
  expect(brief(second)).toEqual([
    '1 result: revised one blocker, two approved',
    '2 result: continue one approved, two approved',
  ]);
  expect(project.asked().filter((line) => line === 'one first.txt')).toHaveLength(1);
  expect(project.asked().filter((line) => line === 'one second.txt')).toHaveLength(1);
  const reviewers = (await jobsOf(project)).filter(({ run }) => run?.run_id === second.job_id);
  expect(reviewers.map(({ agent, state }) => `${agent} ${state}`).toSorted()).toEqual([
    'one succeeded',
    'one succeeded',
    'two succeeded',
    'two succeeded',
  ]);
  expect(second.attempts).toHaveLength(2);
});

test('killed while reviewed work is put in place: that is completed, nothing is done or asked again', async () => {
  const many = 400;
  const edit = `echo "$1" >> starts.log; cd "$2"; i=0; while [ $i -lt ${many} ]; do echo new > made$i.note; i=$((i+1)); done; echo edited >> "$1"; ${costs(4)}`;
  const project = reviewedProject({
    config: 'routing_rules: [{ name: all, pattern: "*.todo", agent: copier, review: true }]\n',
    agents: `  copier: { kind: command, command: [sh, -c, ${JSON.stringify(edit)}, sh, "\${{ file.path }}", "\${{ file.root }}"], workspace: copy, ${unconfined}, retry: { attempts: 1 } }`,
  });
  const made = (): number =>
    Array.from({ length: many }, (_, i) => i).filter((i) => project.exists(`inbox/made${i}.note`)).length;
  project.reviewers({ when: 'a.todo', until: 'go' });
  project.write('inbox/a.todo', 'task\n');
  const first = await project.start();
  await until('it is reviewed', () => project.asked().length === 2);
  first.kill('SIGKILL');
  await first.exited;
  // What the next one finds in the attempts journal it cuts off.
  const second = await project.start();
  await until('they are asked on', () => project.asked().length === 4);
  project.write('go', '');
  await until('the first file is in place', () => made() > 0);
  second.kill('SIGKILL');
  await second.exited;
  await project.start();
  await until('it has its receipt', () => project.receipt('a.todo') !== undefined);
  const job = await jobOf(project, 'a.todo');
  expect(project.receipt('a.todo')).toMatchObject({ job_id: job.job_id, state: 'succeeded', cost_usd: 4 });
  expect([made(), readFileSync(join(project.inbox, 'a.todo'), 'utf8')]).toEqual([many, 'task\nedited\n']);
  expect(job.promoted).toHaveLength(many + 1);
  expect(linesOf(project)).toHaveLength(1);
  expect(project.asked()).toHaveLength(4);
  expect((await project.sluice('undo', job.job_id)).code).toBe(0);
  expect([made(), readFileSync(join(project.inbox, 'a.todo'), 'utf8')]).toEqual([0, 'task\n']);
});

test('one place is enough; without a daemon `run` waits for reviews, and says what asks a person', async () => {
  const project = reviewedProject({ limits: '{ max_processes: 1 }' });
  project.author({ when: { prompt: 'told.txt' }, steps: says(event('milestone', 'Half of it.'), 'Done.') });
  project.reviewers({ when: 'unclear.txt', say: concern('Which?') });
  for (const name of ['a', 'b', 'told']) project.write(`inbox/${name}.txt`, name);
  const good = await project.sluice('run');
  expect([good.code, good.stderr]).toEqual([0, '']);
  expect(project.receipts().map(({ state, reviews = [] }) => [state, reviews.length > 0])).toEqual([
    ['succeeded', true],
    ['succeeded', true],
    ['succeeded', true],
  ]);
  expect(filesOf(project, 'told.txt')).toContain('milestone-1.md');
  project.write('inbox/unclear.txt', 'unclear');
  const { code, stdout, stderr } = await project.sluice('run');
  expect(code).toBe(1);
  expect(stdout + stderr).toContain('one, two have concerns');
  expect(stdout + stderr).toContain('sluice answer');
  // Nothing is left behind in the work folder but what still waits.
  const held = await project.sluice('jobs', 'list', '--state', 'held', '--json');
  const [{ job_id: id } = { job_id: '' }] = JSON.parse(held.stdout) as { job_id: string }[];
  const left = readdirSync(join(project.dir, '.sluice/work')).filter((name) => name !== id);
  expect(left).toEqual([]);
});

test('who cannot answer is missing, and is not waited for; with nobody there the checks of the house look', async () => {
  const project = reviewedProject({
    reviews: 'agents: [one, gone]',
    agents: `  gone: { kind: command, command: [./not-there], ${unconfined} }`,
  });
  project.write('inbox/a.txt', 'a');
  await project.start();
  const asked = await reached(project, 'a.txt', 'held');
  expect([asked.reason, ...brief(asked)]).toEqual(['clarify', '1 result: pause one approved, gone missing']);
  expect(asked.reviews?.[0]?.verdicts[1]?.summary).toContain('agent_unavailable');
  const job = (await jobsOf(project)).find(({ agent }) => agent === 'gone');
  await until('it is not asked any more', async () =>
    (await jobsOf(project)).some(({ agent, state }) => agent === 'gone' && state === 'cancelled'),
  );
  expect(job?.attempts).toEqual([]);

  // Whoever is left alone is not asked at all.
  await project.sluice('agents', 'pause', 'one');
  await project.sluice('agents', 'pause', 'gone');
  project.author({
    when: { prompt: 'broken.txt' },
    steps: says('All is well.\n<<<<<<< HEAD\nmine\n=======\nyours\n>>>>>>> theirs\n'),
  });
  project.write('inbox/b.txt', 'b');
  project.write('inbox/broken.txt', 'broken');
  const checked = await reached(project, 'b.txt', 'succeeded');
  expect(brief(checked)).toEqual(['1 result: warn inspect approved']);
  expect(checked.message).toMatch(/no agent could review it \(one, gone cannot work now/);
  expect(checked.reviews?.[0]?.verdicts[0]?.summary).toContain('No agent could review this');
  const broken = await reached(project, 'broken.txt', 'held');
  expect([broken.reason, ...brief(broken)]).toEqual([
    'escalated',
    '1 result: revised inspect blocker',
    '2 result: stop inspect blocker',
  ]);
});

test('an answer of the wrong shape to what reviewers found is told again with what they found', async () => {
  const project = reviewedProject({
    config:
      'routing_rules: [{ name: all, pattern: "**", agent: author, prompt: Sum it up., expect: { json_schema: schema.json } }]\n',
  });
  project.write('schema.json', '{"type": "object"}');
  project.author(
    { when: { prompt: 'was not accepted' }, steps: says('{"five": 5}') },
    { when: { prompt: 'These findings block it' }, steps: says('It is 5 now.') },
    { steps: says('{"four": 4}') },
  );
  reconfigure(project, (text) =>
    text.replace('retry: { attempts: 1 }', 'retry: { attempts: 2, initial: 10ms }'),
  );
  project.reviewers({ when: '"four"', agent: 'one', say: blocker('The sum is 5.') });
  project.write('inbox/a.txt', 'a');
  await project.start();
  const job = await reached(project, 'a.txt', 'succeeded', 'held', 'failed');
  expect([job.state, ...brief(job)]).toEqual([
    'succeeded',
    '1 result: revised one blocker, two approved',
    '2 result: continue one approved, two approved',
  ]);
  expect(project.prompts().at(-1)).toMatch(/was not accepted.*The sum is 5\./s);
});

test('work that is cancelled or out of date is not reviewed on: who is asked is let go', async () => {
  const project = reviewedProject();
  project.reviewers(
    { when: 'v2-of-it' },
    { when: 'gone.txt', until: 'go' },
    { when: 'new.txt', until: 'go' },
  );
  project.author({ when: { prompt: 'v2-of-it' }, steps: says('About v2-of-it.') });
  project.write('inbox/gone.txt', 'gone');
  const file = project.write('inbox/new.txt', 'v1');
  await project.start();
  await until('all are asked', () => project.asked().length === 4);
  const gone = await jobOf(project, 'gone.txt');
  const old = await jobOf(project, 'new.txt');
  expect((await project.sluice('jobs', 'cancel', gone.job_id)).code).toBe(0);
  appendFileSync(file, '\nv2-of-it');
  const now = await reached(project, 'new.txt', 'succeeded');
  expect(now.job_id).not.toBe(old.job_id);
  await until('nobody is asked any more', async () => {
    const jobs = await jobsOf(project);
    return jobs.every(({ state }) => ['succeeded', 'cancelled', 'superseded'].includes(state));
  });
  const over = await project.client.get<Awaited<ReturnType<typeof jobOf>>>(`/api/jobs/${gone.job_id}`);
  expect(over.state).toBe('cancelled');
  expect(over.reviews).toEqual([
    expect.objectContaining({ round: 1, why: 'the work was over before anything was decided' }),
  ]);
  expect(over.reviews?.[0]).not.toHaveProperty('decision');
  expect((await project.sluice('jobs', 'show', gone.job_id)).stdout).toContain('the work was over before');
  expect(existsSync(join(project.dir, '.sluice/work', gone.job_id))).toBe(false);
});
