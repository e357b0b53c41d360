/**
 * The door of this folder: `${{ … }}` as texts → checked when they are loaded → values and texts when they are needed.
 * The language is described in docs/expressions.md. It is parsed and evaluated by our own code, without `eval` and without
 * regular expressions over values; what a value holds is never looked at again.
 */
import type { Scope, Value } from './scope.ts';
import type { Kind, Known } from './shapes.ts';
import type { Expression, Problem, Reference, Template } from './syntax.ts';

export { caretUnder, ExpressionError } from './error.ts';
export type { FileAccess, FileValue, Scope, Value } from './scope.ts';
export { fileShape, filesShape, type Kind, type Known, type Shape } from './shapes.ts';
export type { Expression, Node, Problem, Reference, Template, TemplatePart } from './syntax.ts';

/** An expression, with or without `${{ }}` around it. */
export function parseExpression(_text: string): { readonly ast: Expression } | { readonly problem: Problem } {
  throw new Error('not here yet');
}

/** @throws {ExpressionError} when it is no template; `checkTemplate` collects what is wrong with it instead. */
export function parseTemplate(_text: string): Template {
  throw new Error('not here yet');
}

/** What an `if` may be written as: `${{ x }}` → `x`; a text without braces around it stays as it is. */
export function withoutBraces(_text: string): string {
  throw new Error('not here yet');
}

/** @param from Offset of a `${{`. @returns The offset behind its `}}` (one in quotes is none); undefined: it is not closed. */
export function expressionEnd(_text: string, _from: number): number | undefined {
  throw new Error('not here yet');
}

/**
 * Everything that is wrong with a template: syntax, unknown names and functions, types that do not fit.
 * @param expected What its value may be (null always may); default: anything.
 */
export function checkTemplate(_text: string, _known: Known, _expected?: readonly Kind[]): readonly Problem[] {
  throw new Error('not here yet');
}

/** The same for an expression, with or without `${{ }}` around it. */
export function checkExpression(
  _text: string,
  _known: Known,
  _expected?: readonly Kind[],
): readonly Problem[] {
  throw new Error('not here yet');
}

/** @throws {ExpressionError} and nothing else. */
export async function evaluate(_expression: Expression | string, _scope: Scope): Promise<Value> {
  throw new Error('not here yet');
}

/** Truth of a value: null, false, 0 and '' are false. */
export function isTrue(_value: Value): boolean {
  throw new Error('not here yet');
}

/** Values as text: texts as they are, numbers and booleans plain, null as nothing, lists and objects as JSON. */
export async function renderText(_template: Template | string, _scope: Scope): Promise<string> {
  throw new Error('not here yet');
}

/** A template that is one whole `${{ }}` keeps the type of its value; others are texts. */
export async function renderValue(_template: Template | string, _scope: Scope): Promise<Value> {
  throw new Error('not here yet');
}

/** JSON whose texts (not keys) are templates. @throws {ExpressionError}. */
export async function renderDeep(_value: unknown, _scope: Scope): Promise<Value> {
  throw new Error('not here yet');
}

/** One word of a command: one argument; `${{ files }}` alone gives the path of each file as an argument of its own. */
export async function renderArguments(
  _template: Template | string,
  _scope: Scope,
): Promise<readonly string[]> {
  throw new Error('not here yet');
}

/** It calls `success()`, `failure()`, `always()` or `cancelled()`. */
export function usesStatus(_expression: Expression | string): boolean {
  throw new Error('not here yet');
}

/** What a template or an expression reads, in its order; of a text that cannot be parsed nothing. */
export function contextsOf(_source: Template | Expression): readonly Reference[] {
  throw new Error('not here yet');
}
