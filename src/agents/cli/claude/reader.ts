/**
 * Reads the stream of `claude -p --output-format stream-json`. Most of its lines are pieces of what is being written, told
 * so that thinking is not silence; whole messages follow them, so the pieces are passed over. Its exit code and
 * `subtype: "success"` say little: a denied tool and a failed request may stand under both.
 */
import type { AgentEvent } from '../../../types/agent.ts';
import type { CliFault, CliReport, Denial } from '../../../types/agent-cli.ts';
import type { CliEnd, CliLine, CliReader } from '../kind.ts';
import { event, noEvents, oneLine } from '../reading/events.ts';
import { amountOf, type Json, listOf, objectOf, textOf, wholeOf } from '../reading/values.ts';
import { denialOf, type Refusal } from './denials.ts';
import { type ClaudeFailure, faultOf, startFault } from './faults.ts';
import { fileOf, isFileTool, ToolCalls } from './tools.ts';
import { ClaudeUsage } from './usage.ts';

/** Of one message; more of them are not told. */
const maxBlocks = 200;
/** Calls whose results are awaited; a stream without results must not fill the memory. */
const maxAwaited = 1_000;
const maxDenials = 100;
const maxKeptText = 4 << 20;
const maxPrinted = 4_000;

interface Call {
  readonly tool: string;
  readonly file?: string | undefined;
  readonly command?: string | undefined;
}

/** Of its own making: an error worded as an answer. */
const synthetic = '<synthetic>';

export class ClaudeReader implements CliReader {
  #terminal: 'success' | 'failure' | undefined;
  /** The key is wrong, and it only tries again. */
  #isHopeless = false;
  #sessionId: string | undefined;
  #model: string | undefined;
  #mode: string | undefined;
  #keySource: string | undefined;
  #said = '';
  #answer: string | undefined;
  #structured: unknown;
  /** The last failure that nothing has followed since. */
  #failure: ClaudeFailure | undefined;
  #limit: { readonly resetsAt?: number | undefined } | undefined;
  /** Lines that are no JSON: what it prints when it cannot start. */
  #printed = '';
  readonly #usage = new ClaudeUsage();
  readonly #tools = new ToolCalls();
  readonly #calls = new Map<string, Call>();
  readonly #denials = new Map<string, Denial>();
  /** Ids of calls whose denial was told. */
  readonly #denied = new Set<string>();
  /** What failed calls were answered, until the result says which of them were denied. */
  readonly #refusals = new Map<string, string>();

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
      denials: [...this.#denials.values()],
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
        return this.#denial(value);
      case 'compact_boundary':
        return [event('status', { text: 'its conversation was compacted' })];
      default:
        return noEvents;
    }
  }

  #init(value: Json): readonly AgentEvent[] {
    this.#sessionId = textOf(value.session_id) ?? this.#sessionId;
    this.#model = textOf(value.model) ?? this.#model;
    this.#mode = textOf(value.permissionMode) ?? this.#mode;
    this.#keySource = textOf(value.apiKeySource) ?? this.#keySource;
    const version = textOf(value.claude_code_version);
    const parts = [
      `Claude Code${version === undefined ? '' : ` ${version}`} started`,
      ...(this.#model === undefined ? [] : [`model ${this.#model}`]),
      ...(this.#mode === undefined ? [] : [`mode ${this.#mode}`]),
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

  #denial(value: Json): readonly AgentEvent[] {
    const id = textOf(value.tool_use_id);
    const call = id === undefined ? undefined : this.#calls.get(id);
    return this.#deny(id, {
      tool: textOf(value.tool_name) ?? call?.tool ?? 'a tool',
      message: textOf(value.message) ?? textOf(value.decision_reason) ?? '',
      reason: textOf(value.decision_reason_type),
      file: call?.file,
      command: call?.command,
    });
  }

  #deny(id: string | undefined, refusal: Refusal): readonly AgentEvent[] {
    if (id !== undefined && this.#denied.has(id)) return noEvents;
    if (id !== undefined && this.#denied.size < maxAwaited) this.#denied.add(id);
    const denial = denialOf({ ...refusal, mode: this.#mode });
    const key = JSON.stringify([denial.message, denial.cure]);
    if (this.#denials.size < maxDenials && !this.#denials.has(key)) this.#denials.set(key, denial);
    return [event('blocker', { text: denial.message, file: denial.file, permission: true })];
  }

  #rateLimit({ status, resetsAt }: Json): readonly AgentEvent[] {
    if (status !== 'rejected') {
      this.#limit = undefined;
      return noEvents;
    }
    const seconds = amountOf(resetsAt);
    this.#limit = { resetsAt: seconds === undefined ? undefined : seconds * 1000 };
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
    if (id !== undefined && this.#calls.size < maxAwaited)
      this.#calls.set(id, {
        tool,
        file: fileOf(input),
        command: textOf(input.command)?.slice(0, maxPrinted),
      });
    return this.#tools.events(tool, input);
  }

  /** What is used stands on the first event after it was known. */
  #withUsage(events: readonly AgentEvent[]): readonly AgentEvent[] {
    const [first, ...rest] = events;
    const usage = first && this.#usage.take();
    return first && usage ? [{ ...first, payload: { ...first.payload, usage } }, ...rest] : events;
  }

  /** An error that is worded as an answer; the result repeats its text, but not its class. */
  #fail(value: Json): readonly AgentEvent[] {
    const { content, stop_reason } = objectOf(value.message);
    const limit = objectOf(value.rate_limit_info);
    if (limit.status === 'rejected') this.#rateLimit(limit);
    this.#failure = {
      message: listOf(content)
        .flatMap((block) => textOf(objectOf(block).text) ?? [])
        .join('\n'),
      error: textOf(value.error),
      status: wholeOf(value.api_error_status),
      apiError: textOf(value.api_error),
      stopReason: textOf(stop_reason),
    };
    return noEvents;
  }

  #results({ message, tool_use_result }: Json): readonly AgentEvent[] {
    const events = listOf(objectOf(message).content)
      .slice(0, maxBlocks)
      .flatMap((block) => this.#toolResult(objectOf(block), tool_use_result));
    return this.#withUsage(events);
  }

  #toolResult(block: Json, given: unknown): readonly AgentEvent[] {
    if (block.type !== 'tool_result') return noEvents;
    const id = textOf(block.tool_use_id) ?? '';
    const call = this.#calls.get(id);
    this.#calls.delete(id);
    if (block.is_error === true) return this.#failed(id, call, resultText(block.content));
    const { filePath, type } = objectOf(given);
    const written = call && isFileTool(call.tool) ? (textOf(filePath) ?? call.file) : undefined;
    if (written === undefined) return noEvents;
    return [
      event('progress', { text: `${type === 'create' ? 'created' : 'changed'} ${written}`, file: written }),
    ];
  }

  #failed(id: string, call: Call | undefined, text: string): readonly AgentEvent[] {
    if (this.#denied.has(id)) return noEvents;
    if (this.#refusals.size < maxDenials) this.#refusals.set(id, text.slice(0, maxPrinted));
    const said = oneLine(text.replace(/<\/?tool_use_error>/g, ''));
    return [event('progress', { text: `${call?.tool ?? 'a tool'} failed: ${said}`, file: call?.file })];
  }

  #result(value: Json): readonly AgentEvent[] {
    this.#sessionId ??= textOf(value.session_id);
    this.#usage.result(value);
    // Versions that do not tell a denial when it happens tell it here.
    const denials = listOf(value.permission_denials)
      .slice(0, maxDenials)
      .flatMap((one) => this.#lateDenial(objectOf(one)));
    const spent = { usage: this.#usage.take(), cost_usd: this.#usage.takeCost() };
    const text = textOf(value.result);
    if (isSuccess(value)) {
      this.#terminal = 'success';
      this.#answer = text;
      this.#structured = value.structured_output ?? undefined;
      return [...denials, event('milestone', { text: text ?? '', progress: 100, final: true, ...spent })];
    }
    this.#terminal = 'failure';
    this.#failure = this.#failureOf(value, text);
    const said = oneLine(this.#failure.message) || 'failed';
    return [...denials, event('error', { text: said, final: true, ...spent })];
  }

  #lateDenial({ tool_name, tool_use_id, tool_input }: Json): readonly AgentEvent[] {
    const id = textOf(tool_use_id);
    const tool = textOf(tool_name) ?? 'a tool';
    const input = objectOf(tool_input);
    return this.#deny(id, {
      tool,
      message: (id === undefined ? undefined : this.#refusals.get(id)) ?? `${tool} was not permitted`,
      file: fileOf(input),
      command: textOf(input.command),
    });
  }

  #failureOf(value: Json, text: string | undefined): ClaudeFailure {
    const errors = listOf(value.errors).flatMap((one) => textOf(one) ?? []);
    const message = text ?? errors.slice(0, 10).join('\n');
    return {
      ...this.#failure,
      message: isOwnCommand(value)
        ? `It took the prompt for a command of its own. ${message}`.trim()
        : message,
      status: wholeOf(value.api_error_status) ?? this.#failure?.status,
      apiError: textOf(value.api_error) ?? this.#failure?.apiError,
      subtype: textOf(value.subtype),
      terminalReason: textOf(value.terminal_reason),
      stopReason: textOf(value.stop_reason) ?? this.#failure?.stopReason,
      startupReason: isOwnCommand(value) ? 'command' : textOf(value.startup_failure_reason),
    };
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

function isSuccess(value: Json): boolean {
  const { is_error, subtype, stop_reason } = value;
  return is_error !== true && subtype === 'success' && stop_reason !== 'refusal' && !isOwnCommand(value);
}

/** It answered by itself: no model was asked. */
function isOwnCommand({ num_turns, terminal_reason, is_error }: Json): boolean {
  return is_error === false && num_turns === 0 && terminal_reason === undefined;
}

function resultText(content: unknown): string {
  if (typeof content === 'string') return content;
  return listOf(content)
    .slice(0, 20)
    .flatMap((block) => textOf(objectOf(block).text) ?? [])
    .join('\n');
}
