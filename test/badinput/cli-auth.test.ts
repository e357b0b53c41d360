/** An agent CLI whose key is wrong: one file finds it out, the others wait for a log-in, which is noticed by itself. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { until } from '../daemon/project.ts';
import { agentOf, codesOf, logInOf, oneAgent } from './cli-auth-rig.ts';
import { makeCliProject } from './cli-rig.ts';
import { jobsOf } from './rig.ts';

test('one file fails, the others wait, over kill -9; after the log-in all of them succeed by themselves', async () => {
  const project = makeCliProject(oneAgent());
  const logIn = logInOf(project);
  const first = await project.start();
  for (let n = 0; n < 12; n += 1) project.write(`inbox/${n}`, `file ${n}`);
  await until('all but one wait', async () => {
    const { queue, files } = await project.status();
    return queue.waiting === 11 && files.failed === 1;
  });
  expect((await jobsOf(project, { state: 'failed' }))[0]).toMatchObject({ reason: 'auth', attempts: [{}] });
  expect((await project.status()).waits).toMatchObject([
    { agent: 'quick', reason: 'auth', jobs: 11, fix: expect.stringMatching(/codex login.*resume quick/) },
  ]);
  expect((await project.status()).waits[0]).not.toHaveProperty('until');
  expect(await agentOf(project)).toMatchObject({
    state: 'not_logged_in',
    state_message: expect.stringContaining('not let in'),
    state_fix: expect.stringContaining('codex login'),
    waiting: 11,
  });
  expect(await codesOf(project)).toEqual(['AGENT_AUTH']);
  expect(project.fake('codex').seen()).toHaveLength(1);

  first.kill('SIGKILL');
  await first.exited;
  const second = await project.start();
  project.write('inbox/late', 'late');
  await until('it waits with them', async () => (await project.status()).queue.waiting === 12);
  expect([await codesOf(project), (await agentOf(project))?.state]).toEqual([
    ['AGENT_AUTH'],
    'not_logged_in',
  ]);
  expect(project.fake('codex').seen(), 'nobody asks again').toHaveLength(1);
  // What is kept of the log-in can be tried against nothing without the key.
  expect(readFileSync(join(project.dir, '.sluice', 'log-in.key'))).toHaveLength(32);

  second.kill('SIGKILL');
  await second.exited;
  logIn.do();
  await project.start();
  await until('they are processed', async () => (await project.status()).files.processed === 12);
  expect([await codesOf(project), (await agentOf(project))?.state]).toEqual([[], 'active']);
  for (const { attempts } of project.receipts().filter(({ state }) => state === 'succeeded'))
    expect(attempts).toHaveLength(1);
  await project.client.post('/api/jobs/retry', { failed: true });
  await until('the first, too', async () => (await project.status()).files.processed === 13);
});
