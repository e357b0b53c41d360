/** `sluice agents list | test | pause | resume`, with a daemon and without; the CLI is a script that speaks like one. */
import { chmodSync, existsSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { AgentsReport, AgentView } from '../../src/operations/agents/agent-list.ts';
import type { AgentTestReport } from '../../src/operations/agents/agent-test.ts';
import type { StatusReport } from '../../src/operations/status.ts';
import type { Receipt } from '../../src/types/receipt.ts';
import { ended, Project, until } from './sluice.ts';

const config = `
watch: [{ path: ./inbox }]
routing_rules:
  - { name: sums, pattern: "**/*.txt", agent: sum }
  - { name: gems, pattern: "**/*.md", agent: gem }
agents:
  sum: { kind: command, command: [sha256sum, "\${{ file.path }}"] }
  fail: { kind: command, command: [sh, -c, "echo it is broken >&2; exit 3"], fallback: [sum] }
  wait: { kind: command, command: [sh, -c, "while [ ! -e gate ]; do sleep 0.02; done"] }
  gem:
    kind: gemini
    program: ./gemini
    type: researcher
    capabilities: [web_research]
    env: { GEMINI_API_KEY: some-key }
    sandbox: { mode: off, reason: the script of a test }
  gone: { kind: codex, program: ./not-there }
  look: { kind: builtin }
daemon: { min_free_disk: 1MiB, drain: 1s }
`;

const stats =
  '"stats":{"total_tokens":30,"input_tokens":20,"output_tokens":10,"cached":5,"input":15,"tool_calls":1,"models":{}}';
const gemini = `#!/bin/sh
case "$*" in
  *--version*) echo 0.61.0; exit;;
  *--help*) echo "--output-format --approval-mode --session-id --model --include-directories"; exit;;
esac
prompt=$(cat)
echo '{"type":"init","timestamp":"2026-11-20T08:52:01.182Z","session_id":"s1","model":"stand-in-1"}'
if [ -e quota ]; then
  echo '{"type":"result","timestamp":"2026-11-20T08:52:01.4Z","status":"error","error":{"type":"unknown","message":"[API Error: You have exhausted your daily quota on this model.]"},${stats}}'
  exit 1
fi
echo '{"type":"tool_use","timestamp":"2026-11-20T08:52:01.3Z","tool_name":"read_file","tool_id":"t1","parameters":{"file_path":"a.md"}}'
echo '{"type":"tool_result","timestamp":"2026-11-20T08:52:01.3Z","tool_id":"t1","status":"success","output":"x"}'
echo '{"type":"message","timestamp":"2026-11-20T08:52:01.3Z","role":"assistant","content":"OK","delta":true}'
echo '{"type":"result","timestamp":"2026-11-20T08:52:01.4Z","status":"success",${stats}}'
`;

function makeProject(): Project {
  const project = new Project({ 'config/orchestrator.yaml': config, 'inbox/.keep': '', gemini });
  chmodSync(join(project.dir, 'gemini'), 0o755);
  return project;
}

async function testOf(
  project: Project,
  ...args: string[]
): Promise<AgentTestReport & { code: number | null }> {
  const { code, stdout, stderr } = await project.call('agents', 'test', ...args, '--json');
  if (stdout === '') throw new Error(stderr);
  return { ...(JSON.parse(stdout) as AgentTestReport), code };
}

const agentsOf = (project: Project) => project.json<AgentsReport>('agents', 'list');
const viewOf = async (project: Project, name: string): Promise<AgentView> =>
  (await agentsOf(project)).agents.find((agent) => agent.name === name) as AgentView;
const texts = ({ steps }: AgentTestReport) => steps.map(({ what, text }) => `${what}: ${text}`);

/** The same with a daemon and without. */
async function tryOut(project: Project): Promise<AgentTestReport> {
  const good = await testOf(project, 'gem');
  expect(good).toMatchObject({
    ...{ code: 0, agent: 'gem', kind: 'gemini', state: 'passed', tool_calls: 1 },
    prompt: 'Answer with the single word OK.',
    result: 'OK\n',
    job: {
      ...{ agent: 'gem', state: 'succeeded', proof: ['exit_code', 'event'], run: { run_id: 'agents-test' } },
      usage: { input_tokens: 15, cache_read_tokens: 5, output_tokens: 10 },
      attempts: [
        { sandbox: { mode: 'off' }, cli: { kind: 'gemini', version: '0.61.0', model: 'stand-in-1' } },
      ],
    },
  });
  expect(good.events).toBe(good.job?.attempts[0]?.events);
  expect(texts(good)).toEqual([
    `program: Gemini CLI 0.61.0, ${join(project.dir, 'gemini')}`,
    'login: logged in: GEMINI_API_KEY',
    expect.stringMatching(/^queued: job [0-9a-f]{8}$/),
    'started: attempt 1',
    ...good.steps.filter(({ what }) => what === 'event').map(({ text }) => `event: ${text}`),
    'ended: succeeded, proved by exit_code, event',
  ]);
  const bad = await testOf(project, 'fail');
  expect(bad).toMatchObject({ code: 1, state: 'failed', job: { agent: 'fail', reason: 'exit_code' } });
  expect(bad.job?.attempts, 'once, and by nobody else').toHaveLength(1);
  expect(bad.steps.at(-1)).toMatchObject({
    ...{ what: 'ended', is_problem: true, text: expect.stringContaining('it is broken') },
    fix: expect.stringContaining('sluice agents test fail'),
  });

  const gone = await testOf(project, 'gone');
  expect(gone).toMatchObject({ code: 1, state: 'failed', steps: [{ what: 'program', is_problem: true }] });
  expect(gone).not.toHaveProperty('job_id');
  return good;
}

async function tryOutMore(project: Project, { job: known }: AgentTestReport): Promise<void> {
  const again = await testOf(project, 'gem', '--prompt', 'Say it.');
  expect(again.job?.job_id).not.toBe(known?.job_id);
  expect([again.prompt, again.state]).toEqual(['Say it.', 'passed']);

  expect((await testOf(project, 'look')).state).toBe('passed');
  const shown = await project.call('agents', 'test', 'gem');
  expect(shown.code).toBe(0);
  expect(shown.stdout).toMatch(/started +attempt 1/);
  expect(shown.stdout).toMatch(/flags +--output-format/);
  expect(shown.stdout).toMatch(/tokens +15 in, 5 read from the cache/);
  expect(shown.stdout).toMatch(/\nOK\n\ngem works\n$/);
  const job = await project.call('jobs', 'show', known?.job_id ?? '');
  expect(job.stdout).toMatch(/test +of agent gem\n/);
  expect(job.stdout).toMatch(/attempt 1 .*\n +gemini 0\.61\.0 stand-in-1\n +flags: --output-format/);
  const slip = await project.call('agents', 'test', 'gen');
  expect([slip.code, slip.stderr]).toEqual([1, expect.stringContaining('Did you mean "gem"?')]);
}

test('without a daemon: try out, list, pause; what waits in the queue stays there', async () => {
  const project = makeProject();
  expect(await viewOf(project, 'gem')).toMatchObject({ state: 'active', today: { attempts: 0 } });
  expect(existsSync(join(project.dir, '.sluice')), 'looking makes nothing').toBe(false);
  const daemon = await project.start();
  await project.call('pause');
  project.write('inbox/a.txt', 'a');
  await until('it is queued', async () => (await project.json<StatusReport>('status')).queue.queued === 1);
  const gone = ended(daemon);
  await project.call('stop');
  await gone;

  await tryOut(project);
  const status = await project.json<StatusReport>('status');
  expect(status).toMatchObject({
    state: 'stopped',
    queue: { queued: 1 },
    tier: { number: 5, agents: ['gem'] },
  });
  const report = await agentsOf(project);
  expect(report.tier).toMatchObject({ number: 5, name: 'solo', agents: ['gem'] });
  expect(report.agents.map(({ name, state }) => `${name} ${state}`)).toEqual([
    ...['sum active', 'fail inactive', 'wait inactive', 'gem active', 'gone unavailable', 'look inactive'],
  ]);
  expect(report.agents[0]).toMatchObject({ queued: 1, running: 0 });
  expect(report.agents[1]).toMatchObject({
    today: { attempts: 1, success_rate: 0 },
    last_failure: { reason: 'exit_code', message: expect.stringContaining('it is broken') },
  });
  expect(report.agents[3]).toMatchObject({
    ...{ type: 'researcher', capabilities: ['web_research'], max_load: 1 },
    last_30_days: { attempts: 1, success_rate: 1, tokens: 30, median_ms: expect.any(Number) },
  });
  expect(await project.json<AgentsReport>('agents', '--limit', '2')).toMatchObject({
    agents: [{ name: 'sum' }, { name: 'fail' }],
  });
  const { stdout } = await project.call('agents');
  expect(stdout).toMatch(/^gem +gemini \(researcher\) +active +0\/1 +100 %/m);
  expect(stdout).toMatch(/^gone unavailable: .*not-there.*\n {2}fix: /m);
  expect(stdout).toMatch(/^tier 5 \(solo\): gem$/m);

  expect((await project.call('agents', 'pause', 'gem')).stdout).toContain('gem starts nothing more');
  expect(await viewOf(project, 'gem')).toMatchObject({ state: 'paused' });
  const parked = await testOf(project, 'gem');
  expect(parked).toMatchObject({ code: 1, state: 'failed', job: { state: 'cancelled' } });
  expect(parked.steps.at(-1)).toMatchObject({ what: 'waiting', is_problem: true });
  expect((await project.call('agents', 'resume', 'gem')).stdout).toBe('gem goes on\n');
  expect((await project.call('agents', 'resume', 'gem')).stdout).toBe('gem was not paused\n');
  expect((await project.call('agents', 'pause', 'nobody')).code).toBe(1);
  expect((await project.json<StatusReport>('status')).queue.queued).toBe(1);
});

test('with a daemon: try out, a quota parks, a pause keeps jobs waiting', async () => {
  const project = makeProject();
  const daemon = await project.start();
  await tryOutMore(project, await tryOut(project));
  await until(
    'the tier is known',
    async () => (await project.json<StatusReport>('status')).tier !== undefined,
  );
  expect((await project.call('status')).stdout).toMatch(/\ntier +5 \(solo\): gem\n/);

  await project.call('pause');
  const paused = await testOf(project, 'look');
  expect(paused.steps.at(-1)).toMatchObject({
    what: 'waiting',
    text: 'the daemon is paused',
    is_problem: true,
  });
  expect(paused).toMatchObject({ code: 1, job: { state: 'cancelled', attempts: [] } });
  await project.call('resume');

  project.write('quota', '');
  const { code, steps, job } = await testOf(project, 'gem');
  expect([code, job?.state]).toEqual([1, 'cancelled']);
  expect(steps.at(-1)).toMatchObject({
    ...{
      what: 'waiting',
      is_problem: true,
      text: expect.stringMatching(/^quota until \S+: .*exhausted your daily quota/),
    },
  });
  const parked = await viewOf(project, 'gem');
  expect(parked).toMatchObject({ state: 'parked', state_message: expect.stringContaining('quota') });
  expect(Date.parse(parked.state_until ?? '')).toBeGreaterThan(Date.now());
  expect((await agentsOf(project)).tier?.agents).toEqual([]);
  expect((await project.call('agents', 'resume', 'gem')).stdout).toBe('gem goes on\n');
  expect(await viewOf(project, 'gem')).toMatchObject({
    state: 'active',
    last_failure: { job_id: job?.job_id },
  });

  expect((await project.call('agents', 'pause', 'sum')).code).toBe(0);
  project.write('inbox/a.txt', 'a');
  await until('its job waits', async () => (await viewOf(project, 'sum')).waiting === 1);
  const gone = ended(daemon);
  await project.call('stop');
  await gone;
  await project.start();
  expect(await viewOf(project, 'sum'), 'a restart forgets no pause').toMatchObject({ state: 'paused' });
  await project.call('agents', 'resume', 'sum');
  await until('it is done', async () => {
    const jobs = await project.json<Receipt[]>('jobs', '--agent', 'sum');
    return jobs[0]?.state === 'succeeded';
  });
});

test('a test that is stopped leaves nothing running', async () => {
  const project = makeProject();
  await project.start();
  const child = project.spawn('agents', 'test', 'wait');
  const gone = ended(child);
  await until('it has begun', async () => (await viewOf(project, 'wait')).running === 1);
  child.kill('SIGINT');
  const { code, stdout } = await gone;
  expect(code).toBe(1);
  expect(stdout).toMatch(/stopped: whether wait works is not known/);
  expect(await project.json<Receipt[]>('jobs', '--agent', 'wait')).toMatchObject([{ state: 'cancelled' }]);
});
