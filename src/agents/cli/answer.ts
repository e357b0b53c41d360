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
  const fences = [...trimmed.matchAll(/^```[a-zA-Z]*[ \t]*\n([\s\S]*?)\n```[ \t]*$/gm)];
  for (const fence of fences.toReversed()) yield fence[1] as string;
  // From the first bracket that begins a line to the last that ends one.
  const begin = /^[ \t]*[{[]/m.exec(trimmed);
  const end = Math.max(trimmed.lastIndexOf('}'), trimmed.lastIndexOf(']'));
  if (begin && end > begin.index) yield trimmed.slice(begin.index, end + 1);
}

function parse(text: string): { readonly value: unknown } | undefined {
  if (!/^[{["\d\-tfn]/.test(text)) return undefined;
  try {
    return { value: JSON.parse(text) };
  } catch {
    return undefined;
  }
}
