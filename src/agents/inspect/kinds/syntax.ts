/**
 * The facts of source code from its syntax tree: functions and how branched they are, comments, places that do not
 * parse. The node names of the grammars are near enough to one another that one list of them serves all languages.
 * Guessing by own tokenizers was rejected: strings, templates and heredocs differ in every language.
 */
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import type { Language, Node, Tree } from '@vscode/tree-sitter-wasm';
import { bounds } from '../bounds.ts';

export interface FunctionFacts {
  readonly name: string;
  readonly line: number;
  readonly lines: number;
  /** Cyclomatic, an estimate: 1 + branches, loops, cases, handlers, `&&` and `||`; nested functions count for themselves. */
  complexity: number;
}

export interface SyntaxFacts {
  readonly functions: readonly FunctionFacts[];
  /** Lines on which a comment, and nothing before it, stands. */
  readonly commentLines: number;
  readonly comments: readonly { readonly line: number; readonly text: string }[];
  /** First places the grammar could not read, and how many. */
  readonly errors: { readonly total: number; readonly lines: readonly number[] };
}

const functionTypes = new Set([
  'function_declaration',
  'function_definition',
  'function_item',
  'function_expression',
  'generator_function',
  'generator_function_declaration',
  'arrow_function',
  'method_definition',
  'method_declaration',
  'method',
  'singleton_method',
  'constructor_declaration',
  'destructor_declaration',
  'func_literal',
  'local_function_statement',
  'lambda_expression',
  'closure_expression',
  'anonymous_function',
  'function_statement',
  'class_method_definition',
]);
const branchTypes = new Set([
  'if_statement',
  'if_expression',
  'elif_clause',
  'else_if_clause',
  'elseif_clause',
  'if',
  'elsif',
  'unless',
  'if_modifier',
  'unless_modifier',
  'for_statement',
  'for_in_statement',
  'enhanced_for_statement',
  'foreach_statement',
  'for_each_statement',
  'for_range_loop',
  'for_expression',
  'for_in_clause',
  'c_style_for_statement',
  'for',
  'while_statement',
  'while_expression',
  'while',
  'until',
  'while_modifier',
  'until_modifier',
  'do_statement',
  'loop_expression',
  'catch_clause',
  'except_clause',
  'rescue',
  'case_clause',
  'switch_case',
  'case_statement',
  'expression_case',
  'type_case',
  'communication_case',
  'switch_label',
  'switch_section',
  'switch_expression_arm',
  'match_arm',
  'when',
  'case_item',
  'conditional_expression',
  'ternary_expression',
  'conditional',
  'if_clause',
  '&&',
  '||',
  'and',
  'or',
]);
const keywordTwins = new Set(['if', 'unless', 'for', 'while', 'until', 'when', 'rescue']);

// Node has it; the types of neither the language nor `node` name it.
const wasm = (
  globalThis as unknown as {
    WebAssembly: { Memory: new (size: { initial: number; maximum: number }) => object };
  }
).WebAssembly;

/**
 * Loads the parser once and gives a function that reads texts. Its memory can neither shrink nor unload a grammar, and
 * after running out of memory it is beyond repair: `syntax-thread.ts` ends the thread it runs in.
 */
export async function openParser(): Promise<(text: string, grammar: string) => Promise<SyntaxFacts>> {
  // The optimising compiler takes gigabytes for the huge functions of grammars (seen: 2.7 GiB; so: 40 MiB) and saves
  // little: most files are parsed in milliseconds. It is the same for the whole process, which uses no other WebAssembly.
  for (const flag of ['--no-wasm-tier-up', '--no-wasm-dynamic-tiering']) setFlagsFromString(flag);
  const { Parser, Language } = (await import('@vscode/tree-sitter-wasm')).default;
  const pages = (bytes: number) => bytes / 65_536;
  const wasmMemory = new wasm.Memory({
    initial: pages(32 * 2 ** 20),
    maximum: pages(bounds.codeMemoryBytes),
  });
  // The options go to the WebAssembly module as they are; their declared type knows one of them only.
  await Parser.init({ wasmMemory, printErr: () => undefined } as unknown as Parameters<
    typeof Parser.init
  >[0]);
  const folder = dirname(createRequire(import.meta.url).resolve('@vscode/tree-sitter-wasm'));
  const grammars = new Map<string, Language>();
  return async (text, grammar) => {
    const language =
      grammars.get(grammar) ?? (await Language.load(join(folder, `tree-sitter-${grammar}.wasm`)));
    grammars.set(grammar, language);
    const parser = new Parser();
    parser.setLanguage(language);
    const tree = parser.parse(text);
    // Null only when parsing was cancelled, which we do by ending the thread.
    if (tree === null) throw new TypeError('the parser gave no tree');
    try {
      return walk(tree);
    } finally {
      tree.delete();
      parser.delete();
    }
  };
}

function walk(tree: Tree): SyntaxFacts {
  const functions: FunctionFacts[] = [];
  const comments: { line: number; text: string }[] = [];
  const errors = { total: 0, lines: [] as number[] };
  let commentLines = 0;
  let lastCommentRow = -1;
  let lastCodeRow = -1;
  const inside: { facts: FunctionFacts; depth: number }[] = [];
  const cursor = tree.walk();
  let depth = 0;
  for (let more = true; more; ) {
    const type = cursor.nodeType;
    const row = cursor.startPosition.row;
    let enter = true;
    if (cursor.nodeIsMissing || type === 'ERROR') {
      errors.total += 1;
      if (errors.lines.length < 10 && errors.lines.at(-1) !== row + 1) errors.lines.push(row + 1);
    }
    if (type.includes('comment')) {
      // A comment's text may end with its line end.
      const text = cursor.nodeText;
      const lastRow = text.endsWith('\n') ? cursor.endPosition.row - 1 : cursor.endPosition.row;
      const from = Math.max(row === lastCodeRow ? row + 1 : row, lastCommentRow + 1);
      commentLines += Math.max(0, lastRow - from + 1);
      lastCommentRow = Math.max(lastCommentRow, lastRow);
      comments.push({ line: row + 1, text });
      enter = false;
    } else if (functionTypes.has(type)) {
      const node = cursor.currentNode;
      const facts = {
        name: nameOf(node),
        line: row + 1,
        lines: cursor.endPosition.row - row + 1,
        complexity: 1,
      };
      functions.push(facts);
      inside.push({ facts, depth });
    } else if (branchTypes.has(type)) {
      const current = inside.at(-1);
      // `if` is a node in Ruby and a mere keyword, inside an `if_statement`, elsewhere.
      const counts = !keywordTwins.has(type) || cursor.nodeIsNamed;
      if (current !== undefined && counts) current.facts.complexity += 1;
    }
    if (enter && cursor.gotoFirstChild()) {
      depth += 1;
      continue;
    }
    // A token that ends in column 0 is the line end itself.
    if (enter)
      lastCodeRow = cursor.endPosition.column === 0 ? cursor.endPosition.row - 1 : cursor.endPosition.row;
    while (!cursor.gotoNextSibling()) {
      if (!cursor.gotoParent()) {
        more = false;
        break;
      }
      depth -= 1;
      if ((inside.at(-1)?.depth ?? -1) >= depth) inside.pop();
    }
    if (more && inside.at(-1)?.depth === depth) inside.pop();
  }
  cursor.delete();
  return { functions, commentLines, comments, errors };
}

/** The function's own name, or that of what it is assigned to. */
function nameOf(node: Node): string {
  const own = node.childForFieldName('name');
  if (own !== null) return short(own);
  // C and C++: the name sits inside declarators.
  let declarator = node.childForFieldName('declarator');
  for (let steps = 0; declarator !== null && steps < 8; steps += 1) {
    const inner: Node | null = declarator.childForFieldName('declarator');
    if (inner === null) return short(declarator);
    declarator = inner;
  }
  const first = node.firstNamedChild;
  if (first?.type === 'function_name') return short(first);
  const parent = node.parent;
  const holder =
    parent?.childForFieldName('name') ??
    parent?.childForFieldName('key') ??
    parent?.childForFieldName('left');
  if (holder !== null && holder !== undefined) return short(holder);
  const call = parent?.type === 'arguments' ? parent.parent?.childForFieldName('function') : undefined;
  return call === null || call === undefined ? '(anonymous)' : `${short(call)} callback`;
}

function short(node: Node): string {
  return node.text.slice(0, 100);
}
