/** Aligned columns. On a terminal lines are cut to its width; elsewhere everything is printed, for whoever reads it. */
import { paint } from './paint.ts';

export interface Column<Row> {
  readonly title: string;
  readonly cell: (row: Row) => string;
  readonly color?: (row: Row) => Parameters<typeof paint>[0] | undefined;
  readonly align?: 'right';
  /** Where a line is too long this column gives way: from its start (paths) or its end. */
  readonly cut?: 'start' | 'end';
}

export function printTable<Row>(rows: readonly Row[], columns: readonly Column<Row>[], indent = ''): void {
  const { stdout } = process;
  const width = stdout.isTTY ? stdout.columns - indent.length : undefined;
  const lines = layOut(rows, columns, width);
  stdout.write(lines.map((line) => `${`${indent}${line}`.trimEnd()}\n`).join(''));
}

/** @param width In columns of the terminal; absent: nothing is cut, and beyond 100 columns not aligned. */
export function layOut<Row>(
  rows: readonly Row[],
  columns: readonly Column<Row>[],
  width: number | undefined,
): string[] {
  const cells = rows.map((row) => columns.map(({ cell }) => cell(row)));
  const widths = columns.map(({ title }, at) =>
    Math.max(displayWidth(title), ...cells.map((line) => displayWidth(line[at] as string))),
  );
  const total = widths.reduce((sum, one) => sum + one + 2, -2);
  let over = width === undefined ? 0 : total - width;
  for (const [at, { cut }] of columns.entries()) {
    if (!cut || over <= 0) continue;
    const shorter = Math.max(12, (widths[at] as number) - over);
    over -= (widths[at] as number) - Math.min(shorter, widths[at] as number);
    widths[at] = Math.min(shorter, widths[at] as number);
  }
  const line = (
    texts: readonly string[],
    color: (at: number) => Parameters<typeof paint>[0] | undefined,
  ): string =>
    texts
      .map((text, at) => {
        const { align, cut } = columns[at] as Column<Row>;
        const fitted = shorten(text, widths[at] as number, cut);
        // One very long name must not push what stands beside all the others out of sight.
        const aligned = Math.min(widths[at] as number, cut && width === undefined ? 100 : Infinity);
        const gap = ' '.repeat(Math.max(0, aligned - displayWidth(fitted)));
        const tone = color(at);
        const shown = tone ? paint(tone, fitted) : fitted;
        return align === 'right' ? gap + shown : shown + gap;
      })
      .join('  ');
  const header = columns.map(({ title }) => title);
  return [
    ...(header.some((title) => title !== '') ? [line(header, () => 'dim')] : []),
    ...cells.map((texts, row) => line(texts, (at) => columns[at]?.color?.(rows[row] as Row))),
  ];
}

function shorten(text: string, width: number, cut: 'start' | 'end' | undefined): string {
  if (cut === undefined || displayWidth(text) <= width) return text;
  const chars = [...text];
  while (chars.length > 0 && displayWidth(chars.join('')) > width - 1)
    if (cut === 'start') chars.shift();
    else chars.pop();
  return cut === 'start' ? `…${chars.join('')}` : `${chars.join('')}…`;
}

const wide =
  /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}\p{Emoji_Presentation}\uff01-\uff60]/u;
const none = /\p{Mark}|\p{Default_Ignorable_Code_Point}/u;

/** How many columns of a terminal a text takes: good enough to align, no terminal agrees with another on all of it. */
export function displayWidth(text: string): number {
  if (/^[\u0020-\u007e]*$/.test(text)) return text.length;
  let width = 0;
  for (const char of text) width += none.test(char) ? 0 : wide.test(char) ? 2 : 1;
  return width;
}
