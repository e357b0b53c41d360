/** Does what `sluice state` was asked to, and prints what came of it. */
import { readFileSync } from 'node:fs';
import { formatDuration, parseDuration } from '../../config/duration.ts';
import type { EntryView } from '../../sessions/view.ts';
import { AppError, messageOf } from '../../types/errors.ts';
import { printableName } from '../../types/printable-name.ts';
import { type Answer, toError } from '../client.ts';
import { printJson, printLine, printTableOr } from '../print.ts';
import { shortTime } from '../times.ts';
import type { StateCommand, ValueSource } from './command.ts';
import type { StateDoor } from './door.ts';
import { holding } from './holding.ts';

/** @returns the exit code. */
export async function perform(command: StateCommand, door: StateDoor): Promise<number> {
  switch (command.do) {
    case 'get': {
      const { key, isPrivate, json } = command;
      const query = isPrivate ? '?type=private' : '';
      const entry = contentOf<EntryView>(await door.ask('GET', `/state/${encodeURIComponent(key)}${query}`));
      if (json) printJson(entry);
      else if (typeof entry.value === 'string') printLine(entry.value);
      else printJson(entry.value);
      return 0;
    }
    case 'set': {
      const { key, isPrivate, value, ttl, ifRevision, json } = command;
      const change = {
        ...{ op: 'set', key, value: readValue(value), ...typeOf(isPrivate) },
        ...(ttl !== undefined && { ttl }),
        ...revisionOf(ifRevision),
      };
      return commit(door, [change], json);
    }
    case 'delete': {
      const { key, isPrivate, ifRevision, json } = command;
      return commit(door, [{ op: 'delete', key, ...typeOf(isPrivate), ...revisionOf(ifRevision) }], json);
    }
    case 'list': {
      const { entries } = contentOf<{ entries: readonly EntryView[] }>(await door.ask('GET', '/state'));
      if (command.json) printJson(entries);
      else printEntries(entries);
      return 0;
    }
    case 'transaction':
      return commit(door, readJson(readStdin(), 'What stands on stdin'), true);
    case 'lock': {
      const { name, ttl, wait, argv } = command;
      const times = { ttlMs: readTime('--ttl', ttl, 1_000), waitMs: readTime('--wait', wait, 0) };
      return holding(door, { name, ...times }, argv);
    }
    default:
      return command satisfies never;
  }
}

export function printEntries(entries: readonly EntryView[]): void {
  printTableOr('no values', entries, [
    { title: 'key', cell: ({ key }) => printableName(key) },
    { title: 'type', cell: ({ type, agent }) => (agent === undefined ? type : `${type} (${agent})`) },
    { title: 'revision', cell: ({ revision }) => String(revision), align: 'right' },
    { title: 'by', cell: ({ by }) => printableName(by) },
    { title: 'until', cell: ({ expires_at: until }) => (until === undefined ? '' : shortTime(until)) },
    { title: 'value', cell: ({ value }) => inOneLine(value), cut: 'end' },
  ]);
}

const SHOWN = 500;

function inOneLine(value: unknown): string {
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  return printableName(text.length > SHOWN ? `${text.slice(0, SHOWN)}…` : text);
}

/** @param isShown Prints the revisions; a conflict is printed in any case where they would be. */
async function commit(door: StateDoor, changes: unknown, isShown: boolean): Promise<number> {
  const answer = await door.ask('POST', '/transaction', { changes });
  const { code } = (answer.value ?? {}) as { code?: string };
  // A program that asked for JSON is told which key it was.
  if (code === 'CONFLICT' && isShown) printJson(answer.value);
  const { revisions } = contentOf<{ revisions: unknown }>(answer);
  if (isShown) printJson({ revisions });
  return 0;
}

function typeOf(isPrivate: boolean): { type?: 'private' } {
  return isPrivate ? { type: 'private' } : {};
}

function revisionOf(text: string | undefined): { if_revision?: number } {
  if (text === undefined) return {};
  if (/^\d{1,15}$/.test(text)) return { if_revision: Number(text) };
  throw new AppError('USAGE', `\`--if-revision\` is "${text}"`, {
    fix: 'Give the number that `sluice state get --json` told; 0: only if it is not there.',
  });
}

function readTime(option: string, text: string, minimumMs: number): number {
  const ms = parseDuration(text);
  if (ms !== undefined && ms >= minimumMs) return ms;
  throw new AppError('USAGE', `\`${option}\` is "${text}"`, {
    fix: `Write 30s, 5m or 2h, at least ${formatDuration(minimumMs)}.`,
  });
}

function readValue(source: ValueSource): unknown {
  if (source.from === 'text') return source.text;
  if (source.from === 'json') return readJson(source.text, '`--json-value`');
  const text = readStdin();
  if (source.isJson) return readJson(text, 'What stands on stdin');
  // `get` and `echo` end the line; it is not part of the value.
  return text.endsWith('\n') ? text.slice(0, -1) : text;
}

function readJson(text: string, what: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new AppError('USAGE', `${what} is no JSON: ${messageOf(cause)}`, {
      cause,
      fix: 'Write texts in double quotes.',
    });
  }
}

function readStdin(): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(readFileSync(0));
  } catch (cause) {
    throw new AppError('USAGE', `What stands on stdin is no text: ${messageOf(cause)}`, {
      cause,
      fix: 'Give UTF-8; keep other bytes in files, and their names in the state.',
    });
  }
}

function contentOf<T>({ status, value }: Answer): T {
  if (status >= 400) throw toError(value);
  return value as T;
}
