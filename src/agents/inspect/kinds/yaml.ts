/**
 * YAML: valid or where not, shape, double keys. The syntax tree is walked and aliases are not followed, so nine lines
 * that expand to a billion values ("YAML bomb") cost nine lines.
 */
import { isAlias, isMap, isPair, isScalar, isSeq, LineCounter, parseAllDocuments } from 'yaml';
import { bounds } from '../bounds.ts';
import type { Kind } from '../kind.ts';
import { blocks, code, count, list } from '../markup.ts';
import { excerpt, placeOf } from '../place.ts';
import { itemPath, keyPath, Shape, type ValueType } from '../shape.ts';
import type { TextSubject } from '../subject.ts';

export const yaml: Kind<TextSubject> = {
  claims: ({ type }) => type.mime === 'application/yaml',
  describe: ({ text }) => {
    const whole = text.complete && text.value.length <= bounds.yamlChars;
    // Cut at a line end, or the cut itself would look like an error.
    const value = whole
      ? text.value
      : text.value.slice(0, text.value.lastIndexOf('\n', bounds.yamlChars) + 1);
    const { errors, duplicates, documents, aliases, shape } = readYaml(value);
    const scope = whole ? '' : ` in the first ${count(value.length, 'character')}`;
    const documentCount = documents === 1 ? '' : `, ${count(documents, 'document')}`;
    const first = errors[0];
    const extra = [
      documentCount,
      aliases > 0 ? `, ${count(aliases, 'alias', 'aliases')}` : '',
      duplicates.length > 0 ? `, ${count(duplicates.length, 'double key')}` : '',
    ].join('');
    if (first === undefined)
      return {
        headline: `YAML, valid${scope}, ${shape.top()}${extra}`,
        body: blocks(
          '## YAML',
          `YAML, valid${scope}: ${shape.top()}${extra}.`,
          duplicates.length === 0
            ? ''
            : 'Keys that occur twice in one mapping (not allowed in YAML; programs refuse the file or keep one value):',
          list(
            duplicates
              .slice(0, 20)
              .map(({ key, offset }) => `line ${placeOf(value, offset).line}: ${code(key)}`),
          ),
          shape.report(),
        ),
      };
    const { line, column } = placeOf(value, first.offset);
    return {
      headline: `YAML, not valid: line ${line}, column ${column}: ${first.message}`,
      body: blocks(
        '## YAML',
        ...errors.slice(0, 5).flatMap(({ offset, message }) => {
          const place = placeOf(value, offset);
          return [
            `**Not valid**, line ${place.line}, column ${place.column}: ${message}.`,
            excerpt(value, offset),
          ];
        }),
        errors.length > 5 ? `… and ${count(errors.length - 5, 'more error')}.` : '',
        shape.report(),
      ),
    };
  },
};

export interface YamlFindings {
  /** `message` is safe to print: the parser's words, what it quotes in a code span. */
  readonly errors: readonly { readonly offset: number; readonly message: string }[];
  readonly duplicates: readonly { readonly key: string; readonly offset: number }[];
  readonly documents: number;
  readonly aliases: number;
  readonly shape: Shape;
}

export function readYaml(text: string): YamlFindings {
  const shape = new Shape();
  const duplicates: { key: string; offset: number }[] = [];
  let aliases = 0;
  let parsed: ReturnType<typeof parseAllDocuments>;
  try {
    // `uniqueKeys` compares every key with every other: minutes for a large flat mapping. `walk` does it in one pass.
    const options = {
      uniqueKeys: false,
      prettyErrors: false,
      logLevel: 'silent',
      stringKeys: false,
    } as const;
    parsed = parseAllDocuments(text, { ...options, lineCounter: new LineCounter() });
  } catch (error) {
    const message = error instanceof RangeError ? 'nested too deep to be read' : code(String(error));
    return { errors: [{ offset: 0, message }], duplicates, documents: 1, aliases, shape };
  }
  const documents = Array.isArray(parsed) ? parsed : [];
  const errors = documents.flatMap((document) =>
    document.errors.map(({ pos, message }) => ({
      offset: pos[0],
      message: code(message.split('\n')[0] ?? '', 200),
    })),
  );
  const open: { node: unknown; path: string | undefined; depth: number }[] = [];
  for (const document of documents) open.push({ node: document.contents, path: '', depth: 0 });
  open.reverse();
  for (let item = open.pop(); item !== undefined; item = open.pop()) {
    const { node, path, depth } = item;
    if (isAlias(node)) {
      aliases += 1;
      shape.add(path, 'alias', depth);
    } else if (isMap(node)) {
      shape.add(path, 'object', depth);
      const seen = new Set<string>();
      const below: typeof open = [];
      for (const pair of node.items) {
        if (!isPair(pair)) continue;
        const key = isScalar(pair.key)
          ? String(pair.key.value)
          : isAlias(pair.key)
            ? `*${pair.key.source}`
            : '?';
        const plain = isScalar(pair.key) && key !== '<<';
        if (plain && seen.has(key))
          duplicates.push({ key, offset: (isScalar(pair.key) && pair.key.range?.[0]) || 0 });
        seen.add(key);
        below.push({ node: pair.value, path: keyPath(path, key, depth + 1), depth: depth + 1 });
      }
      for (const next of below.reverse()) open.push(next);
    } else if (isSeq(node)) {
      shape.add(path, 'array', depth);
      shape.items(path, node.items.length);
      const inside = itemPath(path, depth + 1);
      for (const next of node.items.toReversed()) open.push({ node: next, path: inside, depth: depth + 1 });
    } else shape.add(path, scalarType(isScalar(node) ? node.value : node), depth);
  }
  return { errors, duplicates, documents: documents.length, aliases, shape };
}

function scalarType(value: unknown): ValueType {
  if (value === null || value === undefined) return 'null';
  if (value instanceof Date) return 'date';
  const type = typeof value;
  return type === 'boolean' ? 'boolean' : type === 'number' || type === 'bigint' ? 'number' : 'string';
}
