/** TOML: valid or where not, and its shape. */
import { parse, TomlDate, TomlError } from 'smol-toml';
import { bounds } from '../bounds.ts';
import type { Kind } from '../kind.ts';
import { blocks, code, count } from '../markup.ts';
import { excerpt } from '../place.ts';
import { itemPath, keyPath, Shape, type ValueType } from '../shape.ts';
import type { TextSubject } from '../subject.ts';

export const toml: Kind<TextSubject> = {
  claims: ({ type }) => type.mime === 'application/toml',
  describe: ({ text: { value, complete } }) => {
    if (!complete || value.length > bounds.tomlChars)
      return {
        headline: `TOML, longer than ${count(bounds.tomlChars, 'character')}: not checked`,
        body: blocks(
          '## TOML',
          `Not checked: only files of up to ${count(bounds.tomlChars, 'character')} are.`,
        ),
      };
    const shape = new Shape();
    try {
      // BigInt where a number would lose digits: the default refuses such files.
      walk(parse(value, { integersAsBigInt: 'asNeeded' }), shape);
    } catch (error) {
      if (!(error instanceof TomlError)) throw error;
      const { line, column } = error;
      const message = code(error.message.split('\n')[0]?.replace(/^Invalid TOML document: /, '') ?? '', 200);
      return {
        headline: `TOML, not valid: line ${line}, column ${column}: ${message}`,
        body: blocks(
          '## TOML',
          `**Not valid**, line ${line}, column ${column}: ${message}.`,
          excerpt(value, offsetOf(value, line, column)),
        ),
      };
    }
    return {
      headline: `TOML, valid, ${shape.top()}`,
      body: blocks('## TOML', `TOML, valid: ${shape.top()}.`, shape.report()),
    };
  },
};

function walk(top: unknown, shape: Shape): void {
  const open: { value: unknown; path: string | undefined; depth: number }[] = [
    { value: top, path: '', depth: 0 },
  ];
  for (let item = open.pop(); item !== undefined; item = open.pop()) {
    const { value, path, depth } = item;
    shape.add(path, typeOf(value), depth);
    if (Array.isArray(value)) {
      shape.items(path, value.length);
      const inside = itemPath(path, depth + 1);
      for (const next of value.toReversed()) open.push({ value: next, path: inside, depth: depth + 1 });
    } else if (typeOf(value) === 'object')
      for (const [key, next] of Object.entries(value as object).reverse())
        open.push({ value: next, path: keyPath(path, key, depth + 1), depth: depth + 1 });
  }
}

function typeOf(value: unknown): ValueType {
  if (value instanceof TomlDate) return 'date';
  if (Array.isArray(value)) return 'array';
  if (typeof value === 'object') return 'object';
  return typeof value === 'string' ? 'string' : typeof value === 'boolean' ? 'boolean' : 'number';
}

function offsetOf(text: string, line: number, column: number): number {
  let start = 0;
  for (let n = 1; n < line; n += 1) {
    const end = text.indexOf('\n', start);
    if (end === -1) break;
    start = end + 1;
  }
  return start + column - 1;
}
