import type { ServerResponse } from 'node:http';
import { expect, test } from 'vitest';
import { setClock, withClock } from '../badinput/rig.ts';
import { anyDisk, jobsOf, linesOf, reconfigure, resultOf, script, statesOf } from './agents.ts';
import { startHttpAgent, status } from './http-agent.ts';
import { makeProject, type Project, until } from './project.ts';

const drop = (project: Project, n: number, name = 'f'): void => {
  for (let i = 0; i < n; i++) project.write(`inbox/${name}${i}.txt`, `content ${name} ${i}`);
};
const breakerOf = async (project: Project, agent = 'remote'): Promise<string | null | undefined> =>
  (await project.status()).agents.find(({ name }) => name === agent)?.breaker;
const quick = (breaker: string, more = ''): string =>
  `kind: http, max_load: 2, circuit_breaker: { minimum: 4, error_rate: 0.5, ${breaker} }, retry: { attempts: 1 }${more}`;

test('an endpoint that answers 500 is left alone, also after a restart; one call tries it; then the backlog runs', async () => {
  const agent = await startHttpAgent(status(500));
  const project = makeProject(
    `
routing_rules: [{ name: all, pattern: "**", agent: remote }]
agents: { remote: { ${quick('reset: 10m')}, url: "${agent.url}" } }
${anyDisk}`,
    withClock,
  );
  const first = await project.start();
  drop(project, 4);
  await until('the breaker opens', async () => (await breakerOf(project)) === 'open');
  drop(project, 6, 'late');
  await until('what comes later waits', async () =>
    (await project.status()).waits.some(
      ({ reason, jobs }) => reason === 'breaker' && jobs === 10 - agent.calls(),
    ),
  );
  expect(agent.calls()).toBeLessThanOrEqual(6);
  const shown = await project.status();
  expect(shown.conditions).toContainEqual(
    expect.objectContaining({ code: 'BREAKER_OPEN', subject: 'remote' }),
  );
  expect(shown.waits[0]?.message).toMatch(/breaker of agent "remote" is open: .* of \d+ calls/);
  const { stdout } = await project.sluice('status');
  expect(stdout).toMatch(/remote.*open/i);

  first.kill('SIGKILL');
  await first.exited;
  const tries: ServerResponse[] = [];
  agent.answer((response) => void tries.push(response));
  const before = agent.calls();
  setClock(project, 10 * 60_000);
  await project.start();
  await until('one call tries it', () => tries.length > 0);
  expect(await breakerOf(project)).toBe('half_open');
  expect(agent.calls() - before).toBe(1);
  const well = status(200, 'well again');
  agent.answer(well);
  for (const response of tries) well(response);
  await until('all that waited has run', () => statesOf(project).succeeded === 10 - before);
  expect(await breakerOf(project)).toBe('closed');
  expect(agent.peak()).toBeLessThanOrEqual(2);
  expect((await project.status()).conditions.map(({ code }) => code)).not.toContain('BREAKER_OPEN');
});

test('a try that fails again doubles the pause', async () => {
  let calledAt = 0;
  const agent = await startHttpAgent((response) => {
    calledAt = Date.now();
    status(503)(response);
  });
  const project = makeProject(`
routing_rules: [{ name: all, pattern: "**", agent: remote }]
agents: { remote: { ${quick('reset: 300ms')}, url: "${agent.url}" } }
${anyDisk}`);
  await project.start();
  drop(project, 8);
  await until('the pause has doubled twice', async () => {
    const view = (await project.status()).agents[0];
    return view?.breaker === 'open' && Date.parse(view.breaker_until ?? '') - calledAt > 1_100;
  });
  expect(agent.calls()).toBeLessThanOrEqual(8);
});

test('a command that fails on thirty bad inputs is not broken', async () => {
  const project = makeProject(`
routing_rules: [{ name: all, pattern: "**", agent: work }]
agents:
${script('work', 'case $1 in good*) exit 0;; esac; exit 1', 'circuit_breaker: { minimum: 5, error_rate: 0.1, reset: 10m }')}
concurrency_limits: { max_processes: 4, max_concurrent_files: 8 }
${anyDisk}`);
  drop(project, 30);
  expect((await project.sluice('run')).code).toBe(1);
  expect(statesOf(project)).toEqual({ failed: 30 });
  project.write('inbox/good.txt', 'good');
  await project.sluice('run');
  expect(statesOf(project)).toEqual({ failed: 30, succeeded: 1 });
});

test('a chain of fallbacks: the receipt says who had it and why; an unchanged file is not run again', async () => {
  const agent = await startHttpAgent(status(500));
  const project = makeProject(`
routing_rules:
  - { name: chain, pattern: "*.txt", agent: remote }
  - { name: gone, pattern: "*.gone", agent: missing }
agents:
  remote: { ${quick('reset: 10m', ', fallback: [second]')}, url: "${agent.url}" }
  missing: { kind: command, command: [no-such-program-here], fallback: [third] }
${script('second', 'case $1 in f5*) echo no >&2; exit 4;; esac; echo second', 'fallback: [third]')}
${script('third', 'echo third')}
${anyDisk}`);
  drop(project, 8);
  project.write('inbox/a.gone', 'gone');
  const run = await project.sluice('run');
  expect(run).toMatchObject({ code: 0 });
  expect(statesOf(project)).toEqual({ succeeded: 9 });
  const calls = agent.calls();
  expect(calls).toBeLessThanOrEqual(6);
  const reasons = project.receipts().flatMap(({ fallbacks = [] }) => fallbacks.map(({ reason }) => reason));
  expect(new Set(reasons)).toEqual(new Set(['http_error', 'breaker', 'exit_code', 'agent_unavailable']));
  const chained = project.receipt('f5.txt');
  expect(chained).toMatchObject({
    agent: 'third',
    fallbacks: [{ agent: 'remote' }, { agent: 'second', reason: 'exit_code' }],
  });
  expect(chained?.fallbacks?.[1]?.message).toContain('exited with 4');
  expect(resultOf(project, 'f5.txt')).toBe('third\n');
  expect(project.receipt('a.gone')).toMatchObject({
    agent: 'third',
    fallbacks: [{ agent: 'missing', reason: 'agent_unavailable' }],
  });
  const starts = linesOf(project).length;
  const again = await project.sluice('run');
  expect(again.stdout).toContain('9 unchanged');
  expect([agent.calls(), linesOf(project).length]).toEqual([calls, starts]);
});

const twins = (select: string, more: { a?: string; b?: string } = {}): string => `
routing_rules: [{ name: all, pattern: "**", capabilities: [review], select: ${select} }]
agents:
${script('a', 'while [ ! -e gate ]; do sleep 0.02; done; echo a', 'capabilities: [review, plan]', 'max_load: 2', ...(more.a ? [more.a] : []))}
${script('b', 'while [ ! -e gate ]; do sleep 0.02; done; echo b', 'capabilities: [review]', 'max_load: 2', ...(more.b ? [more.b] : []))}
concurrency_limits: { max_processes: 4, max_concurrent_files: 4 }
${anyDisk}`;

test('work for a capability goes to the agents that have it, by the policy of the rule', async () => {
  const agents = async (config: string): Promise<Record<string, number>> => {
    const project = makeProject(config);
    await project.start();
    drop(project, 8);
    await until('all have their agent', async () => {
      const { queued, running } = (await project.status()).queue;
      return queued + running === 8;
    });
    project.write('gate', '');
    await until('all are done', () => statesOf(project).succeeded === 8);
    const counts: Record<string, number> = {};
    for (const { agent } of project.receipts()) counts[agent] = (counts[agent] ?? 0) + 1;
    return counts;
  };
  const [spread, specialist, order] = await Promise.all([
    agents(twins('least_loaded')),
    agents(twins('specialized')),
    agents(twins('in_order')),
  ]);
  expect(spread).toEqual({ a: 4, b: 4 });
  expect(specialist).toEqual({ b: 8 });
  expect(order).toEqual({ a: 8 });
});

test('a reload that takes the fallback away sends nobody there any more', async () => {
  const agent = await startHttpAgent(status(500));
  const project = makeProject(`
routing_rules: [{ name: all, pattern: "**", agent: remote }]
agents:
  remote: { ${quick('reset: 10m', ', fallback: [second]')}, url: "${agent.url}" }
${script('second', 'echo second')}
${anyDisk}`);
  await project.start();
  drop(project, 6);
  await until('all went to the fallback', () => statesOf(project).succeeded === 6);
  reconfigure(project, (text) => text.replace(', fallback: [second]', ''));
  expect((await project.sluice('reload')).code).toBe(0);
  project.write('inbox/late.txt', 'late');
  await until('what comes now waits', async () => (await project.status()).queue.waiting === 1);
  expect((await jobsOf(project)).find(({ input }) => input.path === 'late.txt')?.reason).toBe('breaker');
});
