/** An expression that cannot be parsed or evaluated: where, why, and what to write instead. */
import { AppError } from '../types/errors.ts';
import type { Problem } from './syntax.ts';

const shownChars = 100;

export class ExpressionError extends AppError {
  /** The text in which it stands, whole. */
  readonly text: string;
  /** Offset into the text. */
  readonly at: number;
  /** The line of the text, and a line of carets under what is meant. */
  readonly snippet: string;
  readonly problem: Problem;

  constructor(text: string, problem: Problem, options: { readonly cause?: unknown } = {}) {
    const { message, at, length, fix } = problem;
    super('EXPRESSION', `${message} (character ${at + 1} of ${quoted(text, at)})`, { ...options, fix });
    this.text = text;
    this.at = at;
    this.snippet = caretUnder(text, at, length);
    this.problem = problem;
  }
}

/** Two lines: the line of `text` that holds `at`, cut to what can be read, and carets under `length` of its characters. */
export function caretUnder(text: string, at: number, length: number): string {
  const { line, column } = excerpt(text, at);
  const width = Math.max(1, Math.min(length, line.length - column));
  return `${line}\n${line.slice(0, column).replaceAll(/[^\t]/g, ' ')}${'^'.repeat(width)}`;
}

function quoted(text: string, at: number): string {
  return JSON.stringify(text.length <= shownChars ? text : excerpt(text, at).line);
}

function excerpt(text: string, at: number): { readonly line: string; readonly column: number } {
  const start = text.lastIndexOf('\n', at - 1) + 1;
  const newline = text.indexOf('\n', at);
  const end = newline < 0 ? text.length : newline;
  const from = at - start > shownChars / 2 ? at - shownChars / 2 : start;
  const to = Math.min(end, from + shownChars);
  const [before, after] = [from > start ? '…' : '', to < end ? '…' : ''];
  return { line: `${before}${text.slice(from, to)}${after}`, column: before.length + at - from };
}
