/** What people get wrong, in words: other languages' operators, missing values, brackets that do not match. */
import type { Token } from './lexer.ts';
import { maxDepth, maxExpressionLength, type Problem } from './syntax.ts';

export function notClosed(at: number): Problem {
  return {
    message: '`${{` is not closed',
    at,
    length: 3,
    fix: 'Add `}}`; write `$${{` for the characters themselves.',
  };
}

export function tooLong(at: number): Problem {
  return {
    message: `the expression has more than ${maxExpressionLength} characters`,
    at,
    length: 1,
    fix: 'Let a program decide that, and read its result.',
  };
}

const arithmetic = 'There is no arithmetic: let a step compute it, and read its result.';
const hints: Readonly<Record<string, string>> = {
  '=': 'Write `==` to compare.',
  '&': 'Write `&&` for "and".',
  '|': 'Write `||` for "or"; there are no pipes.',
  '?': 'Write `condition && value || other`.',
  ':': 'Write `condition && value || other`.',
  '+': `${arithmetic} Texts are joined by format('{0}{1}', a, b).`,
  '-': arithmetic,
  '*': arithmetic,
  '/': arithmetic,
  '%': arithmetic,
  '`': "Texts stand in single or double quotes: 'like this'.",
  '{': "Objects are written as JSON: fromJSON('{…}').",
  $: 'Between the braces names stand without `$`.',
};

export function strange(text: string, at: number): Problem {
  const char = String.fromCodePoint(text.codePointAt(at) as number);
  return {
    message: `${JSON.stringify(char)} has no meaning here`,
    at,
    length: char.length,
    fix: hints[char] ?? 'Remove it, or put it in quotes when it belongs to a text.',
  };
}

export function tooDeep(at: number): Problem {
  return {
    message: `it is nested deeper than ${maxDepth} levels`,
    at,
    length: 1,
    fix: 'Let earlier steps compute parts of it.',
  };
}

export function noName({ at, end, ...token }: Token): Problem {
  const fix =
    token.kind === 'mark' && token.text === '['
      ? "Write `['name']` without the dot."
      : "Write `.name`, or `['any name']`.";
  return { message: 'a name is missing behind `.`', at: at - 1, length: Math.max(1, end - at + 1), fix };
}

export function noValue({ at, end, ...token }: Token): Problem {
  const text = token.kind === 'mark' ? token.text : '';
  return {
    message: `a value is missing before \`${text}\``,
    at,
    length: end - at,
    fix: text === '[' ? 'Lists are written as JSON: fromJSON(\'["a", "b"]\').' : 'Write one, or remove it.',
  };
}

/** Words of other languages, with what they are here. */
const otherWords: Readonly<Record<string, string>> = {
  and: 'Write `&&` for "and".',
  or: 'Write `||` for "or".',
  not: 'Write `!` for "not".',
  eq: 'Write `==`.',
  is: 'Write `==`.',
  in: 'Write contains(list, value).',
  if: 'Write `condition && value || other`.',
};

/** Something stands where the expression should have ended, or `sign` is expected. */
export function leftOver(token: Token, before: Token | undefined, sign?: string): Problem {
  const { at, end } = token;
  const word = (one: Token | undefined) => (one?.kind === 'name' ? otherWords[one.text] : undefined);
  const hint = word(token) ?? word(before);
  const place = { at, length: Math.max(1, end - at) };
  if (token.kind === 'mark') {
    if (token.text === '(')
      return {
        message: 'only functions can be called',
        ...place,
        fix: 'The functions are listed in docs/expressions.md.',
      };
    if (')]'.includes(token.text))
      return { message: `\`${token.text}\` closes nothing`, ...place, fix: 'Remove it, or open it before.' };
  }
  if (token.kind === 'number' && hint === undefined && before?.kind !== 'mark')
    return {
      message: 'there is no operator between two values',
      ...place,
      fix: 'There is no arithmetic; compare with `==`, `<` and their like.',
    };
  return {
    message: 'there is no operator between two values',
    ...place,
    fix:
      hint ??
      `Join them by \`&&\` or \`||\`, compare them${sign === undefined ? '' : `, or write \`${sign}\` before`}.`,
  };
}
