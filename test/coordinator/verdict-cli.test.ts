/** Green means proved: each way in which an agent CLI can lie about its work has one reason. */
import { expect, test } from 'vitest';
import type { CliAgent } from '../../src/config/config.ts';
import { judge } from '../../src/coordinator/verdict.ts';
import type { AgentResult, AttemptOutcome } from '../../src/types/agent.ts';
import type { CliFault, CliReport, Correction, Denial, FaultClass } from '../../src/types/agent-cli.ts';

const agent: CliAgent = {
  kind: 'claude',
  name: 'reviewer',
  cli: { tools: [], permissions: { mode: 'read', ceiling: 'edit', directories: [] }, onQuota: 'wait' },
  maxLoad: 1,
  timeoutMs: 60_000,
  retry: { attempts: 3, initialMs: 1_000, maxMs: 60_000 },
  maxOutputBytes: 1 << 20,
  env: [],
  capabilities: [],
  priority: 0,
  fallback: [],
  limits: { required: false },
  maxRepeats: 8,
  workspace: 'in_place',
  sandbox: { mode: 'off', reason: 'a test' },
};

const done: CliReport = { terminal: 'success', faults: [], denials: [], text: 'Done.', costUsd: 0.01 };

function result(
  report: Partial<CliReport>,
  outcome: AttemptOutcome = { kind: 'exited', exitCode: 0 },
  next?: Correction,
): AgentResult {
  const whole = { ...done, ...report };
  return {
    outcome,
    startedAt: 0,
    endedAt: 1,
    resultBytes: Buffer.byteLength(whole.text),
    events: 1,
    costUsd: whole.costUsd,
    stderrTail: '',
    sandbox: { mode: 'off' },
    limits: {},
    cli: { report: whole, record: { kind: 'claude', flags: [], denials: [], ...(next && { next }) } },
  };
}

const fault = (which: FaultClass, more: Partial<CliFault> = {}): Partial<CliReport> => ({
  terminal: 'failure',
  faults: [{ class: which, message: `${which} it was`, ...more }],
  text: '',
});
const no: Denial = { message: 'may not write', tool: 'Write', cure: { kind: 'access', access: 'all' } };
const failed = (exitCode: number): AttemptOutcome => ({ kind: 'exited', exitCode });

test('a proved success, also of one that did not end by itself', () => {
  expect(judge(agent, result({}))).toEqual({ kind: 'succeeded', proof: ['exit_code', 'event'] });
  expect(judge(agent, result({}, { kind: 'lingered', graceMs: 10_000 }))).toEqual({
    kind: 'succeeded',
    proof: ['event'],
  });
  for (const late of [
    { kind: 'stalled', idleMs: 5_000 },
    { kind: 'timed_out', afterMs: 60_000 },
  ] as const)
    expect(judge(agent, result({}, late))).toEqual({ kind: 'succeeded', proof: ['event'] });
});

test.each<[string, AgentResult, string, number]>([
  ['exit code beside a success event', result({}, failed(1)), 'exit_code', 1],
  ['no last word', result({ terminal: 'none' }), 'empty_result', 2],
  ['no last word and an exit code', result({ terminal: 'none' }, failed(2)), 'exit_code', 1],
  ['killed', result({ terminal: 'none' }, { kind: 'signalled', signal: 'SIGKILL' }), 'exit_code', Infinity],
  ['success without an answer', result({ text: '' }), 'empty_result', 1],
  ['failure event beside exit code 0', result({ terminal: 'failure' }), 'api_error', 1],
  ['error in the stream beside exit code 0', result(fault('server')), 'api_error', Infinity],
  ['wrong key', result(fault('auth'), failed(1)), 'auth', 1],
  ['overloaded', result(fault('overloaded'), failed(1)), 'api_error', Infinity],
  ['no connection', result(fault('network'), failed(1)), 'api_error', Infinity],
  ['refused by the model', result(fault('refused')), 'api_error', 1],
  ['unknown model', result(fault('model'), failed(1)), 'api_error', 1],
  ['too long for the model', result(fault('context'), failed(1)), 'api_error', 1],
  ['cut at its length', result(fault('output_limit'), failed(1)), 'api_error', 1],
  ['another shape', result(fault('shape'), failed(1)), 'schema_invalid', 1],
  ['turns used up', result(fault('limits'), failed(1)), 'limit_exceeded', 1],
  ['unknown flag', result(fault('flags'), failed(1)), 'spawn_failed', 1],
  ['not set up', result(fault('setup'), failed(1)), 'spawn_failed', 1],
])('%s', (_, given, reason, maxTries) => {
  const verdict = judge(agent, given);
  expect(verdict).toMatchObject({ kind: 'failed', reason, maxTries });
  expect(verdict.kind === 'failed' && verdict.message.startsWith('reviewer') && verdict.fix !== '').toBe(
    true,
  );
});

test('a fault that it got over is no fault', () => {
  const faults: CliFault[] = [{ class: 'overloaded', message: 'once' }];
  expect(judge(agent, result({ faults }))).toMatchObject({ kind: 'succeeded' });
});

test.each(['quota', 'rate'] as const)('%s: the agent is left alone until the time that it names', (which) => {
  const until = 1_800_000_000_000;
  expect(judge(agent, result(fault(which, { until }), failed(1)))).toMatchObject({
    kind: 'parked',
    shortage: { why: which, until },
  });
});

test('what was denied is never a success; once it is started again with what it lacked', () => {
  const denials = [no];
  expect(judge(agent, result({ denials }, failed(0), { access: 'edit' }))).toMatchObject({
    kind: 'corrected',
  });
  const again = judge(agent, result({ denials }, failed(0), { access: 'edit' }), true);
  expect(again).toMatchObject({ kind: 'denied' });
});

test.each<[string, NonNullable<AgentResult['cli']>['beyond'], string]>([
  [
    'its ceiling',
    { ceiling: 'all', directories: [] },
    'raise `permissions.ceiling` of agent "reviewer" to `all` (now `edit`), then',
  ],
  [
    'a folder',
    { directories: ['/etc'] },
    'add "/etc" to `permissions.directories` of agent "reviewer", then',
  ],
  [
    'both',
    { ceiling: 'all', directories: ['/a', '/b'] },
    '(now `edit`) and add "/a", "/b" to `permissions.directories`',
  ],
  ['nothing that is written there', undefined, 'change what agent "reviewer" may do, or its prompt, then'],
])('denied: what a person would change: %s', (_, beyond, text) => {
  const { cli, ...rest } = result({ denials: [no] });
  const verdict = judge(agent, { ...rest, ...(cli && { cli: { ...cli, ...(beyond && { beyond }) } }) });
  expect(verdict).toMatchObject({ kind: 'denied', fix: expect.stringContaining(text) });
});

test('a start that failed of what a flag mends is corrected once, then it has failed', () => {
  const git = fault('setup', { cure: { kind: 'skip_git_check' } });
  expect(judge(agent, result(git, failed(1), { skipGitCheck: true }))).toMatchObject({ kind: 'corrected' });
  expect(judge(agent, result(git, failed(1), { skipGitCheck: true }), true)).toMatchObject({
    kind: 'failed',
    reason: 'spawn_failed',
  });
});

test('limits, time-outs and reviews are judged as for any agent', () => {
  expect(judge(agent, result({}, { kind: 'stuck', tool: 'Bash', times: 8 }))).toMatchObject({
    reason: 'stuck',
  });
  const none = { terminal: 'none', text: '' } as const;
  expect(judge(agent, result(none, { kind: 'timed_out', afterMs: 1 }))).toMatchObject({ reason: 'timeout' });
  expect(judge(agent, result(none, { kind: 'stalled', idleMs: 1 }))).toMatchObject({ reason: 'stalled' });
  expect(judge(agent, result({}, { kind: 'reviewed', decision: 'stop', message: 'no' }))).toMatchObject({
    kind: 'reviewed',
    decision: 'stop',
  });
});
