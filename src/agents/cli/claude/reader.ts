/**
 * Reads the stream of `claude -p --output-format stream-json`. Most of its lines are pieces of messages that are being
 * written. They are asked for so that a model that thinks for long is not taken for one that hangs; what they say is passed
 * over, since the whole messages follow. Its exit code and `subtype: "success"` say little: a denied tool and a failed
 * request may stand under both.
 */
import type { AgentEvent } from '../../../types/agent.ts';
import type { CliFault, CliReport } from '../../../types/agent-cli.ts';
import type { CliEnd, CliLine, CliReader } from '../kind.ts';
import { event, noEvents, oneLine } from '../reading/events.ts';
import { amountOf, type Json, listOf, objectOf, textOf, wholeOf } from '../reading/values.ts';
import { Calls } from './calls.ts';
import { type ClaudeFailure, faultOf, startFault } from './faults.ts';
import { failureIn, failureInAnswer, isSuccess } from './last-word.ts';
import { ToolCalls } from './tools.ts';
import { ClaudeUsage } from './usage.ts';

/** Of one message; more of them are not told. */
const maxBlocks = 200;
const maxKeptText = 4 << 20;
const maxPrinted = 4_000;

/** The model that it names where it words an error of its own as an answer. */
const synthetic = '<synthetic>';

export class ClaudeReader implements CliReader {
  #terminal: 'success' | 'failure' | undefined;
  /** The key is wrong, and it only tries again. */
  #isHopeless = false;
  #sessionId: string | undefined;
  #model: string | undefined;
  #keySource: string | undefined;
  /** The last text of a message of its own, not of a sub-agent's: the answer where no result repeats it. */
  #said = '';
  #answer: string | undefined;
  #structured: unknown;
  /** The last failure that nothing has followed since. */
  #failure: ClaudeFailure | undefined;
  /** The limit of the plan that refused a request; until another one is let through. */
  #limit: { readonly resetsAt?: number | undefined } | undefined;
  /** Lines that are no JSON: what it prints when it cannot start. */
  #printed = '';
  readonly #usage = new ClaudeUsage();
  readonly #tools = new ToolCalls();
  readonly #calls = new Calls();

  get hasEnded(): boolean {
    return this.#terminal !== undefined || this.#isHopeless;
  }

  get isHopeless(): boolean {
    return this.#isHopeless;
  }

  line(line: CliLine): readonly AgentEvent[] {
    if (line.kind === 'json') return this.#json(line.value);
    if (line.kind === 'text' && !/^\s*[{[]/.test(line.text) && this.#printed.length < maxPrinted)
      this.#printed += `${line.text.slice(0, maxPrinted)}\n`;
    return noEvents;
  }

  end({ stderr, now }: CliEnd): CliReport {
    const { usage, costUsd } = this.#usage;
    const isWell = this.#terminal === 'success';
    return {
      terminal: this.#terminal ?? 'none',
      // What it got over by itself does not count.
      faults: isWell ? [] : this.#faults(stderr, now),
      denials: this.#calls.denials,
      text: (isWell ? this.#answer : undefined) ?? this.#said,
      ...(this.#structured !== undefined && { structured: this.#structured }),
      ...(this.#sessionId !== undefined && { sessionId: this.#sessionId }),
      ...(this.#model !== undefined && { model: this.#model }),
      ...(usage && { usage }),
      costUsd,
    };
  }

  #json(value: Json): readonly AgentEvent[] {
    switch (value.type) {
      case 'stream_event':
        return this.#piece(value);
      case 'assistant':
        return this.#assistant(value);
      case 'user':
        return this.#results(value);
      case 'system':
        return this.#system(value);
      case 'rate_limit_event':
        return this.#rateLimit(objectOf(value.rate_limit_info));
      case 'result':
        return this.#result(value);
      default:
        return noEvents;
    }
  }

  #piece({ event: piece, api_message_id }: Json): readonly AgentEvent[] {
    const { type, usage } = objectOf(piece);
    if (type === 'message_delta') this.#usage.messageEnd(textOf(api_message_id), usage);
    return noEvents;
  }

  #system(value: Json): readonly AgentEvent[] {
    switch (value.subtype) {
      case 'init':
        return this.#init(value);
      case 'api_retry':
        return this.#retry(value);
      case 'permission_denied':
        return this.#calls.deny(value);
      case 'compact_boundary':
        return [event('status', { text: 'its conversation was compacted' })];
      default:
        return noEvents;
    }
  }

  #init(value: Json): readonly AgentEvent[] {
    this.#sessionId = textOf(value.session_id) ?? this.#sessionId;
    this.#model = textOf(value.model) ?? this.#model;
    const mode = textOf(value.permissionMode) ?? this.#calls.mode;
    this.#calls.mode = mode;
    this.#keySource = textOf(value.apiKeySource) ?? this.#keySource;
    const version = textOf(value.claude_code_version);
    const parts = [
      `Claude Code${version === undefined ? '' : ` ${version}`} started`,
      ...(this.#model === undefined ? [] : [`model ${this.#model}`]),
      ...(mode === undefined ? [] : [`mode ${mode}`]),
    ];
    return [event('status', { text: parts.join(', ') })];
  }

  #retry(value: Json): readonly AgentEvent[] {
    const error = textOf(value.error) ?? 'unknown';
    const status = wholeOf(value.error_status);
    const delay = amountOf(value.retry_delay_ms);
    const name = [status, error].filter((one) => one !== undefined).join(' ');
    this.#failure = { message: `API ${name}`, error, status };
    const which = `${amountOf(value.attempt) ?? '?'}/${amountOf(value.max_retries) ?? '?'}`;
    const when = delay === undefined ? '' : ` in ${(delay / 1000).toFixed(1)} s`;
    const text = `API ${name}, retry ${which}${when}`;
    const isRefused = error === 'authentication_failed' || error === 'billing_error';
    if (!isRefused || this.#isHopeless) return [event('status', { text })];
    // A log-in or a helper may give another key; a key that stands in a variable stays wrong.
    this.#isHopeless = this.#keySource === 'ANTHROPIC_API_KEY';
    return [event('error', { text, final: this.#isHopeless || undefined })];
  }

  #rateLimit({ status, resetsAt }: Json): readonly AgentEvent[] {
    if (status !== 'rejected') {
      this.#limit = undefined;
      return noEvents;
    }
    this.#limit = { resetsAt: amountOf(resetsAt) };
    return [event('status', { text: 'a usage limit of the plan is reached' })];
  }

  #assistant(value: Json): readonly AgentEvent[] {
    const { id, model, content, usage } = objectOf(value.message);
    if (model === synthetic || value.is_api_error_message === true) return this.#fail(value);
    this.#failure = undefined;
    this.#isHopeless = false;
    this.#model ??= textOf(model);
    this.#usage.message(textOf(id), usage);
    const isOwn = typeof value.parent_tool_use_id !== 'string';
    const events = listOf(content)
      .slice(0, maxBlocks)
      .flatMap((block) => this.#block(objectOf(block), isOwn));
    return this.#withUsage(events);
  }

  #block(block: Json, isOwn: boolean): readonly AgentEvent[] {
    if (block.type === 'text') {
      const text = textOf(block.text)?.trim() ?? '';
      if (text === '') return noEvents;
      if (isOwn) this.#said = text.slice(0, maxKeptText);
      return [event('progress', { text })];
    }
    const tool = textOf(block.name);
    if (block.type !== 'tool_use' || tool === undefined) return noEvents;
    const input = objectOf(block.input);
    const id = textOf(block.id);
    if (id !== undefined) this.#calls.begin(id, tool, input);
    return this.#tools.events(tool, input);
  }

  /** What is used stands on the first event after it was known. */
  #withUsage(events: readonly AgentEvent[]): readonly AgentEvent[] {
    const [first, ...rest] = events;
    const usage = first && this.#usage.take();
    return first && usage ? [{ ...first, payload: { ...first.payload, usage } }, ...rest] : events;
  }

  #fail(value: Json): readonly AgentEvent[] {
    const limit = objectOf(value.rate_limit_info);
    if (limit.status === 'rejected') this.#rateLimit(limit);
    this.#failure = failureInAnswer(value);
    return noEvents;
  }

  #results({ message, tool_use_result }: Json): readonly AgentEvent[] {
    const events = listOf(objectOf(message).content)
      .slice(0, maxBlocks)
      .map(objectOf)
      .flatMap((block) =>
        block.type === 'tool_result' ? this.#calls.end(block, tool_use_result) : noEvents,
      );
    return this.#withUsage(events);
  }

  #result(value: Json): readonly AgentEvent[] {
    this.#sessionId ??= textOf(value.session_id);
    this.#usage.result(value);
    const denials = this.#calls.denyLate(value.permission_denials);
    const spent = { usage: this.#usage.take(), cost_usd: this.#usage.takeCost() };
    if (isSuccess(value)) {
      const text = textOf(value.result);
      this.#terminal = 'success';
      this.#answer = text;
      this.#structured = value.structured_output ?? undefined;
      return [...denials, event('milestone', { text: text ?? '', progress: 100, final: true, ...spent })];
    }
    this.#terminal = 'failure';
    this.#failure = failureIn(value, this.#failure);
    const said = oneLine(this.#failure.message) || 'failed';
    return [...denials, event('error', { text: said, final: true, ...spent })];
  }

  #faults(stderr: string, now: number): readonly CliFault[] {
    const failure = this.#failure;
    // Ended from outside: that is no fault of its own.
    if (failure?.terminalReason?.startsWith('aborted')) return [];
    if (failure && this.#terminal !== undefined && failure.message.trim() !== '')
      return [faultOf({ ...failure, ...this.#limitOf() }, now)];
    const start = startFault(`${this.#printed}${stderr}`, now);
    if (start) return [start];
    return failure ? [faultOf({ ...failure, ...this.#limitOf() }, now)] : [];
  }

  #limitOf(): Pick<ClaudeFailure, 'resetsAt' | 'isLimitReached'> {
    return this.#limit ? { isLimitReached: true, resetsAt: this.#limit.resetsAt } : {};
  }
}
