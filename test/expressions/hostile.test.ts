/** Texts and values that were made to break it: bounded, refused with a place, and never more than data. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  checkExpression,
  checkTemplate,
  contextsOf,
  ExpressionError,
  evaluate,
  expressionEnd,
  parseExpression,
  parseTemplate,
  renderDeep,
  renderText,
} from '../../src/expressions/expressions.ts';
import { known, noFiles, scopeOf } from './scope.ts';

const many = 100_000;

test.for<[what: string, text: string]>([
  ['parentheses', `${'('.repeat(many)}1${')'.repeat(many)}`],
  ['open parentheses', '('.repeat(60_000)],
  ['brackets', `a${'['.repeat(30_000)}1`],
  ['calls', 'f('.repeat(30_000)],
  ['not', '!'.repeat(60_000)],
  ['properties', `a${'.b'.repeat(30_000)}`],
  ['indexes', `a${'[0]'.repeat(20_000)}`],
  ['a text', `'${'x'.repeat(many)}'`],
  ['a name', 'x'.repeat(many)],
  ['spaces', `${' '.repeat(many)}1`],
  ['digits', '1'.repeat(many)],
  ['quotes', "'".repeat(60_001)],
])('too much: %s', async ([, text]) => {
  const parsed = parseExpression(text);
  expect(parsed).toHaveProperty('problem');
  expect(checkExpression(text, known)).toHaveLength(1);
  await expect(evaluate(text, scopeOf({}))).rejects.toThrow(ExpressionError);
  expect(() => parseTemplate(`\${{ ${text} }}`)).toThrow(ExpressionError);
});

test.for<[what: string, text: string]>([
  ['64 levels', `${'('.repeat(64)}1${')'.repeat(64)}`],
  ['a chain of 10,000', Array.from({ length: 10_000 }, () => 'true').join('&&')],
  ['10,000 alternatives', Array.from({ length: 10_000 }, () => 'null').join('||')],
  ['arguments', `format('{0}', ${Array.from({ length: 10_000 }, () => '1').join(',')})`],
  ['60,000 spaces', `${' '.repeat(60_000)}1`],
])('enough: %s', async ([, text]) => {
  expect(checkExpression(text, known)).toEqual([]);
  await evaluate(text, scopeOf({}));
});

test('a template of a megabyte of openings is told in time, with not too many problems', () => {
  for (const piece of ['${{', '${{ a }}', "${{ ' }}", '$${{', '}}', "${{ x' }} '"]) {
    const text = piece.repeat(1_000_000 / piece.length);
    expect(checkTemplate(text, { contexts: { a: { kind: 'any' } }, status: false }).length).toBeLessThan(25);
    expressionEnd(text, 0);
  }
});

test.for([
  ['toJSON doubled again and again', `${'toJSON('.repeat(30)}x${')'.repeat(30)}`, { x: '"'.repeat(1000) }],
  ['format that repeats', `format('${'{0}'.repeat(10_000)}', x)`, { x: 'x'.repeat(10_000) }],
  ['join of long texts', 'join(x, y)', { x: Array.from({ length: 5000 }, () => ''), y: 'y'.repeat(5000) }],
  ['a list that holds itself many times', 'toJSON(x)', { x: bomb() }],
  [
    'much in small pieces',
    `format('${'{0}{1}'.repeat(100)}', join(x), toJSON(x))`,
    { x: Array.from({ length: 50_000 }, (_, i) => i) },
  ],
] as const)('a value too large: %s', async ([, text, data]) => {
  const error: unknown = await evaluate(text, scopeOf(data)).catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(ExpressionError);
  expect((error as ExpressionError).message).toContain('16 MiB');
});

test('large values pass where they are not copied', async () => {
  const list = Array.from({ length: 1_000_000 }, (_, index) => index);
  const text = 'x'.repeat(20_000_000);
  const scope = scopeOf({ list, text });
  expect(await evaluate('length(list) == 1000000 && contains(list, 999999) && length(text) > 1', scope)).toBe(
    true,
  );
  expect(await evaluate('list', scope)).toBe(list);
  await expect(renderText('${{ text }}', scope)).rejects.toThrow('16 MiB');
});

test('values that nest deeper than anybody means', async () => {
  const json = `${'['.repeat(many)}${']'.repeat(many)}`;
  let value: unknown = null;
  for (let depth = 0; depth < many; depth += 1) value = [value];
  const scope = scopeOf({ json, value });
  for (const text of ['fromJSON(json)', 'toJSON(value)', "join(value, 'x')", "format('{0}', value)"]) {
    const error: unknown = await evaluate(text, scope).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(ExpressionError);
  }
  await expect(renderDeep(value, scope)).rejects.toThrow(ExpressionError);
  expect(await evaluate('value[0][0] == null', scope)).toBe(false);
});

test.for([
  '__proto__',
  'constructor',
  'prototype',
  'toString',
  'hasOwnProperty',
  'valueOf',
  '__defineGetter__',
])('%s is data or nothing', async (name) => {
  const plain = scopeOf({ x: { y: 1 }, list: [1], text: 'a' });
  for (const text of [`x.${name}`, `x['${name}']`, `x.y == 1 && x.${name}.${name}`, `fromJSON('{}').${name}`])
    expect(await evaluate(text, plain)).toBe(null);
  for (const text of [name, `list.${name}`, `text.${name}`, `${name}()`, `x.${name}()`])
    await expect(evaluate(text, plain)).rejects.toThrow(ExpressionError);
  expect(checkExpression(name, known)).toHaveLength(1);
  expect(checkExpression(`${name}()`, known)).toHaveLength(1);
  expect(checkExpression(`inputs.${name}`, known)).toHaveLength(1);
  const own = scopeOf({ x: JSON.parse(`{"${name}": {"polluted": true}}`) });
  expect(await evaluate(`x.${name}.polluted`, own)).toBe(true);
  expect(await evaluate(`toJSON(fromJSON(toJSON(x)))`, own)).toBe(`{"${name}":{"polluted":true}}`);
  expect((await renderDeep({ a: '${{ x }}' }, own)) as unknown).toHaveProperty('a');
  expect(({} as { polluted?: unknown }).polluted).toBe(undefined);
});

const words = fc.constantFrom(
  ...[
    'a',
    'x',
    'file',
    'name',
    'steps',
    '.',
    '[',
    ']',
    '(',
    ')',
    ',',
    '!',
    '&&',
    '||',
    '==',
    '!=',
    '<',
    '>=',
  ],
  ...[
    "'s'",
    '"t"',
    '0',
    '-1',
    '2.5',
    'null',
    'true',
    ' ',
    'contains',
    'format',
    'join',
    'fromJSON',
    'toJSON',
  ],
  ...['length', 'glob', 'hashFiles', 'success', "'{0}'", '}}', '${{', '__proto__', '\n', '$', "'"],
);
const text = fc.oneof(
  fc.array(words, { maxLength: 30 }).map((parts) => parts.join('')),
  fc.array(words, { maxLength: 30 }).map((parts) => parts.join(' ')),
  fc.string({ unit: 'binary', maxLength: 60 }),
);

test('whatever a text is, nothing but an ExpressionError comes out', async () => {
  const scope = scopeOf(
    { a: [1, 'x', null], x: { name: 'n', a: [[]] }, file: null, steps: 'text', name: 3 },
    { files: noFiles, status: { success: true, failure: false, cancelled: false } },
  );
  let evaluated = 0;
  await fc.assert(
    fc.asyncProperty(text, async (one) => {
      const parsed = parseExpression(one);
      checkTemplate(one, known);
      for (const { at, length } of checkExpression(one, known)) {
        expect(at).toBeGreaterThanOrEqual(0);
        expect(at + length).toBeLessThanOrEqual(one.length + 1);
      }
      try {
        await evaluate(one, scope);
        evaluated += 1;
        expect(parsed).toHaveProperty('ast');
        if ('ast' in parsed) contextsOf(parsed.ast);
      } catch (error) {
        expect(error).toBeInstanceOf(ExpressionError);
      }
      await renderText(one, scope).catch((error: unknown) => expect(error).toBeInstanceOf(ExpressionError));
    }),
    { numRuns: 3000 },
  );
  expect(evaluated).toBeGreaterThan(10);
});

test('what passes the check with all types known does not fail for its names and types', async () => {
  const scope = scopeOf(
    { a: 'text', x: 5, name: true, file: { name: 'n' }, steps: [1, 2] },
    { files: noFiles, status: { success: true, failure: false, cancelled: false } },
  );
  const all = {
    contexts: {
      a: { kind: 'text' },
      x: { kind: 'number' },
      name: { kind: 'boolean' },
      file: { kind: 'object', keys: { name: { kind: 'text' } } },
      steps: { kind: 'list', items: { kind: 'number' } },
    },
    status: true,
  } as const;
  await fc.assert(
    fc.asyncProperty(text, async (one) => {
      if (checkExpression(one, all).length > 0) return;
      const error: unknown = await evaluate(one, scope).catch((thrown: unknown) => thrown);
      // What only values tell: JSON, templates of format, operands of unlike types behind && and ||, null.
      if (error instanceof ExpressionError)
        expect(error.problem.message).toMatch(
          /JSON|of the template|there is no value for|null|compares|cannot compare|searched|takes|properties|key of an object|list; its items/,
        );
    }),
    { numRuns: 3000 },
  );
});

/** Two to the power of 40 items, in 40 lists. */
function bomb(): unknown {
  let value: unknown = 'x';
  for (let depth = 0; depth < 40; depth += 1) value = [value, value];
  return value;
}
