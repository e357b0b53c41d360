/** Streams of GitHub Copilot CLI 1.0.102, as recorded. */
import { expect, test } from 'vitest';
import { copilotKind } from '../../../../src/agents/cli/copilot/copilot.ts';
import { usageIn } from '../../../../src/agents/cli/copilot/usage.ts';
import type { CliReport } from '../../../../src/types/agent-cli.ts';
import { now, readRecorded, recording } from '../recorded.ts';

const read = (name: string) => readRecorded(copilotKind, recording('copilot', name));

test.each([
  ['text-edit', 1, 'Stub final answer: the task is done.'],
  ['write-edit', 2, 'Done.'],
  ['writeout-dir', 2, 'Done.'],
  ['readout-dir', 2, 'Done.'],
  ['shell-all', 3, 'Done.'],
  ['e429x2', 1, 'Stub final answer: the task is done.'],
])('%s is a success, with the tokens that it left in a file', (name, requests, text) => {
  const { report, hasEnded } = read(name);
  expect(report).toMatchObject({
    ...{ terminal: 'success', faults: [], denials: [], text, model: 'gpt-4.1', costUsd: null },
    usage: {
      ...{ input_tokens: 1000 * requests, cache_read_tokens: 200 * requests },
      ...{ cache_write_tokens: 0, output_tokens: 34 * requests },
    },
  });
  expect(report.sessionId).toMatch(/^[0-9a-f-]{36}$/);
  expect(hasEnded).toBe(true);
});

test.each<[string, CliReport['denials']]>([
  [
    'write-read',
    [
      {
        message: 'create a.txt: it may not change files',
        tool: 'create',
        file: 'a.txt',
        cure: { kind: 'access', access: 'edit' },
      },
    ],
  ],
  [
    'shell-edit',
    [
      {
        message: 'bash ls && touch b.txt: it may not use this tool, or not there',
        tool: 'bash',
        cure: { kind: 'access', access: 'all' },
      },
    ],
  ],
  [
    'readout',
    [
      {
        message: 'view /workspace-extra/sub/f.txt: outside of the folders that it was given',
        tool: 'view',
        file: '/workspace-extra/sub/f.txt',
        cure: { kind: 'directory', path: '/workspace-extra/sub', write: false },
      },
    ],
  ],
  [
    'writeout',
    [
      {
        message: 'create /workspace-extra/new.txt: it may not change files',
        tool: 'create',
        file: '/workspace-extra/new.txt',
        cure: { kind: 'access', access: 'edit' },
      },
      {
        message: 'create /workspace-extra/new.txt: outside of the folders that it was given',
        tool: 'create',
        file: '/workspace-extra/new.txt',
        cure: { kind: 'directory', path: '/workspace-extra', write: true },
      },
    ],
  ],
])('%s says success, and what was denied, with what would lift it', (name, denials) => {
  const { report, events } = read(name);
  expect(report).toMatchObject({ terminal: 'success', denials });
  expect(events.filter(({ type, payload }) => type === 'blocker' && payload.permission)).toHaveLength(1);
});

test.each<[string, CliReport['terminal'], readonly object[]]>([
  ['e401', 'failure', [{ class: 'auth' }]],
  ['e404', 'failure', [{ class: 'model' }]],
  // How long it has waited in all is no time to wait.
  ['e429', 'failure', [{ class: 'rate', retryAfterMs: 1000 }]],
  ['e500', 'failure', [{ class: 'server', message: expect.stringMatching(/500 Internal server error$/) }]],
  ['context', 'failure', [{ class: 'context' }]],
  ['drop', 'failure', [{ class: 'network' }]],
  ['midstream', 'failure', [{ class: 'overloaded' }]],
  ['refused', 'failure', [{ class: 'network' }]],
  ['quota', 'none', [{ class: 'quota' }]],
  ['no-provider', 'none', [{ class: 'auth' }]],
  ['bad-flag', 'none', [{ class: 'flags', cure: { kind: 'without_flag', flag: '--no-such-flag' } }]],
  // It says exit code 0 in its last event, and was interrupted.
  ['tool-sigterm-group', 'failure', []],
])('%s ends as %s, and says why', (name, terminal, faults) => {
  const { report } = read(name);
  expect(report).toMatchObject({ terminal, denials: [] });
  expect(report.faults).toMatchObject(faults);
  expect(report.faults).toHaveLength(faults.length);
});

test.each<[string, object]>([
  ['Error: No authentication information found.\n\nCopilot can be authenticated', { class: 'auth' }],
  [
    'Error: Authentication failed\n\nYour GitHub token may be invalid, expired, or lacking the required permissions.\n',
    { class: 'auth' },
  ],
  [
    'Error: Authentication token found but could not be validated.\n\n  Failed to fetch PAT user login (401): Failed',
    { class: 'auth' },
  ],
  [
    'Error: Authentication token found but could not be validated.\n\n  Failed to fetch PAT user login: fetch failed\n',
    { class: 'network', message: 'GitHub did not answer whether its token is valid' },
  ],
  ['Error: Failed to load models\n\nError: 502 Bad Gateway\n', { class: 'server' }],
  [
    'Failed to extract bundled package: Error: EROFS: read-only file system, mkdir',
    { class: 'setup', fix: expect.stringContaining('copilot --version') },
  ],
])('what stands on stderr alone: %#', (stderr, fault) => {
  expect(copilotKind.read().end({ exitCode: 1, stderr, now }).faults).toMatchObject([fault]);
});

test('an error that a later answer got over is not in the report', () => {
  const reader = copilotKind.read();
  const line = (type: string, data: object, more: object = {}) =>
    reader.line({ kind: 'json', value: { type, data, ...more } });
  line('model.call_failure', { statusCode: 500, errorMessage: '{"message":"Internal server error"}' });
  line('model.call_finished', { outcome: 'success' });
  line('assistant.message', { content: ' yes ', model: 'm' });
  expect(reader.end({ stderr: '', now })).toMatchObject({ terminal: 'none', faults: [], text: 'yes' });
});

test.each([
  [undefined, undefined],
  ['', undefined],
  ['{"modelMetrics":{}}', undefined],
  ['{"modelMetrics":{"m":{"usage":{"inputTokens":"many"}}}}', undefined],
  [
    '{"modelMetrics":{"a":{"usage":{"inputTokens":10,"cacheReadTokens":4,"cacheWriteTokens":3,"outputTokens":1}},"b":{"usage":{"inputTokens":5}}}}',
    { input_tokens: 8, cache_read_tokens: 4, cache_write_tokens: 3, output_tokens: 1 },
  ],
])('tokens of all models together, the buckets apart: %s', (text, usage) => {
  expect(usageIn(text)).toEqual(usage);
});
