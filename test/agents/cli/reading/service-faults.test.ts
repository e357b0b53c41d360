/** What the error of a service is, by the status of its answer and by its words. */
import { expect, test } from 'vitest';
import { serviceFault } from '../../../../src/agents/cli/reading/service-faults.ts';

const now = Date.parse('2026-11-20T17:00:00Z');

test.each<[number | undefined, string, string]>([
  [401, 'Unauthorized', 'auth'],
  [403, 'Forbidden', 'auth'],
  [403, 'You exceeded your current quota', 'quota'],
  [402, 'Payment Required', 'quota'],
  [404, 'Not Found', 'model'],
  [413, 'Payload Too Large', 'context'],
  [429, 'Too Many Requests', 'rate'],
  // One status for two things: only the words tell them apart.
  [429, 'insufficient_quota: check your plan', 'quota'],
  [429, 'The server is overloaded', 'rate'],
  [500, 'Oops', 'server'],
  [500, 'Overloaded', 'overloaded'],
  [500, 'the model does not exist or you do not have access', 'server'],
  [502, 'Bad Gateway', 'server'],
  [503, 'Service Unavailable', 'overloaded'],
  [529, 'x', 'overloaded'],
  [400, "This model's maximum context length is 8192 tokens", 'context'],
  [422, 'blocked by our safety system', 'refused'],
  [400, 'no words that are known', 'server'],
  [418, 'model_not_found', 'model'],
  [418, 'a teapot', 'server'],
  [undefined, 'getaddrinfo ENOTFOUND api.example.com', 'network'],
  [undefined, 'invalid x-api-key', 'auth'],
  [undefined, 'Internal server error', 'server'],
  [undefined, '?', 'server'],
])('%s "%s" is %s', (status, message, kind) => {
  expect(serviceFault({ message, status }, now)).toMatchObject({ class: kind, message });
});

test('when it may be tried again stands in its details, too, and counts for what passes by itself', () => {
  const details = 'retry-after: 34';
  expect(serviceFault({ message: 'Slow down', status: 429, details }, now).retryAfterMs).toBe(34_000);
  expect(serviceFault({ message: 'No', status: 401, details }, now).retryAfterMs).toBeUndefined();
});
