import fc from 'fast-check';
import { expect, test } from 'vitest';
import { scanJson } from '../../src/agents/inspect/kinds/json-scanner.ts';
import { Shape } from '../../src/agents/inspect/shape.ts';
import { headline, report } from './report.ts';

test.each([
  ['a comma too many', '{\n  "a": 1,\n  "b": [1, 2,]\n}', 3, 13, 'a comma before `]`'],
  ['a missing comma', '{\n  "a": 1\n  "b": 2\n}', 3, 3, 'expected `,` or `}`'],
  ['cut off', '{"a": [1, 2', 1, 12, 'the file ends where'],
  ['a string over two lines', '{"a": "x\ny"}', 1, 9, 'a string ends with its line'],
  ['an open string', '["abc', 1, 2, 'a string that is not closed'],
  ['single quotes', "{'a': 1}", 1, 2, 'JSON uses double quotes'],
  ['a comment', '{\n// x\n"a": 1}', 2, 1, 'JSON has no comments'],
  ['NaN', '[1, NaN]', 1, 5, 'JSON has no such value'],
  ['a leading zero', '[01]', 1, 3, 'not a number'],
  ['a bad escape', '["\\x"]', 1, 3, 'an unknown escape'],
  ['nothing', '   ', 1, 4, 'the file ends where a value should be'],
])('JSON: %s is found where it is', async (_, content, line, column, message) => {
  const text = await report('a.json', content);
  expect(headline(text)).toContain(`JSON, not valid: line ${line}, column ${column}: `);
  expect(headline(text)).toContain(message);
});

test('JSON: the offending line stands in the report with a mark under the place', async () => {
  const text = await report('a.json', '{\n  "a": 1,\n  "b": oops\n}');
  expect(text).toContain('3 │   "b": oops\n           ^');
});

test('JSON: the scanner accepts exactly what JSON.parse accepts', () => {
  const accepts = (text: string) => {
    try {
      JSON.parse(text);
      return true;
    } catch {
      return false;
    }
  };
  const agree = (text: string) => {
    const ours = scanJson(text, new Shape()).error === undefined;
    expect([text, ours]).toEqual([text, accepts(text)]);
  };
  const near = fc.string({
    unit: fc.constantFrom(...'{}[]:,"\\/u0123eE+-. \n\ttruefalsn', '\u0001', 'é', '\u2028'),
    maxLength: 14,
  });
  fc.assert(fc.property(near, agree), { numRuns: 3000 });
  fc.assert(fc.property(fc.json(), agree));
  // A valid text with one character changed or removed: where most mistakes are.
  fc.assert(
    fc.property(fc.json(), fc.nat(), fc.constantFrom('', '"', ',', '}', '0', '\\'), (text, at, char) => {
      const cut = at % text.length;
      agree(text.slice(0, cut) + char + text.slice(cut + 1));
    }),
    { numRuns: 1000 },
  );
});

test('JSON: shape, depth, array lengths and double keys', async () => {
  const text = await report('a.json', '{"id": 1, "lines": [{"sku": "a", "n": 1}, {"sku": null}], "id": 2}');
  expect(headline(text)).toBe('JSON, valid, object with 2 keys, 1 double key');
  expect(text).toContain('line 1: `id`');
  expect(text).toContain('| `lines` | array | 1 | 2 |');
  expect(text).toContain('| `lines[].sku` | string × 1, null × 1 | 2 |  |');
  expect(text).toContain('depth: 3');
});

test('JSON Lines: bad lines by number', async () => {
  const text = await report('a.jsonl', '{"a":1}\n{"a":\n\n{"a":3}\n[1,]');
  expect(headline(text)).toBe('JSON Lines, 4 lines, 2 bad lines');
  expect(text).toContain('line 2, column 6: the file ends where a value should be');
  expect(text).toContain('line 5, column 3: a comma before `]`');
  expect(text).toContain('| `[].a` | number | 2 |  |');
});

test('JSON: lines of values in one file are recognised', async () => {
  expect(await report('a.json', '{"a":1}\n{"a":2}\n')).toContain('name the file `.jsonl`');
});

test('YAML: valid with shape, documents and aliases', async () => {
  const text = await report('a.yaml', 'base: &b {x: 1}\nuse: *b\nlist:\n  - a\n  - 2\n');
  expect(headline(text)).toBe('YAML, valid, object with 3 keys, 1 alias');
  expect(text).toContain('| `list[]` | string × 1, number × 1 | 2 |  |');
});

test('YAML: errors have a place, double keys are found', async () => {
  expect(headline(await report('a.yml', 'a: 1\nb: [1, 2\nc: 3\n'))).toMatch(
    /^YAML, not valid: line [23], column \d+: /,
  );
  const text = await report('b.yml', 'a: 1\nb: 2\na: 3\n');
  expect(headline(text)).toContain('1 double key');
  expect(text).toContain('line 3: `a`');
});

test('TOML: valid with shape, or the place of the error', async () => {
  const good = await report('a.toml', 'day = 2025-03-01\n[[p]]\nport = 1\n[[p]]\nport = 2\n');
  expect(headline(good)).toBe('TOML, valid, object with 2 keys');
  expect(good).toContain('| `day` | date | 1 |  |');
  expect(good).toContain('| `p[].port` | number | 2 |  |');
  const bad = await report('b.toml', '[db]\nport = 1\nuser = shop\n');
  expect(headline(bad)).toContain('TOML, not valid: line 3, column 8');
  expect(bad).toContain('3 │ user = shop\n           ^');
});
