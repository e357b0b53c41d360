/**
 * One item of Codex CLI's stream as events of ours. An item is started, updated, completed; quick ones are completed only.
 * A call of a tool is told once with its arguments, when it starts: the live watch counts calls that repeat.
 */
import type { AgentEvent } from '../../../types/agent.ts';
import { event, noEvents, oneLine, percentDone, toolCall } from '../reading/events.ts';
import { isObject, type Json, textOf as knownText, listOf } from '../reading/values.ts';

export type Item = Json;

/** What the agent sets out to do. */
export function begun(item: Item): readonly AgentEvent[] {
  switch (item.type) {
    case 'command_execution':
      return [toolCall('shell', { command: textOf(item.command) }, { isShell: true })];
    case 'file_change': {
      const files = filesOf(item);
      const names = files.map(({ kind, path }) => `${kind} ${path}`).join(', ');
      // Without arguments: what changes in the files is not told, so that two different changes would look the same.
      return [
        event('progress', {
          text: oneLine(`apply_patch ${names}`),
          tool: 'apply_patch',
          ...(files.length === 1 && { file: files[0]?.path }),
        }),
      ];
    }
    case 'mcp_tool_call':
      return [toolCall(mcpName(item), item.arguments ?? {})];
    case 'web_search':
      return [toolCall('web_search', { query: textOf(item.query) || (item.action ?? '') })];
    case 'collab_tool_call':
      // It asks again and again whether a helper is done. Without arguments that is not taken for being stuck.
      return [
        event('progress', { text: textOf(item.tool) || 'collab', tool: textOf(item.tool) || 'collab' }),
      ];
    default:
      return noEvents;
  }
}

/** What became of it; `isDenied`: what it said was a denial. */
export function done(item: Item, isDenied: boolean): readonly AgentEvent[] {
  switch (item.type) {
    case 'agent_message':
      return [event('progress', { text: textOf(item.text) })];
    case 'reasoning':
    case 'plan':
      return [event('status', { text: textOf(item.text) })];
    case 'command_execution': {
      const { exit_code: code } = item;
      const how = typeof code === 'number' ? `exit code ${code}` : textOf(item.status) || 'ended';
      const text = `${oneLine(textOf(item.command), 300)}: ${how}`;
      return isDenied
        ? [event('blocker', { text: `${text}\n${textOf(item.aggregated_output)}`, permission: true })]
        : [event('progress', { text })];
    }
    case 'file_change':
      return filesOf(item).map(({ kind, path }) =>
        isDenied
          ? event('blocker', { text: `could not ${kind} ${path}`, file: path, permission: true })
          : event('progress', { text: `${kind} ${path}`, file: path }),
      );
    case 'mcp_tool_call': {
      const failure = messageIn(item.error);
      if (failure === '') return noEvents;
      const text = `${mcpName(item)}: ${oneLine(failure)}`;
      return [event(isDenied ? 'blocker' : 'progress', { text, ...(isDenied && { permission: true }) })];
    }
    case 'error':
      // Warnings: an unknown model, a setting that it ignores.
      return [event('status', { text: textOf(item.message) })];
    default:
      return noEvents;
  }
}

export function todo(item: Item): AgentEvent | undefined {
  const items = listOf(item.items).filter(isObject);
  if (items.length === 0) return undefined;
  const finished = items.filter(({ completed }) => completed === true).length;
  const next = items.find(({ completed }) => completed !== true);
  return event('task', {
    text: `${finished} of ${items.length}${next ? `: ${oneLine(textOf(next.text), 300)}` : ''}`,
    progress: percentDone(finished, items.length),
  });
}

export function mcpName(item: Item): string {
  return [textOf(item.server), textOf(item.tool)].filter(Boolean).join('.') || 'mcp';
}

export function filesOf(item: Item): readonly { readonly path: string; readonly kind: string }[] {
  const changes = listOf(item.changes).filter(isObject);
  return changes.flatMap(({ path, kind }) => {
    const name = textOf(path);
    // Of other versions a record with its own `type`.
    const word = textOf(kind) || (isObject(kind) ? textOf(kind.type) : '');
    return name === '' ? [] : [{ path: name, kind: word || 'change' }];
  });
}

export function messageIn(error: unknown): string {
  return isObject(error) ? textOf(error.message) : textOf(error);
}

/** A text, or the words of a command as one; '' where there is neither. */
export function textOf(value: unknown): string {
  const words = listOf(value);
  return knownText(value) ?? (words.every((word) => typeof word === 'string') ? words.join(' ') : '');
}
