/** What is made of streams of the real CLI. */
import { expect, test } from 'vitest';
import { geminiKind } from '../../../../src/agents/cli/gemini/gemini.ts';
import { GeminiReader } from '../../../../src/agents/cli/gemini/reader.ts';
import type { CliFault } from '../../../../src/types/agent-cli.ts';
import { linesOf, now, readRecorded, recording } from '../recorded.ts';

const replay = (name: string) => readRecorded(geminiKind, recording('gemini', name));
const recordedLines = (name: string) => linesOf(recording('gemini', name).stdout);

const answer = 'Stub final answer: the task is done.';
const usage = (requests: number) => ({
  input_tokens: 1_000 * requests,
  cache_read_tokens: 200 * requests,
  cache_write_tokens: 0,
  output_tokens: 34 * requests,
});

test('an answer, in events and report', () => {
  const { events, report, hasEnded } = replay('text');
  expect(hasEnded).toBe(true);
  expect(events).toEqual([
    { type: 'status', payload: { text: 'Gemini CLI started, model auto' } },
    { type: 'progress', payload: { text: answer } },
    { type: 'milestone', payload: { text: answer, progress: 100, final: true, usage: usage(2) } },
  ]);
  expect(report).toEqual({
    terminal: 'success',
    faults: [],
    denials: [],
    text: answer,
    sessionId: '38857add-d53d-4867-9f53-176cfc69d4e4',
    model: 'gemini-3.8-flash',
    usage: usage(2),
    costUsd: null,
  });
});

test('the answer is what is said after the last result of a tool', () => {
  const reader = new GeminiReader();
  const say = (content: string) => ({ type: 'message', role: 'assistant', content, delta: true });
  for (const value of [
    say('First I look.'),
    { type: 'tool_use', tool_name: 'glob', tool_id: '1', parameters: {} },
    { type: 'tool_result', tool_id: '1', status: 'success' },
    ...[say('It is '), say('done.')],
    { type: 'result', status: 'success' },
  ])
    reader.line({ kind: 'json', value });
  expect(reader.end({ exitCode: 0, stderr: '', now }).text).toBe('It is done.');
});

test('what follows the result is no part of it', () => {
  const reader = new GeminiReader();
  for (const line of recordedLines('text')) reader.line(line);
  for (const value of [
    { type: 'message', role: 'assistant', content: ' And more.', delta: true },
    { type: 'tool_result', tool_id: 'x', status: 'success' },
    { type: 'error', severity: 'error', message: 'late' },
    { type: 'result', status: 'error' },
  ])
    expect(reader.line({ kind: 'json', value })).toEqual([]);
  expect(reader.end({ exitCode: 0, stderr: '', now })).toMatchObject({ terminal: 'success', text: answer });
});

test('calls of tools: what is written has its file, the shell can be looked through', () => {
  const { events, report } = replay('multi-yolo-model');
  expect(events.slice(1)).toEqual([
    {
      type: 'progress',
      payload: {
        text: 'write_file hello.txt',
        file: 'hello.txt',
        tool: 'write_file',
        args: { file_path: 'hello.txt', content: 'hello from the stub\n' },
      },
    },
    { type: 'progress', payload: { text: 'write_file done', file: 'hello.txt' } },
    {
      type: 'progress',
      payload: {
        text: 'run_shell_command ls',
        tool: 'bash',
        args: { command: 'ls', description: 'Run a command' },
      },
    },
    { type: 'progress', payload: { text: answer } },
    { type: 'milestone', payload: { text: answer, progress: 100, final: true, usage: usage(3) } },
  ]);
  expect(report).toMatchObject({ terminal: 'success', text: answer, usage: usage(3) });
});

test.each([
  [
    'readout-default',
    { tool: 'read_file', file: '/etc/hostname', cure: { kind: 'directory', path: '/etc', write: false } },
  ],
  [
    'writeout-yolo',
    {
      tool: 'write_file',
      file: '/etc/stub-should-not-exist',
      cure: { kind: 'directory', path: '/etc', write: true },
    },
  ],
  ['write-default-call', { tool: 'write_file', file: 'hello.txt', cure: { kind: 'access', access: 'edit' } }],
  ['shell-default-call', { tool: 'run_shell_command', cure: { kind: 'access', access: 'all' } }],
  ['policy-deny', { tool: 'run_shell_command' }],
])('%s: a denial with its cure, though the CLI reports success', (name, denial) => {
  const { events, report } = replay(name);
  expect(report.terminal).toBe('success');
  const { message, ...rest } = report.denials[0] ?? {};
  expect(rest).toEqual(denial);
  expect(report.denials).toHaveLength(1);
  const blockers = events.filter(({ type }) => type === 'blocker');
  expect(blockers).toHaveLength(1);
  expect(blockers[0]?.payload).toMatchObject({ text: message, permission: true });
});

test.each(['readout-included', 'readmissing-yolo', 'e429x2', 'trunc', 'resume-b'])(
  '%s: nothing was denied, nothing failed',
  (name) => {
    const { report } = replay(name);
    expect(report).toMatchObject({ terminal: 'success', faults: [], denials: [], text: answer });
  },
);

test.each<[string, Partial<CliFault>, string?]>([
  ['e401', { class: 'auth', message: 'API key not valid. Please pass a valid API key.' }],
  ['e401-model', { class: 'auth', message: 'API key not valid. Please pass a valid API key.' }],
  ['e403-model', { class: 'auth', message: 'Permission denied' }],
  ['e404-model', { class: 'model', message: 'Model not found' }],
  ['e429', { class: 'rate', retryAfterMs: 1_000 }],
  ['e500-maxattempts2', { class: 'server', message: 'Internal server error' }],
  ['e503', { class: 'server', message: 'Service unavailable' }],
  // It names no time; days of quotas end at midnight in California.
  ['quota-model', { class: 'quota', until: Date.parse('2026-11-21T08:00:00Z') }],
  ['context-model', { class: 'context' }],
  ['loop-maxturns', { class: 'limits' }],
  ['midstream', { class: 'server', message: 'Model stream ended without a finish reason.' }],
  ['drop', { class: 'network' }, 'none'],
  ['bad-flag', { class: 'flags', cure: { kind: 'without_flag', flag: '--such-flag' } }, 'none'],
  ['no-key', { class: 'auth' }, 'none'],
  ['no-settings-baseurl', { class: 'auth' }, 'none'],
  [
    'include-missing',
    {
      class: 'setup',
      message: 'The folder /no/such/dir does not exist',
      fix: 'Create it: mkdir -p "/no/such/dir"',
    },
    'none',
  ],
  ['untrusted-yolo', { class: 'setup' }, 'none'],
  ['sandbox', { class: 'setup' }, 'none'],
])('%s: %o', (name, fault, terminal = 'failure') => {
  const { report } = replay(name);
  expect(report.terminal).toBe(terminal);
  expect(report.faults[0]).toMatchObject(fault);
});

test.each(['stall-sigterm', 'tool-kill-group'])(
  '%s: ended from outside, exit status 0: no success',
  (name) => {
    const { report, hasEnded } = replay(name);
    expect(hasEnded).toBe(false);
    expect(report).toMatchObject({ terminal: 'none', faults: [] });
  },
);

test.each([
  [41, 'auth'],
  [42, 'setup'],
  [44, 'setup'],
  [52, 'setup'],
  [53, 'limits'],
  [54, 'setup'],
  [55, 'setup'],
  [145, 'auth'],
  [173, 'rate'],
  [244, 'server'],
  [247, 'overloaded'],
  [17, 'overloaded'],
])('exit status %i alone says %s', (exitCode, fault) => {
  const { faults } = new GeminiReader().end({ exitCode, stderr: '', now });
  expect(faults.map((one) => one.class)).toEqual([fault]);
});

test.each([0, 1, 130, undefined])('exit status %s alone says nothing', (exitCode) => {
  const { faults } = new GeminiReader().end({ ...(exitCode !== undefined && { exitCode }), stderr: '', now });
  expect(faults).toEqual([]);
});

test('every flag that it does not know is left out, under one spelling', () => {
  const stderr = 'Unknown arguments: session-id, sessionId, m\nUsage: gemini [options] [command]\n';
  const { faults } = new GeminiReader().end({ exitCode: 1, stderr, now });
  expect(faults.map(({ cure }) => cure)).toEqual([
    { kind: 'without_flag', flag: '--session-id' },
    { kind: 'without_flag', flag: '-m' },
  ]);
});

test('words of errors in an answer, in a file that was read, or in the output of a tool are no faults', () => {
  const reader = new GeminiReader();
  const trap =
    'API key not valid. Path not in workspace: Attempted path "/x" resolves. You have exhausted your daily quota';
  const events = [
    { type: 'init', session_id: 's', model: 'm' },
    { type: 'tool_use', tool_name: 'read_file', tool_id: '1', parameters: { file_path: 'a' } },
    { type: 'tool_result', tool_id: '1', status: 'success', output: trap },
    { type: 'tool_use', tool_name: 'run_shell_command', tool_id: '2', parameters: { command: 'x' } },
    {
      type: 'tool_result',
      tool_id: '2',
      status: 'error',
      error: { type: 'execution_failed', message: 'ENOENT' },
    },
    { type: 'message', role: 'assistant', content: trap, delta: true },
  ].flatMap((value) => reader.line({ kind: 'json', value }));
  expect(events.some(({ type }) => type === 'blocker' || type === 'error')).toBe(false);
  const report = reader.end({
    exitCode: 1,
    stderr: `Error executing tool run_shell_command: ${trap}\nRipgrep is not available.`,
    now,
  });
  expect(report).toMatchObject({ terminal: 'none', faults: [], denials: [], text: trap });
});

test.each([
  [
    'run_shell_command',
    'unhandled_exception',
    'Tool execution for "Shell" requires user confirmation, which is not supported in non-interactive mode.',
    { kind: 'access', access: 'all' },
  ],
  [
    'list_directory',
    'invalid_tool_params',
    'Path not in workspace: Attempted path "/srv/data" resolves outside the allowed workspace directories: /p',
    { kind: 'directory', path: '/srv/data', write: false },
  ],
  [
    'replace',
    'path_not_in_workspace',
    'Path not in workspace: Attempted path "/srv/a "b"\\c/x.txt" resolves outside the allowed workspace directories: /p',
    { kind: 'directory', path: '/srv/a "b"\\c', write: true },
  ],
  [
    'write_file',
    'policy_violation',
    'Tool execution denied by policy. Modifying build configuration files requires explicit user confirmation',
    undefined,
  ],
  [
    'write_file',
    'file_write_failure',
    "Error writing to file '/p/hello.txt': EROFS: read-only file system, open '/p/hello.txt' (EROFS)",
    undefined,
  ],
])('%s, %s: denied', (tool_name, type, message, cure) => {
  const { report } = failed(tool_name, { type, message });
  expect(report.denials.map((one) => one.cure)).toEqual([cure]);
});

test.each([
  // The model made it up.
  ['save_the_world', 'tool_not_registered', 'Tool "save_the_world" not found. Did you mean one of: "glob"?'],
  // We took it away on purpose.
  ['invoke_agent', 'policy_violation', 'Tool execution denied by policy.'],
  [
    'run_shell_command',
    'policy_violation',
    'Tool execution denied by policy. This command could not be parsed: write it in plainer shell.',
  ],
  ['read_file', 'file_not_found', 'File not found.'],
  ['replace', 'edit_no_occurrence_found', 'Failed to edit, could not find the string to replace.'],
])('%s, %s: the model goes on, no permission is lacking', (tool_name, type, message) => {
  const { report, events } = failed(tool_name, { type, message });
  expect(report.denials).toEqual([]);
  expect(events.at(-1)?.type).toBe('progress');
});

function failed(tool_name: string, error: object) {
  const reader = new GeminiReader();
  const events = [
    { type: 'tool_use', tool_name, tool_id: '1', parameters: {} },
    { type: 'tool_result', tool_id: '1', status: 'error', error },
  ].flatMap((value) => reader.line({ kind: 'json', value }));
  return { events, report: reader.end({ exitCode: 0, stderr: '', now }) };
}

test('the same denial again and again is one', () => {
  const reader = new GeminiReader();
  const lines = recordedLines('readout-default');
  for (let i = 0; i < 500; i++) for (const line of lines.slice(0, -1)) reader.line(line);
  expect(reader.end({ exitCode: 0, stderr: '', now }).denials).toHaveLength(1);
});

test('tokens that it thought with count as output', () => {
  const reader = new GeminiReader();
  const stats = { total_tokens: 2_000, input_tokens: 1_200, output_tokens: 300, cached: 200 };
  reader.line({ kind: 'json', value: { type: 'result', status: 'success', stats } });
  expect(reader.end({ exitCode: 0, stderr: '', now }).usage).toEqual({
    input_tokens: 1_000,
    cache_read_tokens: 200,
    cache_write_tokens: 0,
    output_tokens: 800,
  });
});

test('a long answer is told on while it is written, by whole lines, and is complete in the report', () => {
  const reader = new GeminiReader();
  const lines = Array.from({ length: 3_000 }, (_, i) => `line ${i} of the answer\n`);
  const told = lines.flatMap((content) =>
    reader.line({ kind: 'json', value: { type: 'message', role: 'assistant', content, delta: true } }),
  );
  expect(told.length).toBeGreaterThan(10);
  for (const { payload } of told) expect(payload.text).toMatch(/^line \d+ of [\s\S]* answer$/);
  expect(reader.end({ exitCode: 0, stderr: '', now }).text).toBe(lines.join('').trim());
});

test('a list of tasks has its progress', () => {
  const todos = [
    { description: 'a', status: 'completed' },
    { description: 'b', status: 'in_progress' },
    { description: 'c', status: 'pending' },
  ];
  const [event] = new GeminiReader().line({
    kind: 'json',
    value: { type: 'tool_use', tool_name: 'write_todos', tool_id: '1', parameters: { todos } },
  });
  expect(event).toMatchObject({ type: 'task', payload: { text: '1 of 3 tasks done: b', progress: 33 } });
});

test('a long answer is told in pieces, cut where a line ends: what the model wrote as an event stays whole', () => {
  const reader = geminiKind.read();
  const finding = '{"type":"finding","payload":{"text":"F"}}';
  const say = (content: string) =>
    reader.line({ kind: 'json', value: { type: 'message', role: 'assistant', content, delta: true } });
  const pieces = [
    `${'x'.repeat(4_000)}\n${finding.slice(0, 20)}`,
    `${finding.slice(20)}\n${'y'.repeat(4_000)}`,
  ];
  const texts = pieces.flatMap(say).map(({ payload }) => payload.text);
  expect(texts).toEqual(['x'.repeat(4_000), finding]);
  expect(reader.end({ exitCode: 0, stderr: '', now: 0 }).text).toBe(pieces.join(''));
});
