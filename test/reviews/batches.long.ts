/** Work on several files at once: real daemons and processes; looked at as a whole while it goes on, file by file after it. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { linesOf, unconfined } from '../daemon/agents.ts';
import { until } from '../daemon/project.ts';
import {
  askers,
  blocker,
  brief,
  concern,
  event,
  filesOf,
  type Reviewed,
  reached,
  resultOf,
  reviewedProject,
  says,
} from './reviewed.ts';

/** Each attempt is a line of `starts.log`: the names of its files, in order. What it makes of a file is an output. */
function batches(text: string, files: number): Reviewed {
  const project = reviewedProject({
    config: `
routing_rules:
  - { name: many, pattern: "**", agent: writes, review: true, batch: { max_files: ${files}, quiet: 1s } }
`,
  });
  const script = project.write(
    'writes.sh',
    `LIST=$(tr '\\0' '\\n' < "$SLUICE_FILES" | sort)
echo $(for f in $LIST; do basename $f; done) >> starts.log
TOLD=""; [ -z "$SLUICE_GUIDANCE_FILE" ] || TOLD=$(cat "$SLUICE_GUIDANCE_FILE")
for f in $LIST; do echo "$(basename $f) $TOLD" > "$SLUICE_OUTPUT_DIR/$(basename $f).out"; done
${text}
`,
  );
  const file = join(project.dir, 'config/orchestrator.yaml');
  const writes = `agents:\n  writes:\n    kind: command\n    command: [bash, ${script}]\n    ${unconfined}\n`;
  writeFileSync(file, readFileSync(file, 'utf8').replace('agents:\n', writes));
  return project;
}

const outOf = (project: Reviewed, name: string): string =>
  readFileSync(join(project.dir, 'processed/files/inbox', name, 'outputs', `${name}.out`), 'utf8');

test('each file is judged by itself; killed in the middle nothing is lost, doubled or made again', async () => {
  const project = batches('echo All of them.', 5);
  project.reviewers(
    { when: 'The sum is 5.' },
    { when: 'b.txt by writes', agent: 'one', say: blocker('The sum is 5.') },
    { when: 'c.txt by writes', say: concern('Which form?') },
    { when: 'd.txt by writes', agent: 'two', until: 'go' },
    { when: 'e.txt by writes', agent: 'one', say: concern() },
  );
  for (const name of ['a', 'b', 'c', 'd', 'e']) project.write(`inbox/${name}.txt`, `About ${name}.`);
  const daemon = await project.start();
  // The others go on while one is still asked about.
  expect(brief(await reached(project, 'a.txt', 'succeeded'))).toEqual([
    '1 result: continue one approved, two approved',
  ]);
  const mended = await reached(project, 'b.txt', 'succeeded');
  expect(brief(mended)).toEqual([
    '1 result: revised one blocker, two approved',
    '2 result: continue one approved, two approved',
  ]);
  const held = await reached(project, 'c.txt', 'held');
  expect([held.reason, ...brief(held)]).toEqual(['clarify', '1 result: pause one concern, two concern']);
  expect(await askers(project)).toEqual([held.job_id]);
  await until('two is asked about d', () => project.asked().includes('two d.txt by writes'));
  daemon.kill('SIGKILL');
  await daemon.exited;
  await project.start();
  project.write('go', '');
  const last = await reached(project, 'd.txt', 'succeeded');
  expect(brief(last)).toEqual(['1 result: continue one approved, two approved']);
  expect((await reached(project, 'e.txt', 'succeeded')).message).toContain('accepted with a warning');
  expect(linesOf(project)).toEqual(['a.txt b.txt c.txt d.txt e.txt', 'b.txt']);
  expect(last.attempts.map(({ batch }) => batch?.files)).toEqual([5]);
  expect(mended.attempts.map(({ batch }) => batch?.files)).toEqual([5, undefined]);
  for (const name of ['a.txt', 'd.txt', 'e.txt']) {
    expect(outOf(project, name)).toBe(`${name} \n`);
    expect(resultOf(project, name)).toBe('All of them.');
    expect(filesOf(project, name)).toEqual(['round-1.json', 'round-1.md']);
    expect(project.receipt(name)?.reviews).toHaveLength(1);
  }
  expect(outOf(project, 'b.txt')).toContain('The sum is 5.');
  expect(outOf(project, 'b.txt')).not.toContain('a.txt');
  // What it made with the others is there still.
  expect((await project.sluice('jobs', 'release', held.job_id)).code).toBe(0);
  await reached(project, 'c.txt', 'succeeded');
  expect(outOf(project, 'c.txt')).toBe('c.txt \n');
  expect(linesOf(project)).toHaveLength(2);
});

test('what it says while it runs is about all: it is stopped as a whole, and one answer lets all go on together', async () => {
  const asks = event('blocker', 'I have no key.');
  const project = batches(`case "$TOLD" in *"key is 7"*) exit 0;; esac\necho '${asks}'\nsleep 60`, 3);
  project.reviewers(
    { when: 'A person says: The key is 7.' },
    { when: 'blocker: I have no key.', say: concern('It needs the key.') },
  );
  for (const name of ['a', 'b', 'c']) project.write(`inbox/${name}.txt`, name);
  await project.start();
  const jobs = await Promise.all(['a', 'b', 'c'].map((name) => reached(project, `${name}.txt`, 'held')));
  expect(jobs.map(({ reason }) => reason)).toEqual(['clarify', 'clarify', 'clarify']);
  expect(jobs.map(({ attempts }) => attempts.map(({ outcome }) => outcome))).toEqual([
    ['reviewed'],
    ['reviewed'],
    ['reviewed'],
  ]);
  const told = jobs.filter((job) => brief(job).length > 0);
  expect(told.map(brief)).toEqual([['1 blocker: pause one concern, two concern']]);
  for (const { message, fix } of jobs) {
    expect(message).toContain('its review (blocker) says: one, two have concerns');
    expect(fix).toContain('lets all 3 files of the attempt go on');
  }
  for (const { message } of jobs.filter((job) => !told.includes(job)))
    expect(message).toContain(`in full: job ${told[0]?.job_id}`);
  const [first] = jobs;
  const { stdout, code } = await project.sluice('answer', first?.job_id ?? '', 'The key is 7.');
  expect([code, stdout.trim().split('\n').toSorted()]).toEqual([
    0,
    jobs.map((job) => `answered ${job.job_id}`).toSorted(),
  ]);
  for (const name of ['a.txt', 'b.txt', 'c.txt']) {
    expect(brief(await reached(project, name, 'succeeded')).at(-1)).toBe(
      '1 result: continue one approved, two approved',
    );
    // With what it was said of.
    for (const said of ['A person says: The key is 7.', 'It needs the key.'])
      expect(outOf(project, name)).toContain(said);
  }
  expect(linesOf(project)).toEqual(['a.txt b.txt c.txt', 'a.txt b.txt c.txt']);
  expect(await askers(project)).toEqual([]);
});

test('an agent CLI that asks is not let through where results are not looked at; by hand it is reviewed by any file', async () => {
  const project = reviewedProject({
    reviews: 'on: [request]',
    config: `
routing_rules:
  - { name: many, pattern: "**", agent: author, prompt: Sum them up., batch: { max_files: 2, quiet: 1s } }
`,
  });
  const [began, ...rest] = says(event('review', 'Is it right?'), 'So it is.');
  const steps = [...(began ? [began] : []), { until: join(project.dir, 'go') }, ...rest];
  project.author({ when: { prompt: 'a.txt' }, steps });
  for (const name of ['a', 'b']) project.write(`inbox/${name}.txt`, name);
  await project.start();
  const first = await reached(project, 'a.txt', 'running');
  const second = await reached(project, 'b.txt', 'running');
  // A job is claimed before its attempt begins.
  await until('its agent works', () => project.prompts().length === 1);
  const { code, stdout } = await project.sluice('jobs', 'review', second.job_id);
  expect([code, stdout]).toEqual([0, expect.stringContaining('has begun')]);
  await until('they are asked', () => project.asked().length === 2);
  project.write('go', '');
  const done = await Promise.all(['a.txt', 'b.txt'].map((name) => reached(project, name, 'succeeded')));
  for (const job of done) expect(brief(job)).not.toEqual([]);
  expect(done.flatMap(brief).filter((line) => line.startsWith('1 manual: continue'))).toHaveLength(1);
  expect(project.prompts()).toHaveLength(1);
  expect([first.attempts, second.attempts]).toEqual([[], []]);
  // Nothing has asked: nobody was asked.
  for (const name of ['x', 'y']) project.write(`inbox/${name}.txt`, name);
  for (const name of ['x.txt', 'y.txt']) expect(brief(await reached(project, name, 'succeeded'))).toEqual([]);
  expect(project.prompts()).toHaveLength(2);
});
