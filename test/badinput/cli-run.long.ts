/** Commands that nobody attends, and agents that are left alone: what comes soon is waited for, what does not is told. */
import { expect, test } from 'vitest';
import { answers, recorded, voices } from '../agents/cli/fakes/fakes.ts';
import { daemon, logInOf, oneAgent } from './cli-auth-rig.ts';
import { fakeAgent, makeCliProject } from './cli-rig.ts';

test('a run waits for a rate that comes back within two minutes, and ends with one that does not', async () => {
  const project = makeCliProject(`
routing_rules: [{ name: g, pattern: "*.g", agent: quick }, { name: c, pattern: "*.c", agent: slow }]
agents: { quick: ${fakeAgent('gemini')}, slow: ${fakeAgent('codex')} }
${daemon}
`);
  const short = { when: { nth: 1 }, steps: recorded('gemini', 'e429') };
  project.fake('gemini').play(short, { steps: answers('gemini') });
  for (const name of ['a.g', 'b.g']) project.write(`inbox/${name}`, name);
  const waited = await project.sluice('run');
  expect(waited.code, waited.stdout).toBe(0);
  expect(waited.stderr).toMatch(/^waits for quick until .* \(rate_limit\): /m);
  expect(waited.stdout).toMatch(/2 files in .*2 succeeded/);

  const { began, failed } = voices.codex;
  const usedUp = began + failed("You've hit your usage limit. Try again in 2 hours 13 minutes.");
  project.fake('codex').play([{ out: usedUp }, { exit: 1 }]);
  for (const name of ['a.c', 'b.c']) project.write(`inbox/${name}`, name);
  const left = await project.sluice('run');
  expect(left.code).toBe(1);
  expect(left.stdout).toMatch(/2 waiting/);
  expect(left.stdout.match(/^waiting +inbox\/\w\.c +quota until [\d :-]+$/gm)).toHaveLength(2);
  expect(left.stdout).toMatch(/usage limit/);
});

test('a run of who is not let in ends and tells it; the next one starts nothing; after the log-in it does the rest', async () => {
  const project = makeCliProject(oneAgent());
  const logIn = logInOf(project);
  for (const name of ['a', 'b', 'c']) project.write(`inbox/${name}`, name);
  const first = await project.sluice('run');
  expect(first.code).toBe(1);
  expect(first.stdout).toMatch(/1 failed, 2 waiting/);
  expect(first.stdout.match(/^(?:failed|waiting) +inbox\/\w +auth$/gm)).toHaveLength(3);
  expect(first.stdout).toMatch(/codex login/);
  const second = await project.sluice('run');
  expect([second.code, project.fake('codex').seen().length]).toEqual([1, 1]);
  expect((await project.sluice('agents')).stdout).toMatch(/not logged in/);
  logIn.do();
  const third = await project.sluice('run');
  // What has failed stays so until somebody asks.
  expect(third.stdout).toMatch(/2 succeeded/);
  const last = await project.sluice('jobs', 'retry', '--failed');
  expect(last.code, last.stdout).toBe(0);
});

test('runs of workflows end with it, too: its own step, and files that a step sends through the rules', async () => {
  const project = makeCliProject(`${oneAgent()}workflows: [./workflows/*.yaml]\n`);
  logInOf(project);
  project.write(
    'workflows/one.yaml',
    'name: one\nsteps: [{ name: ask, type: agent, agent: quick, prompt: Hello. }]\n',
  );
  project.write(
    'workflows/all.yaml',
    'name: all\nsteps: [{ name: files, type: file_processing, directory: ./inbox }]\n',
  );
  const found = await project.sluice('workflow', 'run', 'one');
  expect(found.code, found.stdout).toBe(1);
  expect(found.stdout + found.stderr).toMatch(/auth/);
  for (const name of ['a', 'b', 'c']) project.write(`inbox/${name}`, name);
  for (const name of ['one', 'all']) {
    const { code, stdout, stderr } = await project.sluice('workflow', 'run', name);
    expect(code, name).toBe(1);
    expect(stdout + stderr, name).toMatch(/waits \(auth\)/);
  }
  expect(project.fake('codex').seen()).toHaveLength(1);
});
