/**
 * How wide a text is, about, in a common sans-serif: for texts in pictures, which do not break by themselves. Rather too
 * wide than too narrow. Measuring needs a browser; the picture is made without one.
 */

/** In ems, of bold letters. */
function charWidth(char: string): number {
  if (/[iljI.,:;'|!\s]/.test(char)) return 0.4;
  if (/[frt()[\]\-/\\"*]/.test(char)) return 0.52;
  if (/[mwMW@%]/.test(char)) return 1.05;
  if (/[A-Z&_+=<>~^#${}]/.test(char)) return 0.8;
  if (/[a-z0-9?]/.test(char)) return 0.69;
  return (char.codePointAt(0) ?? 0) < 0x250 ? 0.8 : 1.1;
}

export function textWidth(text: string, size: number): number {
  let ems = 0;
  for (const char of text) ems += charWidth(char);
  return ems * size;
}

/** At most `lines` lines of at most `width`; the last ends with an ellipsis when there is more. */
export function fitText(text: string, width: number, size: number, lines: number): readonly string[] {
  const fitted: string[] = [];
  let rest = text;
  while (rest !== '') {
    const isLast = fitted.length === lines - 1;
    const end = fits(rest, width, size);
    if (end >= rest.length) {
      fitted.push(rest);
      break;
    }
    if (isLast) {
      fitted.push(`${rest.slice(0, fits(rest, width - textWidth('…', size), size)).trimEnd()}…`);
      break;
    }
    const at = breakBefore(rest, end);
    fitted.push(rest.slice(0, at).trimEnd());
    rest = rest.slice(at).trimStart();
  }
  return fitted;
}

/** How many code units of it fit; at least one character. */
function fits(text: string, width: number, size: number): number {
  let used = 0;
  let end = 0;
  for (const char of text) {
    used += charWidth(char) * size;
    if (used > width && end > 0) break;
    end += char.length;
  }
  return end;
}

/** After a separator, unless that leaves the line half empty. */
function breakBefore(text: string, end: number): number {
  for (let at = end; at > end / 2; at--) if (/[\s\-_./:]/.test(text[at - 1] ?? '')) return at;
  return end;
}
