/** Where words go: results to stdout, everything said about them to stderr. */
import type { paint } from './paint.ts';
import { type Column, printTable } from './table.ts';

export function printLine(line = ''): void {
  process.stdout.write(`${line}\n`);
}

export function printJson(value: unknown): void {
  process.stdout.write(`${JSON.stringify(value, undefined, process.stdout.isTTY ? 2 : undefined)}\n`);
}

/** For people, beside the result: nothing that a program would read. */
export function tell(line: string): void {
  process.stderr.write(`${line}\n`);
}

/** An empty listing says so, beside stdout: a program that reads it gets nothing. */
export function printTableOr<Row>(none: string, rows: readonly Row[], columns: readonly Column<Row>[]): void {
  if (rows.length === 0) tell(none);
  else printTable(rows, columns);
}

/** A listing that is full is probably not whole. */
export function tellIfMore(shown: number, limit: number): void {
  if (shown === limit) tell(`the first ${limit}; --limit N shows more`);
}

/** The same colour for the same state everywhere. */
export function stateColor(state: string): Parameters<typeof paint>[0] | undefined {
  switch (state) {
    case 'succeeded':
    case 'processed':
    case 'cached':
    case 'watching':
      return 'green';
    case 'failed':
    case 'missing':
    case 'unreadable':
      return 'red';
    case 'held':
    case 'waiting':
    case 'quarantined':
    case 'unrouted':
      return 'yellow';
    case 'running':
      return 'cyan';
    default:
      return undefined;
  }
}
