/** Why it failed: what is not in a recorded stream, in the words of its own program. */
import { describe, expect, test } from 'vitest';
import { claudeKind } from '../../../../src/agents/cli/claude/claude.ts';
import { type ClaudeFailure, faultOf, startFault } from '../../../../src/agents/cli/claude/faults.ts';
import type { FaultClass } from '../../../../src/types/agent-cli.ts';
import { jsonLines as lines, streamsOf } from '../recorded.ts';

const { readStream } = streamsOf(claudeKind);

const now = Date.parse('2026-11-20T17:00:00Z');

describe('what a request fails of', () => {
  test.each<[FaultClass, ClaudeFailure]>([
    [
      'auth',
      { message: 'Invalid API key · Fix external API key', error: 'authentication_failed', status: 401 },
    ],
    ['auth', { message: 'Failed to authenticate. API Error: 403 Permission denied', status: 403 }],
    ['auth', { message: 'OAuth token has expired. Please run /login' }],
    ['auth', { message: 'x', error: 'oauth_org_not_allowed' }],
    ['auth', { message: 'x', error: 'cloud_credential_error' }],
    ['server', { message: 'API Error: 503', error: 'authentication_failed', status: 503 }],
    ['quota', { message: 'Credit balance is too low', error: 'billing_error', status: 400 }],
    ['quota', { message: 'Claude AI usage limit reached|1795201200', error: 'rate_limit', status: 429 }],
    ['quota', { message: "You've hit your session limit · resets 3pm (UTC)", error: 'rate_limit' }],
    ['quota', { message: "You've hit your weekly limit · resets Nov 24, 3pm (UTC)" }],
    ['quota', { message: "You've hit your org's monthly spend limit", error: 'rate_limit' }],
    ['quota', { message: 'x', error: 'rate_limit', isLimitReached: true }],
    [
      'rate',
      {
        message: 'API Error: Request rejected (429) · 50,000 input tokens per minute.',
        error: 'rate_limit',
        status: 429,
      },
    ],
    [
      'overloaded',
      {
        message: 'Server is temporarily limiting requests (not your usage limit)',
        error: 'rate_limit',
        status: 429,
      },
    ],
    [
      'overloaded',
      { message: 'API Error: Repeated 529 Overloaded errors.', error: 'overloaded', status: 529 },
    ],
    ['overloaded', { message: 'API Error: 529 Overloaded.', error: 'server_error', status: 529 }],
    ['server', { message: 'API Error: 500 Internal server error', error: 'server_error', status: 500 }],
    ['server', { message: 'nobody knows' }],
    [
      'network',
      {
        message: 'API Error: Connection dropped (ECONNRESET).',
        error: 'unknown',
        apiError: 'connection_failed',
      },
    ],
    ['network', { message: 'Request timed out. If the API is slow to answer …' }],
    ['network', { message: 'API Error: Unable to connect to API (ENOTFOUND)' }],
    [
      'model',
      { message: "There's an issue with the selected model (x).", error: 'model_not_found', status: 404 },
    ],
    ['context', { message: 'Prompt is too long', terminalReason: 'prompt_too_long', status: 400 }],
    ['context', { message: 'Request too large (max 32MB).', status: 413 }],
    [
      'output_limit',
      { message: "Claude's response exceeded the 128000 output token maximum.", error: 'max_output_tokens' },
    ],
    ['context', { message: 'The reply reached the context window', error: 'max_output_tokens' }],
    ['limits', { message: 'Reached maximum number of turns (2)', subtype: 'error_max_turns' }],
    ['limits', { message: 'x', subtype: 'error_max_budget_usd' }],
    ['shape', { message: 'x', subtype: 'error_max_structured_output_retries' }],
    ['refused', { message: 'API Error: safeguards flagged this message', stopReason: 'refusal' }],
    [
      'refused',
      {
        message:
          'API Error: Claude Code is unable to respond to this request, which appears to violate our Usage Policy',
      },
    ],
    ['setup', { message: 'API Error: 400 tools.0: invalid', error: 'invalid_request', status: 400 }],
    ['setup', { message: 'x', startupReason: 'managed_settings_invalid' }],
    ['network', { message: 'x', startupReason: 'proxy_invalid' }],
  ])('%s: $message', (found, failure) => {
    expect(faultOf(failure, now).class).toBe(found);
  });
});

test('when a limit ends is what the service said, or else the message', () => {
  const message = "You've hit your session limit · resets 8pm (Europe/Berlin)";
  const until = Date.parse('2026-11-20T19:00:00Z');
  expect(faultOf({ message, error: 'rate_limit' }, now)).toEqual({ class: 'quota', message, until });
  expect(
    faultOf({ message, error: 'rate_limit', isLimitReached: true, resetsAt: until + 1 }, now).until,
  ).toBe(until + 1);
  expect(
    faultOf({ message: 'Claude AI usage limit reached|1795201200', error: 'rate_limit' }, now).until,
  ).toBe(until);
});

test.each([
  ['in seconds', 1_795_201_200, 1_795_201_200_000],
  ['in milliseconds', 1_795_201_200_000, 1_795_201_200_000],
  ['long past', 1_000, undefined],
  ['in thousands of years', 1e14, undefined],
])('when a limit ends, %s', (_, resetsAt, until) => {
  const failure = { message: 'It is used up.', error: 'rate_limit', isLimitReached: true, resetsAt };
  expect(faultOf(failure, now).until).toBe(until);
});

test('a limit that is told beside an answer is no fault', () => {
  const { report } = readStream(
    lines(
      { type: 'rate_limit_event', rate_limit_info: { status: 'rejected', resetsAt: 1_795_201_200 } },
      { type: 'rate_limit_event', rate_limit_info: { status: 'allowed' } },
      {
        type: 'result',
        subtype: 'success',
        is_error: true,
        api_error_status: 529,
        result: 'API Error: 529 Overloaded.',
      },
    ),
  );
  expect(report.faults).toMatchObject([{ class: 'overloaded' }]);
  expect(report.faults[0]?.until).toBeUndefined();
});

describe('what stderr says of a start that came to nothing', () => {
  test.each<[FaultClass, string]>([
    [
      'setup',
      '--dangerously-skip-permissions cannot be used with root/sudo privileges for security reasons\n',
    ],
    ['setup', 'Error: Session ID 1-1 is already in use.\n'],
    ['flags', "error: unknown option '--no-such'\n"],
    [
      'flags',
      "error: option '--max-budget-usd <amount>' argument '0' is invalid. --max-budget-usd must be a number\n",
    ],
    ['flags', 'Error: When using --print, --output-format=stream-json requires --verbose\n'],
    ['auth', 'Invalid API key · Please run /login\n'],
    ['network', 'API Error: Connection error.\n'],
    ['setup', 'Error: claude native binary not installed.\n'],
  ])('%s: %s', (found, stderr) => {
    expect(startFault(stderr, now)?.class).toBe(found);
  });

  test('a flag that can be spared is; one that keeps material from being obeyed is not', () => {
    expect(startFault("error: unknown option '--effort'\n", now)).toMatchObject({
      class: 'flags',
      message: 'This version of Claude Code does not know --effort',
      cure: { kind: 'without_flag', flag: '--effort' },
    });
    for (const flag of ['--setting-sources', '--strict-mcp-config', '--settings', '--permission-mode'])
      expect(startFault(`error: unknown option '${flag}'\n`, now)?.cure).toBeUndefined();
  });

  test.each(['', 'Warning: something about a rate limit\n', '  at file: 401 Unauthorized\n'])(
    'none: %j',
    (stderr) => {
      expect(startFault(stderr, now)).toBeUndefined();
    },
  );

  test('what was printed to stdout counts too, but no torn event', () => {
    expect(readStream('Invalid API key · Please run /login\n', { exitCode: 1 }).report.faults).toMatchObject([
      { class: 'auth' },
    ]);
    expect(
      readStream('{"type":"assistant","text":"Invalid API key · run\n', { exitCode: 1 }).report.faults,
    ).toEqual([]);
  });
});
