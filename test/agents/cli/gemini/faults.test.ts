/** What Gemini CLI fails of, where no recorded stream shows it: in its own words and in those of Google's services. */
import { expect, test } from 'vitest';
import { faultOf, unknownFlags } from '../../../../src/agents/cli/gemini/faults.ts';
import type { FaultClass } from '../../../../src/types/agent-cli.ts';

const now = Date.parse('2026-11-20T17:00:00Z');

test.each<[FaultClass, string]>([
  ['flags', 'Cannot use both --yolo (-y) and --approval-mode together. Use --approval-mode=yolo instead.'],
  ['flags', 'Options:\nInvalid values:\n  Argument: approval-mode, Given: "all"'],
  ['flags', 'Not enough arguments following: model'],
  ['setup', 'Error: Session ID "38857add-d53d" already exists. Use --resume to resume it'],
  ['setup', 'Error resuming session: no such session'],
  ['setup', 'FatalSandboxError: GEMINI_SANDBOX is true but failed to determine command for sandbox'],
  ['setup', "Sandbox image 'us-docker.pkg.dev/x:1' is missing or could not be pulled."],
  ['setup', 'Cannot start in YOLO mode: it is disabled by settings (disableYolo)'],
  ['auth', '[API Error: {"error":{"code":400,"message":"API key not valid.","status":"INVALID_ARGUMENT"}}]'],
  ['auth', '[API Error: API key expired. Please renew the API key.]'],
  ['auth', 'Please set an Auth method in your settings.json or specify GEMINI_API_KEY'],
  ['auth', 'When using Vertex AI, you must specify either GOOGLE_API_KEY or a project'],
  ['auth', 'The enforced authentication type is oauth-personal, but the current type is gemini-api-key'],
  ['auth', '{"error":{"code":401,"status":"UNAUTHENTICATED"}}'],
  ['auth', '[API Error: got status: 401 Unauthorized]'],
  ['auth', 'Error: invalid_grant'],
  ['auth', 'Manual authorization is required but the current session is non-interactive.'],
  ['auth', 'Could not load the default credentials.'],
  ['auth', '[API Error: {"error":{"code":403,"message":"Forbidden","status":"PERMISSION_DENIED"}}]'],
  ['quota', '{"error":{"code":403,"status":"PERMISSION_DENIED","details":[{"reason":"BILLING_DISABLED"}]}}'],
  ['quota', '[API Error: You have exhausted your daily quota on this model.]'],
  [
    'quota',
    '[API Error: You have exhausted your capacity on this model. Your quota will reset after 2h13m.]',
  ],
  ['quota', '{"error":{"code":429,"details":[{"quotaId":"GenerateRequestsPerDayPerProjectPerModel"}]}}'],
  ['quota', '[API Error: Your prepayment credits are depleted.]'],
  ['rate', '{"error":{"code":429,"details":[{"quotaId":"GenerateRequestsPerMinutePerProjectPerModel"}]}}'],
  ['rate', '[API Error: You exceeded your current quota. Please retry in 34.07s.]'],
  ['rate', '[API Error: got status: RESOURCE_EXHAUSTED]'],
  ['model', '[API Error: models/gemini-9 is not found for API version v1beta]'],
  [
    'context',
    '[API Error: The input token count (1048580) exceeds the maximum number of tokens allowed (1048576).]',
  ],
  ['refused', '[API Error: Response blocked due to safety]'],
  ['refused', '{"promptFeedback":{"blockReason":"PROHIBITED_CONTENT"}}'],
  ['output_limit', 'Response truncated because it exceeded the token limit'],
  ['limits', 'Reached max session turns for this session.'],
  ['overloaded', '{"error":{"code":503,"message":"The model is overloaded.","status":"UNAVAILABLE"}}'],
  ['overloaded', '[API Error: This model is currently experiencing high demand.]'],
  ['overloaded', '{"error":{"code":429,"details":[{"reason":"MODEL_CAPACITY_EXHAUSTED"}]}}'],
  ['network', '[API Error: exception TypeError: fetch failed sending request]'],
  ['network', 'Error: getaddrinfo ENOTFOUND generativelanguage.googleapis.com'],
  ['network', 'Error: read ECONNRESET'],
  ['network', 'UND_ERR_CONNECT_TIMEOUT'],
  ['server', '{"error":{"code":500,"status":"INTERNAL"}}'],
  ['server', 'Model stream ended with empty response text.'],
  ['server', 'Model stream ended without a finish reason.'],
  ['setup', 'ENOSPC: no space left on device, write'],
  ['setup', '{"error":{"code":400,"message":"Unsupported MIME type","status":"INVALID_ARGUMENT"}}'],
])('%s: %s', (found, message) => {
  expect(faultOf(message, now)?.class).toBe(found);
});

test('days of a quota end at midnight in California, unless the message says when', () => {
  expect(faultOf('You have exhausted your daily quota on this model.', now)?.until).toBe(
    Date.parse('2026-11-21T08:00:00Z'),
  );
  expect(faultOf('Daily limit: your quota will reset after 2h13m.', now)).toMatchObject({
    class: 'quota',
    retryAfterMs: 133 * 60_000,
  });
});

test('what is no message of an error is none', () => {
  expect(faultOf('Loaded cached credentials.', now)).toBeUndefined();
});

test('unknown flags are named once, in the spelling in which they were given', () => {
  expect(
    unknownFlags('Usage: gemini\nUnknown arguments: skip-trust, skipTrust, o\n').map(({ cure }) => cure),
  ).toEqual([
    { kind: 'without_flag', flag: '--skip-trust' },
    { kind: 'without_flag', flag: '-o' },
  ]);
});
