/**
 * YAML 1.2 or JSON text → plain data and where each part of it stands. JSON is read by the same parser: one set of
 * positions and messages. The tree is walked here rather than by the parser's own `toJS`: its check for duplicate keys is
 * quadratic (20,000 keys: 6 s), and aliases must be bounded by what they expand to.
 */
import { isAlias, isMap, isScalar, isSeq, type Node, parseDocument } from 'yaml';
import type { DiagnosticCode } from './diagnostic.ts';

/** Offsets into the text. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

/** Where one value stands; `key` where its key does, in a mapping. */
export interface Located {
  readonly key?: Span;
  readonly value: Span;
  readonly children?: ReadonlyMap<string, Located>;
}

export interface SyntaxProblem {
  readonly code: DiagnosticCode;
  readonly message: string;
  readonly span: Span;
  readonly fix: string;
}

export interface ParsedText {
  readonly data: unknown;
  readonly located: Located;
  readonly problems: readonly SyntaxProblem[];
}

/** A small file can name one anchor a million times over: what all aliases together expand to is bounded. */
const maxNodes = 200_000;
const maxDepth = 100;

export function parseText(text: string): ParsedText {
  const problems: SyntaxProblem[] = [];
  const whole: Span = { start: 0, end: 0 };
  let document: ReturnType<typeof parseDocument>;
  try {
    document = parseDocument(text, {
      version: '1.2',
      uniqueKeys: false,
      prettyErrors: false,
      logLevel: 'error',
      stringKeys: false,
    });
  } catch (error) {
    // The parser descends once per level.
    if (!(error instanceof RangeError)) throw error;
    return { data: {}, located: { value: whole }, problems: [tooDeep(whole)] };
  }
  for (const found of [...document.errors, ...document.warnings])
    problems.push({
      code: 'SYNTAX',
      message: explain(codeOf(found), found.message),
      span: { start: found.pos[0], end: found.pos[1] },
      fix: fixes[codeOf(found)] ?? 'Correct the YAML here; https://yaml.org/spec/1.2.2 is the rule book.',
    });
  const walk = new Walk(text, problems);
  const { data, located } = walk.node(document.contents as Node | null, undefined, 0);
  return { data, located, problems: nameTheOpening(problems, walk.unclosed, text).slice(0, 50) };
}

/**
 * The parser reports a quote or bracket that is not closed where it gives up, often at the end of the file. People look
 * for its beginning; what was reported behind that is a consequence.
 */
function nameTheOpening(
  problems: readonly SyntaxProblem[],
  unclosed: readonly number[],
  text: string,
): readonly SyntaxProblem[] {
  // A quote that is not closed swallows the brackets around it: the innermost is the cause.
  const start = unclosed.at(-1);
  if (start === undefined) return problems;
  const message = `the ${text[start]} is never closed`;
  const opening: SyntaxProblem = {
    code: 'SYNTAX',
    message,
    span: { start, end: start + 1 },
    fix: fixes.MISSING_CHAR as string,
  };
  return [...problems.filter((problem) => problem.span.start < start), opening];
}

class Walk {
  /** Where quotes and brackets begin that have no end, in the order of the text. */
  readonly unclosed: number[] = [];
  private readonly text: string;
  private readonly problems: SyntaxProblem[];
  private readonly anchors = new Map<string, Node>();
  private readonly open = new Set<Node>();
  private nodes = 0;
  private full = false;

  constructor(text: string, problems: SyntaxProblem[]) {
    this.text = text;
    this.problems = problems;
  }

  node(
    node: Node | null | undefined,
    key: Span | undefined,
    depth: number,
  ): { data: unknown; located: Located } {
    const value = spanOf(node) ?? key ?? { start: 0, end: 0 };
    const located: Located = { ...(key && { key }), value };
    if (!node || this.full) return { data: null, located };
    this.nodes += 1;
    if (this.nodes > maxNodes || depth > maxDepth) {
      this.full = true;
      this.problems.push(
        depth > maxDepth
          ? tooDeep(value)
          : {
              code: 'SYNTAX',
              message: `the file expands to more than ${maxNodes} values`,
              span: value,
              fix: 'Use fewer aliases (`*name`).',
            },
      );
      return { data: null, located };
    }
    if (isAlias(node)) return this.alias(node, key, depth);
    const first = this.text[value.start] ?? '';
    const open = isScalar(node)
      ? /["']/.test(first) && /^QUOTE/.test(node.type ?? '')
      : '[{'.includes(first) && 'flow' in node && node.flow;
    const close = { '[': ']', '{': '}' }[first] ?? first;
    if (open && (value.end - value.start < 2 || this.text[value.end - 1] !== close))
      this.unclosed.push(value.start);
    if ('anchor' in node && typeof node.anchor === 'string') this.anchors.set(node.anchor, node);
    if (isScalar(node)) return { data: node.value ?? null, located };
    this.open.add(node);
    try {
      if (isSeq(node)) {
        const data: unknown[] = [];
        const children = new Map<string, Located>();
        node.items.forEach((item, index) => {
          const inner = this.node(item as Node, undefined, depth + 1);
          data.push(inner.data);
          children.set(String(index), inner.located);
        });
        return { data, located: { ...located, children } };
      }
      return isMap(node) ? this.map(node, located, depth) : { data: null, located };
    } finally {
      this.open.delete(node);
    }
  }

  private map(node: { items: readonly { key: unknown; value: unknown }[] }, located: Located, depth: number) {
    // No prototype: a key named `constructor` or `__proto__` is a key like any other.
    const data: Record<string, unknown> = Object.create(null);
    const children = new Map<string, Located>();
    for (const { key, value } of node.items) {
      const keySpan = spanOf(key as Node) ?? located.value;
      if (!isScalar(key)) {
        this.problems.push({
          code: 'SYNTAX',
          message: 'a key must be plain text',
          span: keySpan,
          fix: 'Write `key: value`.',
        });
        continue;
      }
      const name = String(key.value ?? this.text.slice(keySpan.start, keySpan.end));
      const first = children.get(name);
      if (first) {
        const line = this.text.slice(0, first.key?.start ?? 0).split('\n').length;
        this.problems.push({
          code: 'DUPLICATE_KEY',
          message: `the key "${name}" stands twice (first in line ${line})`,
          span: keySpan,
          fix: 'Keep one of the two.',
        });
        continue;
      }
      const inner = this.node(value as Node | null, keySpan, depth + 1);
      data[name] = inner.data;
      children.set(name, inner.located);
    }
    return { data, located: { ...located, children } };
  }

  private alias(node: Node & { source: string }, key: Span | undefined, depth: number) {
    const value = spanOf(node) ?? { start: 0, end: 0 };
    const target = this.anchors.get(node.source);
    if (target && !this.open.has(target)) return this.node(target, key, depth + 1);
    this.problems.push({
      code: 'SYNTAX',
      message: target ? `the alias "*${node.source}" contains itself` : `unknown alias "*${node.source}"`,
      span: value,
      fix: target
        ? 'Write the value out.'
        : `Define it above with \`&${node.source}\`, or put text that starts with * in quotes.`,
    });
    return { data: null, located: { ...(key && { key }), value } as Located };
  }
}

function spanOf(node: Node | null | undefined): Span | undefined {
  return node?.range ? { start: node.range[0], end: node.range[1] } : undefined;
}

function tooDeep(span: Span): SyntaxProblem {
  return {
    code: 'SYNTAX',
    message: 'the file is nested too deeply',
    span,
    fix: `Use at most ${maxDepth} levels.`,
  };
}

/** A key that stands too far left, beside the entries of a list, is for the parser an entry that lacks its `-`. */
function codeOf({ code, message }: { readonly code: string; readonly message: string }): string {
  return message.startsWith('Sequence item without') ? 'NO_ENTRY' : code;
}

const fixes: Readonly<Record<string, string>> = {
  NO_ENTRY: 'Line it up with the keys of the entry that it belongs to, or begin an entry with `- `.',
  TAB_AS_INDENT: 'Indent with spaces.',
  MISSING_CHAR: 'Close the quote or bracket, or write `key: value` with a space after the colon.',
  BAD_INDENT:
    'Close the bracket, or line the entries up: each level is indented by the same number of spaces.',
  MULTIPLE_DOCS: 'Keep one document: remove everything from the second `---` on.',
  TAG_RESOLVE_FAILED: 'Remove the tag, or put text that starts with `!` in quotes.',
  BAD_ALIAS: 'Put text that starts with `*` or `&` in quotes.',
  UNEXPECTED_TOKEN: 'Put text with special characters in quotes.',
  BAD_SCALAR_START: 'Put text that starts with `@`, `%` or a backtick in quotes.',
  BLOCK_AS_IMPLICIT_KEY: 'Put text that contains ": " in quotes, or start a new line.',
  MULTILINE_IMPLICIT_KEY: 'Close the quote, or write `key: value` with a space after the colon.',
};

/** Where the parser's own words would not help someone who does not know YAML's grammar. */
function explain(code: string, message: string): string {
  const words: Readonly<Record<string, string>> = {
    NO_ENTRY: 'this line begins neither where the keys of an entry do, nor with the `-` of an entry',
    TAB_AS_INDENT: 'a tab is used for indentation',
    MULTIPLE_DOCS: 'the file holds more than one YAML document',
    BLOCK_AS_IMPLICIT_KEY: 'a mapping stands where plain text is expected',
  };
  return words[code] ?? message.charAt(0).toLowerCase() + message.slice(1);
}
