/** Agent CLIs whose quota or rate is used up: left alone until the time that they name, over restarts; others go on. */
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { AgentsReport } from '../../src/operations/agents/agent-list.ts';
import { answers, recorded, voices } from '../agents/cli/fakes/fakes.ts';
import { until } from '../daemon/project.ts';
import { type CliProject, fakeAgent, makeCliProject } from './cli-rig.ts';
import { jobsOf } from './rig.ts';

const daemon = 'daemon: { min_free_disk: 1MiB }';
const minute = 60_000;
const { began, failed } = voices.codex;
const usedUp = (when: string) => [
  { out: began + failed(`You've hit your usage limit. ${when}`) },
  { exit: 1 },
];

const agentOf = async ({ client }: CliProject, name: string) =>
  (await client.get<AgentsReport>('/api/agents')).agents.find((agent) => agent.name === name);
const codesOf = async (project: CliProject, subject: string): Promise<string[]> =>
  (await project.status()).conditions.filter((one) => one.subject === subject).map(({ code }) => code);

test('a quota parks the agent until the time that it names, over kill -9; resumed, it goes on; others never stopped', async () => {
  const project = makeCliProject(`
routing_rules: [{ name: x, pattern: "*.x", agent: quick }, { name: y, pattern: "*.y", agent: other }]
agents: { quick: ${fakeAgent('codex', 'retry: { attempts: 1 }')}, other: ${fakeAgent('gemini')} }
${daemon}
`);
  project.fake('codex').play(usedUp('Try again in 2 hours 13 minutes.'));
  project.fake('gemini').play(answers('gemini'));
  const first = await project.start();
  const before = Date.now();
  project.write('inbox/a.x', 'a');
  await until('it waits', async () => (await project.status()).queue.waiting === 1);
  const [job] = await jobsOf(project, { state: 'waiting' });
  expect(job).toMatchObject({
    reason: 'quota',
    message: expect.stringContaining('usage limit'),
    attempts: [{ cli: { fault: 'quota' } }],
  });
  const parked = await agentOf(project, 'quick');
  const until1 = Date.parse(parked?.state_until ?? '');
  expect(parked?.state).toBe('parked');
  expect(Math.abs(until1 - before - 133 * minute)).toBeLessThan(2 * minute);
  expect(await codesOf(project, 'quick')).toEqual(['AGENT_PARKED']);

  // Nobody asks again meanwhile, and others are not held up.
  project.write('inbox/b.x', 'b');
  project.write('inbox/c.y', 'c');
  await until('the other one has worked', () => project.receipt('c.y')?.state === 'succeeded');
  await until('both wait', async () => (await project.status()).queue.waiting === 2);
  expect(project.fake('codex').seen()).toHaveLength(1);

  first.kill('SIGKILL');
  await first.exited;
  await project.start();
  await until('it is parked still', async () => (await agentOf(project, 'quick'))?.state === 'parked');
  expect((await agentOf(project, 'quick'))?.state_until).toBe(parked?.state_until);
  expect(await codesOf(project, 'quick')).toEqual(['AGENT_PARKED']);
  project.write('inbox/d.x', 'd');
  await until('all three wait', async () => (await project.status()).queue.waiting === 3);
  expect(project.fake('codex').seen()).toHaveLength(1);

  project.fake('codex').play(answers('codex'));
  expect((await project.sluice('agents', 'resume', 'quick')).code).toBe(0);
  await until('all are processed', async () => (await project.status()).files.processed === 4);
  expect(project.receipt('a.x')).toMatchObject({ state: 'succeeded', attempts: [{}, {}] });
  expect(await codesOf(project, 'quick')).toEqual([]);
});

test('the time that it names comes by itself', async () => {
  const project = makeCliProject(`
routing_rules: [{ name: all, pattern: "*", agent: quick }]
agents: { quick: ${fakeAgent('gemini', 'retry: { attempts: 1 }')} }
${daemon}
`);
  project
    .fake('gemini')
    .play({ when: { nth: 1 }, steps: recorded('gemini', 'e429') }, { steps: answers('gemini') });
  await project.start();
  project.write('inbox/a', 'a');
  await until('it is processed', () => project.receipt('a')?.state === 'succeeded');
  const [first, second] = project.receipt('a')?.attempts ?? [];
  expect(first).toMatchObject({ cli: { fault: 'rate' } });
  const pauseMs = Date.parse(second?.started_at ?? '') - Date.parse(first?.ended_at ?? '');
  expect(pauseMs, 'not before the second that it named').toBeGreaterThanOrEqual(1_000);
  await until('the condition is over', async () => (await codesOf(project, 'quick')).length === 0);
});

test('on_quota: fallback hands the work to the next agent; pause waits for a person', async () => {
  const project = makeCliProject(`
routing_rules: [{ name: x, pattern: "*.x", agent: first }, { name: y, pattern: "*.y", agent: careful }]
agents:
  first: ${fakeAgent('codex', 'on_quota: fallback, fallback: [second]')}
  second: ${fakeAgent('gemini')}
  careful: ${fakeAgent('claude', 'on_quota: pause')}
${daemon}
`);
  project.fake('codex').play(usedUp('Try again in 3 days.'));
  project.fake('gemini').play(answers('gemini', 'From the second.'));
  project.fake('claude').play(recorded('claude', 'quota'));
  await project.start();
  for (const name of ['a.x', 'b.x']) project.write(`inbox/${name}`, name);
  await until('both are processed', async () => (await project.status()).files.processed === 2);
  for (const name of ['a.x', 'b.x'])
    expect(project.receipt(name), name).toMatchObject({
      ...{ state: 'succeeded', agent: 'second' },
      fallbacks: [{ agent: 'first', reason: 'quota' }],
    });
  expect(project.fake('codex').seen()).toHaveLength(1);
  expect((await agentOf(project, 'first'))?.state).toBe('parked');

  project.write('inbox/c.y', 'c');
  await until('it waits', async () => (await project.status()).queue.waiting === 1);
  expect(await agentOf(project, 'careful')).toMatchObject({ state: 'paused' });
  expect((await agentOf(project, 'careful'))?.state_until).toBeUndefined();
  expect(await codesOf(project, 'careful')).toEqual(['AGENT_PAUSED']);
  // Nothing goes on by itself here.
  const [waiting] = await jobsOf(project);
  expect(waiting).toMatchObject({
    state: 'waiting',
    fix: expect.stringContaining('sluice agents resume careful'),
  });
  project.fake('claude').play(answers('claude'));
  await project.sluice('agents', 'resume', 'careful');
  await until('it is processed', () => project.receipt('c.y')?.state === 'succeeded');
});

test('who takes over is away, too: the work goes there when that one is back, by itself or by a person', async () => {
  const project = makeCliProject(`
routing_rules: [{ name: all, pattern: "*", agent: first }]
agents:
  first: ${fakeAgent('codex', 'on_quota: fallback, fallback: [second]')}
  second: ${fakeAgent('gemini', 'retry: { attempts: 1 }')}
${daemon}
`);
  project.fake('codex').play(usedUp('Try again in 3 days.'));
  const gemini = project.fake('gemini');
  gemini.play(
    {
      when: { nth: 1 },
      steps: [
        { out: voices.gemini.began },
        { until: join(project.dir, 'go') },
        ...recorded('gemini', 'e429'),
      ],
    },
    answers('gemini'),
  );
  await project.start();
  project.write('inbox/a', 'a');
  await until('the second one works on it', () => gemini.seen().length === 1);
  // It comes to wait for both: the second has no place, and is away for a second from then on.
  project.write('go', '');
  await until('the second one is away', async () => (await agentOf(project, 'second'))?.state === 'parked');
  project.write('inbox/b', 'b');
  await until('both are processed', async () => (await project.status()).files.processed === 2);
  expect(project.receipt('b')).toMatchObject({
    agent: 'second',
    fallbacks: [{ agent: 'first', reason: 'quota' }],
  });

  await project.sluice('agents', 'pause', 'second');
  project.write('inbox/c', 'c');
  await until('it waits', async () => (await project.status()).queue.waiting === 1);
  await project.sluice('agents', 'resume', 'second');
  await until('it is processed', () => project.receipt('c')?.state === 'succeeded');
  expect(project.fake('codex').seen()).toHaveLength(1);
});

test('an overloaded service, a fault of it and a lost connection are tried again; what cannot get better is not', async () => {
  const project = makeCliProject(`
routing_rules: [{ name: x, pattern: "*.codex", agent: codex }, { name: g, pattern: "*.gemini", agent: gemini }, { name: c, pattern: "*.claude", agent: claude }]
agents:
${(['codex', 'gemini', 'claude'] as const).map((kind) => `  ${kind}: ${fakeAgent(kind, 'circuit_breaker: off, retry: { attempts: 2, initial: 10ms }')}`).join('\n')}
${daemon}
`);
  const faults = {
    codex: { e529: 2, e500: 2, drop: 2, e404: 1, context: 1 },
    gemini: { e503: 2, 'e500-maxattempts2': 2, drop: 2, 'e404-model': 1, 'context-model': 1 },
    claude: { e529: 2, 'e500-maxretries1': 2, drop: 2, e404: 1, e400context: 1 },
  };
  for (const [kind, cases] of Object.entries(faults)) {
    const of = kind as keyof typeof faults;
    project.fake(of).play(
      ...Object.keys(cases).map((name) => ({
        when: { prompt: `${name}.${kind}` },
        steps: recorded(of, name),
      })),
    );
    for (const name of Object.keys(cases)) project.write(`inbox/${name}.${kind}`, name);
  }
  expect((await project.sluice('run')).code).toBe(1);
  for (const [kind, cases] of Object.entries(faults))
    for (const [name, attempts] of Object.entries(cases)) {
      const receipt = project.receipt(`${name}.${kind}`);
      expect(
        [receipt?.state, receipt?.reason, receipt?.attempts.length],
        `${kind} ${name}: ${receipt?.message}`,
      ).toEqual(['failed', 'api_error', attempts]);
    }
});
