/**
 * What services of models say when a request fails, in the words of OpenAI, Anthropic and those who copy them; for CLIs
 * that pass the service's message on, with the status of its answer or without.
 */
import type { CliFault, FaultClass } from '../../../types/agent-cli.ts';
import { oneLine } from './events.ts';
import { type FaultPattern, findFault, passingFaults } from './faults.ts';
import { comeBack } from './times.ts';

export const serviceFaults: readonly FaultPattern[] = [
  {
    pattern:
      /insufficient_quota|exceeded your current quota|credit balance is too low|billing_error|billing hard limit|usage limit|payment required|quota exceeded|monthly limit|premium request/i,
    class: 'quota',
  },
  {
    pattern:
      /invalid_api_key|incorrect api key|invalid (?:x-)?api[- ]key|authentication[_ ](?:error|failed)|unauthorized|not logged in|no authentication/i,
    class: 'auth',
  },
  { pattern: /model_not_found|model not found|does not exist or you do not have access/i, class: 'model' },
  {
    pattern:
      /context_length_exceeded|maximum context length|prompt (?:as |is )?too long|context window|exceeds? the (?:context|token) limit|too many tokens/i,
    class: 'context',
  },
  { pattern: /content[_ ]filter|content management policy|safety system/i, class: 'refused' },
  { pattern: /rate[_ -]?limit|too many requests/i, class: 'rate' },
  { pattern: /overloaded|at capacity|high demand/i, class: 'overloaded' },
  {
    pattern:
      /fetch failed|error sending request|connection (?:refused|reset|closed|error|lost|failed)|unable to connect|socket hang up|ECONN\w+|ENOTFOUND|EAI_AGAIN|ETIMEDOUT|cannot connect|getaddrinfo|premature close/i,
    class: 'network',
  },
  {
    pattern: /internal server error|server_error|service unavailable|bad gateway|\b5\d\d\b/i,
    class: 'server',
  },
];

export interface ServiceError {
  readonly message: string;
  /** Of the HTTP answer. */
  readonly status?: number | undefined;
  /** More that the service said: the body of its answer, its `retry-after`. */
  readonly details?: string | undefined;
}

/** What a service's error is. A status decides where it is clear; where it is not (429, 400), the words do. */
export function serviceFault({ message, status, details = '' }: ServiceError, now: number): CliFault {
  const words = findFault(`${message}\n${details}`, serviceFaults, now);
  const found = classOf(status, words?.class);
  return {
    class: found,
    message: oneLine(message),
    ...(passingFaults.has(found) && comeBack(`${message}\n${details}`, now)),
  };
}

function classOf(status: number | undefined, words: FaultClass | undefined): FaultClass {
  if (status === undefined || status === 400 || status === 422) return words ?? 'server';
  if (status === 401 || status === 403) return words === 'quota' ? 'quota' : 'auth';
  if (status === 402) return 'quota';
  if (status === 404) return 'model';
  if (status === 413) return 'context';
  if (status === 429) return words === 'quota' ? 'quota' : 'rate';
  if (status === 503 || status === 529) return 'overloaded';
  return words === 'overloaded' ? 'overloaded' : status >= 500 ? 'server' : (words ?? 'server');
}
