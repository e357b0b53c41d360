/** The figures that hold for any text, in one pass over it. */
export interface TextFacts {
  readonly lines: number;
  readonly words: number;
  readonly longest: { readonly line: number; readonly length: number };
  readonly ends: { readonly lf: number; readonly crlf: number; readonly cr: number };
  readonly finalNewline: boolean;
  /** Lines that end in spaces or tabs. */
  readonly trailingSpace: { readonly lines: number; readonly first: number };
  /** Control characters other than tab, line ends and form feed. */
  readonly unprintable: { readonly count: number; readonly first: number; readonly char: string };
}

export function textFacts(text: string): TextFacts {
  let line = 1;
  let lineStart = 0;
  let words = 0;
  let inWord = false;
  const longest = { line: 1, length: 0 };
  const ends = { lf: 0, crlf: 0, cr: 0 };
  const trailingSpace = { lines: 0, first: 0 };
  const unprintable = { count: 0, first: 0, char: '' };
  const endLine = (at: number) => {
    if (at - lineStart > longest.length) {
      longest.length = at - lineStart;
      longest.line = line;
    }
    const last = text.charCodeAt(at - 1);
    if (at > lineStart && (last === 32 || last === 9)) {
      trailingSpace.lines += 1;
      trailingSpace.first ||= line;
    }
  };
  for (let at = 0; at < text.length; at += 1) {
    const char = text.charCodeAt(at);
    const space = char === 32 || (char >= 9 && char <= 13) || char === 0xa0 || char === 0x3000;
    if (!space && !inWord) words += 1;
    inWord = !space;
    if (char === 10 || char === 13) {
      endLine(at);
      if (char === 10) ends.lf += 1;
      else if (text.charCodeAt(at + 1) === 10) {
        ends.crlf += 1;
        at += 1;
      } else ends.cr += 1;
      line += 1;
      lineStart = at + 1;
    } else if ((char < 32 && char !== 9 && char !== 12) || (char >= 127 && char < 160)) {
      unprintable.count += 1;
      if (unprintable.first === 0) {
        unprintable.first = line;
        unprintable.char = text.charAt(at);
      }
    }
  }
  endLine(text.length);
  const finalNewline = text.length > 0 && lineStart === text.length;
  const lines = text.length === 0 ? 0 : finalNewline ? line - 1 : line;
  return { lines, words, longest, ends, finalNewline, trailingSpace, unprintable };
}
