/** What the parser makes of a text. Every node knows where it stands, so that every message can point at it. */

/** Longest expression, in characters. */
export const maxExpressionLength = 65_536;
/** Deepest nesting, of parentheses as well as of the tree. */
export const maxDepth = 64;

/** A problem of a text, found without evaluating it. Offsets are into the whole text that was given. */
export interface Problem {
  readonly message: string;
  readonly at: number;
  readonly length: number;
  /** The name that was probably meant. */
  readonly suggestion?: string;
  /** The next step, as a sentence. */
  readonly fix: string;
}

interface Place {
  /** Offset of its first character. */
  readonly at: number;
  /** Offset behind its last character. */
  readonly end: number;
}

export type Comparison = '==' | '!=' | '<' | '<=' | '>' | '>=';

/** `and`, `or` are flat: a long chain is no deep tree. */
export type Node = Place &
  (
    | { readonly kind: 'literal'; readonly value: null | boolean | number | string }
    | { readonly kind: 'context'; readonly name: string }
    /** `of.key`, `of['key']`, `of[0]`, `of[expression]`. */
    | { readonly kind: 'property'; readonly of: Node; readonly key: Node }
    | { readonly kind: 'call'; readonly name: string; readonly args: readonly Node[] }
    | { readonly kind: 'not'; readonly operand: Node }
    | { readonly kind: 'and' | 'or'; readonly operands: readonly Node[] }
    | { readonly kind: 'compare'; readonly operator: Comparison; readonly left: Node; readonly right: Node }
  );

/** An expression and the text in which it stands: the offsets of its nodes are into that. */
export interface Expression {
  readonly text: string;
  readonly root: Node;
}

export interface Template {
  readonly text: string;
  readonly parts: readonly TemplatePart[];
  /** One `${{ }}` and nothing else: its value keeps its type. */
  readonly isWhole: boolean;
}

export type TemplatePart =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'expression'; readonly expression: Expression };

/** What a text reads: `steps.lint.outputs.X` is `{context: 'steps', path: ['lint', 'outputs', 'X']}`; a computed key ends the path. */
export interface Reference {
  readonly context: string;
  readonly path: readonly string[];
  readonly at: number;
  readonly length: number;
}
