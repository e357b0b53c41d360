/** Work that is looked at while it goes on: real daemons and processes; agents that speak, ask, or say nothing. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { Play } from '../agents/cli/fakes/fakes.ts';
import { unconfined } from '../daemon/agents.ts';
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
  reviewedProject,
  says,
} from './reviewed.ts';

/** Says all this about the file of this name, and goes on when there is a file `go`. */
function tells(project: Reviewed, name: string, ...texts: string[]): Play {
  const [began, ...rest] = says(...texts, 'All is well.');
  const end = rest.splice(-2);
  const go = { until: join(project.dir, 'go') };
  return { when: { prompt: `${name}.txt` }, steps: [...(began ? [began] : []), ...rest, go, ...end] };
}

test('silence is looked at while the work goes on', async () => {
  const project = reviewedProject({ reviews: 'quiet_trigger: 1s' });
  project.author(tells(project, 'silent'));
  project.reviewers({ when: 'silent.txt', agent: 'one', say: concern('It says nothing.') });
  project.write('inbox/silent.txt', 'silent');
  await project.start();
  await until('the silence was looked at', async () =>
    brief(await reached(project, 'silent.txt', 'running')).some((line) => line.startsWith('1 quiet: warn')),
  );
  project.write('go', '');
  const silent = await reached(project, 'silent.txt', 'succeeded');
  expect(silent.message).toBe('accepted with a warning: one has a concern');
});

test('a milestone, a blocker and a request are looked at while the work goes on, and acted on', async () => {
  const project = reviewedProject();
  const plays = [
    tells(project, 'milestone', event('milestone', 'Half of it is done.')),
    tells(project, 'question', event('blocker', 'I have no key.')),
    tells(project, 'request', event('review', 'Is this right?')),
    tells(project, 'byhand', event('progress', 'It goes on.')),
  ];
  project.author({ when: { prompt: 'A person says: The key is 7.' }, steps: says('It fits.') }, ...plays);
  project.reviewers(
    { when: 'It fits.' },
    { when: 'blocker: I have no key.', say: concern('It needs the key.') },
    { when: 'request: Is this right?', agent: 'two', say: blocker('It is not.') },
    { when: 'manual: asked for by', say: concern('I see nothing yet.') },
  );
  for (const name of ['milestone', 'question', 'request', 'byhand']) project.write(`inbox/${name}.txt`, name);
  const daemon = await project.start();
  const [, question, request] = await Promise.all([
    reached(project, 'milestone.txt', 'running'),
    // Ended while it ran, by what was said of it.
    reached(project, 'question.txt', 'held'),
    reached(project, 'request.txt', 'held'),
  ]);
  expect([question.reason, ...brief(question)]).toEqual([
    'clarify',
    '1 blocker: pause one concern, two concern',
  ]);
  expect(question.attempts.map(({ outcome }) => outcome)).toEqual(['reviewed']);
  expect(question.message).toContain(
    'it says "I have no key."; its review (blocker) says: one, two have concerns',
  );
  expect([request.reason, ...brief(request)]).toEqual([
    'escalated',
    '1 request: stop one approved, two blocker',
  ]);
  expect(request.message).toContain('two has a blocker');
  expect((await askers(project)).toSorted()).toEqual([question.job_id, request.job_id].toSorted());

  const byHand = await reached(project, 'byhand.txt', 'running');
  // A job is claimed before its attempt begins.
  await until('its agent works', () => project.prompts().some((prompt) => prompt.includes('byhand.txt')));
  const { stdout } = await project.sluice('jobs', 'review', byHand.job_id.slice(0, 8));
  expect(stdout).toContain('has begun');
  const paused = await reached(project, 'byhand.txt', 'held');
  expect(brief(paused).filter((line) => line.includes('manual'))).toHaveLength(1);
  expect(brief(paused)).toContain('1 manual: pause one concern, two concern');
  // Nothing of it runs any more.
  const refused = await project.sluice('jobs', 'review', byHand.job_id);
  expect(refused.code).toBe(1);
  expect(refused.stderr).toContain('it is held');

  project.write('go', '');
  const milestone = await reached(project, 'milestone.txt', 'succeeded');
  expect(brief(milestone)).toEqual(
    expect.arrayContaining([
      '1 milestone: continue one approved, two approved',
      '1 result: continue one approved, two approved',
    ]),
  );
  expect(filesOf(project, 'milestone.txt')).toEqual(
    expect.arrayContaining(['milestone-1.json', 'milestone-1.md', 'round-1.json', 'round-1.md']),
  );
  // A person answers; it is done again from the beginning, and judged.
  expect((await project.sluice('answer', question.job_id, 'The key is 7.')).code).toBe(0);
  const answered = await reached(project, 'question.txt', 'succeeded');
  expect(brief(answered).at(-1)).toBe('1 result: continue one approved, two approved');
  expect(project.prompts().find((prompt) => prompt.includes('The key is 7.'))).toContain('It needs the key.');
  expect((await project.sluice('jobs', 'cancel', request.job_id)).code).toBe(0);
  daemon.kill('SIGTERM');
  expect(await daemon.exited).toBe(0);
});

test('work that asks and ends at once waits for the answer; a command is heard, and told what to mend', async () => {
  const request = event('review', 'Is it right?').replaceAll('"', '\\"');
  const project = reviewedProject({
    reviews: 'on: [request, blocker]',
    config: `
routing_rules:
  - { name: commands, pattern: "**/*.cmd", agent: writes, review: true }
  - { name: unseen, pattern: "**/*.raw", agent: author, review: false }
  - { name: all, pattern: "**", agent: author, prompt: Sum it up. }
`,
  });
  const script = project.write(
    'writes.sh',
    `[ -z "$SLUICE_GUIDANCE_FILE" ] || { echo "I was told:"; cat "$SLUICE_GUIDANCE_FILE"; exit; }\necho "${request}"\necho done\n`,
  );
  const file = join(project.dir, 'config/orchestrator.yaml');
  const writes = `agents:\n  writes:\n    kind: command\n    command: [sh, ${script}]\n    ${unconfined}\n`;
  writeFileSync(file, readFileSync(file, 'utf8').replace('agents:\n', writes));
  project.author({
    when: { prompt: 'hasty.txt' },
    steps: says(event('review', 'Is this right?'), 'So it is.'),
  });
  project.reviewers(
    { when: 'hasty.txt', say: concern('Who knows.') },
    { when: 'told.cmd', say: concern('Say more.') },
  );
  for (const name of ['hasty.txt', 'plain.txt', 'told.cmd', 'some.raw']) project.write(`inbox/${name}`, name);
  await project.start();
  const hasty = await reached(project, 'hasty.txt', 'held');
  expect([hasty.reason, ...brief(hasty)]).toEqual(['clarify', '1 request: pause one concern, two concern']);
  expect(hasty.attempts.map(({ outcome }) => outcome)).toEqual([expect.stringMatching(/exited|reviewed/)]);
  // Nothing has asked: nobody was asked.
  for (const name of ['plain.txt', 'some.raw'])
    expect(await reached(project, name, 'succeeded')).not.toHaveProperty('reviews');
  expect(filesOf(project, 'plain.txt')).toEqual([]);
  const told = await reached(project, 'told.cmd', 'held');
  expect(brief(told)).toEqual(['1 request: pause one concern, two concern']);
  expect((await project.sluice('answer', told.job_id, 'Say all of it.')).code).toBe(0);
  await reached(project, 'told.cmd', 'succeeded');
  const { stdout } = await project.sluice('jobs', 'show', told.job_id);
  expect(stdout).toContain('I was told:');
  expect(stdout).toContain('A person says: Say all of it.');
});
