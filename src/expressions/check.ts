/**
 * Texts × what is known of their values → problems, when a file is loaded. What is not known (results of programs, state)
 * passes here and is checked again when it is evaluated; a problem told here is one that would always happen.
 */
import { nearest } from '../types/nearest.ts';
import { comparisonProblem } from './evaluate.ts';
import { countProblem, functions, parameterOf, signatureOf } from './functions.ts';
import type { Kind, Known, Shape } from './shapes.ts';
import type { Expression, Node, Problem } from './syntax.ts';
import { parseExpression, scanTemplate } from './template.ts';

type Type = Shape | { readonly kind: 'null' };
const anything: Type = { kind: 'any' };

/**
 * Everything that is wrong with a template: syntax, unknown names and functions, types that do not fit.
 * @param expected What its value may be (null always may); default: anything.
 */
export function checkTemplate(text: string, known: Known, expected?: readonly Kind[]): readonly Problem[] {
  const { template, errors } = scanTemplate(text);
  const problems = errors.map(({ problem }) => problem);
  let type: Type = { kind: 'text' };
  for (const part of template.parts)
    if (part.kind === 'expression') {
      const checked = check(part.expression, known);
      problems.push(...checked.problems);
      if (template.isWhole) type = checked.type;
    }
  if (problems.length === 0) problems.push(...unexpected(type, expected, { at: 0, end: text.length }));
  return problems.sort((a, b) => a.at - b.at);
}

/** The same for an expression, with or without `${{ }}` around it. */
export function checkExpression(text: string, known: Known, expected?: readonly Kind[]): readonly Problem[] {
  const parsed = parseExpression(text);
  if ('problem' in parsed) return [parsed.problem];
  const { problems, type } = check(parsed.ast, known);
  return problems.length > 0 ? problems : unexpected(type, expected, parsed.ast.root);
}

function unexpected(
  { kind }: Type,
  expected: readonly Kind[] | undefined,
  { at, end }: Pick<Node, 'at' | 'end'>,
): readonly Problem[] {
  if (!expected || kind === 'any' || kind === 'null' || kind === 'absent' || expected.includes(kind))
    return [];
  const wanted = expected.join(' or ');
  const fix =
    kind === 'text'
      ? 'A value keeps its type where one `${{ }}` stands alone; fromJSON(text) reads one from a text.'
      : 'Nothing is converted; toJSON(value) makes a text of any value.';
  return [{ message: `this is ${kind}, where ${wanted} is needed`, at, length: end - at, fix }];
}

function check(
  { text, root }: Expression,
  known: Known,
): { readonly type: Type; readonly problems: Problem[] } {
  const checker = new Checker(text, known);
  return { type: checker.typeOf(root), problems: checker.problems };
}

class Checker {
  readonly problems: Problem[] = [];
  readonly #text: string;
  readonly #known: Known;

  constructor(text: string, known: Known) {
    this.#text = text;
    this.#known = known;
  }

  typeOf(node: Node): Type {
    switch (node.kind) {
      case 'literal':
        return typeOfLiteral(node.value);
      case 'context':
        return this.#context(node, node.name);
      case 'property':
        return this.#property(node, this.typeOf(node.of), this.typeOf(node.key));
      case 'not':
        this.typeOf(node.operand);
        return { kind: 'boolean' };
      case 'and':
      case 'or':
        return joined(node.operands.map((operand) => this.typeOf(operand)));
      case 'compare': {
        const [a, b] = [this.typeOf(node.left), this.typeOf(node.right)];
        const wrong = [a, b].some(isOpen) ? undefined : comparisonProblem(node.operator, a.kind, b.kind);
        if (wrong) this.#report(node, wrong.message, wrong.fix);
        this.#neverEqual(a, node.left, node.right);
        this.#neverEqual(b, node.right, node.left);
        return { kind: 'boolean' };
      }
      case 'call':
        return this.#call(node, node.name, node.args);
      default:
        return node satisfies never;
    }
  }

  /** A text that can only be one of a few, compared with one that it never is. */
  #neverEqual(type: Type, of: Node, other: Node): void {
    if (type.kind !== 'text' || !type.values || other.kind !== 'literal') return;
    const { value } = other;
    if (typeof value !== 'string' || type.values.includes(value)) return;
    const near = nearest(value, type.values);
    const quoted = near === undefined ? undefined : `'${near.replaceAll("'", "''")}'`;
    this.#report(
      other,
      `\`${this.#source(of)}\` is never "${value}"`,
      `It is one of ${type.values.join(', ')}.`,
      quoted,
    );
  }

  #context(node: Node, name: string): Type {
    const { contexts } = this.#known;
    if (Object.hasOwn(contexts, name)) return this.#present(node, contexts[name] as Shape);
    const names = readable(contexts);
    // Who writes `path` means `file.path`.
    const within = names.find((one) => {
      const shape = contexts[one];
      return shape?.kind === 'object' && Object.hasOwn(shape.keys, name);
    });
    const isFunction = functions.has(name);
    this.#unknown(
      node,
      isFunction ? `\`${name}\` is a function` : `unknown value "${name}"`,
      isFunction
        ? `${name}()`
        : within === undefined
          ? nearest(name, [...names, 'true', 'false', 'null'])
          : `${within}.${name}`,
      names,
    );
    return anything;
  }

  #property(node: Extract<Node, { kind: 'property' }>, of: Type, key: Type): Type {
    const source = this.#source(node.of);
    switch (of.kind) {
      case 'any':
      case 'absent':
      case 'null':
        return anything;
      case 'list': {
        if (key.kind === 'number' || isOpen(key)) return of.items ?? anything;
        const isLength =
          node.key.kind === 'literal' && ['length', 'count', 'size'].includes(String(node.key.value));
        this.#report(
          node,
          `\`${source}\` is a list; its items are read by their number`,
          isLength ? `Write length(${source}).` : 'Write `[0]` for the first.',
          isLength ? `length(${source})` : undefined,
        );
        return anything;
      }
      case 'object': {
        if (key.kind !== 'text' && !isOpen(key)) {
          this.#report(
            node.key,
            `the key of an object is a text, this is ${key.kind}`,
            "Put it in quotes: `['1']`.",
          );
          return anything;
        }
        if (node.key.kind !== 'literal') return anything;
        const name = String(node.key.value);
        if (Object.hasOwn(of.keys, name)) return this.#present(node, of.keys[name] as Shape);
        if (of.open) return anything;
        const near = nearest(name, readable(of.keys));
        this.#unknown(
          node,
          `unknown value "${this.#source(node)}"`,
          near === undefined ? undefined : `${source}${access(near)}`,
          readable(of.keys).map((one) => `${source}${access(one)}`),
        );
        return anything;
      }
      case 'text':
      case 'number':
      case 'boolean':
        this.#report(
          node,
          `\`${source}\` is a ${of.kind} and has no properties`,
          of.kind === 'text'
            ? `fromJSON(${source}) reads JSON; length(${source}) counts characters.`
            : 'Remove what stands behind it.',
        );
        return anything;
      default:
        return of satisfies never;
    }
  }

  #call(node: Node, name: string, args: readonly Node[]): Type {
    const types = args.map((arg) => this.typeOf(arg));
    const spec = functions.get(name);
    const place = { at: node.at, end: node.at + name.length };
    const callable = this.#callable();
    if (!spec) {
      const near = nearest(name, callable);
      this.#unknown(place, `unknown function "${name}"`, near, callable);
      return anything;
    }
    if (!callable.includes(name)) {
      this.#report(
        place,
        `${name}() has no meaning here`,
        spec.isStatus ? 'It can be asked in the `if` of a step.' : `Functions here: ${callable.join(', ')}.`,
      );
      return spec.gives;
    }
    const wrong = countProblem(name, spec, args.length);
    if (wrong !== undefined) this.#report(node, wrong, `Write \`${signatureOf(name, spec)}\`.`);
    for (const [index, type] of types.entries()) {
      const { kinds, nullable } = parameterOf(spec, index) ?? {};
      if (!kinds || isOpen(type)) continue;
      if (type.kind === 'null' ? nullable : (kinds as readonly string[]).includes(type.kind)) continue;
      this.#report(
        args[index] as Node,
        `${name}() takes ${kinds.join(' or ')} here, this is ${type.kind}`,
        'Nothing is converted: toJSON() makes a text of any value, fromJSON() a value of a text.',
      );
    }
    return spec.gives;
  }

  #callable(): readonly string[] {
    const { functions: named, status } = this.#known;
    return [...functions].flatMap(([name, { isStatus }]) =>
      (isStatus ? status : (named?.includes(name) ?? true)) ? [name] : [],
    );
  }

  #present(node: Node, shape: Shape): Type {
    if (shape.kind === 'absent') this.#report(node, shape.why, shape.fix);
    return shape;
  }

  #source({ at, end }: Pick<Node, 'at' | 'end'>): string {
    return this.#text.slice(at, end);
  }

  #unknown(
    place: Pick<Node, 'at' | 'end'>,
    message: string,
    near: string | undefined,
    all: readonly string[],
  ): void {
    const list =
      all.length === 0
        ? 'There is none here.'
        : `Known here: ${all.slice(0, 40).join(', ')}${all.length > 40 ? ', …' : ''}.`;
    this.#report(place, message, near === undefined ? list : `did you mean "${near}"?`, near);
  }

  #report({ at, end }: Pick<Node, 'at' | 'end'>, message: string, fix: string, suggestion?: string): void {
    this.problems.push({
      message,
      at,
      length: end - at,
      fix,
      ...(suggestion === undefined ? {} : { suggestion }),
    });
  }
}

function isOpen({ kind }: Type): boolean {
  return kind === 'any' || kind === 'absent';
}

function typeOfLiteral(value: null | boolean | number | string): Type {
  if (value === null) return { kind: 'null' };
  return { kind: typeof value === 'string' ? 'text' : typeof value === 'number' ? 'number' : 'boolean' };
}

/** `&&` and `||` give one of their operands: what that is, is known when they are of one kind. */
function joined(types: readonly Type[]): Type {
  const [first, ...rest] = types.filter(({ kind }) => kind !== 'null');
  if (!first) return { kind: 'null' };
  const isSimple = first.kind === 'text' || first.kind === 'number' || first.kind === 'boolean';
  return rest.length === 0 || (isSimple && rest.every(({ kind }) => kind === first.kind)) ? first : anything;
}

function readable(shapes: Readonly<Record<string, Shape>>): readonly string[] {
  return Object.keys(shapes).filter((name) => shapes[name]?.kind !== 'absent');
}

const plainName = /^[\p{ID_Continue}][\p{ID_Continue}-]*$/u;

function access(key: string): string {
  return plainName.test(key) ? `.${key}` : `['${key.replaceAll("'", "''")}']`;
}
