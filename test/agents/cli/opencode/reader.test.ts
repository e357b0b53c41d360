/** Streams of opencode 1.18.33, as recorded. */
import { describe, expect, test } from 'vitest';
import { opencodeKind } from '../../../../src/agents/cli/opencode/opencode.ts';
import type { CliReport } from '../../../../src/types/agent-cli.ts';
import { now, readRecorded, recording } from '../recorded.ts';

const read = (name: string) => readRecorded(opencodeKind, recording('opencode', name));
const tokens = (steps: number) => ({
  ...{ input_tokens: 1000 * steps, cache_read_tokens: 200 * steps, cache_write_tokens: 0 },
  output_tokens: 34 * steps,
});

test.each([
  ['text-edit', 1, 'Stub final answer: the task is done.'],
  ['multi-auto', 3, 'Stub final answer: the task is done.'],
  ['write-edit', 2, 'Done.'],
  ['shell-all', 3, 'Done.'],
  ['readout-dir', 2, 'Done.'],
  ['writeout-dir', 2, 'Done.'],
  ['instructions', 2, 'Done.'],
  // It tried again by itself.
  ['e429x2', 1, 'Stub final answer: the task is done.'],
])('%s is a success, with what all its steps used', (name, steps, text) => {
  const { report, hasEnded } = read(name);
  expect(report).toMatchObject({ terminal: 'success', faults: [], denials: [], text, usage: tokens(steps) });
  expect(report.costUsd).toBeCloseTo(0.001068 * steps, 9);
  expect(report.sessionId).toMatch(/^ses_/);
  expect(hasEnded).toBe(true);
});

test.each<[string, CliReport['denials']]>([
  [
    'write-read',
    [
      {
        message: 'write: edit (a.txt)',
        tool: 'write',
        file: 'a.txt',
        cure: { kind: 'access', access: 'edit' },
      },
    ],
  ],
  [
    'readout',
    [
      {
        message: 'read: external_directory (/workspace-extra/sub/*)',
        tool: 'read',
        file: '/workspace-extra/sub/f.txt',
        cure: { kind: 'directory', path: '/workspace-extra/sub', write: false },
      },
    ],
  ],
  [
    'writeout',
    [
      {
        message: 'write: external_directory (/workspace-extra/*)',
        tool: 'write',
        file: '/workspace-extra/new.txt',
        cure: { kind: 'directory', path: '/workspace-extra', write: true },
      },
      {
        message: 'write: external_directory (/workspace-extra/*), to change it',
        tool: 'write',
        file: '/workspace-extra/new.txt',
        cure: { kind: 'access', access: 'edit' },
      },
    ],
  ],
])('%s: what was refused, and what would lift it', (name, denials) => {
  const { report, events } = read(name);
  // It stops there, with exit code 0.
  expect(report).toMatchObject({ terminal: 'none', faults: [], denials, text: '' });
  expect(events.filter(({ type }) => type === 'blocker')).toHaveLength(1);
});

test('a denial without the line on stderr is told from the call', () => {
  const { report } = readRecorded(opencodeKind, { ...recording('opencode', 'readout'), stderr: '' });
  expect(report.denials[0]?.cure).toEqual({
    kind: 'directory',
    path: '/workspace-extra/sub',
    write: false,
  });
});

test.each<[string, CliReport['terminal'], CliReport['faults']]>([
  ['e401', 'failure', [{ class: 'auth', message: 'Incorrect API key provided: stub.' }]],
  ['e403', 'failure', [{ class: 'auth', message: 'Permission denied' }]],
  [
    'e404',
    'failure',
    [{ class: 'model', message: 'The model `stub-model` does not exist or you do not have access to it.' }],
  ],
  [
    'e429',
    'failure',
    [
      {
        class: 'rate',
        message: 'Rate limit reached for requests. Please try again in 1s.',
        retryAfterMs: 1000,
      },
    ],
  ],
  ['e500', 'failure', [{ class: 'server', message: 'Internal server error' }]],
  ['e529', 'failure', [{ class: 'overloaded', message: 'Overloaded' }]],
  [
    'context',
    'failure',
    [
      {
        class: 'context',
        message:
          'Your input exceeds the context window of this model. Please adjust your input and try again.',
      },
    ],
  ],
  ['trunc', 'failure', [{ class: 'output_limit', message: "The answer was cut at the model's limit" }]],
  [
    'bad-flag',
    'none',
    [{ class: 'flags', message: 'It printed its help: a flag is unknown to it, or one is missing' }],
  ],
  // Ended while it still tried again: its log says for what.
  [
    'quota',
    'none',
    [
      {
        class: 'quota',
        message: 'You exceeded your current quota, please check your plan and billing details.',
      },
    ],
  ],
  ['midstream', 'none', []],
  ['stall', 'none', []],
  ['tool-sigterm-group', 'none', []],
])('%s ends as %s, and says why', (name, terminal, faults) => {
  expect(read(name).report).toMatchObject({ terminal, faults, denials: [] });
});

test.each([
  ['drop', 'network'],
  ['refused', 'network'],
])('%s: no connection is told from its log', (name, expected) => {
  expect(read(name).report.faults).toMatchObject([{ class: expected }]);
});

test('a model that it does not know is said on stderr alone', () => {
  const { faults } = read('bad-model').report;
  expect(faults[0]).toMatchObject({ class: 'model', fix: expect.stringContaining('opencode models') });
});

test('a package that it cannot fetch is no fault that passes', () => {
  const error = { name: 'UnknownError', data: { message: 'Failed to initialize provider: own' } };
  const reader = opencodeKind.read();
  reader.line({ kind: 'json', value: { type: 'error', sessionID: 's', error } });
  const { faults } = reader.end({ exitCode: 1, stderr: '', now: Date.now() });
  expect(faults).toMatchObject([{ class: 'setup', fix: expect.stringContaining('opencode run') }]);
});

describe('instructions of the material', () => {
  const step = (part: object) =>
    ({ kind: 'json', value: { type: 'tool_use', sessionID: 's', part } }) as const;

  test('an attempt in which they were obeyed is none that counts', () => {
    const reader = opencodeKind.read();
    const state = {
      status: 'completed',
      input: { filePath: 'a' },
      metadata: { loaded: ['/drop/AGENTS.md'] },
    };
    const events = reader.line(step({ tool: 'read', state }));
    expect(events.map(({ type }) => type)).toEqual(['progress', 'error']);
    reader.line({ kind: 'json', value: { type: 'step_finish', part: { reason: 'stop' } } });
    expect(reader.end({ stderr: '', exitCode: 0, now })).toMatchObject({
      terminal: 'failure',
      faults: [{ class: 'setup', message: 'It took /drop/AGENTS.md for instructions' }],
    });
  });

  test('in the recording our plugin took them off', () => {
    expect(recording('opencode', 'instructions').stdout).not.toContain('system-reminder');
  });
});

test('what goes on after an error has got over it', () => {
  const reader = opencodeKind.read();
  const line = (value: Record<string, unknown>) => reader.line({ kind: 'json', value });
  line({ type: 'error', error: { name: 'APIError', data: { message: 'x', statusCode: 500 } } });
  expect(reader.hasEnded).toBe(true);
  line({ type: 'step_start', part: {} });
  expect(reader.hasEnded).toBe(false);
  line({ type: 'text', part: { messageID: 'm', text: 'first part' } });
  line({ type: 'text', part: { messageID: 'm', text: 'second part' } });
  line({
    type: 'step_finish',
    part: { reason: 'stop', cost: 0, tokens: { input: 5, output: 1, reasoning: 2 } },
  });
  expect(reader.end({ stderr: '', exitCode: 0, now })).toEqual({
    ...{ terminal: 'success', faults: [], denials: [], text: 'first part\n\nsecond part' },
    usage: { input_tokens: 5, cache_read_tokens: 0, cache_write_tokens: 0, output_tokens: 3 },
    // A price of 0 is no price.
    costUsd: null,
  });
});

test('its list of things to do is a task', () => {
  const todos = [
    { content: 'look', status: 'completed' },
    { content: 'write', status: 'in_progress' },
    { content: 'test', status: 'pending' },
  ];
  const part = { tool: 'todowrite', state: { status: 'completed', input: { todos } } };
  expect(opencodeKind.read().line({ kind: 'json', value: { type: 'tool_use', part } })).toEqual([
    { type: 'task', payload: { text: 'write', progress: 33 } },
  ]);
});
