/**
 * Adds agents and rules to a configuration that somebody has written by hand. The text is edited: what is there stays byte
 * for byte, with its comments and its style, and what comes out must say the same plus what was added, or nothing is changed.
 */
import { isDeepStrictEqual } from 'node:util';
import { isMap, isScalar, isSeq, type Node, parse, parseDocument, type YAMLMap, type YAMLSeq } from 'yaml';

export interface Addition {
  readonly section: 'agents' | 'routing_rules';
  readonly name: string;
  readonly value: unknown;
  /** As it is written, comments above it included, without indentation. */
  readonly lines: readonly string[];
}

const sections = ['agents', 'routing_rules'] as const;

/** All agents and rules with a name of a configuration that is written in blocks. */
export function entriesOf(source: string): readonly Addition[] {
  const document = parseDocument(source, { version: '1.2' });
  const data = (document.toJS() ?? {}) as Data;
  return sections.flatMap((section) => {
    const node = document.get(section);
    return placesOf(node, source).map(({ start, end, column }, at): Addition => {
      const lines = source.slice(start, end).trimEnd().split('\n');
      const [name = '', value] =
        section === 'agents'
          ? (Object.entries(data.agents ?? {})[at] ?? [])
          : [String(data.routing_rules?.[at]?.name ?? ''), data.routing_rules?.[at]];
      return { section, name, value, lines: lines.map((line) => line.slice(column)) };
    });
  });
}

/** @returns undefined when the text cannot be extended by this: it is written in another way than usual. */
export function withAdditions(
  source: string,
  additions: readonly Addition[],
  isJson: boolean,
): string | undefined {
  const wanted = merged(parse(source) as Data, additions);
  if (isJson) return `${JSON.stringify(wanted, undefined, 2)}\n`;
  let text = source;
  for (const section of sections) {
    const own = additions.filter((one) => one.section === section);
    const extended = own.length === 0 ? text : extend(text, section, own);
    if (extended === undefined) return undefined;
    text = extended;
  }
  const document = parseDocument(text, { version: '1.2' });
  return document.errors.length === 0 && isDeepStrictEqual(document.toJS(), wanted) ? text : undefined;
}

/** The additions as a person would write them: where they cannot be put in place for them. */
export function asText(additions: readonly Addition[]): string {
  return sections
    .flatMap((section) => {
      const own = additions.filter((one) => one.section === section);
      return own.length === 0 ? [] : [`${section}:\n${indented(own, 2)}`];
    })
    .join('');
}

type Data = {
  agents?: Record<string, unknown>;
  routing_rules?: { readonly name?: unknown }[];
};

function merged(data: Data, additions: readonly Addition[]): Data {
  const of = (section: Addition['section']) => additions.filter((one) => one.section === section);
  const [agents, rules] = [of('agents'), of('routing_rules')];
  return {
    ...data,
    ...(agents.length > 0 && {
      agents: { ...data.agents, ...Object.fromEntries(agents.map(({ name, value }) => [name, value])) },
    }),
    ...(rules.length > 0 && {
      routing_rules: [...(data.routing_rules ?? []), ...rules.map(({ value }) => value as { name: string })],
    }),
  };
}

function extend(source: string, section: string, additions: readonly Addition[]): string | undefined {
  const document = parseDocument(source, { version: '1.2' });
  if (!isMap(document.contents) || document.contents.flow) return undefined;
  const node = document.get(section);
  const places = placesOf(node, source);
  const last = places.at(-1);
  if (last) return insert(source, last.end, indented(additions, last.column));
  if (!document.has(section))
    return `${source}${source.endsWith('\n') ? '' : '\n'}\n${section}:\n${indented(additions, 2)}`;
  // `routing_rules: []`, with nothing behind it.
  const [start, end] = isEmptyFlow(node) ? (node.range as [number, number, number]) : [];
  if (start === undefined || end === undefined) return undefined;
  const lineEnd = endOfLine(source, end);
  if (source.slice(end, lineEnd).trim() !== '') return undefined;
  return `${source.slice(0, start).trimEnd()}\n${indented(additions, 2)}${source.slice(lineEnd)}`;
}

interface Place {
  /** Of the first line, comments above it included. */
  readonly start: number;
  /** Behind the last line. */
  readonly end: number;
  readonly column: number;
}

/** Where the entries of a block stand; none for what is written in another way. */
function placesOf(node: unknown, source: string): readonly Place[] {
  if (!(isMap(node) || isSeq(node)) || node.flow) return [];
  const places: Place[] = [];
  for (const item of (node as YAMLMap | YAMLSeq).items) {
    const [first, last] = isMap(node)
      ? [(item as { key: Node }).key, (item as { value: Node | null }).value]
      : [item as Node, item as Node];
    if (!first?.range || !last?.range || (isMap(node) && !isScalar(first))) return [];
    const lineStart = source.lastIndexOf('\n', first.range[0] - 1) + 1;
    const before = source.slice(lineStart, first.range[0]);
    const column = isSeq(node) ? before.lastIndexOf('-') : before.length;
    // An entry that begins beside another thing is none that a line could be put below.
    if (column < 0 || before.slice(0, column).trim() !== '') return [];
    const end = source[last.range[1] - 1] === '\n' ? last.range[1] : endOfLine(source, last.range[1]);
    places.push({ start: commentsAbove(source, lineStart, places.at(-1)?.end ?? 0), end, column });
  }
  return places;
}

function commentsAbove(source: string, lineStart: number, from: number): number {
  let start = lineStart;
  while (start > from) {
    const above = source.lastIndexOf('\n', start - 2) + 1;
    if (!/^[ \t]+#/.test(source.slice(above, start))) break;
    start = above;
  }
  return start;
}

/** Behind the line break. */
function endOfLine(source: string, from: number): number {
  const at = source.indexOf('\n', from);
  return at < 0 ? source.length : at + 1;
}

function insert(source: string, at: number, text: string): string {
  const before = source.slice(0, at);
  return `${before}${before.endsWith('\n') ? '' : '\n'}${text}${source.slice(at)}`;
}

function indented(additions: readonly Addition[], column: number): string {
  const indent = ' '.repeat(column);
  return additions
    .flatMap(({ lines }) => lines.map((line) => `${line === '' ? '' : indent}${line}\n`))
    .join('');
}

function isEmptyFlow(node: unknown): node is YAMLMap | YAMLSeq {
  return (isMap(node) || isSeq(node)) && node.flow === true && node.items.length === 0;
}
