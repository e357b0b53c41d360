/** An answer that is to be JSON: as the CLI gives it apart, or taken out of what the model wrote around it. */
import type { CliReport } from '../../types/agent-cli.ts';

/** @returns undefined when there is none: the text then stands as it is, and the schema says what is wrong with it. */
export function answerAsJson({
  structured,
  text,
}: Pick<CliReport, 'structured' | 'text'>): string | undefined {
  if (structured !== undefined) return JSON.stringify(structured, null, 2);
  for (const candidate of candidatesIn(text)) {
    const found = parse(candidate);
    if (found !== undefined) return JSON.stringify(found.value, null, 2);
  }
  return undefined;
}

function* candidatesIn(text: string): Generator<string> {
  const trimmed = text.trim();
  yield trimmed;
  yield* fencedIn(trimmed).toReversed();
  // From the first bracket that begins a line to the last that ends one.
  const begin = /^[ \t]*[{[]/m.exec(trimmed);
  const end = Math.max(trimmed.lastIndexOf('}'), trimmed.lastIndexOf(']'));
  if (begin && end > begin.index) yield trimmed.slice(begin.index, end + 1);
}

/** Line by line: one pattern over all of it takes minutes where thousands of fences are opened and none is closed. */
function fencedIn(text: string): readonly string[] {
  const found: string[] = [];
  const lines = text.split('\n');
  let begin: number | undefined;
  for (const [at, line] of lines.entries())
    if (begin === undefined) {
      if (/^```[a-zA-Z]*[ \t\r]*$/.test(line)) begin = at + 1;
    } else if (/^```[ \t\r]*$/.test(line)) {
      found.push(lines.slice(begin, at).join('\n'));
      begin = undefined;
    }
  return found;
}

function parse(text: string): { readonly value: unknown } | undefined {
  if (!/^[{["\d\-tfn]/.test(text)) return undefined;
  try {
    return { value: JSON.parse(text) };
  } catch {
    return undefined;
  }
}
