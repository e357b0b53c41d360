/** Work that is reviewed before it counts: real daemons, real processes, every decision and what follows from it. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { jobsOf } from '../daemon/agents.ts';
import { until } from '../daemon/project.ts';
import {
  askers,
  blocker,
  brief,
  concern,
  filesOf,
  jobOf,
  reached,
  resultOf,
  reviewedProject,
  says,
} from './reviewed.ts';

test('each decision is acted on: accepted, warned of, asked, sent back, escalated; people answer and release', async () => {
  const project = reviewedProject({ reviews: 'max_rounds: 3' });
  project.author(
    { when: { prompt: 'Take the second form.' }, steps: says('The second form, as wanted.') },
    { when: { prompt: 'The sum is 5, not 4.' }, steps: says('The sum is 5.') },
    // Each time it is another text, and never what is wanted.
    { when: { prompt: 'picky.txt' }, steps: says('Made in ${SLUICE_OUTPUT_DIR}.') },
  );
  project.reviewers(
    { when: 'concerned.txt', agent: 'one', say: concern() },
    { when: 'The second form, as wanted.' },
    { when: 'asked.txt', say: concern('Which form is wanted?') },
    { when: 'The sum is 5.' },
    { when: 'wrong.txt', agent: 'two', say: blocker('The sum is 5, not 4.') },
    { when: 'stubborn.txt', agent: 'one', say: blocker('It names no source.') },
    { when: 'picky.txt', agent: 'one', say: blocker('There is always something.') },
    { when: 'crashes.txt', agent: 'one', exit: 3 },
    { when: 'babble.txt', say: 'I like it! {"verdict": "sure"' },
    { when: 'bare.txt', agent: 'two', say: '```json\n{"verdict":"approved","summary":"Fine."}\n```' },
  );
  const names = ['fine', 'concerned', 'asked', 'wrong', 'stubborn', 'picky', 'crashes', 'babble', 'bare'];
  for (const name of names) project.write(`inbox/${name}.txt`, `About ${name}.`);
  const daemon = await project.start();

  const fine = await reached(project, 'fine.txt', 'succeeded');
  expect(brief(fine)).toEqual(['1 result: continue one approved, two approved']);
  expect(fine).not.toHaveProperty('message');
  expect(project.receipt('fine.txt')).toMatchObject({
    ...{ state: 'succeeded', proof: ['exit_code', 'event'] },
    reviews: [
      {
        ...{ round: 1, trigger: 'result', decision: 'continue', why: 'all approved (2)' },
        verdicts: [
          { agent: 'one', verdict: 'approved', summary: 'It is fine.', findings: {} },
          { agent: 'two', verdict: 'approved' },
        ],
      },
    ],
  });
  expect(filesOf(project, 'fine.txt')).toEqual(['round-1.json', 'round-1.md']);
  expect(resultOf(project, 'fine.txt')).toBe('All is well.');
  expect(brief(await reached(project, 'bare.txt', 'succeeded'))).toEqual([
    '1 result: continue one approved, two approved',
  ]);

  const concerned = await reached(project, 'concerned.txt', 'succeeded');
  expect(brief(concerned)).toEqual(['1 result: warn one concern, two approved']);
  expect(concerned.message).toBe('accepted with a warning: one has a concern');
  expect(project.receipt('concerned.txt')).toMatchObject({
    message: concerned.message,
    reviews: [{ decision: 'warn', verdicts: [{ findings: { major: 1 } }, { findings: {} }] }],
  });
  const shown = (await project.sluice('jobs', 'show', concerned.job_id)).stdout;
  expect(shown).toContain('accepted with a warning: one has a concern');
  expect(shown).toContain('review 1 (result)  warn: one has a concern');
  expect(shown).toContain('major: It could be clearer.');
  expect(shown).toContain(join(project.dir, 'processed/files/inbox/concerned.txt/reviews'));

  // The same again, from the cache: what is to be known of it has not changed.
  project.write('inbox/again/concerned.txt', 'About concerned.');
  const again = await reached(project, 'again/concerned.txt', 'cached');
  expect([again.message, ...brief(again)]).toEqual([concerned.message, ...brief(concerned)]);
  expect(project.receipt('again/concerned.txt')?.message).toBe(concerned.message);

  const wrong = await reached(project, 'wrong.txt', 'succeeded');
  expect(brief(wrong)).toEqual([
    '1 result: revised one approved, two blocker',
    '2 result: continue one approved, two approved',
  ]);
  expect(wrong.attempts).toHaveLength(2);
  expect(resultOf(project, 'wrong.txt')).toBe('The sum is 5.');
  expect(filesOf(project, 'wrong.txt')).toEqual(['round-1.json', 'round-1.md', 'round-2.json', 'round-2.md']);
  const mended = project.prompts().find((prompt) => prompt.includes('The sum is 5, not 4.'));
  expect(mended).toContain('These findings block it');
  expect(mended).toContain('All is well.');

  // Its author has nothing more to say: nobody is asked a second time, and a person decides.
  const stubborn = await reached(project, 'stubborn.txt', 'held');
  expect(stubborn.reason).toBe('escalated');
  expect(brief(stubborn)).toEqual([
    '1 result: revised one blocker, two approved',
    '2 result: stop one blocker, two approved',
  ]);
  expect(stubborn.message).toContain('the work is unchanged since the last round');
  expect(project.asked().filter((line) => line.endsWith('stubborn.txt'))).toHaveLength(1);
  expect(stubborn.reviews_dir).toBe(join(project.dir, '.sluice/work', stubborn.job_id, 'reviews'));
  expect(existsSync(join(stubborn.reviews_dir ?? '', 'round-2.md'))).toBe(true);
  // The work that a person is to decide about is shown, by the name of its file, too.
  expect(stubborn.result_file).toBe(join(project.dir, '.sluice/work', stubborn.job_id, '2/result.md'));
  expect((await project.sluice('jobs', 'show', 'inbox/stubborn.txt')).stdout).toMatch(/\n\nAll is well\.\n$/);

  const picky = await reached(project, 'picky.txt', 'held');
  expect(picky.reason).toBe('escalated');
  expect(brief(picky)).toEqual([
    '1 result: revised one blocker, two approved',
    '2 result: revised one blocker, two approved',
    '3 result: stop one blocker, two approved',
  ]);
  expect(picky.attempts).toHaveLength(3);

  // One valid verdict of two is no majority: what is missing approves nothing.
  const crashes = await reached(project, 'crashes.txt', 'held');
  expect([crashes.reason, ...brief(crashes)]).toEqual([
    'clarify',
    '1 result: pause one missing, two approved',
  ]);
  const babble = await reached(project, 'babble.txt', 'held');
  expect([babble.reason, ...brief(babble)]).toEqual(['clarify', '1 result: pause one missing, two missing']);

  const asked = await reached(project, 'asked.txt', 'held');
  expect([asked.reason, ...brief(asked)]).toEqual(['clarify', '1 result: pause one concern, two concern']);
  const waiting = [asked, stubborn, picky, crashes, babble].map(({ job_id: id }) => id);
  expect((await askers(project)).toSorted()).toEqual(waiting.toSorted());
  const status = (await project.sluice('status')).stdout;
  expect(status).toContain('inbox/asked.txt (author): one, two have concerns (weight 2)');
  expect(status).toContain(`sluice answer ${asked.job_id}`);

  // A person answers: it is done again with what they say, and judged again.
  const answer = await project.sluice('answer', asked.job_id.slice(0, 8), 'Take the second form.');
  expect(answer.stdout).toContain(asked.job_id);
  expect(brief(await reached(project, 'asked.txt', 'succeeded'))).toEqual([
    '1 result: pause one concern, two concern',
    '2 result: continue one approved, two approved',
  ]);
  expect(resultOf(project, 'asked.txt')).toBe('The second form, as wanted.');
  // The answer may speak of what was found, and of the work: who is started anew knows neither.
  const told = project.prompts().find((prompt) => prompt.includes('A person says: Take the second form.'));
  expect(told).toMatch(/one \(concern\).*Which form is wanted\?.*what you had answered:\s+All is well\./s);

  // A person accepts: nobody is started again for it.
  const before = project.prompts().length;
  expect((await project.sluice('jobs', 'release', 'inbox/crashes.txt')).code).toBe(0);
  const accepted = await reached(project, 'crashes.txt', 'succeeded');
  expect(accepted.attempts).toHaveLength(1);
  expect(project.receipt('crashes.txt')?.message).toMatch(
    /^accepted as it is by a person, against its review: 1 valid verdict, 2 needed; no valid verdict from one/,
  );
  expect(filesOf(project, 'crashes.txt')).toEqual(['round-1.json', 'round-1.md']);
  expect((await project.sluice('jobs', 'cancel', join(project.inbox, 'picky.txt'))).code).toBe(0);
  await reached(project, 'picky.txt', 'cancelled');
  expect((await askers(project)).toSorted()).toEqual([stubborn.job_id, babble.job_id].toSorted());

  // Without a daemon, too: it counts with the next start, and nobody was asked.
  daemon.kill('SIGTERM');
  expect(await daemon.exited).toBe(0);
  const offline = await project.sluice('jobs', 'show', 'inbox/babble.txt');
  expect(offline.stdout).toContain('one: missing');
  expect((await project.sluice('jobs', 'release', babble.job_id)).stdout).toContain(babble.job_id);
  expect((await project.sluice('answer', stubborn.job_id, 'The source is the file itself.')).code).toBe(0);
  await project.start();
  const taken = await reached(project, 'babble.txt', 'succeeded');
  expect([taken.attempts.length, taken.message]).toEqual([1, expect.stringContaining('by a person')]);
  await until('the author has read the answer', () => project.prompts().length === before + 1);
  expect(project.prompts().at(-1)).toContain('The source is the file itself.');
  const escalated = await reached(project, 'stubborn.txt', 'held');
  expect(brief(escalated)).toHaveLength(3);

  // What reviewers answered is no result of anybody's: it stands with the older ones.
  expect(existsSync(join(project.dir, 'processed/workflows'))).toBe(false);
  const [reviewer] = (await jobsOf(project)).filter(({ agent }) => agent === 'one');
  const answered = await project.client.get<{ result_file: string }>(`/api/jobs/${reviewer?.job_id}`);
  expect(answered.result_file).toContain('/.sluice/history/');
  expect((await jobOf(project, 'fine.txt')).reviews_dir).toContain('/processed/');
});
