/**
 * What an alert says, before it takes a format: one event about one thing, or about many of one kind at once. Everything
 * in it is redacted, and free of characters that move a cursor or an eye, when it is made.
 */
import { createHash } from 'node:crypto';
import { printableName } from '../../types/printable-name.ts';

export type AlertEvent = 'opened' | 'cleared' | 'success' | 'digest';

/** One thing that is told. */
export interface AlertItem {
  /** A condition's code; null for what is no problem. */
  readonly code: string | null;
  readonly subject: string;
  readonly message: string;
  readonly fix: string;
  /** Epoch milliseconds. */
  readonly since: number;
}

export interface AlertMessage {
  /** The same when it is sent again after an answer that did not come: receivers can drop the second. */
  readonly id: string;
  readonly event: AlertEvent;
  /** At least one: what the message is about. Of many only the first are in here. */
  readonly items: readonly AlertItem[];
  readonly count: number;
  readonly project: string;
  readonly host: string;
}

export interface MessageOptions {
  readonly event: AlertEvent;
  readonly items: readonly AlertItem[];
  readonly project: string;
  readonly host: string;
  readonly redact: (text: string) => string;
}

/** Receivers bound what they take; what is not told here stands in `sluice status`. */
const MAX_ITEMS = 20;
const MAX_CHARS = 1_000;

export function makeMessage({ event, items, project, host, redact }: MessageOptions): AlertMessage {
  const clean = (text: string): string =>
    redact(text).split('\n').map(printableName).join('\n').slice(0, MAX_CHARS);
  const shown = items.slice(0, MAX_ITEMS).map((item) => ({
    ...item,
    subject: clean(item.subject),
    message: clean(item.message),
    fix: clean(item.fix),
  }));
  const identity = JSON.stringify([event, items.map(({ code, subject, since }) => [code, subject, since])]);
  return {
    id: createHash('sha256').update(identity).digest('hex').slice(0, 24),
    event,
    items: shown,
    count: items.length,
    project: clean(project),
    host,
  };
}

/** One line: what a person sees on a locked telephone. */
export function titleOf({ event, items, count, project }: AlertMessage): string {
  const { code, subject } = first(items);
  const about = subject === '' ? '' : ` (${subject})`;
  const words = {
    opened: count === 1 ? `${code}${about}` : `${code}: ${count} at once`,
    cleared: count === 1 ? `${code}${about} is over` : `${code}: ${count} are over`,
    success: count === 1 ? `${subject} succeeded` : `${count} jobs succeeded`,
    digest: `digest of ${subject}`,
  };
  return `[${project}] ${words[event]}`;
}

/** What stands below the title: sentences, one a line. */
export function linesOf({ event, items, count, host }: AlertMessage): string[] {
  const lines = items.flatMap(({ subject, message, fix, since }) => {
    const name = count > 1 && subject !== '' ? `${subject}: ` : '';
    switch (event) {
      case 'opened':
        return [
          `${name}${message}`,
          ...(fix === '' ? [] : [`fix: ${fix}`]),
          ...(count > 1 ? [] : [`since ${timeOf(since)}`]),
        ];
      case 'cleared':
        return [`${name}it was: ${message}`, ...(count > 1 ? [] : [`since ${timeOf(since)}`])];
      case 'success':
      case 'digest':
        return [message];
      default:
        return event satisfies never;
    }
  });
  // Many of one kind mostly have one remedy.
  const unique = [...new Set(lines)];
  return [...unique, ...(count > items.length ? [`and ${count - items.length} more`] : []), `on ${host}`];
}

export function first(items: readonly AlertItem[]): AlertItem {
  return items[0] as AlertItem;
}

function timeOf(at: number): string {
  return `${new Date(at).toISOString().slice(0, 19)}Z`;
}
