import { describe, expect, test } from 'vitest';
import { codexKind } from '../../../../src/agents/cli/codex/codex.ts';
import { jsonLines as lines, noon, streamsOf } from '../recorded.ts';

const { readStream } = streamsOf(codexKind);

function failedWith(message: string) {
  return readStream(
    lines({ type: 'thread.started', thread_id: 't' }, { type: 'turn.failed', error: { message } }),
    {
      exitCode: 1,
    },
  ).report.faults[0];
}

function refusedWith(stderr: string, exitCode = 1) {
  return readStream('', { exitCode, stderr }).report.faults[0];
}

describe('what a turn fails of', () => {
  test.each([
    [
      'auth',
      'unexpected status 401 Unauthorized: Incorrect API key provided: sk-x., url: https://api.openai.com/v1/responses',
    ],
    [
      'auth',
      'unexpected status 403 Forbidden: You have no access to this project, url: https://api.openai.com/v1/responses',
    ],
    ['auth', 'Missing environment variable: `AZURE_OPENAI_API_KEY`. Set it to the key of your resource.'],
    [
      'auth',
      'Your access token could not be refreshed because your refresh token was already used. Please log out and sign in again.',
    ],
    ['auth', 'Your access token could not be refreshed. Please log out and sign in again.'],
    ['auth', 'exceeded retry limit, last status: 401 Unauthorized, request id: req_1'],
    ['auth', 'To use Codex with your ChatGPT plan, upgrade to Plus: https://chatgpt.com/explore/plus.'],
    ['quota', 'Quota exceeded. Check your plan and billing details.'],
    ['quota', 'You exceeded your current quota, please check your plan and billing details.'],
    ['quota', "You've hit your usage limit. Try again later."],
    ['quota', 'Your workspace is out of credits. Add credits to continue.'],
    ['quota', 'You hit your spend cap set in your workspace. Increase your spend cap to continue.'],
    ['model', 'The model `gpt-9` does not exist or you do not have access to it.'],
    ['model', "The 'gpt-9' model is not supported when using Codex with a ChatGPT account."],
    [
      'context',
      "Codex ran out of room in the model's context window. Start a new thread or clear earlier history before retrying.",
    ],
    ['output_limit', 'Incomplete response returned, reason: max_output_tokens'],
    ['refused', 'Incomplete response returned, reason: content_filter'],
    ['refused', 'This request has been flagged for possible violations of our usage policies.'],
    ['rate', 'exceeded retry limit, last status: 429 Too Many Requests, request id: req_1'],
    [
      'rate',
      'Rate limit reached for gpt-6 in organization org-1 on tokens per min (TPM): Limit 30000. Please try again in 1.898s.',
    ],
    ['overloaded', 'Selected model is at capacity. Please try a different model.'],
    [
      'overloaded',
      'unexpected status 529 <unknown status code>: Overloaded, url: http://127.0.0.1:1/v1/responses',
    ],
    ['server', 'We’re currently experiencing high demand, which may cause temporary errors.'],
    ['server', 'exceeded retry limit, last status: 503 Service Unavailable'],
    ['server', 'internal error; agent loop died unexpectedly'],
    ['server', 'something that nobody has seen yet'],
    ['network', 'stream disconnected before completion: idle timeout waiting for SSE'],
    ['network', 'Connection failed: error sending request'],
    [
      'setup',
      'unexpected status 400 Bad Request: Unsupported parameter, url: https://api.openai.com/v1/responses',
    ],
    [
      'setup',
      "Invalid schema for response_format 'codex_output_schema': 'additionalProperties' is required to be supplied and to be false.",
    ],
    ['setup', 'The model requires a newer version of Codex. Please upgrade.'],
    [
      'setup',
      'Access blocked by Cloudflare. This usually happens when connecting from a restricted region (status 403 Forbidden)',
    ],
  ])('%s: %s', (kind, message) => {
    expect(failedWith(message)).toMatchObject({ class: kind });
  });

  test('an error without a message is one of the service', () => {
    expect(failedWith('')).toMatchObject({ class: 'server', message: 'turn failed' });
  });
});

describe('when it may be tried again', () => {
  const limit =
    "You've hit your usage limit. Upgrade to Pro (https://chatgpt.com/explore/pro), visit https://chatgpt.com/codex/settings/usage to purchase more credits";
  // Codex writes times of the machine's own zone.
  test.each([
    [`${limit} or try again at Nov 25th, 2026 3:05 PM.`, new Date(2026, 10, 25, 15, 5).getTime()],
    [
      "You've hit your usage limit. Try again at Dec 1st, 2026 9:00 AM.",
      new Date(2026, 11, 1, 9, 0).getTime(),
    ],
  ])('%s', (message, until) => {
    expect(failedWith(message)).toMatchObject({ class: 'quota', until });
  });

  test('a time of day is the next one', () => {
    const local = new Date(noon + 3 * 3_600_000);
    // Not every zone is whole hours away.
    local.setMinutes(0);
    const clock = `${((local.getHours() + 11) % 12) + 1}:00 ${local.getHours() < 12 ? 'AM' : 'PM'}`;
    expect(failedWith(`${limit} or try again at ${clock}.`)).toMatchObject({
      class: 'quota',
      until: local.getTime(),
    });
  });

  test('seconds', () => {
    expect(failedWith('Rate limit reached for gpt-6. Please try again in 1.898s.')).toMatchObject({
      retryAfterMs: 1_898,
    });
  });
});

describe('what it does not start for', () => {
  test('a flag that it does not know is left out the next time', () => {
    expect(
      refusedWith("error: unexpected argument '--ignore-rules' found\n\n  tip: …\n\nUsage: codex exec\n", 2),
    ).toMatchObject({
      class: 'flags',
      cure: { kind: 'without_flag', flag: '--ignore-rules' },
    });
  });

  test.each(['--json', '--sandbox', '-c'])('%s cannot be left out', (flag) => {
    const fault = refusedWith(`error: unexpected argument '${flag}' found\n`, 2);
    expect(fault?.class).toBe('flags');
    expect(fault?.cure).toBeUndefined();
  });

  test('no git repository', () => {
    const text =
      'Reading prompt from stdin...\nNot inside a trusted directory and --skip-git-repo-check was not specified.\n';
    expect(refusedWith(text)).toMatchObject({ class: 'setup', cure: { kind: 'skip_git_check' } });
  });

  test.each([
    [
      'flags',
      "error: invalid value 'everything' for '--sandbox <SANDBOX_MODE>'\n  [possible values: read-only]\n",
    ],
    ['flags', 'Error: Unknown feature flag: nosuchfeature\n'],
    ['setup', 'Error: No such file or directory (os error 2)\n'],
    ['setup', 'Error: thread/resume: thread/resume failed: no rollout found for thread id 7 (code -32600)\n'],
    ['setup', 'Failed to read output schema file /x/schema.json: No such file or directory (os error 2)\n'],
    ['setup', 'Error: something new\n'],
  ])('%s: %s', (kind, text) => {
    expect(refusedWith(text)).toMatchObject({ class: kind });
  });

  test('broken settings: the message says where', () => {
    const text =
      'Error loading config.toml:\n/home/a/.codex/config.toml:1:10: unclosed array, expected `]`\n  |\n1 | model = [\n';
    expect(refusedWith(text)).toMatchObject({
      class: 'setup',
      message: 'Error loading config.toml: /home/a/.codex/config.toml:1:10: unclosed array, expected `]`',
    });
  });

  test('what stands in its log is no reason by itself', () => {
    const text =
      '2026-11-20T20:07:42.978352Z ERROR codex_api::endpoint: failed to connect to Responses WebSocket stage=Unknown\n';
    expect(refusedWith(text)).toBeUndefined();
  });
});
