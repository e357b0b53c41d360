/**
 * File names are bytes; we work with strings. A name that is valid UTF-8 is itself. Each byte that is not part of valid
 * UTF-8 becomes one private-use character U+EF80..U+EFFF, and the (very rare) names that really contain those characters
 * have their bytes written the same way, so the mapping is one to one. Such strings survive SQLite, JSON and HTML, which
 * lone surrogates (the other known trick) do not.
 */
const ESCAPE_FIRST = 0xef00;
const escaped = /[\uef80-\uefff]/;

/** The string for a name as the file system gave it. */
export function pathFromBytes(bytes: Uint8Array): string {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8');
  if (!text.includes('\ufffd') && !escaped.test(text)) return text;
  const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
  let out = '';
  for (let at = 0; at < bytes.length; ) {
    const length = sequenceLength(bytes[at] as number);
    const piece = bytes.subarray(at, at + length);
    const char = length > 0 && piece.length === length ? decodeOrUndefined(decoder, piece) : undefined;
    if (char !== undefined && !escaped.test(char)) {
      out += char;
      at += length;
    } else {
      out += String.fromCharCode(ESCAPE_FIRST + (bytes[at] as number));
      at += 1;
    }
  }
  return out;
}

/** The bytes of a name or path that `pathFromBytes` made; for any other string its UTF-8. */
export function pathToBytes(path: string): Buffer {
  if (!escaped.test(path)) return Buffer.from(path, 'utf8');
  const pieces: Buffer[] = [];
  for (const char of path) {
    const code = char.charCodeAt(0);
    pieces.push(escaped.test(char) ? Buffer.from([code - ESCAPE_FIRST]) : Buffer.from(char, 'utf8'));
  }
  return Buffer.concat(pieces);
}

/** What to hand to `node:fs`: the string, or its bytes where the string alone would name another file. */
export function fsPath(path: string): string | Buffer {
  return escaped.test(path) ? pathToBytes(path) : path;
}

function decodeOrUndefined(decoder: InstanceType<typeof TextDecoder>, piece: Uint8Array): string | undefined {
  try {
    return decoder.decode(piece);
  } catch {
    return undefined;
  }
}

function sequenceLength(first: number): number {
  if (first < 0x80) return 1;
  if (first >= 0xc2 && first <= 0xdf) return 2;
  if (first >= 0xe0 && first <= 0xef) return 3;
  if (first >= 0xf0 && first <= 0xf4) return 4;
  return 0;
}
