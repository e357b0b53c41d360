/** What the result of Claude Code says: whether it is a success, and what of a failure it tells. */
import { type Json, listOf, objectOf, textOf, wholeOf } from '../reading/values.ts';
import type { ClaudeFailure } from './faults.ts';

/** `subtype: "success"` alone is none: it stands over failed requests and refusals, too. */
export function isSuccess(result: Json): boolean {
  const { is_error, subtype, stop_reason } = result;
  return is_error === false && subtype === 'success' && stop_reason !== 'refusal' && !isOwnCommand(result);
}

/** @param before The failure that its stream told last: the result repeats its words, but not its class. */
export function failureIn(result: Json, before: ClaudeFailure | undefined): ClaudeFailure {
  const errors = listOf(result.errors).flatMap((one) => textOf(one) ?? []);
  const message = textOf(result.result) ?? errors.slice(0, 10).join('\n');
  const isCommand = isOwnCommand(result);
  return {
    ...before,
    message: isCommand ? `It took the prompt for a command of its own. ${message}`.trim() : message,
    status: wholeOf(result.api_error_status) ?? before?.status,
    apiError: textOf(result.api_error) ?? before?.apiError,
    subtype: textOf(result.subtype),
    terminalReason: textOf(result.terminal_reason),
    stopReason: textOf(result.stop_reason) ?? before?.stopReason,
    startupReason: isCommand ? 'command' : textOf(result.startup_failure_reason),
  };
}

/** Of an error that it words as an answer of the model. */
export function failureInAnswer(answer: Json): ClaudeFailure {
  const { content, stop_reason } = objectOf(answer.message);
  return {
    message: listOf(content)
      .flatMap((block) => textOf(objectOf(block).text) ?? [])
      .join('\n'),
    error: textOf(answer.error),
    status: wholeOf(answer.api_error_status),
    apiError: textOf(answer.api_error),
    stopReason: textOf(stop_reason),
  };
}

/** It answered by itself: no model was asked. */
function isOwnCommand({ num_turns, terminal_reason, is_error }: Json): boolean {
  return is_error === false && num_turns === 0 && terminal_reason === undefined;
}
