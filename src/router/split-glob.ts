/** A glob's folder part and its last segment, cut at the last `/` that stands outside brackets and escapes. */
export function splitGlob(pattern: string): { readonly folder: string; readonly name: string } {
  let depth = 0;
  let cut = -1;
  for (let at = 0; at < pattern.length; at += 1) {
    const char = pattern[at] as string;
    if (char === '\\') at += 1;
    else if ('([{'.includes(char)) depth += 1;
    else if (')]}'.includes(char)) depth -= 1;
    else if (char === '/' && depth === 0) cut = at;
  }
  return { folder: pattern.slice(0, Math.max(cut, 0)), name: pattern.slice(cut + 1) };
}
