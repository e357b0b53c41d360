/**
 * A file name as people should see it: what would be invisible, or would make the rest of the line look like something
 * else, is written out. `invoice\u{202e}fdp.exe` must not read `invoiceexe.pdf`.
 */

/** Controls, bidirectional overrides and isolates, zero-width characters, line separators, lone surrogates, tags. */
const unseen =
  /[\p{Cc}\p{Cs}\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\u{e0000}-\u{e007f}]/gu;
/** How a byte that is no text is kept in a path (`types/path-bytes.ts`). */
const escapedByte = /[\uef80-\uefff]/g;

const short: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r', '\t': '\\t', '\0': '\\0' };

export function shownName(name: string): string {
  return name
    .replace(escapedByte, (char) => `\\x${(char.charCodeAt(0) - 0xef00).toString(16)}`)
    .replace(unseen, (char) => short[char] ?? `\\u{${(char.codePointAt(0) ?? 0).toString(16)}}`);
}
