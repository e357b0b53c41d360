/** What a template or an expression reads and asks, without evaluating it. */

import { functions } from './functions.ts';
import type { Expression, Node, Reference, Template } from './syntax.ts';
import { toExpression } from './template.ts';

/** It calls `success()`, `failure()`, `always()` or `cancelled()`. @throws {ExpressionError} for a text that is no expression. */
export function usesStatus(expression: Expression | string): boolean {
  const { root } = typeof expression === 'string' ? toExpression(expression) : expression;
  return asksStatus(root);
}

/** What it reads, in its order. */
export function contextsOf(source: Template | Expression): readonly Reference[] {
  const found: Reference[] = [];
  const roots =
    'root' in source
      ? [source.root]
      : source.parts.flatMap((part) => (part.kind === 'expression' ? [part.expression.root] : []));
  for (const root of roots) collect(root, found);
  return found;
}

function asksStatus(node: Node): boolean {
  if (node.kind === 'call' && functions.get(node.name)?.isStatus) return true;
  return childrenOf(node).some(asksStatus);
}

function collect(node: Node, found: Reference[]): void {
  const path: string[] = [];
  let of = node;
  for (; of.kind === 'property'; of = of.of) {
    if (of.key.kind === 'literal') path.unshift(String(of.key.value));
    else {
      // What stands behind a computed key is not known.
      path.length = 0;
      collect(of.key, found);
    }
  }
  if (of.kind === 'context') found.push({ context: of.name, path, at: node.at, length: node.end - node.at });
  else for (const child of childrenOf(of)) collect(child, found);
}

function childrenOf(node: Node): readonly Node[] {
  switch (node.kind) {
    case 'literal':
    case 'context':
      return [];
    case 'property':
      return [node.of, node.key];
    case 'not':
      return [node.operand];
    case 'and':
    case 'or':
      return node.operands;
    case 'compare':
      return [node.left, node.right];
    case 'call':
      return node.args;
    default:
      return node satisfies never;
  }
}
