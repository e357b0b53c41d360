/**
 * Green means proved: from how an attempt ended and what it left to `succeeded` with its proof, or to one reason why
 * not, and whether trying again makes sense. The table of faults is here and nowhere else.
 */
import { stripVTControlCharacters } from 'node:util';
import { type AgentConfig, isCliAgent, isOwnAgent } from '../config/config.ts';
import { formatDuration } from '../config/duration.ts';
import { formatSize } from '../config/size.ts';
import type { AgentResult } from '../types/agent.ts';
import type { FailureReason, Proof } from '../types/job.ts';
import type { Shortage } from './parking.ts';
import { again, type CliEnding, judgeCli } from './verdict-cli.ts';

export type Verdict =
  | { readonly kind: 'succeeded'; readonly proof: readonly Proof[] }
  | {
      readonly kind: 'failed';
      readonly reason: FailureReason;
      readonly message: string;
      readonly fix: string;
      /** How often an attempt that ended like this may be made in all; the agent's `retry.attempts` is the other bound. */
      readonly maxTries: number;
      readonly retryAfterMs?: number;
    }
  /** Started again at once with what it lacked; no retry is used up. */
  | { readonly kind: 'corrected'; readonly message: string }
  /** It needs more than its agent may have: a person decides. */
  | { readonly kind: 'denied'; readonly message: string; readonly fix: string }
  /** Its agent has nothing left for now, or is known not to be let in; no retry is used up. */
  | {
      readonly kind: 'parked';
      readonly shortage: Shortage | { readonly why: 'auth' };
      readonly message: string;
      readonly fix: string;
    }
  /** A review ended it while it ran; a person decides. */
  | { readonly kind: 'reviewed'; readonly decision: 'pause' | 'stop'; readonly message: string }
  | { readonly kind: 'cancelled'; readonly reason: string }
  /** Nobody knows how it would have ended: it goes back to the queue and no retry is used up. */
  | { readonly kind: 'interrupted' };

const RETRY_AS_CONFIGURED = Number.POSITIVE_INFINITY;

/**
 * What the end of the attempt alone says. What the rule `expect`s is checked by `expect.ts` after a success here.
 * @param wasCorrected The attempt was already given what the one before it lacked (`types/agent-cli.ts`).
 */
export function judge(agent: AgentConfig, result: AgentResult, wasCorrected = false): Verdict {
  const { outcome } = result;
  const { who, whose } = wordsOf(agent);
  if (isCliAgent(agent) && isEnd(outcome, result)) return judgeCli(agent, result, outcome, wasCorrected);
  switch (outcome.kind) {
    case 'exited':
      if (outcome.exitCode === 0) return { kind: 'succeeded', proof: ['exit_code'] };
      return failed(
        'exit_code',
        withTail(`${who} exited with ${outcome.exitCode}`, result),
        agent.kind === 'workflow' ? lookAtRun : lookAt,
        RETRY_AS_CONFIGURED,
      );
    case 'signalled':
      return failed(
        'exit_code',
        withTail(`${who} was ended by ${outcome.signal}`, result),
        lookAt,
        RETRY_AS_CONFIGURED,
      );
    case 'timed_out':
      return failed(
        'timeout',
        withTail(`${who} did not end within ${formatDuration(outcome.afterMs)}`, result),
        `Raise \`timeout\` ${whose}, or find out why it takes so long.`,
        2,
      );
    case 'stalled':
      return failed(
        'stalled',
        withTail(`${who} wrote nothing for ${formatDuration(outcome.idleMs)}`, result),
        `Raise \`idle_timeout\` ${whose}, or find out what it waits for.`,
        2,
      );
    case 'output_exceeded':
      return failed(
        'limit_exceeded',
        `${who} wrote more than ${formatSize(outcome.maxBytes)}`,
        `Raise \`limits.output\` ${whose}, or make it write less; what it wrote is kept.`,
        1,
      );
    case 'spawn_failed':
      return failed(
        'spawn_failed',
        `${who} could not be started: ${outcome.message}`,
        `Check \`command\` ${whose} (\`sluice doctor\`).`,
        ['E2BIG', 'EILSEQ', 'ENOEXEC', 'EACCES'].includes(outcome.code) ? 1 : RETRY_AS_CONFIGURED,
      );
    case 'responded':
      return judgeResponse(agent, outcome);
    case 'unreachable':
      return failed(
        'http_error',
        `${who} could not be reached: ${outcome.message}`,
        `Check that the endpoint ${whose} is up and its \`url\` is right.`,
        RETRY_AS_CONFIGURED,
      );
    case 'limit_exceeded':
      return failed('limit_exceeded', outcome.message, outcome.fix, 1);
    case 'stuck':
      return failed(
        'stuck',
        `${who} called ${outcome.tool} ${outcome.times} times in a row with the same arguments`,
        `Look at its events with \`sluice jobs show\`; \`max_repeats\` ${whose} sets the bound.`,
        1,
      );
    case 'refused_command':
      return failed(
        'permission_denied',
        `${who} ran a command that is blocked: ${outcome.command}`,
        `If that is meant to be allowed, take it out of \`sandbox.blocked\` ${whose}.`,
        1,
      );
    case 'lingered':
      // Only agent CLIs are ended for this.
      return failed('timeout', `${who} did not end after its result`, lookAt, 1);
    case 'reviewed':
      return { kind: 'reviewed', decision: outcome.decision, message: outcome.message };
    case 'unconfinable':
      return failed('sandbox_unavailable', outcome.message, outcome.fix, 1);
    case 'uncollected':
      return failed('interrupted', outcome.message, outcome.fix, 1);
    case 'cancelled':
      return { kind: 'cancelled', reason: outcome.reason };
    case 'interrupted':
      return { kind: 'interrupted' };
    default:
      return outcome satisfies never;
  }
}

/** An agent CLI that came to its time-out after its last word had only not ended yet: what it made is there. */
function isEnd(outcome: AgentResult['outcome'], { cli }: AgentResult): outcome is CliEnding {
  switch (outcome.kind) {
    case 'exited':
    case 'signalled':
    case 'lingered':
      return true;
    case 'timed_out':
    case 'stalled':
      return cli?.report.terminal === 'success';
    default:
      return false;
  }
}

const lookAtRun =
  'Look at its steps with `sluice workflow show`; `sluice jobs retry` starts a new run for the file.';
const lookAt = 'Look at the output with `sluice jobs show`, then `sluice jobs retry`.';

function judgeResponse(
  agent: AgentConfig,
  { status, retryAfterMs, message }: Extract<AgentResult['outcome'], { kind: 'responded' }>,
): Verdict {
  const { who } = wordsOf(agent);
  if (status >= 200 && status < 300) return { kind: 'succeeded', proof: ['http_status'] };
  const transient = status === 429 || status >= 500;
  return {
    ...failed(
      'http_error',
      `${who} answered ${status}${message ? `: ${message}` : ''}`,
      transient ? again : `Check what ${who} expects.`,
      transient ? RETRY_AS_CONFIGURED : 1,
    ),
    ...(retryAfterMs !== undefined && { retryAfterMs }),
  };
}

function failed(
  reason: FailureReason,
  message: string,
  fix: string,
  maxTries: number,
): Extract<Verdict, { kind: 'failed' }> {
  return { kind: 'failed', reason, message, fix, maxTries };
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
const control = /[\u0000-\u001f\u007f-\u009f]+/g;

/** The last line of stderr that speaks of an error says most about a failure; else the last line. */
function withTail(message: string, { stderrTail }: AgentResult): string {
  const lines = stripVTControlCharacters(stderrTail)
    .split('\n')
    .map((line) => line.replace(control, ' ').trim())
    .filter((line) => line !== '');
  const telling = lines.findLast((line) =>
    /error|exception|fatal|panic|cannot|can't|failed|denied|not found|invalid/i.test(line),
  );
  const last = telling ?? lines.at(-1);
  return last ? `${message}: ${last.slice(0, 300)}` : message;
}

/**
 * When to try again: exponential, with jitter between half and all of the delay so that a crowd does not come back at
 * one instant. An agent that names a time is taken at its word.
 * @param tries Attempts made so far, at least 1.
 * @param random 0 ≤ random < 1.
 */
export function backoffMs(
  { initialMs, maxMs }: AgentConfig['retry'],
  tries: number,
  random: number,
  retryAfterMs?: number,
): number {
  if (retryAfterMs !== undefined) return retryAfterMs;
  const full = Math.min(maxMs, initialMs * 2 ** Math.min(tries - 1, 40));
  return Math.round(full * (0.5 + random / 2));
}

/** A step's own command or request has no name that somebody could look up. */
function wordsOf({ name, kind }: AgentConfig): { readonly who: string; readonly whose: string } {
  if (!isOwnAgent(name)) return { who: name, whose: `of agent "${name}"` };
  return { who: kind === 'http' ? 'the request' : `the ${kind}`, whose: 'of the step' };
}
