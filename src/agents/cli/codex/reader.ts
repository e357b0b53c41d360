/**
 * Reads the stream of `codex exec --json`. It says little: no model, no cost, nothing at all while the model thinks, and of
 * what its sandbox refuses often only its log knows (`denials.ts`). Errors that it tries to get over by itself
 * ("Reconnecting... 2/5") count only when it dies of them.
 */
import type { AgentEvent } from '../../../types/agent.ts';
import type { CliFault, CliReport } from '../../../types/agent-cli.ts';
import type { CliEnd, CliLine, CliReader } from '../kind.ts';
import { event, noEvents, oneLine } from '../reading/events.ts';
import { findFault, mostTelling } from '../reading/faults.ts';
import { isObject } from '../reading/values.ts';
import { Denials } from './denials.ts';
import { anyFailure, codexFaults, notStarted } from './faults.ts';
import { begun, done, filesOf, type Item, mcpName, messageIn, textOf, todo } from './items.ts';
import { splitStderr } from './stderr.ts';
import { ThreadUsage } from './usage.ts';

const reconnecting = /^Reconnecting\.\.\.\s*(?:\d+\/\d+|waiting for network)?\s*/;
const cancelledMcp = /approval is unavailable|user cancelled MCP tool call|rejected by user/i;
/** Items under way at once; more than that are not remembered. */
const maxStarted = 1_000;

export class CodexReader implements CliReader {
  readonly #denials = new Denials();
  readonly #usage = new ThreadUsage();
  readonly #started = new Set<string>();
  #terminal: CliReport['terminal'] = 'none';
  #sessionId: string | undefined;
  #text = '';
  #todo = '';
  /** Why it failed, as `turn.failed` says. */
  #failure = '';
  /** The last error after which nothing went on. */
  #error = '';

  get hasEnded(): boolean {
    return this.#terminal !== 'none';
  }

  line(line: CliLine): readonly AgentEvent[] {
    if (line.kind !== 'json') return noEvents;
    const { value } = line;
    switch (value.type) {
      case 'thread.started':
        this.#sessionId = textOf(value.thread_id) || undefined;
        return [event('status', { text: `session ${this.#sessionId ?? 'without an id'}` })];
      case 'turn.started':
        // It may go on by itself after a turn that was complete.
        this.#terminal = 'none';
        return [event('status', { text: 'turn started' })];
      case 'item.started':
      case 'item.updated':
      case 'item.completed':
        return isObject(value.item) ? this.#item(value.item, value.type === 'item.completed') : noEvents;
      case 'error':
        this.#error = textOf(value.message);
        // Where it is not got over, the end repeats it.
        return [event('status', { text: this.#error })];
      case 'turn.completed':
        return [this.#completed(value.usage)];
      case 'turn.failed':
        this.#terminal = 'failure';
        this.#failure = messageIn(value.error) || this.#error || 'turn failed';
        return [event('error', { text: this.#failure, final: true })];
      default:
        return noEvents;
    }
  }

  end({ exitCode, stderr, lastMessage = '', now }: CliEnd): CliReport {
    const { tools, rest } = splitStderr(stderr);
    const isSuccess = this.#terminal === 'success';
    const usage = this.#usage.total;
    return {
      terminal: this.#terminal,
      faults: isSuccess ? [] : this.#faults(rest, exitCode, now),
      denials: this.#denials.all(tools),
      // A message that was too long for the stream is whole in the file.
      text: isSuccess && lastMessage.trim() !== '' ? lastMessage : this.#text,
      ...(this.#sessionId !== undefined && { sessionId: this.#sessionId }),
      ...(usage && { usage }),
      costUsd: null,
    };
  }

  #item(item: Item, isDone: boolean): readonly AgentEvent[] {
    // Warnings come as items, too, and get nothing done.
    if (item.type !== 'error') this.#error = '';
    if (item.type === 'todo_list') return this.#list(item);
    const id = textOf(item.id);
    const isNew = !this.#started.has(id);
    const events = isNew ? begun(item) : noEvents;
    if (!isDone) {
      if (this.#started.size < maxStarted) this.#started.add(id);
      return events;
    }
    this.#started.delete(id);
    if (item.type === 'agent_message') this.#text = textOf(item.text);
    return [...events, ...done(item, this.#isDenied(item))];
  }

  #isDenied(item: Item): boolean {
    switch (item.type) {
      case 'command_execution': {
        const hasFailed =
          item.status === 'failed' || (typeof item.exit_code === 'number' && item.exit_code !== 0);
        return hasFailed && this.#denials.command(textOf(item.aggregated_output)) !== undefined;
      }
      case 'file_change': {
        const files = filesOf(item).map(({ path }) => path);
        if (item.status === 'failed') this.#denials.failedChange(files);
        else this.#denials.changed(files);
        return item.status === 'failed';
      }
      case 'mcp_tool_call': {
        const message = messageIn(item.error);
        if (!cancelledMcp.test(message)) return false;
        this.#denials.tool({ message: `${mcpName(item)}: ${oneLine(message)}`, tool: mcpName(item) });
        return true;
      }
      default:
        return false;
    }
  }

  #list(item: Item): readonly AgentEvent[] {
    const told = todo(item);
    const key = JSON.stringify(told?.payload) ?? '';
    // It is repeated as a whole at the end of the turn.
    if (told === undefined || key === this.#todo) return noEvents;
    this.#todo = key;
    return [told];
  }

  #completed(counts: unknown): AgentEvent {
    this.#terminal = 'success';
    const usage = isObject(counts) ? this.#usage.take(counts) : undefined;
    return event('milestone', { text: this.#text, progress: 100, final: true, usage });
  }

  #faults(stderr: string, exitCode: number | undefined, now: number): readonly CliFault[] {
    if (this.#terminal === 'failure') {
      const found = findFault(this.#failure, codexFaults, now) ?? findFault(this.#failure, anyFailure, now);
      return found ? [found] : [];
    }
    // What it was still trying to get over when it died.
    const error = this.#error.replace(reconnecting, '').replace(/^\(([\s\S]*)\)$/, '$1');
    const told = [findFault(error, codexFaults, now)];
    // Once it works, other programs write there, too.
    if (this.#sessionId === undefined) {
      told.push(findFault(stderr, codexFaults, now));
      if (exitCode !== undefined && exitCode !== 0) told.push(findFault(stderr, notStarted, now));
    }
    return mostTelling(told.filter((one) => one !== undefined).slice(0, 1));
  }
}
