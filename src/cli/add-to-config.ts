/**
 * Adds agents and rules to a configuration that somebody has written by hand. The text is edited: what is there stays byte
 * for byte, with its comments and its style, and what comes out must say the same plus what was added, or nothing is changed.
 */
import { isDeepStrictEqual } from 'node:util';
import {
  Document,
  isCollection,
  isMap,
  isPair,
  isScalar,
  isSeq,
  type Node,
  type Pair,
  parse,
  parseDocument,
  visit,
  type YAMLMap,
  type YAMLSeq,
} from 'yaml';

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
  if (isJson || isJsonText(source)) return `${JSON.stringify(wanted, undefined, 2)}\n`;
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

/** JSON is YAML, too: whoever writes it wants it to stay JSON. */
function isJsonText(source: string): boolean {
  try {
    JSON.parse(source);
    return true;
  } catch {
    return false;
  }
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
  const eol = source.includes('\r\n') ? '\r\n' : '\n';
  if (last) return insert(source, last.end, indented(additions, last.column, eol), eol);
  if (!document.has(section))
    return `${source}${source.endsWith('\n') ? '' : eol}${eol}${section}:${eol}${indented(additions, 2, eol)}`;
  const [inFlow] = isCollection(node) && node.flow ? node.items.slice(-1) : [];
  if (inFlow !== undefined) return extendFlow(source, inFlow, additions);
  // `routing_rules: []`, `agents:`: with nothing behind it but a comment.
  const pair = document.contents.items.find(({ key }) => isScalar(key) && key.value === section);
  const place = emptyPlace(pair, source);
  if (place === undefined) return undefined;
  const lineEnd = endOfLine(source, place.end);
  const behind = source.slice(place.end, lineEnd).trim();
  if (behind !== '' && !behind.startsWith('#')) return undefined;
  const head = `${source.slice(0, place.start).trimEnd()}${behind === '' ? '' : ` ${behind}`}`;
  return `${head}${eol}${indented(additions, 2, eol)}${source.slice(lineEnd)}`;
}

/** Behind the last entry of a section on one line, in the same way. What is said about the entries has no place there. */
function extendFlow(source: string, last: unknown, additions: readonly Addition[]): string | undefined {
  const node = isPair(last) ? last.value : last;
  const end = (node as Node | null)?.range?.[1];
  if (end === undefined) return undefined;
  const texts = additions.map(({ section, name, value }) => {
    const document = new Document(section === 'agents' ? { [name]: value } : value, { version: '1.2' });
    visit(document, {
      Collection: (_, one) => {
        one.flow = true;
      },
    });
    const text = document.toString({ lineWidth: 0 }).trim();
    return section === 'agents' ? text.slice(1, -1).trim() : text;
  });
  return `${source.slice(0, end)}, ${texts.join(', ')}${source.slice(end)}`;
}

/** Where the value of a section stands that holds nothing. */
function emptyPlace(
  pair: Pair | undefined,
  source: string,
): { readonly start: number; readonly end: number } | undefined {
  const { key, value } = pair ?? {};
  if (isCollection(value) && value.flow && value.items.length === 0 && value.range)
    return { start: value.range[0], end: value.range[1] };
  const isNothing = value === null || (isScalar(value) && value.value === null && !value.source);
  const colon = isScalar(key) && key.range && isNothing ? source.indexOf(':', key.range[1]) + 1 : 0;
  return colon > 0 ? { start: colon, end: colon } : undefined;
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

function insert(source: string, at: number, text: string, eol: string): string {
  const before = source.slice(0, at);
  return `${before}${before.endsWith('\n') ? '' : eol}${text}${source.slice(at)}`;
}

function indented(additions: readonly Addition[], column: number, eol = '\n'): string {
  const indent = ' '.repeat(column);
  return additions
    .flatMap(({ lines }) => lines.map((line) => `${line === '' ? '' : indent}${line}${eol}`))
    .join('');
}
