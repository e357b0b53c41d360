/** Claude Code's tools: which change files, what a call of one is to us. */
import type { AgentEvent } from '../../../types/agent.ts';
import { event, oneLine, percentDone, toolCall } from '../reading/events.ts';
import { type Json, listOf, objectOf, textOf, wholeOf } from '../reading/values.ts';

/** `Bash` of `Bash(npm test:*)`. */
export function toolOf(rule: string): string {
  return rule.replace(/\(.*$/s, '').trim();
}

const fileTools: ReadonlySet<string> = new Set(['Write', 'Edit', 'MultiEdit', 'NotebookEdit']);

/** Changes files, and does nothing else. */
export function isFileTool(tool: string): boolean {
  return fileTools.has(tool);
}

/** The file that a call is about. */
export function fileOf(input: Json): string | undefined {
  return textOf(input.file_path) ?? textOf(input.notebook_path);
}

const maxFindings = 50;

/** Calls of tools as events. Holds the list of tasks, which it tells in pieces. */
export class ToolCalls {
  #tasks = 0;
  readonly #done = new Set<string>();

  events(tool: string, input: Json): AgentEvent[] {
    switch (tool) {
      case 'TodoWrite':
        return [event('task', { ...todos(listOf(input.todos)), tool, args: input })];
      case 'TaskCreate':
        this.#tasks += 1;
        return [this.#task(textOf(input.subject) ?? textOf(input.description), tool, input)];
      case 'TaskUpdate':
        return [this.#update(tool, input)];
      case 'ReportFindings':
        return [...listOf(input.findings).slice(0, maxFindings).map(finding), toolCall(tool, input)];
      default:
        return [toolCall(tool, input, { file: fileOf(input) })];
    }
  }

  #update(tool: string, input: Json): AgentEvent {
    const id = textOf(input.taskId) ?? '';
    const status = textOf(input.status);
    if (status === 'completed' && this.#done.size < this.#tasks) this.#done.add(id);
    else if (status !== undefined) this.#done.delete(id);
    return this.#task(`task ${oneLine(id, 40)}: ${oneLine(status ?? 'changed', 40)}`, tool, input);
  }

  #task(text: string | undefined, tool: string, args: Json): AgentEvent {
    const progress = percentDone(this.#done.size, this.#tasks);
    return event('task', { text: oneLine(text ?? tool), progress, tool, args });
  }
}

function todos(list: readonly unknown[]): { readonly text: string; readonly progress: number | undefined } {
  const all = list.map(objectOf);
  const done = all.filter(({ status }) => status === 'completed').length;
  const now = all.find(({ status }) => status === 'in_progress');
  const doing = textOf(now?.activeForm) ?? textOf(now?.content);
  return {
    text: `${done} of ${all.length} tasks done${doing === undefined ? '' : `: ${oneLine(doing)}`}`,
    progress: percentDone(done, all.length),
  };
}

function finding(value: unknown): AgentEvent {
  const { summary, file, line, failure_scenario: why } = objectOf(value);
  const at = wholeOf(line);
  const place = textOf(file);
  return event('finding', {
    text: [textOf(summary), textOf(why)].filter((one) => one !== undefined).join('\n'),
    file: place !== undefined && at !== undefined ? `${place}:${at}` : place,
  });
}
