/** The listing without a daemon: from a real ledger, a real configuration, and programs that are there or not. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { Config } from '../../src/config/config.ts';
import type { Lease, Ledger } from '../../src/ledger/ledger.ts';
import { openSqliteLedger } from '../../src/ledger/sqlite/open.ts';
import { type AgentsReport, type AgentView, listAgents } from '../../src/operations/agents/agent-list.ts';
import { restingStandings } from '../../src/operations/agents/resting.ts';
import type { AttemptRecord } from '../../src/types/job.ts';
import { load } from '../config/project.ts';
import { attempt, claim, spec } from '../ledger/specs.ts';
import { stateFolder } from '../ledger/state-folder.ts';

const now = Date.UTC(2026, 10, 20, 12);
const DAY_MS = 86_400_000;
const usage = { input_tokens: 1_000, cache_read_tokens: 0, cache_write_tokens: 0, output_tokens: 500 };

const text = `
routing_rules:
  - { pattern: "**/*.py", agent: [writer, second], select: least_loaded }
  - { pattern: "**", agent: lint }
agents:
  writer: { kind: gemini, type: coder, description: Writes, capabilities: [code_generation], load: heavy }
  second: { kind: codex, max_load: 3 }
  lint: { kind: command, command: [lint-that-is-not-there, "\${{ file.path }}"] }
  spare: { kind: builtin }
`;

async function rig(configText = text) {
  const bin = stateFolder();
  writeFileSync(join(bin, 'gemini'), '', { mode: 0o755 });
  writeFileSync(join(bin, 'codex'), '', { mode: 0o755 });
  const { config } = await load(configText);
  const clock = { now };
  const { ledger } = openSqliteLedger({ stateDir: stateFolder(), now: () => clock.now });
  const list = async (): Promise<AgentsReport> => {
    const standing = await restingStandings({
      config,
      kept: ledger.kept,
      env: { PATH: bin },
      now: clock.now,
    });
    return listAgents({ config, ledger, standing, now: clock.now });
  };
  const one = async (name: string): Promise<AgentView> =>
    (await list()).agents.find((agent) => agent.name === name) as AgentView;
  return { config, clock, ledger, list, one, [Symbol.asyncDispose]: () => ledger[Symbol.asyncDispose]() };
}

async function work(
  ledger: Ledger,
  id: string,
  agent: string,
  { took = 1_000, at = now, ...facts }: Partial<AttemptRecord> & { took?: number; at?: number },
  state: 'succeeded' | 'failed' = 'succeeded',
): Promise<void> {
  await ledger.jobs.enqueue(spec({ id, agent }));
  const [lease] = (await claim(ledger, { agents: [agent] })) as [Lease];
  const told = attempt(lease.token, { agent, startedAt: at - took, endedAt: at, ...facts });
  await ledger.jobs.attempted(lease, told, true);
  const why = state === 'failed' ? { reason: 'missing_output' as const, message: 'no report.json' } : {};
  await ledger.jobs.end(lease, { state, ...why });
}

test('what each can do, does and did', async () => {
  await using project = await rig();
  const { ledger, clock, list } = project;
  clock.now = now - 2 * DAY_MS;
  for (let n = 0; n < 18; n++)
    await work(ledger, `old${n}`, 'writer', { at: clock.now, took: 1_000, costUsd: 0.25, usage });
  clock.now = now - 40 * DAY_MS;
  await work(ledger, 'forgotten', 'writer', { at: clock.now, took: 9_000, costUsd: 100, usage });
  clock.now = now;
  await work(ledger, 'good', 'writer', { took: 60_000, costUsd: 1, usage });
  await work(ledger, 'bad', 'writer', { took: 60_000 }, 'failed');
  for (const id of ['q1', 'q2']) await ledger.jobs.enqueue(spec({ id, agent: 'second' }));
  const [lease] = (await claim(ledger, { agents: ['second'], max: 1 })) as [Lease];
  expect(lease.job.id).toBe('q1');
  const hold = { reason: 'loop', message: 'a loop', fix: 'look' } as const;
  await ledger.jobs.enqueue(spec({ id: 'h', agent: 'second', hold }));

  const { tier, agents } = await list();
  expect(tier).toMatchObject({ number: 3, agents: ['writer', 'second'] });
  expect(agents.map(({ name }) => name)).toEqual(['writer', 'second', 'lint', 'spare']);
  const [writer, second, lint, spare] = agents as [AgentView, AgentView, AgentView, AgentView];
  expect(writer).toMatchObject({
    ...{ kind: 'gemini', type: 'coder', description: 'Writes', capabilities: ['code_generation'] },
    ...{ load: 'heavy', running: 0, max_load: 1, state: 'active', queued: 0, waiting: 0, held: 0 },
    today: { attempts: 2, success_rate: 0.5, cost_usd: 1, unknown_cost: 1, tokens: 1_500 },
    last_30_days: { attempts: 20, success_rate: 0.95, cost_usd: 5.5, unknown_cost: 1, tokens: 28_500 },
    last_failure: {
      ...{ at: new Date(now).toISOString(), job_id: 'bad', reason: 'missing_output' },
      message: 'no report.json',
    },
  });
  const { median_ms: median, p95_ms: p95 } = writer.last_30_days;
  expect([Math.abs((median as number) / 1_000 - 1), Math.abs((p95 as number) / 60_000 - 1)]).toSatisfy(
    (errors: number[]) => errors.every((error) => error < 0.046),
  );
  expect(second).toMatchObject({ running: 1, max_load: 3, queued: 1, waiting: 0, held: 1 });
  expect(second.last_30_days).toEqual({
    ...{ attempts: 0, success_rate: null, median_ms: null, p95_ms: null },
    ...{ cost_usd: 0, unknown_cost: 0, tokens: 0 },
  });
  expect(second).not.toHaveProperty('last_failure');
  expect(lint).toMatchObject({
    state: 'unavailable',
    state_message: expect.stringContaining('lint-that-is-not-there'),
    state_fix: expect.stringContaining('agents.lint.command'),
  });
  expect(spare).toMatchObject({ state: 'inactive', max_load: null });
});

test('pauses, quotas and breakers that a daemon left behind', async () => {
  await using project = await rig();
  const { ledger, clock, list, one } = project;
  await ledger.kept.put('parked', 'writer', {
    why: 'quota',
    message: 'used up',
    until: now + 5_000,
    times: 1,
  });
  await ledger.kept.put('breaker', 'second', {
    ...{ at: 'open', until: now + 9_000, pauseMs: 9_000, reason: '3 of 4 failed' },
  });
  expect(await one('writer')).toMatchObject({
    ...{ state: 'parked', state_until: new Date(now + 5_000).toISOString(), state_message: 'used up' },
    state_fix: expect.stringContaining('sluice agents resume writer'),
  });
  expect(await one('second')).toMatchObject({
    ...{ state: 'breaker_open', state_until: new Date(now + 9_000).toISOString() },
    state_message: '3 of 4 failed',
  });
  expect((await list()).tier).toMatchObject({ number: 5, agents: [] });
  clock.now = now + 9_000;
  expect(await one('writer')).toMatchObject({ state: 'active' });
  expect(await one('second')).toMatchObject({ state: 'breaker_half_open', state_message: '3 of 4 failed' });
  expect((await list()).tier).toMatchObject({ number: 3 });
  await ledger.kept.put('parked', 'writer', { why: 'paused', message: 'paused by the owner', times: 0 });
  expect(await one('writer')).toMatchObject({ state: 'paused', state_message: 'paused by the owner' });
  const refused = { why: 'auth', message: 'no key', fix: 'Log in.', at: now, until: clock.now + 5, times: 1 };
  await ledger.kept.put('parked', 'writer', refused);
  expect(await one('writer')).toMatchObject({
    ...{
      state: 'not_logged_in',
      state_until: new Date(clock.now + 5).toISOString(),
      state_message: 'no key',
    },
    state_fix: expect.stringMatching(/^Log in\. .*sluice agents resume writer/),
  });
  await ledger.kept.put('parked', 'writer', { ...refused, tryAt: now });
  expect(await one('writer'), 'somebody said that it is let in by now').toMatchObject({ state: 'active' });
  await ledger.kept.put('parked', 'writer', 'nonsense');
  expect(await one('writer')).toMatchObject({ state: 'active' });
});

test('a project in which nothing has run, without an agent CLI', async () => {
  const { config } = await load('agents:\n  a: { kind: builtin }\n');
  const standing = await restingStandings({ config, env: {}, now });
  const report = await listAgents({ config: config as Config, standing, now });
  expect(report).toMatchObject({
    tier: null,
    agents: [{ name: 'a', kind: 'builtin', state: 'inactive', queued: 0, today: { attempts: 0 } }],
  });
});

test('a program that may not be run is told as that, not as one to install', async () => {
  const bin = stateFolder();
  writeFileSync(join(bin, 'claude'), '', { mode: 0o644 });
  const { config } = await load('agents:\n  a: { kind: claude }\n');
  const standing = await restingStandings({ config, env: { PATH: bin }, now });
  const { agents } = await listAgents({ config: config as Config, standing, now });
  expect(agents[0]).toMatchObject({
    state: 'unavailable',
    state_message: expect.stringContaining('is not executable'),
    state_fix: `Make it executable: \`chmod +x ${join(bin, 'claude')}\`.`,
  });
});
