/**
 * Calls of tools whose results are awaited, what became of them, and which of them were denied. A denial is told when it
 * happens; versions that do not do so tell it in the result, where only the answer that the call got says why.
 */
import type { AgentEvent } from '../../../types/agent.ts';
import type { Denial } from '../../../types/agent-cli.ts';
import { event, noEvents, oneLine } from '../reading/events.ts';
import { type Json, listOf, objectOf, textOf } from '../reading/values.ts';
import { denialOf, type Refusal } from './denials.ts';
import { fileOf, isFileTool } from './tools.ts';

/** A stream without results must not fill the memory. */
const maxAwaited = 1_000;
const maxDenials = 100;
const maxKept = 4_000;

interface Call {
  readonly tool: string;
  readonly file?: string | undefined;
  readonly command?: string | undefined;
}

export class Calls {
  /** Of the session: `default`, `acceptEdits`, `bypassPermissions`. */
  mode: string | undefined;
  readonly #awaited = new Map<string, Call>();
  readonly #denials = new Map<string, Denial>();
  /** Ids of calls whose denial was told. */
  readonly #denied = new Set<string>();
  /** What failed calls were answered, by their ids: the result may say that they were denied. */
  readonly #answers = new Map<string, string>();

  get denials(): readonly Denial[] {
    return [...this.#denials.values()];
  }

  begin(id: string, tool: string, input: Json): void {
    if (this.#awaited.size >= maxAwaited) return;
    this.#awaited.set(id, { tool, file: fileOf(input), command: textOf(input.command)?.slice(0, maxKept) });
  }

  /** @param given What the tool gave besides the text that the model gets to see. */
  end({ tool_use_id, is_error, content }: Json, given: unknown): readonly AgentEvent[] {
    const id = textOf(tool_use_id) ?? '';
    const call = this.#awaited.get(id);
    this.#awaited.delete(id);
    if (is_error === true) return this.#fail(id, call, answerText(content));
    const { filePath, type } = objectOf(given);
    const written = call && isFileTool(call.tool) ? (textOf(filePath) ?? call.file) : undefined;
    if (written === undefined) return noEvents;
    return [
      event('progress', { text: `${type === 'create' ? 'created' : 'changed'} ${written}`, file: written }),
    ];
  }

  /** Of a denial that is told when it happens, before the end of the call. */
  deny(value: Json): readonly AgentEvent[] {
    const id = textOf(value.tool_use_id);
    const call = id === undefined ? undefined : this.#awaited.get(id);
    return this.#deny(id, {
      tool: textOf(value.tool_name) ?? call?.tool ?? 'a tool',
      message: textOf(value.message) ?? textOf(value.decision_reason) ?? '',
      reason: textOf(value.decision_reason_type),
      file: call?.file,
      command: call?.command,
    });
  }

  /** Of those that the result tells; what was told before is no news. */
  denyLate(list: unknown): readonly AgentEvent[] {
    return listOf(list)
      .slice(0, maxDenials)
      .map(objectOf)
      .flatMap(({ tool_name, tool_use_id, tool_input }) => {
        const id = textOf(tool_use_id);
        const tool = textOf(tool_name) ?? 'a tool';
        const input = objectOf(tool_input);
        return this.#deny(id, {
          tool,
          message: (id === undefined ? undefined : this.#answers.get(id)) ?? `${tool} was not permitted`,
          file: fileOf(input),
          command: textOf(input.command),
        });
      });
  }

  #deny(id: string | undefined, refusal: Refusal): readonly AgentEvent[] {
    if (id !== undefined && this.#denied.has(id)) return noEvents;
    if (id !== undefined && this.#denied.size < maxAwaited) this.#denied.add(id);
    const denial = denialOf({ ...refusal, mode: this.mode });
    const key = JSON.stringify([denial.message, denial.cure]);
    if (this.#denials.size < maxDenials && !this.#denials.has(key)) this.#denials.set(key, denial);
    return [event('blocker', { text: denial.message, file: denial.file, permission: true })];
  }

  #fail(id: string, call: Call | undefined, text: string): readonly AgentEvent[] {
    if (this.#denied.has(id)) return noEvents;
    if (this.#answers.size < maxDenials) this.#answers.set(id, text.slice(0, maxKept));
    const said = oneLine(text.replace(/<\/?tool_use_error>/g, ''));
    return [event('progress', { text: `${call?.tool ?? 'a tool'} failed: ${said}`, file: call?.file })];
  }
}

function answerText(content: unknown): string {
  if (typeof content === 'string') return content;
  return listOf(content)
    .slice(0, 20)
    .flatMap((block) => textOf(objectOf(block).text) ?? [])
    .join('\n');
}
