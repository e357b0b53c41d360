/**
 * Tokens → tree, by recursive descent; the grammar is in docs/expressions.md, one function for each of its rules. What nests
 * is counted, so that no text can exhaust the stack here or in whoever walks the tree.
 */
import { ExpressionError } from './error.ts';
import { type Token, tokenize } from './lexer.ts';
import { type Comparison, type Expression, maxDepth, type Node, type Problem } from './syntax.ts';
import { leftOver, noName, noValue, tooDeep } from './syntax-problems.ts';

const literals: ReadonlyMap<string, null | boolean> = new Map([
  ['null', null],
  ['true', true],
  ['false', false],
]);

/**
 * @param from Where the expression begins; in a template, behind `${{`.
 * @returns `end`: the offset behind its `}}`, or the end of the text.
 * @throws {ExpressionError}
 */
export function parseAt(
  text: string,
  from: number,
  inBraces: boolean,
): { readonly expression: Expression; readonly end: number } {
  const tokens: Token[] = [];
  try {
    const end = tokenize(text, from, inBraces, tokens);
    return { expression: { text, root: new Parser(text, tokens).whole() }, end };
  } catch (error) {
    throw (inBraces ? openQuote(text, tokens) : undefined) ?? error;
  }
}

/** `${{ file.ext == '.py }} isn't` is cut in the wrong place: what went wrong is the quote, not what follows it. */
function openQuote(text: string, tokens: readonly Token[]): ExpressionError | undefined {
  const found = tokens.find(({ kind, at, end }) => kind === 'text' && text.slice(at, end).includes('}}'));
  if (!found) return undefined;
  const quote = text[found.at] as string;
  return new ExpressionError(text, {
    message: `the quote ${quote} is not closed before \`}}\``,
    at: found.at,
    length: 1,
    fix: `Add ${quote} where the text ends; inside of it, ${quote}${quote} stands for ${quote}.`,
  });
}

class Parser {
  readonly #text: string;
  readonly #tokens: readonly Token[];
  readonly #depths = new WeakMap<Node, number>();
  #index = 0;
  #level = 0;

  constructor(text: string, tokens: readonly Token[]) {
    this.#text = text;
    this.#tokens = tokens;
  }

  whole(): Node {
    const node = this.#or();
    if (this.#next.kind !== 'end') throw this.#refuse(leftOver(this.#next, this.#tokens[this.#index - 1]));
    return node;
  }

  get #next(): Token {
    return this.#tokens[this.#index] as Token;
  }

  #or(): Node {
    return this.#chain('or', '||', () => this.#chain('and', '&&', () => this.#equality()));
  }

  #chain(kind: 'and' | 'or', sign: string, operand: () => Node): Node {
    const first = operand();
    const operands = [first];
    while (this.#accept(sign)) operands.push(operand());
    if (operands.length === 1) return first;
    const end = (operands.at(-1) as Node).end;
    return this.#node({ kind, operands, at: first.at, end }, operands);
  }

  #equality(): Node {
    return this.#comparison(['==', '!='], () =>
      this.#comparison(['<', '<=', '>', '>='], () => this.#unary()),
    );
  }

  /** Not in a row: `a < b < c` compares a boolean with `c`, which nobody means. */
  #comparison(signs: readonly Comparison[], operand: () => Node): Node {
    const left = operand();
    const operator = signs.find((sign) => this.#accept(sign));
    if (operator === undefined) return left;
    const right = inOutcomeWords(operand(), left);
    const again = this.#next;
    if (again.kind === 'mark' && (signs as readonly string[]).includes(again.text))
      throw this.#refuse({
        message: `\`${operator}\` and \`${again.text}\` stand in a row`,
        at: again.at,
        length: again.text.length,
        fix: 'Join two comparisons by `&&`, or put parentheses around the one that is meant first.',
      });
    const first = inOutcomeWords(left, right);
    return this.#node({ kind: 'compare', operator, left: first, right, at: left.at, end: right.end }, [
      first,
      right,
    ]);
  }

  #unary(): Node {
    const { at } = this.#next;
    if (!this.#accept('!')) return this.#postfix();
    const operand = this.#deeper(at, () => this.#unary());
    return this.#node({ kind: 'not', operand, at, end: operand.end }, [operand]);
  }

  #postfix(): Node {
    let node = this.#primary();
    for (;;) {
      const { at } = this.#next;
      if (this.#accept('.')) {
        const token = this.#next;
        if (token.kind !== 'name') throw this.#refuse(noName(token));
        this.#index += 1;
        const key: Node = { kind: 'literal', value: token.text, at: token.at, end: token.end };
        node = this.#node({ kind: 'property', of: node, key, at: node.at, end: token.end }, [node]);
      } else if (this.#accept('[')) {
        const key = this.#deeper(at, () => this.#or());
        const end = this.#expect(']', at);
        node = this.#node({ kind: 'property', of: node, key, at: node.at, end }, [node, key]);
      } else return node;
    }
  }

  #primary(): Node {
    const token = this.#next;
    const { at, end } = token;
    if (token.kind === 'end') throw this.#refuse(this.#nothing(token));
    this.#index += 1;
    if (token.kind === 'number' || token.kind === 'text')
      return { kind: 'literal', value: token.value, at, end };
    if (token.kind === 'name') {
      const literal = literals.get(token.text);
      if (this.#next.kind === 'mark' && this.#next.text === '(') return this.#call(token.text, at);
      return literal === undefined
        ? { kind: 'context', name: token.text, at, end }
        : { kind: 'literal', value: literal, at, end };
    }
    if (token.text !== '(') throw this.#refuse(noValue(token));
    const inner = this.#deeper(at, () => this.#or());
    // The parentheses belong to the place, not to the tree.
    return this.#known({ ...inner, at, end: this.#expect(')', at) }, this.#depthOf(inner));
  }

  #call(name: string, at: number): Node {
    const open = this.#next.at;
    this.#index += 1;
    const args: Node[] = [];
    if (!this.#is(')'))
      do args.push(this.#deeper(open, () => this.#or()));
      while (this.#accept(','));
    const end = this.#expect(')', open);
    return this.#node({ kind: 'call', name, args, at, end }, args);
  }

  /** Parses what stands one level deeper. */
  #deeper<T>(at: number, parse: () => T): T {
    if (this.#level >= maxDepth) throw this.#refuse(tooDeep(at));
    this.#level += 1;
    const found = parse();
    this.#level -= 1;
    return found;
  }

  #node(node: Node, children: readonly Node[]): Node {
    const depth = 1 + children.reduce((most, child) => Math.max(most, this.#depthOf(child)), 0);
    if (depth > maxDepth) throw this.#refuse(tooDeep(node.at));
    return this.#known(node, depth);
  }

  #known(node: Node, depth: number): Node {
    this.#depths.set(node, depth);
    return node;
  }

  #depthOf(node: Node): number {
    return this.#depths.get(node) ?? 1;
  }

  #is(sign: string): boolean {
    const token = this.#next;
    return token.kind === 'mark' && token.text === sign;
  }

  #accept(sign: string): boolean {
    if (!this.#is(sign)) return false;
    this.#index += 1;
    return true;
  }

  /** @param from Where the bracket was opened. @returns the offset behind the closing one. */
  #expect(sign: string, from: number): number {
    const token = this.#next;
    if (this.#accept(sign)) return token.end;
    if (token.kind !== 'end') throw this.#refuse(leftOver(token, this.#tokens[this.#index - 1], sign));
    const opened = this.#text[from];
    throw this.#refuse({
      message: `\`${opened}\` is not closed`,
      at: from,
      length: 1,
      fix: `Add \`${sign}\`.`,
    });
  }

  #nothing({ at }: Token): Problem {
    const before = this.#tokens[this.#index - 1];
    if (!before)
      return {
        message: 'there is no expression',
        at,
        length: 1,
        fix: 'Write for example `${{ file.name }}`; `$${{` stands for the characters themselves.',
      };
    const sign = this.#text.slice(before.at, before.end);
    return {
      message: `a value is missing behind \`${sign}\``,
      at: before.at,
      length: before.end - before.at,
      fix: 'Write one, or remove it.',
    };
  }

  #refuse(problem: Problem): ExpressionError {
    return new ExpressionError(this.#text, problem);
  }
}

/** Outcomes have our words; who knows GitHub's writes those, and means the same. */
const outcomeWords: Readonly<Record<string, string>> = { success: 'succeeded', failure: 'failed' };

function inOutcomeWords(node: Node, other: Node): Node {
  const isOutcome =
    other.kind === 'property' && other.key.kind === 'literal' && other.key.value === 'outcome';
  if (!isOutcome || node.kind !== 'literal' || typeof node.value !== 'string') return node;
  return { ...node, value: outcomeWords[node.value] ?? node.value };
}
