/** Text with `${{ … }}` in it → its literal parts and its expressions. `$${{` stands for the characters `${{`. */
import { ExpressionError } from './error.ts';
import { tokenize } from './lexer.ts';
import { parseAt } from './parser.ts';
import type { Expression, Problem, Template, TemplatePart } from './syntax.ts';
import { notClosed } from './syntax-problems.ts';

const opening = '${{';
/** One mistake can make a hundred: nobody reads those. */
const maxProblems = 20;

/** An expression, with or without `${{ }}` around it. */
export function parseExpression(text: string): { readonly ast: Expression } | { readonly problem: Problem } {
  try {
    return { ast: toExpression(text) };
  } catch (error) {
    return { problem: (error as ExpressionError).problem };
  }
}

/** @throws {ExpressionError} */
export function toExpression(text: string): Expression {
  const from = text.search(/\S/);
  if (from < 0 || !text.startsWith(opening, from)) return parseAt(text, 0, false).expression;
  const { expression, end } = parseAt(text, closedFrom(text, from), true);
  const rest = text.slice(end).search(/\S/);
  if (rest < 0) return expression;
  throw new ExpressionError(text, {
    message: 'something stands behind the `}}`',
    at: end + rest,
    length: text.trimEnd().length - end - rest,
    fix: 'Put all of it between the braces, or leave the braces away.',
  });
}

/** What an `if` may be written as: `${{ x }}` → `x`; a text without braces around it stays as it is. */
export function withoutBraces(text: string): string {
  const trimmed = text.trim();
  if (!trimmed.startsWith(opening) || expressionEnd(trimmed, 0) !== trimmed.length) return text;
  return trimmed.slice(opening.length, -2).trim();
}

/** @param from Offset of a `${{`. @returns The offset behind its `}}` (one in quotes is none); undefined: it is not closed. */
export function expressionEnd(text: string, from: number): number | undefined {
  const start = from + opening.length;
  try {
    return tokenize(text, start, true, []);
  } catch {
    // What is no expression ends where it seems to.
    const end = text.indexOf('}}', start);
    return end < 0 ? undefined : end + 2;
  }
}

/** @throws {ExpressionError} when it is no template; `scanTemplate` collects what is wrong with it instead. */
export function parseTemplate(text: string): Template {
  const { template, errors } = scanTemplate(text);
  if (errors[0]) throw errors[0];
  return template;
}

/** @returns the parts that can be understood, and the errors of the others. */
export function scanTemplate(text: string): {
  readonly template: Template;
  readonly errors: readonly ExpressionError[];
} {
  const parts: TemplatePart[] = [];
  const errors: ExpressionError[] = [];
  const lastClose = text.lastIndexOf('}}');
  let literal = '';
  const flush = () => {
    if (literal !== '') parts.push({ kind: 'text', text: literal });
    literal = '';
  };
  for (let from = 0; ; ) {
    const open = text.indexOf(opening, from);
    if (open < 0 || errors.length >= maxProblems) {
      literal += text.slice(from);
      flush();
      const isWhole = parts.length === 1 && parts[0]?.kind === 'expression' && errors.length === 0;
      return { template: { text, parts, isWhole }, errors };
    }
    if (open > from && text[open - 1] === '$') {
      literal += text.slice(from, open - 1) + opening;
      from = open + opening.length;
      continue;
    }
    literal += text.slice(from, open);
    const start = open + opening.length;
    try {
      if (lastClose < start) throw new ExpressionError(text, notClosed(open));
      const { expression, end } = parseAt(text, start, true);
      flush();
      parts.push({ kind: 'expression', expression });
      from = end;
    } catch (error) {
      errors.push(error as ExpressionError);
      const end = text.indexOf('}}', Math.max(start, (error as ExpressionError).at));
      from = end < 0 ? text.length : end + 2;
    }
  }
}

/** @returns the offset behind the opening braces. @throws {ExpressionError} when they are not closed. */
function closedFrom(text: string, open: number): number {
  if (text.includes('}}', open)) return open + opening.length;
  throw new ExpressionError(text, notClosed(open));
}
