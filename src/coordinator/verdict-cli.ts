/**
 * Whether an agent CLI did what it says. None of their exit codes can be trusted alone: a success is exit code 0, *and* a
 * terminal event that says so, *and* an answer, *and* nothing that was denied. One reason for each way of failing that.
 */
import type { CliAgent } from '../config/config.ts';
import type { AgentResult, AttemptOutcome } from '../types/agent.ts';
import type { CliFault, CliReport } from '../types/agent-cli.ts';
import type { FailureReason } from '../types/job.ts';
import type { Verdict } from './verdict.ts';

export type CliEnding = Extract<
  AttemptOutcome,
  { kind: 'exited' | 'signalled' | 'lingered' | 'timed_out' | 'stalled' }
>;

const ALWAYS = Number.POSITIVE_INFINITY;
/** Of what may go better by itself; `whenOver` is what it is in the end. */
export const again = 'It is tried again by itself; after that, `sluice jobs retry`.';
export const whenOver = 'See whether its service works again, then `sluice jobs retry`.';
const look = 'Look at its events with `sluice jobs show`, then `sluice jobs retry`.';

/** @param wasCorrected This attempt was already given what the one before it lacked. */
export function judgeCli(
  agent: CliAgent,
  result: AgentResult,
  outcome: CliEnding,
  wasCorrected: boolean,
): Verdict {
  const report = result.cli?.report;
  const next = result.cli?.record.next;
  if (!report) return failed('empty_result', `${agent.name} left no stream to read`, look, 1);
  const [fault] = report.terminal === 'success' ? [] : report.faults;
  if (fault && (fault.class === 'quota' || fault.class === 'rate')) return parked(agent, fault);
  const lacks = report.denials.length > 0 || (fault?.cure !== undefined && report.terminal !== 'success');
  if (lacks && next && !wasCorrected)
    return {
      kind: 'corrected',
      message: `${whatItLacked(report).replace(/\.$/, '')}; started again with what it lacked`,
    };
  if (report.denials.length > 0) return denied(agent, result, report);
  if (fault) return ofFault(agent, fault);
  return ofEnd(agent, result, report, outcome);
}

function ofEnd({ name }: CliAgent, result: AgentResult, report: CliReport, outcome: CliEnding): Verdict {
  if (outcome.kind === 'signalled')
    return failed('exit_code', `${name} was ended by ${outcome.signal}${tailOf(result)}`, look, ALWAYS);
  if (outcome.kind === 'exited' && outcome.exitCode !== 0)
    return failed('exit_code', `${name} exited with ${outcome.exitCode}${tailOf(result)}`, look, 1);
  if (report.terminal === 'failure')
    return failed('api_error', `${name} says that it failed, and not why${tailOf(result)}`, look, 1);
  if (report.terminal === 'none')
    return failed(
      'empty_result',
      `${name} ended without its last word, with exit code 0${tailOf(result)}`,
      look,
      2,
    );
  if (result.resultBytes === 0)
    return failed('empty_result', `${name} says that it succeeded, and gave no answer`, look, 1);
  return { kind: 'succeeded', proof: outcome.kind === 'exited' ? ['exit_code', 'event'] : ['event'] };
}

function parked({ name }: CliAgent, fault: CliFault): Verdict {
  const { message, until, retryAfterMs } = fault;
  return {
    kind: 'parked',
    shortage: {
      why: fault.class === 'quota' ? 'quota' : 'rate',
      message,
      ...(until !== undefined && { until }),
      ...(retryAfterMs !== undefined && { retryAfterMs }),
    },
    message: `${name}: ${message}`,
    fix: fault.fix ?? 'It goes on by itself when its agent may be used again (`sluice agents list`).',
  };
}

function denied(agent: CliAgent, result: AgentResult, report: CliReport): Verdict {
  const { name, cli } = agent;
  const { ceiling, directories = [] } = result.cli?.beyond ?? {};
  const folders = directories.map((path) => JSON.stringify(path)).join(', ');
  const remedies = [
    ...(ceiling === undefined
      ? []
      : [
          `raise \`permissions.ceiling\` of agent "${name}" to \`${ceiling}\` (now \`${cli.permissions.ceiling}\`)`,
        ]),
    ...(folders === '' ? [] : [`add ${folders} to \`permissions.directories\` of agent "${name}"`]),
  ];
  const remedy = remedies.join(' and ') || `change what agent "${name}" may do, or its prompt`;
  return {
    kind: 'denied',
    message: `${name} ${whatItLacked(report)}`,
    fix: `If that is meant to be allowed, ${remedy}, then \`sluice jobs release JOB\`; else \`sluice jobs cancel JOB\`.`,
  };
}

function whatItLacked({ denials, faults }: CliReport): string {
  const [first] = denials;
  if (!first) return `was not started as it must be: ${faults[0]?.message ?? ''}`;
  const more = denials.length > 1 ? `, and ${denials.length - 1} more` : '';
  return `was denied: ${first.message}${more}`;
}

function ofFault({ name, cli }: CliAgent, fault: CliFault): Verdict {
  const say = (reason: FailureReason, what: string, fix: string, maxTries: number): Verdict => ({
    ...failed(reason, `${name} ${what}: ${fault.message}`, fault.fix ?? fix, maxTries),
    ...(fault.retryAfterMs !== undefined && { retryAfterMs: fault.retryAfterMs }),
  });
  switch (fault.class) {
    case 'auth':
      // What failed meanwhile is not tried again by itself.
      return failed(
        'auth',
        `${name} is not let in: ${fault.message}`,
        `${logIn(fault)} Then \`sluice jobs retry\`.`,
        1,
      );
    case 'overloaded':
      return say('api_error', 'found its service overloaded', again, ALWAYS);
    case 'server':
      return say('api_error', 'got an error from its service', again, ALWAYS);
    case 'network':
      return say('api_error', 'could not reach its service', again, ALWAYS);
    case 'refused':
      return say(
        'api_error',
        'refused the work',
        'Change the prompt, or name another agent as `fallback`.',
        1,
      );
    case 'model':
      return say(
        'api_error',
        `cannot use its model${cli.model === undefined ? '' : ` "${cli.model}"`}`,
        `Correct \`model\` of agent "${name}".`,
        1,
      );
    case 'context':
      return say(
        'api_error',
        'got more than its model can take in',
        'Make the input smaller (`max_input`), or take a model with more room.',
        1,
      );
    case 'output_limit':
      return say('api_error', 'was cut at the length that its model may answer', 'Ask for less at once.', 1);
    case 'shape':
      return say(
        'schema_invalid',
        'gave no answer of the shape that was asked for',
        'Make the schema easier to meet, or say in the prompt what belongs where.',
        1,
      );
    case 'limits':
      return say(
        'limit_exceeded',
        'came to a bound of its own',
        `Raise \`max_turns\` or the budget of agent "${name}".`,
        1,
      );
    case 'flags':
      return say(
        'spawn_failed',
        'does not know how it was called',
        'Update it (`sluice agents detect` says how).',
        1,
      );
    case 'setup':
      return say('spawn_failed', 'could not be set up', look, 1);
    case 'quota':
    case 'rate':
      return parked({ name, cli } as CliAgent, fault);
    default:
      return fault.class satisfies never;
  }
}

/** Of an attempt that was not let in: what a person does about it, a sentence. */
export function howToLogIn({ faults }: CliReport): string {
  return logIn(faults.find((fault) => fault.class === 'auth'));
}

function logIn(fault: CliFault | undefined): string {
  return fault?.fix ?? '`sluice agents detect` says how to log in.';
}

function tailOf({ stderrTail }: AgentResult): string {
  const line = stderrTail.trim().split('\n').at(-1)?.trim() ?? '';
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is taken out
  return line === '' ? '' : `: ${line.replace(/[\u0000-\u001f\u007f-\u009f]+/g, ' ').slice(0, 300)}`;
}

function failed(reason: FailureReason, message: string, fix: string, maxTries: number): Verdict {
  return { kind: 'failed', reason, message, fix, maxTries };
}
