/** Agent CLIs whose key is wrong, at length: log-ins that are seen while the daemon runs, or cannot be seen; others take over. */
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { answers, recorded } from '../agents/cli/fakes/fakes.ts';
import { until } from '../daemon/project.ts';
import { agentOf, codesOf, daemon, logInOf, oneAgent } from './cli-auth-rig.ts';
import { fakeAgent, makeCliProject } from './cli-rig.ts';
import { jobsOf } from './rig.ts';

test('two hundred files and a wrong key: the rest waits, kill -9 while one tries; mended, all of them succeed', async () => {
  const project = makeCliProject(oneAgent('max_load: 4'));
  const go = join(project.home, 'go');
  const logIn = logInOf(project, [{ until: go }, ...recorded('codex', 'e401')]);
  writeFileSync(go, '');
  const first = await project.start();
  for (let n = 0; n < 200; n += 1) project.write(`inbox/${n}`, `file ${n}`);
  const failed = async (): Promise<number> => (await project.status()).files.failed ?? 0;
  const waiting = async (): Promise<number> => (await project.status()).queue.waiting;
  await until('all wait but those that found it out', async () => {
    const count = await failed();
    return count > 0 && (await waiting()) === 200 - count;
  });
  const before = await failed();
  expect(before, 'as many as run at once').toBeLessThanOrEqual(4);
  const starts = project.fake('codex').seen().length;

  // One of them tries, and is killed with the daemon.
  rmSync(go);
  await project.client.post('/api/agents/quick/resume');
  await until('one tries', () => project.fake('codex').seen().length === starts + 1);
  expect((await project.status()).queue.running).toBe(1);
  first.kill('SIGKILL');
  await first.exited;
  const second = await project.start();
  await until('it tries again', () => project.fake('codex').seen().length === starts + 2);
  writeFileSync(go, '');
  await until('all wait again', async () => (await waiting()) === 200 - before);
  expect([await failed(), (await agentOf(project))?.state]).toEqual([before, 'not_logged_in']);

  logIn.do();
  const done = async (): Promise<boolean> => (await project.status()).files.processed === 200 - before;
  await until('the rest is processed by itself', done, 90_000);
  expect(await codesOf(project)).toEqual([]);
  expect((await jobsOf(project, { state: 'failed' })).map(({ reason }) => reason)).toEqual(
    Array.from({ length: before }, () => 'auth'),
  );
  second.kill('SIGTERM');
  await second.exited;
}, 150_000);

test('a log-in that cannot be seen: a test tells, and sets them going; a person who says so costs nothing', async () => {
  const project = makeCliProject(oneAgent());
  logInOf(project);
  await project.start();
  for (const name of ['a', 'b', 'c']) project.write(`inbox/${name}`, name);
  await until('two wait', async () => (await project.status()).queue.waiting === 2);
  expect((await project.sluice('agents', 'resume', 'quick')).code).toBe(0);
  await until('one has tried', () => project.fake('codex').seen().length === 2);
  await until('it is known', async () => (await agentOf(project))?.state === 'not_logged_in');
  await until('both wait again', async () => (await project.status()).queue.waiting === 2);
  expect((await project.status()).files.failed).toBe(1);

  const refused = await project.sluice('agents', 'test', 'quick');
  expect(refused.code).toBe(1);
  expect(refused.stdout).toMatch(/failed \(auth\)/);
  expect((await agentOf(project))?.state).toBe('not_logged_in');

  project.fake('codex').play(answers('codex'));
  const passed = await project.sluice('agents', 'test', 'quick');
  expect(passed.code, passed.stdout).toBe(0);
  await until('they are processed', async () => (await project.status()).files.processed === 2);
  // Who runs again what failed means that it is let in by now.
  project.fake('codex').play(recorded('codex', 'e401'));
  project.write('inbox/d', 'd');
  await until('it has failed', () => project.receipt('d')?.state === 'failed');
  project.fake('codex').play(answers('codex'));
  await project.client.post('/api/jobs/retry', { failed: true });
  await until('all are processed', async () => (await project.status()).files.processed === 4);
  expect(await codesOf(project)).toEqual([]);
});

test('others take over: a fallback, and whoever else the rule names', async () => {
  const project = makeCliProject(`
routing_rules:
  - { name: x, pattern: "*.x", agent: first }
  - { name: y, pattern: "*.y", agent: [first, third], select: in_order }
agents:
  first: ${fakeAgent('codex', 'fallback: [second]')}
  second: ${fakeAgent('gemini')}
  third: ${fakeAgent('claude')}
${daemon}
`);
  logInOf(project);
  project.fake('gemini').play(answers('gemini'));
  project.fake('claude').play(answers('claude'));
  await project.start();
  for (const name of ['a.x', 'b.x', 'c.y']) project.write(`inbox/${name}`, name);
  await until('all are processed', async () => (await project.status()).files.processed === 3);
  for (const name of ['a.x', 'b.x'])
    expect(project.receipt(name), name).toMatchObject({
      ...{ state: 'succeeded', agent: 'second' },
      fallbacks: [{ agent: 'first', reason: 'auth' }],
    });
  project.write('inbox/d.y', 'd');
  await until('it is processed', () => project.receipt('d.y')?.state === 'succeeded');
  expect(project.receipt('d.y')).toMatchObject({ agent: 'third', attempts: [{}] });
  expect(project.fake('codex').seen()).toHaveLength(1);
  expect((await codesOf(project)).toSorted()).toEqual(['AGENT_AUTH', 'TIER_LOWERED']);
});
