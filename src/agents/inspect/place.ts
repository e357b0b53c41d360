/** Where in a text something is: line and column, and the line itself with a mark under the place. */
import { fence } from './markup.ts';

export interface Place {
  /** Both from 1; the column counts UTF-16 units, as editors do. */
  readonly line: number;
  readonly column: number;
}

export function placeOf(text: string, offset: number): Place {
  const at = Math.max(0, Math.min(offset, text.length));
  let line = 1;
  let start = 0;
  for (let next = text.indexOf('\n'); next !== -1 && next < at; next = text.indexOf('\n', start)) {
    line += 1;
    start = next + 1;
  }
  return { line, column: at - start + 1 };
}

/** The offending line, cut to 60 characters on both sides, and `^` under the place. */
export function excerpt(text: string, offset: number): string {
  const at = Math.max(0, Math.min(offset, text.length));
  const lineStart = at === 0 ? 0 : text.lastIndexOf('\n', at - 1) + 1;
  const lineEnd = text.indexOf('\n', at);
  const from = Math.max(lineStart, at - 60);
  const to = Math.min(lineEnd === -1 ? text.length : lineEnd, at + 60);
  // Tabs become one space each, and controls one dot, so that the mark stands where it should.
  const line = text.slice(from, to).replace(/[\p{Cc}\p{Cf}\p{Cs}]/gu, (char) => (char === '\t' ? ' ' : '·'));
  const { line: number } = placeOf(text, at);
  const gutter = `${number} │ `;
  return fence([`${gutter}${line}`, `${' '.repeat(gutter.length + at - from)}^`]);
}
