/**
 * Why Claude Code failed. Its result names a class of its own, the status of the service's answer and why it ended; where
 * these do not decide (a used-up plan and a short limit are both `rate_limit`), the words do. What it says before a session
 * has begun stands on stderr alone.
 */
import type { CliFault, FaultClass } from '../../../types/agent-cli.ts';
import { oneLine } from '../reading/events.ts';
import { type FaultPattern, findFault, passingFaults } from '../reading/faults.ts';
import { comeBack, comeBackAt } from '../reading/times.ts';
import { dispensableFlags } from './launch.ts';

export interface ClaudeFailure {
  readonly message: string;
  /** Of its own classes: `authentication_failed`, `rate_limit` … */
  readonly error?: string | undefined;
  /** HTTP status of the service's answer. */
  readonly status?: number | undefined;
  /** `connection_failed`: there was none. */
  readonly apiError?: string | undefined;
  /** `error_max_turns` … */
  readonly subtype?: string | undefined;
  /** `prompt_too_long`, `max_turns` … */
  readonly terminalReason?: string | undefined;
  readonly stopReason?: string | undefined;
  readonly startupReason?: string | undefined;
  /** When the limit that refused the request ends: epoch seconds, as it tells it. */
  readonly resetsAt?: number | undefined;
  /** The service said itself that a limit of the plan is reached. */
  readonly isLimitReached?: boolean | undefined;
}

const fixes: Partial<Readonly<Record<FaultClass, string>>> = {
  auth: 'Run `claude` and `/login` as the user that Sluice runs as, or set ANTHROPIC_API_KEY.',
  model: 'Set `model` of the agent to one that this account has.',
  output_limit: 'Ask for less at once, or set CLAUDE_CODE_MAX_OUTPUT_TOKENS in `env` of the agent.',
};

export function faultOf(failure: ClaudeFailure, now: number): CliFault {
  const found = classOf(failure);
  const { message, resetsAt } = failure;
  const fix = fixOf(found, failure);
  const reset = found === 'quota' && resetsAt !== undefined ? comeBackAt(resetsAt, now) : undefined;
  return {
    class: found,
    message: oneLine(message) || `Claude Code failed (${failure.subtype ?? failure.terminalReason ?? found})`,
    ...(fix !== undefined && { fix }),
    ...(reset ?? (passingFaults.has(found) && comeBack(message, now))),
  };
}

function fixOf(found: FaultClass, { message, subtype, terminalReason }: ClaudeFailure): string | undefined {
  if (found === 'quota')
    return /credit|billing/i.test(message)
      ? 'Buy credit at https://platform.claude.com/settings/billing, or use another log-in.'
      : undefined;
  if (found !== 'limits') return fixes[found];
  if (subtype === 'error_max_turns' || terminalReason === 'max_turns')
    return 'Raise `max_turns` of the agent, or ask for less at once.';
  if (subtype === 'error_max_budget_usd' || terminalReason === 'budget_exhausted')
    return 'Raise `budget.usd_per_run` of the agent, or ask for less at once.';
  return undefined;
}

/** By what is surest. */
function classOf(failure: ClaudeFailure): FaultClass {
  const { message } = failure;
  return (
    byEnd(failure) ??
    byOwnClass(failure) ??
    findFault(message, inMessages, 0)?.class ??
    byStatus(failure.status) ??
    (failure.apiError === 'connection_failed' ? 'network' : 'server')
  );
}

function byEnd({
  subtype,
  terminalReason,
  stopReason,
  startupReason,
}: ClaudeFailure): FaultClass | undefined {
  if (startupReason !== undefined) return /proxy/.test(startupReason) ? 'network' : 'setup';
  if (stopReason === 'refusal') return 'refused';
  switch (subtype) {
    case 'error_max_structured_output_retries':
      return 'shape';
    case 'error_max_turns':
    case 'error_max_budget_usd':
      return 'limits';
  }
  switch (terminalReason) {
    case 'prompt_too_long':
    case 'blocking_limit':
    case 'rapid_refill_breaker':
      return 'context';
    case 'structured_output_retry_exhausted':
      return 'shape';
    case 'max_turns':
    case 'budget_exhausted':
      return 'limits';
    default:
      return undefined;
  }
}

function byOwnClass({
  error,
  message,
  status,
  apiError,
  isLimitReached,
}: ClaudeFailure): FaultClass | undefined {
  switch (error) {
    case 'authentication_failed':
    case 'oauth_org_not_allowed':
    case 'account_on_hold':
    case 'verification_required':
    case 'cloud_credential_error':
      // A short fault of the service while it logged in.
      return status !== undefined && status >= 500 ? 'server' : 'auth';
    case 'billing_error':
      return 'quota';
    case 'rate_limit':
      if (isLimitReached) return 'quota';
      return notOurLimit.test(message) ? 'overloaded' : limitReached.test(message) ? 'quota' : 'rate';
    case 'overloaded':
      return 'overloaded';
    case 'model_not_found':
      return 'model';
    case 'max_output_tokens':
      return /context window/i.test(message) ? 'context' : 'output_limit';
    case 'server_error':
      if (status === 529 || /overloaded/i.test(message)) return 'overloaded';
      return apiError === 'connection_failed' ? 'network' : findFault(message, inMessages, 0)?.class;
    default:
      return apiError === 'connection_failed' ? 'network' : undefined;
  }
}

function byStatus(status: number | undefined): FaultClass | undefined {
  if (status === undefined) return undefined;
  if (status === 401 || status === 403) return 'auth';
  if (status === 402) return 'quota';
  if (status === 404) return 'model';
  if (status === 413) return 'context';
  if (status === 429) return 'rate';
  if (status === 529) return 'overloaded';
  // Its own request was not to the service's liking: the same again would not be either.
  return status >= 500 ? 'server' : status >= 400 ? 'setup' : undefined;
}

const limitReached =
  /usage limit reached|hit your .{0,60}limit|(?:spend|session|weekly|daily|monthly|plan) limit (?:reached|unavailable)|out of (?:extra )?usage|usage credits?|limit reached\|\d/i;
const notOurLimit = /not your usage limit|temporarily limiting requests/i;

const inMessages: readonly FaultPattern[] = [
  { pattern: /^No conversation found/, class: 'setup' },
  { pattern: notOurLimit, class: 'overloaded' },
  { pattern: limitReached, class: 'quota' },
  { pattern: /credit balance is too low|billing_error|insufficient credits/i, class: 'quota' },
  {
    pattern:
      /not logged in|please run \/login|invalid api key|invalid bearer token|oauth token (?:has )?(?:expired|revoked)|authentication[_ ](?:failed|error)|failed to authenticate|invalid auth/i,
    class: 'auth',
  },
  {
    pattern: /issue with the selected model|model_not_found|may not exist or you may not have access/i,
    class: 'model',
  },
  {
    pattern: /prompt is too long|conversation is too long|request too large|context window/i,
    class: 'context',
  },
  { pattern: /output token maximum|max_output_tokens/i, class: 'output_limit' },
  {
    pattern:
      /unable to respond to this request|violate our usage policy|usage policy|declined to (?:answer|respond)/i,
    class: 'refused',
  },
  { pattern: /overloaded|at capacity/i, class: 'overloaded' },
  { pattern: /rate[_ ]limit|request rejected \(429\)|\b429\b/i, class: 'rate' },
  {
    pattern:
      /connection (?:dropped|refused|error|closed|reset|failed)|request timed out|unable to connect|fetch failed|ECONN\w+|ENOTFOUND|EAI_AGAIN|ETIMEDOUT|socket hang up|certificate/i,
    class: 'network',
  },
  { pattern: /API Error: 5\d\d|internal server error|service unavailable|server_error/i, class: 'server' },
];

/** Before a session has begun, in the order in which they are looked for. */
const beforeStart: readonly FaultPattern[] = [
  {
    pattern: /cannot be used with root\/sudo privileges/,
    class: 'setup',
    fix: 'Run Sluice as a user other than root, or keep the sandbox of this agent (`sandbox: required`).',
  },
  {
    pattern: /^error: unknown option '([^']+)'/m,
    class: 'flags',
    message: ([, flag]) => `This version of Claude Code does not know ${flag}`,
    fix: 'Run `claude update`.',
    cure: ([, flag = '']) => (dispensableFlags.has(flag) ? { kind: 'without_flag', flag } : undefined),
  },
  {
    pattern: /^error: option '(--[\w-]{1,60})(?![\w-])[^']*' argument '[^']*' is invalid.*/m,
    class: 'flags',
    message: ([line]) => line,
    fix: 'Check `model`, `effort`, `max_turns` and `budget` of the agent.',
  },
  { pattern: /^"?.*was read as a value of --[\w-]+, not as a prompt/m, class: 'flags' },
  { pattern: /^Error: When using --print.*/m, class: 'flags' },
  { pattern: /^No conversation found with session ID: \S+/m, class: 'setup' },
  { pattern: /^Error: Session ID \S+ is already in use/m, class: 'setup' },
  { pattern: /^Error: (?:Settings file not found|Invalid (?:JSON|MCP|settings)).*/m, class: 'setup' },
  {
    pattern: /native binary (?:was )?not (?:found|installed)|postinstall/i,
    class: 'setup',
    fix: 'Run `npm install -g @anthropic-ai/claude-code` with its install scripts allowed.',
  },
  { pattern: /ENOSPC|No space left on device/, class: 'setup', fix: 'Make room on the disk.' },
];

/** What stderr says of a start that came to nothing. */
export function startFault(stderr: string, now: number): CliFault | undefined {
  const known = findFault(stderr, beforeStart, now);
  if (known) return known;
  // Its own messages begin a line; whatever else stands there may be anybody's.
  const own = stderr
    .split('\n')
    .filter((line) => /^(?:error|API Error|Invalid|Not logged in|Failed)\b/i.test(line));
  return findFault(own.join('\n'), inMessages, now);
}
