/** JSON objects with a verdict in a text: the whole text, in a fence, or within prose. In their order. */

export type Answer = Readonly<Record<string, unknown>>;

export interface Found {
  readonly answer: Answer;
  /** Nothing but white space and the end of a fence follows it. */
  readonly isLast: boolean;
}

/** An object that is not empty begins like this. Braces in code and prose rarely do, so that few of them are tried. */
const opening = /\{\s*"[^"\\]*(?:\\.[^"\\]*)*"\s*:/g;

/** Characters that are looked through for the ends of objects, in all: where none ever closes, each is read to the end. */
const MAX_SCANNED = 1 << 24;

export function answersIn(text: string): readonly Found[] {
  const whole = answerOf(text.trim());
  if (whole !== undefined) return [{ answer: whole, isLast: true }];
  const found: Found[] = [];
  let scanned = 0;
  let after = 0;
  for (const { index: at } of text.matchAll(opening)) {
    // It lies within the object that was found last.
    if (at < after) continue;
    if (scanned > MAX_SCANNED) break;
    const end = objectEnd(text, at);
    scanned += (end ?? text.length) - at;
    const answer = end === undefined ? undefined : answerOf(text.slice(at, end));
    if (answer === undefined || end === undefined) continue;
    found.push({ answer, isLast: /^[\s`~]*$/.test(text.slice(end)) });
    after = end;
  }
  return found;
}

function answerOf(text: string): Answer | undefined {
  if (!text.startsWith('{')) return undefined;
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && Object.hasOwn(value, 'verdict')
      ? (value as Answer)
      : undefined;
  } catch {
    return undefined;
  }
}

/** Behind the brace that closes the one at `start`; braces in JSON's strings are none. */
function objectEnd(text: string, start: number): number | undefined {
  let depth = 0;
  let inString = false;
  for (let at = start; at < text.length; at += 1) {
    const char = text.charCodeAt(at);
    if (inString) {
      if (char === 0x5c) at += 1;
      else if (char === 0x22) inString = false;
    } else if (char === 0x22) inString = true;
    else if (char === 0x7b) depth += 1;
    else if (char === 0x7d) {
      depth -= 1;
      if (depth === 0) return at + 1;
    }
  }
  return undefined;
}
