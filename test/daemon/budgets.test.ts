import { expect, test } from 'vitest';
import { stayWithinDay, withClock } from '../badinput/rig.ts';
import {
  anyDisk,
  costs,
  isAlive,
  jobsOf,
  linesOf,
  reconfigure,
  resultOf,
  script,
  statesOf,
} from './agents.ts';
import { makeProject, type Project, until } from './project.ts';

const rule = (more = ''): string => `routing_rules: [{ name: all, pattern: "**", agent: work${more} }]\n`;
const drop = (project: Project, n: number): void => {
  for (let i = 0; i < n; i++) project.write(`inbox/f${i}.txt`, `content ${i}`);
};
const reasons = async (project: Project): Promise<string[]> =>
  (await project.status()).waits.map(({ reason, jobs }) => `${reason} ${jobs}`);

/** Says first that it has spent little, then too much, and does not end by itself; a grandchild ignores SIGTERM. */
const spendthrift = (
  tokens = 30_000,
): string => `sh -c 'trap "" TERM; echo $$ > $0.grandchild; while :; do sleep 0.1; done' "$1" &
echo partial; echo kept > "$SLUICE_OUTPUT_DIR/kept.txt"
${costs(0.1, 100)}
while [ ! -e gate ]; do sleep 0.02; done
date +%s%3N > $1.crossed
${costs(2, tokens)}
trap '' TERM; while :; do sleep 0.1; done`;

test('trees that cross a bound of their agent, their rule or the daemon are ended soon, not when they like; what they wrote is kept', async () => {
  const project = makeProject(
    `
routing_rules:
  - { name: run, pattern: "*.run", agent: run }
  - { name: tokens, pattern: "*.tokens", agent: tokens }
  - { name: rule, pattern: "*.rule", agent: free, budget: { usd_per_day: 1 } }
  - { name: all, pattern: "*.daemon", agent: free }
budget: { tokens_per_run: 20000 }
concurrency_limits: { max_processes: 4 }
agents:
${script('run', spendthrift(), 'budget: { usd_per_run: 1 }')}
${script('tokens', spendthrift(5_000), 'budget: { tokens_per_day: 1000 }')}
${script('free', spendthrift())}
${anyDisk}`,
    withClock,
  );
  stayWithinDay(project);
  await project.start();
  const names = ['a.run', 'a.tokens', 'a.rule', 'a.daemon'];
  for (const name of names) project.write(`inbox/${name}`, name);
  await until('the grandchildren run', () => names.every((name) => project.exists(`${name}.grandchild`)));
  project.write('gate', '');
  await until('all have a receipt', () => project.receipts().length === names.length);
  for (const [name, message] of [
    ['a.run', /agent "run" has spent \$2\.10 of its \$1\.00 per run/],
    ['a.tokens', /agent "tokens" has used 5,100 of its 1,000 tokens per day/],
    ['a.rule', /rule "rule" has spent \$2\.10 of its \$1\.00 per day|used 30,100 of its 20,000/],
    ['a.daemon', /agent "free" has used 30,100 of its 20,000 tokens per run/],
  ] as const) {
    const receipt = project.receipt(name);
    expect(receipt).toMatchObject({ state: 'failed', reason: 'limit_exceeded' });
    expect(receipt?.message).toMatch(message);
    expect(receipt?.fix).toContain('Raise');
    expect(receipt?.attempts).toHaveLength(1);
    expect(resultOf(project, name)).toContain('partial');
    expect(receipt?.outputs.map(({ path }) => path)).toEqual(['kept.txt']);
    const endedAt = Date.parse(receipt?.attempts[0]?.ended_at ?? '');
    expect(endedAt - Number(linesOf(project, `${name}.crossed`)[0])).toBeLessThan(20_000);
    expect(isAlive(Number(linesOf(project, `${name}.grandchild`)[0]))).toBe(false);
  }
});

test('a spent day parks the rest with reason and remedy; run tells; a restart keeps the sum; more money lets them go on', async () => {
  const project = makeProject(
    `${rule()}agents:\n${script('work', costs(0.6), 'max_load: 1', 'budget: { usd_per_day: 1 }')}${anyDisk}`,
    withClock,
  );
  stayWithinDay(project);
  drop(project, 5);
  const run = await project.sluice('run');
  expect(run.code).toBe(1);
  expect(statesOf(project)).toEqual({ succeeded: 2 });
  expect(run.stdout + run.stderr).toMatch(/agent "work" has spent \$1\.20 of its \$1\.00 per day/);
  expect(run.stdout + run.stderr).toMatch(/raise `agents\.work\.budget\.usd_per_day`/);

  const daemon = await project.start();
  await until('three wait', async () => (await project.status()).queue.waiting === 3);
  const { waits, conditions, limits } = await project.status();
  expect(waits).toMatchObject([{ agent: 'work', reason: 'budget', jobs: 3 }]);
  expect(Date.parse(waits[0]?.until ?? '') % 86_400_000).toBe(0);
  expect(waits[0]?.message).toContain('$1.20');
  expect(waits[0]?.fix).toContain('usd_per_day');
  expect(conditions).toContainEqual(
    expect.objectContaining({ code: 'BUDGET_SPENT', subject: 'agent "work"' }),
  );
  expect(limits['agents.work.usd_per_day']).toMatchObject({ limit: 1, used: 1.2, unit: 'usd' });
  expect(linesOf(project)).toHaveLength(2);
  project.write('inbox/late.txt', 'comes later');
  await until('what comes later waits too', async () => (await project.status()).queue.waiting === 4);

  daemon.kill('SIGKILL');
  await daemon.exited;
  await project.start();
  expect((await project.status()).limits['agents.work.usd_per_day']?.used).toBe(1.2);
  await until('they wait again', async () => (await reasons(project)).join() === 'budget 4');
  reconfigure(project, (text) => text.replace('usd_per_day: 1 }', 'usd_per_day: 2 }'));
  await until('two more ran', () => statesOf(project).succeeded === 4);
  await until('the rest waits again', async () => (await reasons(project)).join() === 'budget 2');
  reconfigure(project, (text) => text.replace('usd_per_day: 2 }', 'usd_per_day: 200 }'));
  await until('all ran', () => statesOf(project).succeeded === 6);
  expect((await project.status()).conditions.map(({ code }) => code)).not.toContain('BUDGET_SPENT');
});

test("a rule's and the daemon's budget stop only what they cover", async () => {
  const project = makeProject(
    `
routing_rules:
  - { name: dear, pattern: "*.dear", agent: work, budget: { usd_per_day: 0.5 } }
  - { name: either, pattern: "*.either", agent: [work, inspect], select: in_order, budget: { usd_per_day: 0.5 } }
  - { name: free, pattern: "*.free", agent: inspect }
  - { name: cheap, pattern: "*.cheap", agent: work }
budget: { usd_per_day: 1.6 }
concurrency_limits: { max_processes: 1 }
agents:
  inspect: { kind: builtin }
${script('work', costs(0.5))}${anyDisk}`,
    withClock,
  );
  stayWithinDay(project);
  await project.start();
  project.write('inbox/a.dear', 'a dear');
  await until('the first has run', () => statesOf(project).succeeded === 1);
  project.write('inbox/b.dear', 'b dear');
  await until('the second waits', async () => (await reasons(project)).join() === 'budget 1');
  project.write('inbox/a.either', 'a either');
  await until('another rule runs', () => statesOf(project).succeeded === 2);
  project.write('inbox/b.either', 'b either');
  await until('then its second agent, which costs nothing', () => statesOf(project).succeeded === 3);
  expect([project.receipt('a.either')?.agent, project.receipt('b.either')?.agent]).toEqual([
    'work',
    'inspect',
  ]);
  project.write('inbox/a.cheap', 'a cheap');
  await until('a rule without a budget runs', () => statesOf(project).succeeded === 4);
  project.write('inbox/b.cheap', 'b cheap');
  await until('within the budget of all', () => statesOf(project).succeeded === 5);
  project.write('inbox/c.cheap', 'c cheap');
  await until('now both rules wait', async () => (await project.status()).queue.waiting === 2);
  project.write('inbox/a.free', 'a free');
  await until('what costs nothing runs', () => statesOf(project).succeeded === 6);
  const codes = (await project.status()).conditions.filter(({ code }) => code === 'BUDGET_SPENT');
  expect(codes.map(({ subject }) => subject).toSorted()).toEqual(['daemon', 'rule "dear"', 'rule "either"']);
});

test('an agent that does not say what it cost runs once; then its work waits, unless that is allowed', async () => {
  const project = makeProject(
    `${rule()}agents:\n${script('work', 'echo done', 'max_load: 1', 'budget: { usd_per_day: 10 }')}${anyDisk}`,
    withClock,
  );
  stayWithinDay(project);
  await project.start();
  drop(project, 3);
  await until('the first is done and the others wait', async () => {
    return statesOf(project).succeeded === 1 && (await reasons(project)).join() === 'budget 2';
  });
  const { conditions, waits } = await project.status();
  expect(conditions.map(({ code }) => code)).toContain('COST_UNKNOWN');
  expect(waits[0]?.fix).toContain('unknown_cost: allow');
  expect((await jobsOf(project)).find(({ state }) => state === 'succeeded')?.cost_usd).toBeNull();
  reconfigure(project, (text) => text.replace('usd_per_day: 10', 'usd_per_day: 10, unknown_cost: allow'));
  await until('all are done', () => statesOf(project).succeeded === 3);
  expect((await project.status()).conditions.map(({ code }) => code)).not.toContain('COST_UNKNOWN');
});
