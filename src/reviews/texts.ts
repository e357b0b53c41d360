/** Texts of agents, cut to what is kept, without characters that act on a terminal or reorder what people read. */

// Controls but tab and line feed, bidirectional marks and others that cannot be seen, halves of pairs.
const unseen = /[\p{Cc}\p{Cf}\p{Cs}\u2028\u2029]/gu;

export function clean(text: string): string {
  return text
    .replaceAll('\r\n', '\n')
    .replace(unseen, (char) => (char === '\n' || char === '\t' ? char : ''));
}

/** At most `max` characters, and `…` when there were more. */
export function cutChars(text: string, max: number): string {
  if (text.length <= max) return text;
  return `${text.slice(0, max).replace(/[\ud800-\udbff]$/, '')}…`;
}

/** A word counts for at most so many characters: a text without spaces is cut, too. */
const WORD_CHARS = 20;

export function cutWords(text: string, max: number): { readonly text: string; readonly isCut: boolean } {
  const words = /\S+/g;
  let end = text.length;
  for (let count = 0; count <= max; count += 1) {
    const match = words.exec(text);
    if (match === null) break;
    if (count === max) end = match.index;
  }
  const kept = Math.min(end, max * WORD_CHARS);
  if (kept >= text.length) return { text, isCut: false };
  return {
    text: `${text
      .slice(0, kept)
      .replace(/[\ud800-\udbff]$/, '')
      .trimEnd()} …`,
    isCut: true,
  };
}

/** The beginning of a text within `maxBytes` of UTF-8, up to the end of a line where that costs little. */
export function cutBytes(
  text: string,
  maxBytes: number,
): { readonly text: string; readonly leftOut: number } {
  const bytes = Buffer.from(text, 'utf8');
  if (bytes.length <= maxBytes) return { text, leftOut: 0 };
  let end = Math.max(0, maxBytes);
  // Not within a character: continuation bytes begin with 10.
  while (end > 0 && ((bytes[end] as number) & 0xc0) === 0x80) end -= 1;
  const newline = bytes.lastIndexOf(0x0a, end - 1);
  if (newline > end / 2) end = newline + 1;
  return { text: bytes.toString('utf8', 0, end), leftOut: bytes.length - end };
}
