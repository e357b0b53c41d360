/**
 * The only way from a file's content into the report. Names and content are data: they appear in code spans and fences
 * with enough backticks, and characters that cannot be seen or that reorder text are written out (`\x00`, `\u202e`).
 * Escaping Markdown's special characters one by one was rejected: renderers disagree about what is special.
 */
// Controls, formats (bidirectional marks, zero width), surrogates that stand alone, private use, odd line ends.
const unseen = /[\p{Cc}\p{Cf}\p{Cs}\p{Co}\u2028\u2029\ufffd]/gu;

/** Makes every character visible; the result is one line. */
export function visible(text: string): string {
  return text.replace(unseen, (char) => {
    if (char === '\n') return '\\n';
    if (char === '\t') return '\\t';
    if (char === '\r') return '\\r';
    if (char === '\ufffd') return char;
    const point = char.codePointAt(0) as number;
    // Bytes of a name that are not UTF-8 (`path-bytes.ts`).
    if (point >= 0xef80 && point <= 0xefff) return `\\x${(point - 0xef00).toString(16)}`;
    if (point <= 0xff) return `\\x${point.toString(16).padStart(2, '0')}`;
    return point <= 0xffff ? `\\u${point.toString(16).padStart(4, '0')}` : `\\u{${point.toString(16)}}`;
  });
}

/** A code span. @param max Characters that are shown; the rest becomes `…`. */
export function code(text: string, max = 120): string {
  if (text === '') return '(empty)';
  const shown = visible(clip(text, max));
  const ticks = '`'.repeat(longestRun(shown) + 1);
  const pad = /^[ `]|[ `]$/.test(shown) ? ' ' : '';
  return `${ticks}${pad}${shown}${pad}${ticks}`;
}

/** A fenced block. Line ends stay, every line is cut at 200 characters, everything unseen is written out. */
export function fence(lines: readonly string[], language = 'text'): string {
  const shown = lines.map((line) => visible(clip(line.replaceAll('\t', '    '), 200)));
  const ticks = '`'.repeat(Math.max(3, ...shown.map((line) => longestRun(line) + 1)));
  return [`${ticks}${language}`, ...shown, ticks].join('\n');
}

/** A table; cells are markup already (`code(…)` or our own words). */
export function table(header: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.map(cell).join(' | ')} |`;
  return [line(header), `|${' --- |'.repeat(header.length)}`, ...rows.map(line)].join('\n');
}

/** `1,204 rows`; the plural is the singular with an s unless given. */
export function count(n: number, one: string, many = `${one}s`): string {
  return `${number(n)} ${n === 1 ? one : many}`;
}

export function number(n: number): string {
  return n.toLocaleString('en-US', { maximumFractionDigits: 2 });
}

/** `1,234 bytes`, `1.2 KiB (1,234 bytes)`. */
export function size(bytes: number): string {
  if (bytes < 1024) return count(bytes, 'byte');
  const units = ['KiB', 'MiB', 'GiB', 'TiB', 'PiB'];
  const power = Math.min(units.length, Math.floor(Math.log2(bytes) / 10));
  return `${number(Math.round((bytes / 1024 ** power) * 10) / 10)} ${units[power - 1]} (${number(bytes)} bytes)`;
}

/** Paragraphs, tables and lists joined by empty lines; what is empty is left out. */
export function blocks(...parts: readonly (string | undefined)[]): string {
  return parts.filter((part) => part !== undefined && part !== '').join('\n\n');
}

export function list(items: readonly string[]): string {
  return items.map((item) => `- ${item}`).join('\n');
}

/** The first `max` characters (whole code points) and `…` when there are more. */
export function clip(text: string, max: number): string {
  if (text.length <= max) return text;
  const cut = text.charCodeAt(max - 1) >= 0xd800 && text.charCodeAt(max - 1) <= 0xdbff ? max - 1 : max;
  return `${text.slice(0, cut)}…`;
}

// A pipe ends a cell even inside a code span. A backslash before it hides it; when there is one already, that would
// hide the backslash instead, so such a pipe is written out.
function cell(markup: string): string {
  return markup.replace(/(\\*)\|/g, (_, slashes: string) => (slashes === '' ? '\\|' : `${slashes}\\x7c`));
}

function longestRun(text: string): number {
  let longest = 0;
  for (const run of text.match(/`+/g) ?? []) longest = Math.max(longest, run.length);
  return longest;
}
