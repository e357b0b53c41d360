/**
 * Where a character of a value stands in the file: quotes, escapes, folded lines and the indentation of blocks are not
 * part of the value. Only characters that are no white space are counted: of those a value has the same ones in the same
 * order as its source, in every style that YAML (and JSON) has.
 */

/**
 * @param source The scalar as it stands in the file, quotes or block header included.
 * @param offset Into the value.
 * @returns Offset into `source`.
 */
export function sourceOffset(source: string, value: string, offset: number): number {
  const before = countSolid(value.slice(0, offset));
  const places = solidPlaces(source);
  // White space that is meant itself stands behind what is before it.
  if (/\s/.test(value[offset] ?? ' ') && before > 0) return (places[before - 1] ?? 0) + 1;
  return places[before] ?? places.at(-1) ?? 0;
}

function countSolid(text: string): number {
  let count = 0;
  for (let at = 0; at < text.length; at += 1) if (!/\s/.test(text[at] as string)) count += 1;
  return count;
}

/** Offsets of the characters that are no white space in the value, by UTF-16 units of the value. */
function solidPlaces(source: string): number[] {
  const first = source[0];
  if (first === '"') return doubleQuoted(source);
  const places: number[] = [];
  const begin =
    first === '|' || first === '>' ? source.indexOf('\n') + 1 || source.length : first === "'" ? 1 : 0;
  const end = first === "'" ? source.length - 1 : source.length;
  for (let at = begin; at < end; at += 1) {
    const char = source[at] as string;
    if (/\s/.test(char)) continue;
    places.push(at);
    if (first === "'" && char === "'") at += 1;
  }
  return places;
}

const hexLengths: Readonly<Record<string, number>> = { x: 2, u: 4, U: 8 };
/** Escapes that stand for white space, as `\s` of a regular expression sees it. */
const whiteEscapes = new Set([...' tnvfrLP_\n\r\t']);

function doubleQuoted(source: string): number[] {
  const places: number[] = [];
  for (let at = 1; at < source.length - 1; at += 1) {
    const char = source[at] as string;
    if (/\s/.test(char)) continue;
    if (char !== '\\') {
      places.push(at);
      continue;
    }
    const kind = source[at + 1] ?? '';
    const digits = hexLengths[kind];
    if (digits === undefined) {
      if (!whiteEscapes.has(kind)) places.push(at);
      at += 1;
      continue;
    }
    const char16 = charOf(source.slice(at + 2, at + 2 + digits));
    for (let unit = 0; unit < char16.length; unit += 1)
      if (!/\s/.test(char16[unit] as string)) places.push(at);
    at += 1 + digits;
  }
  return places;
}

function charOf(hex: string): string {
  const code = Number.parseInt(hex, 16);
  return code >= 0 && code <= 0x10ffff ? String.fromCodePoint(code) : '?';
}
