/**
 * Tree × scope → value. One generator evaluates; what it yields are the few values that must be waited for (files). Driven
 * with `await` it serves workflows; driven at once it serves the commands of rules, where no such function is known.
 */
import { AppError, messageOf } from '../types/errors.ts';
import { ExpressionError } from './error.ts';
import { countProblem, functions, parameterOf, signatureOf } from './functions.ts';
import type { Scope, Value } from './scope.ts';
import type { Comparison, Expression, Node } from './syntax.ts';
import { Budget, isTrue, kindOf, ValueProblem } from './values.ts';

/** What one evaluation shares: contexts that were asked for already, and what it may still make. */
export class Evaluation {
  readonly scope: Scope;
  readonly budget = new Budget();
  readonly #contexts = new Map<string, Value | undefined>();

  constructor(scope: Scope) {
    this.scope = scope;
  }

  context(name: string): Value | undefined {
    if (!this.#contexts.has(name)) this.#contexts.set(name, this.scope.context(name));
    return this.#contexts.get(name);
  }
}

export type Steps<T> = Generator<Promise<Value>, T, Value>;

export async function drive<T>(steps: Steps<T>): Promise<T> {
  let step = steps.next();
  while (!step.done)
    try {
      step = steps.next(await step.value);
    } catch (error) {
      // Its own errors come through `next`, those of the promise must go in; thrown into a finished one they come out again.
      step = steps.throw(error);
    }
  return step.value;
}

/** For scopes without files: nothing has to be waited for. */
export function driveNow<T>(steps: Steps<T>): T {
  const step = steps.next();
  if (step.done) return step.value;
  throw new TypeError('an expression without files waits');
}

/** @throws {ExpressionError} and nothing else. */
export function* evaluateNode({ text, root }: Expression, evaluation: Evaluation): Steps<Value> {
  return yield* valueAt(root);

  function* valueAt(node: Node): Steps<Value> {
    try {
      return yield* computed(node);
    } catch (error) {
      throw toError(text, node, error);
    }
  }

  function* computed(node: Node): Steps<Value> {
    switch (node.kind) {
      case 'literal':
        return node.value;
      case 'context': {
        const value = evaluation.context(node.name);
        if (value === undefined)
          throw new ValueProblem(
            `there is no \`${node.name}\` here`,
            'Look at the names in docs/expressions.md.',
          );
        return value;
      }
      case 'property':
        return propertyOf(
          yield* valueAt(node.of),
          yield* valueAt(node.key),
          text.slice(node.of.at, node.of.end),
        );
      case 'not':
        return !isTrue(yield* valueAt(node.operand));
      case 'and':
      case 'or': {
        let value: Value = null;
        for (const operand of node.operands) {
          value = yield* valueAt(operand);
          if (isTrue(value) === (node.kind === 'or')) return value;
        }
        return value;
      }
      case 'compare':
        return compare(node.operator, yield* valueAt(node.left), yield* valueAt(node.right));
      case 'call': {
        const spec = functions.get(node.name);
        if (!spec)
          throw new ValueProblem(
            `there is no function \`${node.name}\``,
            `Functions: ${[...functions.keys()].join(', ')}.`,
          );
        const wrong = countProblem(node.name, spec, node.args.length);
        if (wrong !== undefined) throw new ValueProblem(wrong, `Write \`${signatureOf(node.name, spec)}\`.`);
        const args: Value[] = [];
        for (const [index, arg] of node.args.entries()) {
          const value = yield* valueAt(arg);
          const { kinds, nullable } = parameterOf(spec, index) ?? {};
          const kind = kindOf(value);
          if (kinds && !(kind === 'null' ? nullable : kinds.includes(kind)))
            throw toError(
              text,
              arg,
              new ValueProblem(
                `${node.name}() takes ${kinds.join(' or ')} here, this is ${kind}`,
                ofKind(kind),
              ),
            );
          args.push(value);
        }
        const result = spec.run({ args, scope: evaluation.scope, budget: evaluation.budget });
        return result instanceof Promise ? yield result : result;
      }
      default:
        return node satisfies never;
    }
  }
}

function ofKind(kind: string): string {
  return kind === 'null'
    ? "Nothing is there: ask before with `x != null`, or write `x || 'default'`."
    : 'Nothing is converted: toJSON() makes a text of any value, fromJSON() a value of a text.';
}

function propertyOf(of: Value, key: Value, source: string): Value {
  const kind = kindOf(of);
  const keyKind = kindOf(key);
  if (kind === 'null') return null;
  if (kind === 'list') {
    if (typeof key !== 'number')
      throw new ValueProblem(
        `\`${source}\` is a list; its items are read by their number, not by ${keyKind === 'text' ? JSON.stringify(key) : keyKind}`,
        'Write `[0]` for the first; length(list) counts them.',
      );
    return (of as readonly Value[])[key] ?? null;
  }
  if (kind !== 'object')
    throw new ValueProblem(
      `\`${source}\` is a ${kind} and has no properties`,
      kind === 'text'
        ? 'fromJSON(text) reads JSON; length(text) counts characters.'
        : 'Remove what stands behind it.',
    );
  if (typeof key !== 'string')
    throw new ValueProblem(
      `the key of an object is a text, this is ${keyKind}`,
      "Put it in quotes: `['1']`.",
    );
  // Own properties only: what a program calls `constructor` is data, what JavaScript calls so is not there.
  return Object.hasOwn(of as object, key) ? ((of as Record<string, Value>)[key] ?? null) : null;
}

function compare(operator: Comparison, left: Value, right: Value): boolean {
  const [a, b] = [kindOf(left), kindOf(right)];
  const isEquality = operator === '==' || operator === '!=';
  if (isEquality && (a === 'null' || b === 'null')) return (a === b) === (operator === '==');
  const wrong = comparisonProblem(operator, a, b);
  if (wrong) throw new ValueProblem(wrong.message, wrong.fix);
  switch (operator) {
    case '==':
      return left === right;
    case '!=':
      return left !== right;
    case '<':
      return (left as number) < (right as number);
    case '<=':
      return (left as number) <= (right as number);
    case '>':
      return (left as number) > (right as number);
    case '>=':
      return (left as number) >= (right as number);
    default:
      return operator satisfies never;
  }
}

/** Why values of these kinds cannot be compared; at load the same question is asked of what is known. */
export function comparisonProblem(
  operator: Comparison,
  a: string,
  b: string,
): { readonly message: string; readonly fix: string } | undefined {
  const isEquality = operator === '==' || operator === '!=';
  if (a === 'null' || b === 'null')
    return isEquality
      ? undefined
      : {
          message: `\`${operator}\` has null on one side`,
          fix: 'Ask before whether it is there: `x != null && x > 1`.',
        };
  for (const kind of [a, b])
    if (kind === 'list' || kind === 'object')
      return {
        message: `\`${operator}\` cannot compare ${kind}s`,
        fix: 'Compare one of its values, its length(), or both sides as toJSON().',
      };
  if (a !== b)
    return {
      message: `\`${operator}\` compares ${a} with ${b}`,
      fix: 'Nothing is converted: write numbers without quotes and texts in quotes, or read a number from a text by fromJSON().',
    };
  if (a === 'boolean' && !isEquality)
    return {
      message: `\`${operator}\` cannot compare booleans`,
      fix: 'Write `==`, `!=`, `&&`, `||` or `!`.',
    };
  return undefined;
}

/** Whatever a scope throws, too, is told with its place. */
export function toError(
  text: string,
  { at, end }: Pick<Node, 'at' | 'end'>,
  error: unknown,
): ExpressionError {
  if (error instanceof ExpressionError) return error;
  const place = { at, length: end - at };
  if (error instanceof ValueProblem)
    return new ExpressionError(text, { message: error.message, ...place, fix: error.fix });
  const fix = error instanceof AppError ? error.fix : 'Look at what it reads.';
  return new ExpressionError(text, { message: messageOf(error), ...place, fix }, { cause: error });
}
