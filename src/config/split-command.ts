/**
 * Splits a command line into words as a shell does, quotes and backslashes included; nothing is expanded and nothing is
 * run. Where a shell would do more than split (pipes, redirections, variables, substitution) the text is refused: taken
 * literally it would silently mean something else. `${{ … }}` belongs to one word, whatever is in it, but
 * in single quotes nothing is special; `$${{` stands for the characters, which the template sees to.
 */
import { expressionEnd } from '../expressions/expressions.ts';

export type SplitResult =
  | { readonly words: readonly string[] }
  /** `at`: offset into the text. */
  | { readonly problem: string; readonly at: number };

export function splitCommand(text: string): SplitResult {
  const words: string[] = [];
  let word: string | undefined;
  let quote: '"' | "'" | undefined;
  let quoteAt = 0;
  for (let at = 0; at < text.length; at += 1) {
    const char = text[at] as string;
    if (char === '$' && quote !== "'") {
      if (text.startsWith('$${{', at)) {
        word = `${word ?? ''}$\${{`;
        at += 3;
        continue;
      }
      if (text.startsWith('${{', at)) {
        const end = expressionEnd(text, at);
        if (end === undefined) return { problem: '`${{` is not closed', at };
        word = (word ?? '') + text.slice(at, end);
        at = end - 1;
        continue;
      }
      if (/^\$[A-Za-z_({0-9?@*#!$-]/.test(text.slice(at, at + 2)))
        return { problem: '`$` would be taken literally: no shell expands it', at };
    }
    if (char === '`' && quote !== "'")
      return { problem: 'a backtick would be taken literally: no shell runs it', at };
    if (quote) {
      if (char === quote) quote = undefined;
      else if (char === '\\' && quote === '"' && '"\\$`'.includes(text[at + 1] ?? ' '))
        word += text[++at] ?? '\\';
      else word += char;
    } else if (char === '"' || char === "'") {
      quote = char;
      quoteAt = at;
      word ??= '';
    } else if (char === '\\') {
      if (at + 1 >= text.length) return { problem: 'the text ends with a backslash', at };
      word = (word ?? '') + text[++at];
    } else if (/\s/.test(char)) {
      if (word !== undefined) words.push(word);
      word = undefined;
    } else if ('|&;<>'.includes(char)) {
      return { problem: `"${char}" would be taken literally: no shell reads it`, at };
    } else word = (word ?? '') + char;
  }
  if (quote) return { problem: `the quote ${quote} is not closed`, at: quoteAt };
  if (word !== undefined) words.push(word);
  return words.length === 0 ? { problem: 'there is no command', at: 0 } : { words };
}

/** The reverse: `splitCommand(joinCommand(words))` gives the words again. */
export function joinCommand(words: readonly string[]): string {
  return words
    .map((word) => (/^[\w./:=@%+,-]+$/.test(word) ? word : `'${word.replaceAll("'", `'"'"'`)}'`))
    .join(' ');
}
