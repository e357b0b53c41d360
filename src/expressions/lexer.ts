/**
 * Text → tokens of one expression. In a template it ends at the first `}}` that stands in no quotes, so that a text may
 * hold `}}`. Texts are scanned by hand: a regular expression over a text of a megabyte can overflow its own stack.
 */
import { ExpressionError } from './error.ts';
import { maxExpressionLength } from './syntax.ts';
import { notClosed, strange, tooLong } from './syntax-problems.ts';

export type Token = { readonly at: number; readonly end: number } & (
  | { readonly kind: 'name' | 'mark'; readonly text: string }
  | { readonly kind: 'number'; readonly value: number }
  | { readonly kind: 'text'; readonly value: string }
  | { readonly kind: 'end' }
);

const space = /[ \t\r\n\u00a0]+/y;
const number = /-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
const name = /[\p{ID_Start}_][\p{ID_Continue}-]*/uy;
/** Behind a dot a name may begin with a digit: steps are called `1st`, too. */
const key = /[\p{ID_Continue}][\p{ID_Continue}-]*/uy;
const mark = /\|\||&&|[=!<>]=|[!<>()[\],.]/y;

/**
 * @param from Where the expression begins.
 * @param inBraces It ends at `}}`, else at the end of the text.
 * @param tokens Where they are put, `end` last.
 * @returns the offset behind the `}}`, or the end of the text.
 * @throws {ExpressionError}
 */
export function tokenize(text: string, from: number, inBraces: boolean, tokens: Token[]): number {
  const match = (pattern: RegExp, at: number): string | undefined => {
    pattern.lastIndex = at;
    return pattern.exec(text)?.[0];
  };
  for (let at = from; ; ) {
    at += match(space, at)?.length ?? 0;
    if (at - from > maxExpressionLength) throw new ExpressionError(text, tooLong(from));
    if (inBraces && text.startsWith('}}', at)) {
      tokens.push({ kind: 'end', at, end: at });
      return at + 2;
    }
    if (at >= text.length) {
      if (inBraces) throw new ExpressionError(text, notClosed(from - 3));
      tokens.push({ kind: 'end', at, end: at });
      return at;
    }
    const token = tokens.at(-1);
    const isBehindDot = token?.kind === 'mark' && token.text === '.';
    const found = isBehindDot ? match(key, at) : match(name, at);
    const digits = found === undefined ? match(number, at) : undefined;
    const sign = found === undefined && digits === undefined ? match(mark, at) : undefined;
    const quote = text[at];
    if (found !== undefined) tokens.push({ kind: 'name', text: found, at, end: at + found.length });
    else if (digits !== undefined) tokens.push(numberToken(text, at, digits));
    else if (sign !== undefined) tokens.push({ kind: 'mark', text: sign, at, end: at + sign.length });
    else if (quote === "'" || quote === '"') tokens.push(textToken(text, at, quote));
    else throw new ExpressionError(text, strange(text, at));
    const last = tokens.at(-1) as Token;
    if (last.kind === 'mark' && text[last.end] === '=' && /^[=!]=$/.test(last.text))
      throw new ExpressionError(text, {
        message: `there is no \`${last.text}=\``,
        at,
        length: 3,
        suggestion: last.text,
        fix: `Write \`${last.text}\`: it compares without converting.`,
      });
    at = last.end;
  }
}

function numberToken(text: string, at: number, digits: string): Token {
  const value = Number(digits);
  const end = at + digits.length;
  if (!Number.isFinite(value))
    throw new ExpressionError(text, {
      message: `${digits} is too large a number`,
      at,
      length: digits.length,
      fix: 'Numbers go up to about 1.8e308.',
    });
  return { kind: 'number', value: value === 0 ? 0 : value, at, end };
}

/** A quote in the text itself is written twice. */
function textToken(text: string, at: number, quote: string): Token {
  const pieces: string[] = [];
  for (let from = at + 1; ; ) {
    const end = text.indexOf(quote, from);
    if (end < 0)
      throw new ExpressionError(text, {
        message: `the quote ${quote} is not closed`,
        at,
        length: 1,
        fix: `Add ${quote} where the text ends; inside of it, ${quote}${quote} stands for ${quote}.`,
      });
    pieces.push(text.slice(from, end));
    if (text[end + 1] !== quote) return { kind: 'text', value: pieces.join(quote), at, end: end + 1 };
    from = end + 2;
  }
}
