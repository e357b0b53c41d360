/** Templates and expressions × scope → values and texts. What a value holds is never looked at again. */
import { ExpressionError } from './error.ts';
import { drive, driveNow, Evaluation, evaluateNode, type Steps, toError } from './evaluate.ts';
import type { FileValue, Scope, Value } from './scope.ts';
import { type Expression, maxDepth, type Template } from './syntax.ts';
import { parseTemplate, toExpression } from './template.ts';
import { textOf } from './values.ts';

/** Contexts alone: nothing in it has to be waited for. */
export type PlainScope = Pick<Scope, 'context'>;

/** @throws {ExpressionError} and nothing else. */
export async function evaluate(expression: Expression | string, scope: Scope): Promise<Value> {
  const parsed = typeof expression === 'string' ? toExpression(expression) : expression;
  return drive(evaluateNode(parsed, new Evaluation(scope)));
}

/** The same at once, in a scope without files. */
export function evaluateNow(expression: Expression | string, scope: PlainScope): Value {
  const parsed = typeof expression === 'string' ? toExpression(expression) : expression;
  return driveNow(evaluateNode(parsed, plain(scope)));
}

/** Values as text: texts as they are, numbers and booleans plain, null as nothing, lists and objects as JSON. @throws {ExpressionError}. */
export async function renderText(template: Template | string, scope: Scope): Promise<string> {
  return drive(textSteps(toTemplate(template), new Evaluation(scope)));
}

/** The same at once, in a scope without files. */
export function renderTextNow(template: Template | string, scope: PlainScope): string {
  return driveNow(textSteps(toTemplate(template), plain(scope)));
}

/** A template that is one whole `${{ }}` keeps the type of its value; others are texts. @throws {ExpressionError}. */
export async function renderValue(template: Template | string, scope: Scope): Promise<Value> {
  return drive(valueSteps(toTemplate(template), new Evaluation(scope)));
}

/** JSON whose texts (not keys) are templates. @throws {ExpressionError}. */
export async function renderDeep(value: unknown, scope: Scope): Promise<Value> {
  return drive(deepSteps(value, new Evaluation(scope)));
}

/** One word of a command: one argument; `${{ files }}` alone gives the path of each file as an argument of its own. @throws {ExpressionError}. */
export async function renderArguments(template: Template | string, scope: Scope): Promise<readonly string[]> {
  return drive(argumentSteps(toTemplate(template), new Evaluation(scope)));
}

/** The same at once, in a scope without files. */
export function renderArgumentsNow(template: Template | string, scope: PlainScope): readonly string[] {
  return driveNow(argumentSteps(toTemplate(template), plain(scope)));
}

/** It is `${{ files }}` and nothing else. */
export function isFilesWord({ isWhole, parts: [part] }: Template): boolean {
  if (!isWhole || part?.kind !== 'expression') return false;
  const { root } = part.expression;
  return root.kind === 'context' && root.name === 'files';
}

function toTemplate(template: Template | string): Template {
  return typeof template === 'string' ? parseTemplate(template) : template;
}

function* textSteps(template: Template, evaluation: Evaluation): Steps<string> {
  const pieces: string[] = [];
  for (const part of template.parts) {
    if (part.kind === 'text') {
      pieces.push(part.text);
      continue;
    }
    const { text, root } = part.expression;
    const value = yield* evaluateNode(part.expression, evaluation);
    try {
      pieces.push(textOf(value, evaluation.budget));
    } catch (error) {
      throw toError(text, root, error);
    }
  }
  return pieces.join('');
}

function* valueSteps(template: Template, evaluation: Evaluation): Steps<Value> {
  const [part] = template.parts;
  if (template.isWhole && part?.kind === 'expression')
    return yield* evaluateNode(part.expression, evaluation);
  return yield* textSteps(template, evaluation);
}

function* argumentSteps(template: Template, evaluation: Evaluation): Steps<readonly string[]> {
  if (!isFilesWord(template)) return [yield* textSteps(template, evaluation)];
  const files = (yield* valueSteps(template, evaluation)) as readonly FileValue[] | null;
  return (files ?? []).map(({ path }) => path);
}

function* deepSteps(value: unknown, evaluation: Evaluation, depth = 0): Steps<Value> {
  if (typeof value === 'string')
    return value.includes('${{') ? yield* valueSteps(parseTemplate(value), evaluation) : value;
  if (typeof value !== 'object' || value === null) return (value ?? null) as Value;
  if (depth >= maxDepth)
    throw new ExpressionError('', {
      message: `the values are nested deeper than ${maxDepth} levels`,
      at: 0,
      length: 1,
      fix: 'Make them flatter.',
    });
  if (Array.isArray(value)) {
    const items: Value[] = [];
    for (const item of value) items.push(yield* deepSteps(item, evaluation, depth + 1));
    return items;
  }
  const entries: [string, Value][] = [];
  for (const [key, item] of Object.entries(value))
    entries.push([key, yield* deepSteps(item, evaluation, depth + 1)]);
  // Also defines a key called `__proto__` as plain data.
  return Object.fromEntries(entries);
}

function plain(scope: PlainScope): Evaluation {
  return new Evaluation({ context: (name) => scope.context(name) });
}
