/**
 * Reads the stream of `gemini --output-format stream-json`. What it says comes in small pieces, which are joined until
 * something else happens; its answer is what it says after the last result of a tool. Retries and faults before the session
 * began stand on stderr alone, so stderr is looked at when it did not end well.
 */
import type { AgentEvent } from '../../../types/agent.ts';
import type { CliFault, CliReport, Denial } from '../../../types/agent-cli.ts';
import type { Usage } from '../../../types/job.ts';
import type { CliEnd, CliLine, CliReader } from '../kind.ts';
import { event, noEvents, oneLine, toolCall } from '../reading/events.ts';
import { mostTelling } from '../reading/faults.ts';
import { type Json, listOf, objectOf, textOf } from '../reading/values.ts';
import { denialOf } from './denials.ts';
import { faultOf, faultOfStatus, ownStderr, plainly, unknownFlags } from './faults.ts';
import { usageOf } from './usage.ts';

/** Longer answers are cut: no model gives them. */
const maxAnswer = 4 << 20;
/** Pieces of what it says are joined up to this length, and then told as an event at the end of a line. */
const maxHeld = 3_000;
/** Calls whose results are awaited; a stream without results must not fill the memory. */
const maxAwaited = 1_000;
const maxDenials = 100;
const maxErrors = 20;
/** Of one message of an error: a line of the stream may have megabytes. */
const maxMessage = 16_384;

export class GeminiReader implements CliReader {
  hasEnded = false;
  #status: 'success' | 'failure' | undefined;
  #sessionId: string | undefined;
  #model: string | undefined;
  #usage: Usage | undefined;
  /** Said, and not yet told on. */
  #held = '';
  #answer = '';
  readonly #calls = new Map<string, { readonly tool: string; readonly file: string | undefined }>();
  readonly #denials = new Map<string, Denial>();
  readonly #errors: string[] = [];

  line(line: CliLine): readonly AgentEvent[] {
    // One session has one result; whatever follows is not its own.
    if (line.kind !== 'json' || this.hasEnded) return noEvents;
    const { value } = line;
    if (value.type === 'message') return this.#message(value);
    const events = this.#event(value);
    return this.#held === '' ? events : [this.#tellOn(), ...events];
  }

  end({ exitCode, stderr, now }: CliEnd): CliReport {
    return {
      terminal: this.#status ?? 'none',
      // What it got over by itself does not count.
      faults: this.#status === 'success' ? [] : this.#faults(exitCode, stderr, now),
      denials: [...this.#denials.values()],
      text: this.#answer.trim(),
      ...(this.#sessionId !== undefined && { sessionId: this.#sessionId }),
      ...(this.#model !== undefined && { model: this.#model }),
      ...(this.#usage && { usage: this.#usage }),
      costUsd: null,
    };
  }

  #message({ role, content }: Json): readonly AgentEvent[] {
    if (role !== 'assistant' || typeof content !== 'string' || content === '') return noEvents;
    if (this.#answer.length < maxAnswer) this.#answer += content.slice(0, maxAnswer - this.#answer.length);
    this.#held += content;
    if (this.#held.length <= maxHeld) return noEvents;
    const end = this.#held.lastIndexOf('\n');
    const rest = end < 0 ? '' : this.#held.slice(end + 1);
    if (end >= 0) this.#held = this.#held.slice(0, end);
    const told = this.#tellOn();
    this.#held = rest;
    return [told];
  }

  #tellOn(): AgentEvent {
    const text = this.#held;
    this.#held = '';
    return event('progress', { text: text.trim() });
  }

  #event(value: Json): readonly AgentEvent[] {
    switch (value.type) {
      case 'init':
        return this.#init(value);
      case 'tool_use':
        return this.#toolUse(value);
      case 'tool_result':
        return this.#toolResult(value);
      case 'error':
        return this.#error(value);
      case 'result':
        return this.#result(value);
      default:
        return noEvents;
    }
  }

  #init(value: Json): readonly AgentEvent[] {
    this.#sessionId = textOf(value.session_id) || this.#sessionId;
    const model = textOf(value.model) || undefined;
    this.#model = model ?? this.#model;
    return [event('status', { text: `Gemini CLI started${model === undefined ? '' : `, model ${model}`}` })];
  }

  #toolUse({ tool_name, tool_id, parameters }: Json): readonly AgentEvent[] {
    const tool = textOf(tool_name);
    if (!tool) return noEvents;
    const args = objectOf(parameters);
    const file = textOf(args.file_path) || textOf(args.absolute_path) || textOf(args.dir_path);
    const id = textOf(tool_id);
    if (id !== undefined && this.#calls.size < maxAwaited) this.#calls.set(id, { tool, file });
    if (tool === 'write_todos') return [event('task', { ...todos(args.todos), tool, args })];
    return [toolCall(tool, args, { file, isShell: tool === 'run_shell_command' })];
  }

  #toolResult({ tool_id, status, output, error }: Json): readonly AgentEvent[] {
    this.#answer = '';
    const id = textOf(tool_id) ?? '';
    const call = this.#calls.get(id);
    this.#calls.delete(id);
    if (status !== 'error')
      return call?.file === undefined
        ? noEvents
        : [event('progress', { text: `${call.tool} done`, file: call.file })];
    const { type, message } = objectOf(error);
    const said = (textOf(message) || textOf(output) || 'failed').slice(0, maxMessage);
    const denied = denialOf({
      ...(call && { tool: call.tool }),
      ...(call?.file !== undefined && { file: call.file }),
      type: textOf(type) ?? '',
      message: said,
    });
    if (!denied)
      return [
        event('progress', { text: `${call?.tool ?? 'tool'} failed: ${oneLine(said)}`, file: call?.file }),
      ];
    const key = JSON.stringify([denied.message, denied.cure]);
    if (this.#denials.size < maxDenials && !this.#denials.has(key)) this.#denials.set(key, denied);
    return [event('blocker', { text: denied.message, file: denied.file, permission: true })];
  }

  #error({ severity, message }: Json): readonly AgentEvent[] {
    const text = textOf(message);
    if (!text) return noEvents;
    if (severity === 'warning') return [event('status', { text })];
    if (this.#errors.length < maxErrors) this.#errors.push(text.slice(0, maxMessage));
    return [event('error', { text })];
  }

  #result({ status, error, stats }: Json): readonly AgentEvent[] {
    this.hasEnded = true;
    const counted = usageOf(stats);
    this.#usage = counted?.usage;
    this.#model = counted?.model ?? this.#model;
    if (status === 'success') {
      this.#status = 'success';
      const text = this.#answer.trim();
      return [event('milestone', { text, progress: 100, final: true, usage: this.#usage })];
    }
    this.#status = 'failure';
    const { type, message } = objectOf(error);
    const said = textOf(message)?.slice(0, maxMessage) || undefined;
    // Where it has no message, an error event before it has said why.
    if (said !== undefined) this.#errors.push(type === 'unknown' ? said : `${said}\n${textOf(type) ?? ''}`);
    const text = plainly(said ?? this.#errors.at(-1) ?? 'failed');
    return [event('error', { text, final: true, usage: this.#usage })];
  }

  #faults(exitCode: number | undefined, stderr: string, now: number): readonly CliFault[] {
    const told = this.#errors.flatMap((message) => faultOf(message, now) ?? []);
    const own = ownStderr(stderr);
    if (told.length === 0) told.push(...unknownFlags(own));
    if (told.length === 0) {
      const found = faultOf(own, now) ?? faultOfStatus(exitCode);
      if (found) told.push(found);
    }
    // It failed in words that nobody knows yet.
    const unknown = this.#errors.at(-1);
    if (told.length === 0 && unknown !== undefined) told.push({ class: 'server', message: plainly(unknown) });
    return mostTelling(told);
  }
}

function todos(value: unknown): { readonly text: string; readonly progress?: number } {
  const all = listOf(value).map(objectOf);
  if (all.length === 0) return { text: 'no tasks' };
  const done = all.filter(({ status }) => status === 'completed').length;
  const now = all.find(({ status }) => status === 'in_progress');
  const doing = textOf(now?.description);
  return {
    text: `${done} of ${all.length} tasks done${doing === undefined ? '' : `: ${oneLine(doing)}`}`,
    progress: (100 * done) / all.length,
  };
}
