/**
 * Builds the events that readers give: progress is a percentage, arguments are bounded, what is unknown is left out. A stream
 * may hold a whole file in one call of a tool; an event holds enough to show, to compare with the next one, and to look for
 * blocked commands in. Texts stay whole here: the model may have written events of ours into them (`stream.ts`, which cuts
 * them afterwards).
 */
import { createHash } from 'node:crypto';
import type { AgentEvent } from '../../../types/agent.ts';
import type { Usage } from '../../../types/job.ts';

/** Longest text of an event that is told, in characters. */
export const maxText = 4_000;
/** Shell commands are looked through for blocked ones: more of them is kept. */
const maxCommand = 32_000;
const maxFile = 4_096;
const maxDepth = 4;
const maxItems = 50;
/** Characters of all arguments of a call together. */
const maxArgs = 64_000;

/** What a payload may hold; `undefined` is left out. */
export interface Payload {
  readonly text?: string | undefined;
  /** 0–100. */
  readonly progress?: number | undefined;
  readonly file?: string | undefined;
  readonly tool?: string | undefined;
  readonly args?: unknown;
  /** A blocker that is a denial. */
  readonly permission?: true | undefined;
  /** The terminal event. */
  readonly final?: true | undefined;
  /** New since the last event that said so. */
  readonly usage?: Usage | undefined;
  readonly cost_usd?: number | undefined;
}

/** What a line gives that says nothing of interest. */
export const noEvents: readonly AgentEvent[] = Object.freeze([]);

/** Cuts a text; a cut one ends with `…`. Never halves a character. */
export function cut(text: string, max: number = maxText): string {
  if (text.length <= max) return text;
  const end = isLeadingHalf(text.charCodeAt(max - 2)) ? max - 2 : max - 1;
  return `${text.slice(0, end)}…`;
}

/** The first line that says something, without control characters; for messages of faults. */
export function oneLine(text: string, max = 500): string {
  const line = /[^\s].*/.exec(text.slice(0, 64 * 1024))?.[0] ?? '';
  // biome-ignore lint/suspicious/noControlCharactersInRegex: those are what is taken out
  return cut(line.replace(/\x1b\[[0-9;]*[A-Za-z]|[\u0000-\u001f\u007f]/g, '').trim(), max);
}

/** An event with what of the payload is known. */
export function event(type: AgentEvent['type'], payload: Payload): AgentEvent {
  const kept: Record<string, unknown> = {};
  if (payload.text !== undefined) kept.text = payload.text;
  const progress = percent(payload.progress);
  if (progress !== undefined) kept.progress = progress;
  if (payload.file !== undefined && payload.file !== '') kept.file = cut(payload.file, maxFile);
  if (payload.tool !== undefined) {
    kept.tool = cut(payload.tool, 200);
    if (payload.args !== undefined) kept.args = boundedArgs(payload.args);
  }
  if (payload.permission) kept.permission = true;
  if (payload.final) kept.final = true;
  if (payload.usage !== undefined) kept.usage = payload.usage;
  if (payload.cost_usd !== undefined) kept.cost_usd = payload.cost_usd;
  return { type, payload: kept };
}

/**
 * A call of a tool: `progress` with `tool` and `args`; its text is the tool with its main argument (`Bash npm test`).
 * @param tool In the CLI's own words.
 * @param more.isShell It runs commands: it is told as `bash`, so that the live watch looks for blocked ones in `args.command`.
 */
export function toolCall(
  tool: string,
  args: unknown,
  more: { readonly file?: string | undefined; readonly isShell?: boolean; readonly usage?: Usage } = {},
): AgentEvent {
  const main = mainArgument(args);
  return event('progress', {
    text: main === undefined ? tool : `${tool} ${oneLine(main, 300)}`,
    file: more.file,
    tool: more.isShell === true ? 'bash' : tool,
    args: args ?? {},
    usage: more.usage,
  });
}

/** Steps done of all, as a percentage; undefined when there are none. */
export function percentDone(done: number, all: number): number | undefined {
  return all > 0 ? percent((100 * done) / all) : undefined;
}

function percent(value: number | undefined): number | undefined {
  if (value === undefined || !Number.isFinite(value)) return undefined;
  return Math.round(Math.min(100, Math.max(0, value)));
}

const mainNames = [
  ...[
    'command',
    'cmd',
    'file_path',
    'filePath',
    'absolute_path',
    'path',
    'notebook_path',
    'pattern',
    'query',
  ],
  ...['url', 'description', 'prompt', 'skill', 'name'],
];

function mainArgument(args: unknown): string | undefined {
  if (typeof args === 'string') return args;
  if (typeof args !== 'object' || args === null) return undefined;
  for (const name of mainNames) {
    const value = (args as Record<string, unknown>)[name];
    if (typeof value === 'string' && value !== '') return value;
    if (Array.isArray(value) && value.every((word) => typeof word === 'string')) return value.join(' ');
  }
  return undefined;
}

/**
 * Arguments of a call, small enough to be kept. In place of what is left out stands its checksum: two calls that differ only
 * there must not be taken for the same call again (`stuck`).
 */
export function boundedArgs(args: unknown): unknown {
  return new Bounding().value(args, '', 0);
}

class Bounding {
  #left = maxArgs;

  value(value: unknown, name: string, depth: number): unknown {
    switch (typeof value) {
      case 'string':
        return this.#text(value, name);
      case 'object':
        if (value === null) return null;
        if (depth >= maxDepth) return leftOut(value);
        return Array.isArray(value) ? this.#list(value, name, depth) : this.#fields(value, depth);
      case 'number':
      case 'boolean':
        this.#left -= 8;
        return value;
      default:
        return undefined;
    }
  }

  #text(text: string, name: string): string {
    const max = Math.max(
      0,
      Math.min(name === 'command' || name === 'cmd' ? maxCommand : maxText, this.#left),
    );
    this.#left -= Math.min(text.length, max) + 8;
    if (text.length <= max) return text;
    const sum = checksum(text);
    return max > 40 ? `${cut(text, max - 14)} ${sum}` : sum;
  }

  #list(list: readonly unknown[], name: string, depth: number): unknown[] {
    const kept: unknown[] = [];
    for (const one of list) {
      if (kept.length === maxItems || this.#left <= 0) {
        kept.push(`${list.length - kept.length} more ${leftOut(list.slice(kept.length))}`);
        break;
      }
      kept.push(this.value(one, name, depth + 1));
    }
    return kept;
  }

  #fields(fields: object, depth: number): Record<string, unknown> {
    const kept: [string, unknown][] = [];
    const all = Object.entries(fields);
    for (const [name, value] of all) {
      if (kept.length === maxItems || this.#left <= 0) {
        kept.push(['…', leftOut(all.slice(kept.length))]);
        break;
      }
      const key = cut(name, 200);
      this.#left -= key.length;
      kept.push([key, this.value(value, name, depth + 1)]);
    }
    // Unlike an assignment this makes a field of "__proto__", too.
    return Object.fromEntries(kept);
  }
}

function leftOut(value: unknown): string {
  try {
    return `… ${checksum(JSON.stringify(value) ?? '')}`;
  } catch {
    // Too deep for JSON, or in a circle.
    return '…';
  }
}

function checksum(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 12);
}

function isLeadingHalf(code: number): boolean {
  return code >= 0xd800 && code <= 0xdbff;
}
