/**
 * Reads the stream of `copilot --output-format json`: events of its session, the last one is `result`. That one says exit
 * code 0 of a session that was interrupted too, so that `abort` counts. Tokens are not in the stream; it leaves them in a
 * file when it ends.
 */
import type { AgentEvent } from '../../../types/agent.ts';
import type { CliFault, CliReport, Denial } from '../../../types/agent-cli.ts';
import type { CliEnd, CliLine, CliReader } from '../kind.ts';
import { event, noEvents, oneLine, toolCall } from '../reading/events.ts';
import { mostTelling } from '../reading/faults.ts';
import { type ServiceError, serviceFault } from '../reading/service-faults.ts';
import { type Json, listOf, objectOf, textOf, wholeOf } from '../reading/values.ts';
import { type Call, denialsOf, fileOf } from './denials.ts';
import { stderrFaults } from './stderr.ts';
import { usageIn } from './usage.ts';

/** Calls that have begun and not ended; more of them at once are nobody's. */
const maxCalls = 1_000;

export class CopilotReader implements CliReader {
  hasEnded = false;
  #exitCode: number | undefined;
  #isAborted = false;
  #text = '';
  #sessionId: string | undefined;
  #model: string | undefined;
  #errors: ServiceError[] = [];
  /** The last request that failed, while none has succeeded since. */
  #failure: ServiceError | undefined;
  readonly #calls = new Map<string, Call>();
  readonly #denials: Denial[] = [];

  line(line: CliLine): readonly AgentEvent[] {
    if (line.kind !== 'json') return noEvents;
    const data = objectOf(line.value.data);
    switch (line.value.type) {
      case 'session.tools_updated':
        return this.#begun(data);
      case 'session.info':
      case 'session.warning':
        return data.infoType === 'configuration'
          ? noEvents
          : [event('status', { text: textOf(data.message) })];
      case 'assistant.message':
        return this.#said(data);
      case 'tool.execution_start':
        return this.#called(data);
      case 'tool.execution_complete':
        return this.#done(data);
      case 'model.call_failure':
        return this.#refused(data);
      case 'model.call_finished':
        if (data.outcome === 'success') this.#failure = undefined;
        return noEvents;
      case 'session.error':
        return this.#failed(data);
      case 'abort':
        this.#isAborted = true;
        return [event('status', { text: `interrupted: ${textOf(data.reason) ?? 'nobody says why'}` })];
      case 'result':
        return this.#result(line.value);
      default:
        return noEvents;
    }
  }

  end({ stderr, lastMessage, now }: CliEnd): CliReport {
    const isSuccess = this.#exitCode === 0 && !this.#isAborted;
    const terminal = isSuccess ? 'success' : this.#exitCode === undefined ? 'none' : 'failure';
    const faults: CliFault[] = [];
    if (!isSuccess) {
      faults.push(...this.#errors.map((error) => serviceFault(error, now)));
      if (this.#failure) faults.push(serviceFault(this.#failure, now));
      if (faults.length === 0) faults.push(...stderrFaults(stderr, now));
    }
    const usage = usageIn(lastMessage);
    return {
      terminal,
      faults: mostTelling(faults),
      denials: [...new Map(this.#denials.map((one) => [one.message, one])).values()],
      text: this.#text,
      ...(this.#sessionId !== undefined && { sessionId: this.#sessionId }),
      ...(this.#model !== undefined && { model: this.#model }),
      ...(usage && { usage }),
      // It counts requests of a plan, not money.
      costUsd: null,
    };
  }

  #begun({ model }: Json): readonly AgentEvent[] {
    const named = textOf(model);
    if (named === undefined || named === this.#model) return noEvents;
    this.#model = named;
    return [event('status', { text: `model ${named}` })];
  }

  #said({ content, model }: Json): readonly AgentEvent[] {
    this.#model = textOf(model) ?? this.#model;
    const said = textOf(content)?.trim();
    if (!said) return noEvents;
    this.#text = said;
    return [event('progress', { text: said })];
  }

  #called(data: Json): readonly AgentEvent[] {
    const tool = textOf(data.toolName) ?? 'tool';
    const args = objectOf(data.arguments);
    const id = textOf(data.toolCallId);
    const call = { tool, args };
    if (id !== undefined && this.#calls.size < maxCalls) this.#calls.set(id, call);
    return [toolCall(tool, args, { file: fileOf(call), isShell: tool === 'bash' })];
  }

  #done(data: Json): readonly AgentEvent[] {
    const id = textOf(data.toolCallId) ?? '';
    const call = this.#calls.get(id) ?? { tool: 'tool', args: {} };
    this.#calls.delete(id);
    if (data.success === true)
      return listOf(data.fileEdits).map((one) => {
        const { path, kind } = objectOf(one);
        return event('progress', {
          text: `${textOf(kind) ?? 'edit'} ${textOf(path) ?? ''}`,
          file: textOf(path),
        });
      });
    const { message, code } = objectOf(data.error);
    const text = `${call.tool}: ${oneLine(textOf(message) ?? 'failed')}`;
    if (code !== 'denied') return [event('progress', { text, file: fileOf(call) })];
    this.#denials.push(...denialsOf(call));
    return [event('blocker', { text, file: fileOf(call), permission: true })];
  }

  /** Of one request. It may try again; whether it does is told by what follows. */
  #refused(data: Json): readonly AgentEvent[] {
    const status = wholeOf(data.statusCode);
    const body = textOf(data.errorMessage) ?? '';
    const message = messageIn(body) ?? 'The request to the model failed';
    this.#failure = { message, details: body, ...(status !== undefined && { status }) };
    return [event('status', { text: `${status ?? 'no answer'}: ${oneLine(message)}` })];
  }

  #failed(data: Json): readonly AgentEvent[] {
    // How long it has waited is no time to wait.
    const message = (textOf(data.message) ?? 'failed').replace(/ ?\(total retry wait time: [^)]*\)/, '');
    const status = wholeOf(data.statusCode) ?? this.#failure?.status;
    const details = `${textOf(data.errorType) ?? ''}\n${this.#failure?.details ?? ''}`;
    this.#errors.push({ message, details, ...(status !== undefined && { status }) });
    this.#failure = undefined;
    return [event('error', { text: oneLine(message) })];
  }

  #result({ exitCode, sessionId }: Json): readonly AgentEvent[] {
    this.hasEnded = true;
    this.#exitCode = wholeOf(exitCode) ?? 1;
    this.#sessionId = textOf(sessionId);
    return this.#exitCode === 0 && !this.#isAborted
      ? [event('milestone', { text: this.#text, progress: 100, final: true })]
      : [event('error', { text: 'It ended without a result', final: true })];
  }
}

/** Of a body like `{"message":"…","code":"…"}`. */
function messageIn(body: string): string | undefined {
  try {
    const value = objectOf(JSON.parse(body));
    return textOf(value.message) ?? textOf(objectOf(value.error).message);
  } catch {
    return body.trim() === '' ? undefined : body;
  }
}
