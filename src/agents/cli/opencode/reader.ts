/**
 * Reads the stream of `opencode run --format json`: one object for each step, text and finished call of a tool. A step
 * that ends with `tool-calls` is followed by another; one that was refused something is not, and nothing says so but
 * stderr. Tokens and money are those of each step.
 */
import type { AgentEvent } from '../../../types/agent.ts';
import type { CliFault, CliReport } from '../../../types/agent-cli.ts';
import type { Usage } from '../../../types/job.ts';
import { UsageSum } from '../../event-lines.ts';
import type { CliEnd, CliLine, CliReader } from '../kind.ts';
import { event, noEvents, oneLine, percentDone, toolCall } from '../reading/events.ts';
import { mostTelling } from '../reading/faults.ts';
import { serviceFault } from '../reading/service-faults.ts';
import { amountOf, type Json, listOf, objectOf, textOf, wholeOf } from '../reading/values.ts';
import { denialsOf, isRejection, type Rejected } from './denials.ts';
import { stderrFaults } from './stderr.ts';

/** Longer answers are cut: no model gives them. */
const maxAnswer = 4 << 20;
const maxRejected = 100;
const maxErrors = 20;
/** Of one message of an error. */
const maxMessage = 16_384;

/** What its session ended with, unless something follows. */
type Last = 'nothing' | 'stopped' | 'failed';

export class OpencodeReader implements CliReader {
  #last: Last = 'nothing';
  readonly #sum = new UsageSum();
  #texts: string[] = [];
  /** Characters that its answer may still grow by. */
  #room = maxAnswer;
  #message: string | undefined;
  #sessionId: string | undefined;
  readonly #rejected: Rejected[] = [];
  #errors: { readonly message: string; readonly status?: number; readonly details?: string }[] = [];
  #fault: CliFault | undefined;
  /** Instructions that it took from a file of the material, in spite of our plugin. */
  #obeyed: string | undefined;

  get hasEnded(): boolean {
    return this.#last !== 'nothing';
  }

  line(line: CliLine): readonly AgentEvent[] {
    if (line.kind !== 'json') return noEvents;
    const { type, sessionID } = line.value;
    this.#sessionId ??= textOf(sessionID);
    const part = objectOf(line.value.part);
    switch (type) {
      case 'step_start':
        this.#begin();
        return noEvents;
      case 'text':
        return this.#text(part);
      case 'tool_use':
        return this.#tool(part);
      case 'step_finish':
        return this.#finish(part);
      case 'error':
        return this.#error(objectOf(line.value.error));
      default:
        return noEvents;
    }
  }

  end({ stderr, now }: CliEnd): CliReport {
    const terminal =
      this.#last === 'stopped' && this.#obeyed === undefined
        ? 'success'
        : this.#last === 'nothing'
          ? 'none'
          : 'failure';
    const faults: CliFault[] = [];
    if (this.#obeyed !== undefined) faults.push(obeyedFault(this.#obeyed));
    if (this.#fault) faults.push(this.#fault);
    faults.push(...this.#errors.map((error) => errorFault(error, now)));
    if (terminal !== 'success') faults.push(...stderrFaults(stderr, now, faults.length === 0));
    const { usage, costUsd } = this.#sum;
    return {
      terminal,
      faults: mostTelling(faults),
      denials: denialsOf(this.#rejected, stderr),
      text: this.#texts.join('\n\n'),
      ...(this.#sessionId !== undefined && { sessionId: this.#sessionId }),
      ...(usage && { usage }),
      costUsd,
    };
  }

  /** It goes on: what looked like an end, or failed before, was none. */
  #begin(): void {
    this.#last = 'nothing';
    this.#errors = [];
    this.#fault = undefined;
  }

  #text({ text, messageID }: Json): readonly AgentEvent[] {
    const said = textOf(text)?.trim();
    if (!said) return noEvents;
    // The answer is what the last message says, in all its parts.
    if (messageID !== this.#message) {
      this.#texts = [];
      this.#room = maxAnswer;
    }
    this.#message = textOf(messageID);
    if (this.#room > 0) this.#texts.push(said.slice(0, this.#room));
    this.#room -= said.length;
    return [event('progress', { text: said })];
  }

  #tool(part: Json): readonly AgentEvent[] {
    const tool = textOf(part.tool) ?? 'tool';
    const state = objectOf(part.state);
    const input = objectOf(state.input);
    const file = textOf(input.filePath);
    const call = toolCall(tool, input, { file, isShell: tool === 'bash' });
    const error = state.status === 'error' ? (textOf(state.error) ?? 'failed') : undefined;
    if (error !== undefined && isRejection(error)) {
      const rejected = { tool, ...(file !== undefined && { file }) };
      if (this.#rejected.length < maxRejected) this.#rejected.push(rejected);
      return [call, event('blocker', { text: `${tool}: ${oneLine(error)}`, file, permission: true })];
    }
    if (error !== undefined) return [call, event('progress', { text: `${tool} failed: ${oneLine(error)}` })];
    const [loaded] = listOf(objectOf(state.metadata).loaded);
    if (loaded !== undefined) {
      this.#obeyed ??= textOf(loaded) ?? 'a file';
      return [call, event('error', { text: obeyedFault(this.#obeyed).message, file: this.#obeyed })];
    }
    if (tool === 'todowrite') return [tasks(listOf(input.todos))];
    return [call];
  }

  #finish(part: Json): readonly AgentEvent[] {
    const spent = spentIn(part);
    this.#sum.add(event('progress', spent));
    switch (part.reason) {
      case 'tool-calls':
      case 'unknown':
        return [event('status', { text: 'step done', ...spent })];
      case 'length':
        return this.#failed(
          { class: 'output_limit', message: "The answer was cut at the model's limit" },
          spent,
        );
      case 'content-filter':
        return this.#failed({ class: 'refused', message: "The model's service filtered the answer" }, spent);
      case 'error':
        return this.#failed({ class: 'server', message: 'The step ended with an error' }, spent);
      default:
        this.#last = 'stopped';
        return [event('milestone', { text: this.#texts.join('\n\n'), progress: 100, final: true, ...spent })];
    }
  }

  #failed(fault: CliFault, spent: Spending): readonly AgentEvent[] {
    this.#last = 'failed';
    this.#fault = fault;
    return [event('error', { text: fault.message, final: true, ...spent })];
  }

  #error(error: Json): readonly AgentEvent[] {
    const data = objectOf(error.data);
    const said = textOf(data.message) ?? textOf(error.message) ?? textOf(error.name) ?? 'failed';
    const message = said.slice(0, maxMessage);
    const status = wholeOf(data.statusCode);
    const after = objectOf(data.responseHeaders)['retry-after'];
    const details = [
      textOf(error.name) ?? '',
      textOf(data.responseBody)?.slice(0, maxMessage) ?? '',
      typeof after === 'string' ? `retry-after: ${after}` : '',
    ].join('\n');
    this.#last = 'failed';
    if (this.#errors.length < maxErrors)
      this.#errors.push({ message, details, ...(status !== undefined && { status }) });
    return [event('error', { text: oneLine(message), final: true })];
  }
}

interface Spending {
  readonly usage?: Usage;
  readonly cost_usd?: number;
}

function spentIn({ tokens, cost }: Json): Spending {
  const { input, output, reasoning, cache } = objectOf(tokens);
  const { read, write } = objectOf(cache);
  // What it has no price for costs 0 there: that is not known, not free.
  const usd = amountOf(cost);
  return {
    ...(amountOf(input) !== undefined && {
      usage: {
        input_tokens: amountOf(input) ?? 0,
        cache_read_tokens: amountOf(read) ?? 0,
        cache_write_tokens: amountOf(write) ?? 0,
        output_tokens: (amountOf(output) ?? 0) + (amountOf(reasoning) ?? 0),
      },
    }),
    ...(usd !== undefined && usd > 0 && { cost_usd: usd }),
  };
}

function tasks(todos: readonly unknown[]): AgentEvent {
  const done = todos.filter((one) => objectOf(one).status === 'completed').length;
  const current = todos.find((one) => objectOf(one).status === 'in_progress');
  return event('task', {
    text: textOf(objectOf(current).content) ?? `${done} of ${todos.length} done`,
    progress: percentDone(done, todos.length),
  });
}

function errorFault(
  error: { readonly message: string; readonly status?: number; readonly details?: string },
  now: number,
): CliFault {
  const name = error.details?.split('\n', 1)[0];
  const message = oneLine(error.message);
  if (name === 'ProviderAuthError') return { class: 'auth', message };
  if (name === 'ContextOverflowError') return { class: 'context', message };
  if (name === 'MessageOutputLengthError') return { class: 'output_limit', message };
  if (/^Failed to initialize provider/.test(message))
    return {
      ...{ class: 'setup', message },
      fix: 'Run `opencode run --model PROVIDER/MODEL hi` once as the user of the daemon: that fetches the package of its provider.',
    };
  return serviceFault(error, now);
}

function obeyedFault(file: string): CliFault {
  return {
    class: 'setup',
    message: `It took ${file} for instructions`,
    fix: 'This version of opencode cannot be kept from that: remove the file, or give such files to another agent.',
  };
}
