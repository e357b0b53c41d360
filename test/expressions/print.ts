/** Tree → text, with no more parentheses than needed: what the parser is held against. */
import type { Comparison, Expression } from '../../src/expressions/expressions.ts';

/** A tree without places. */
export type Bare =
  | { kind: 'literal'; value: null | boolean | number | string }
  | { kind: 'context'; name: string }
  | { kind: 'property'; of: Bare; key: Bare }
  | { kind: 'call'; name: string; args: Bare[] }
  | { kind: 'not'; operand: Bare }
  | { kind: 'and' | 'or'; operands: Bare[] }
  | { kind: 'compare'; operator: Comparison; left: Bare; right: Bare };

const plainName = /^[A-Za-z_][A-Za-z0-9_-]*$/;

export function print(node: Bare): string {
  switch (node.kind) {
    case 'literal':
      return typeof node.value === 'string' ? `'${node.value.replaceAll("'", "''")}'` : String(node.value);
    case 'context':
      return node.name;
    case 'property': {
      const of = within(node.of, 6);
      const { key } = node;
      return key.kind === 'literal' && typeof key.value === 'string' && plainName.test(key.value)
        ? `${of}.${key.value}`
        : `${of}[${print(key)}]`;
    }
    case 'call':
      return `${node.name}(${node.args.map(print).join(', ')})`;
    case 'not':
      return `!${within(node.operand, 5)}`;
    case 'and':
      return node.operands.map((operand) => within(operand, 3)).join(' && ');
    case 'or':
      return node.operands.map((operand) => within(operand, 2)).join(' || ');
    case 'compare': {
      const rank = rankOf(node) + 1;
      return `${within(node.left, rank)} ${node.operator} ${within(node.right, rank)}`;
    }
    default:
      return node satisfies never;
  }
}

function within(node: Bare, least: number): string {
  return rankOf(node) >= least ? print(node) : `(${print(node)})`;
}

function rankOf(node: Bare): number {
  switch (node.kind) {
    case 'or':
      return 1;
    case 'and':
      return 2;
    case 'compare':
      return node.operator === '==' || node.operator === '!=' ? 3 : 4;
    case 'not':
      return 5;
    default:
      return 6;
  }
}

export function bare({ root }: Expression): Bare {
  return JSON.parse(
    JSON.stringify(root, (key, value: unknown) => (key === 'at' || key === 'end' ? undefined : value)),
  );
}
