import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  contextsOf,
  ExpressionError,
  evaluate,
  parseExpression,
  parseTemplate,
  renderArguments,
  renderArgumentsNow,
  renderDeep,
  renderText,
  renderTextNow,
  renderValue,
  type Scope,
  usesStatus,
  type Value,
} from '../../src/expressions/expressions.ts';
import { AppError } from '../../src/types/errors.ts';
import { noFiles, scopeOf } from './scope.ts';

const data = {
  text: 'Ab',
  empty: '',
  zero: 0,
  two: 2,
  yes: true,
  no: false,
  none: null,
  list: ['a', 1, null, { k: 'v' }],
  numbers: [1, 2],
  object: { k: 'v', 'two words': 2, 'a-b': 3, n: null },
  nothing: [],
  json: '{"a": [1, {"b": "c"}]}',
};

test.for<[string, Value]>([
  // Truth: null, false, 0 and '' are false.
  ['!none && !no && !zero && !empty', true],
  ['!nothing || !object || !text', false],
  // Operands, as on GitHub.
  ['text && two', 2],
  ['empty && two', ''],
  ['none && two', null],
  ["empty || 'x'", 'x'],
  ['two || text', 2],
  ['none || zero || empty', ''],
  ['yes && two && text', 'Ab'],
  // What decides is enough: the rest is not evaluated.
  ['no && missing', false],
  ['yes || missing', true],
  // Equality.
  ["text == 'Ab'", true],
  ["text == 'ab'", false],
  ["text != 'ab'", true],
  ['two == 2.0', true],
  ['yes == true', true],
  ['yes != no', true],
  ['none == null', true],
  ['none != null', false],
  ['two == null', false],
  ['null != empty', true],
  ['object == null', false],
  ['null == null', true],
  // Order.
  ['two > 1 && two >= 2 && two < 3 && two <= 2', true],
  ["'a' < 'b' && 'B' < 'a' && 'a' <= 'a'", true],
  // Properties.
  ['object.k', 'v'],
  ["object['two words']", 2],
  ['object.a-b', 3],
  ['object.missing', null],
  ['object.missing.deeper[0].x', null],
  ["object[format('{0}', 'k')]", 'v'],
  ['list[0]', 'a'],
  ['list[3].k', 'v'],
  ['list[9]', null],
  ['list[-1]', null],
  ['list[0.5]', null],
  ['numbers[two]', null],
  // Functions.
  ["contains(text, 'b')", true],
  ["contains(text, 'B')", false],
  ["contains(list, 'a') && contains(list, 1)", true],
  ["contains(list, 'b')", false],
  ["contains(none, 'b') || contains(nothing, 'b')", false],
  ["startsWith(text, 'A') && startsWith(text, '')", true],
  ["startsWith(none, '')", false],
  ["endsWith(text, 'b')", true],
  ["endsWith(text, 'A')", false],
  ['join(list)', 'a,1,,{"k":"v"}'],
  ["join(numbers, ' and ')", '1 and 2'],
  ['join(none)', ''],
  ["format('{1}{0}{1}', text, two)", '2Ab2'],
  ["format('{{0}} {0}', yes)", '{0} true'],
  ["format('')", ''],
  ["format('{0}{1}', none, nothing)", '[]'],
  ['toJSON(object)', '{"k":"v","two words":2,"a-b":3,"n":null}'],
  ['toJSON(none)', 'null'],
  ['toJSON(text)', '"Ab"'],
  ['fromJSON(json).a[1].b', 'c'],
  ['fromJSON(none)', null],
  ["fromJSON('12.5')", 12.5],
  ['fromJSON(toJSON(list))', ['a', 1, null, { k: 'v' }]],
  ['length(text)', 2],
  ["length('😀ü')", 2],
  ['length(list)', 4],
  ['length(object)', 4],
  ['length(none)', 0],
])('%s', async ([text, value]) => {
  expect(await evaluate(text, scopeOf(data))).toEqual(value);
});

test.for([
  ["two == '2'", 0, 10, '`==` compares number with text'],
  ["yes && two != '2'", 7, 10, '`!=` compares number with text'],
  ['yes == 1', 0, 8, '`==` compares boolean with number'],
  ['list == list', 0, 12, '`==` cannot compare lists'],
  ['object != 1', 0, 11, '`!=` cannot compare objects'],
  ['yes < no', 0, 8, '`<` cannot compare booleans'],
  ['none < 1', 0, 8, '`<` has null on one side'],
  ['missing', 0, 7, 'there is no `missing` here'],
  ['text.x', 0, 6, '`text` is a text and has no properties'],
  ['two.x', 0, 5, '`two` is a number and has no properties'],
  ['list.length', 0, 11, '`list` is a list; its items are read by their number, not by "length"'],
  ['object[0]', 0, 9, 'the key of an object is a text, this is number'],
  ['object[none]', 0, 12, 'the key of an object is a text, this is null'],
  ['nope(1)', 0, 7, 'there is no function `nope`'],
  ['toJSON()', 0, 8, 'toJSON() takes 1 argument, 0 are given'],
  ['toJSON(1, 2)', 0, 12, 'toJSON() takes 1 argument, 2 are given'],
  ["join(list, ',', 1)", 0, 18, 'join() takes 1 to 2 arguments, 3 are given'],
  ['startsWith(two, text)', 11, 3, 'startsWith() takes text here, this is number'],
  ['startsWith(text, none)', 17, 4, 'startsWith() takes text here, this is null'],
  ['join(text)', 5, 4, 'join() takes list here, this is text'],
  ['contains(text, 1)', 0, 17, 'a text is searched for a number'],
  ["contains(numbers, '1')", 0, 22, 'a list of number is searched for a text'],
  ["format('{1}', 1)", 0, 16, 'there is no value for {1}'],
  ["format('{x}', 1)", 0, 16, '"{" at character 1 of the template is no `{0}`'],
  ["format('a}', 1)", 0, 15, '"}" at character 2 of the template closes nothing'],
  ["fromJSON('1e999')", 0, 17, 'it holds a number that is too large'],
  ['success()', 0, 9, 'nothing is decided here'],
  ["glob('**')", 0, 10, 'glob() cannot be used here'],
] as const)('%s fails where it is wrong', async ([text, at, length, message]) => {
  const error = (await evaluate(text, scopeOf(data)).catch((thrown) => thrown)) as ExpressionError;
  expect(error).toBeInstanceOf(ExpressionError);
  expect(error.problem).toMatchObject({ at, length, message });
  expect(error.fix).not.toBe('');
});

test('text that is no JSON is shown by its beginning', async () => {
  const scope = scopeOf({ text: `<html>${'x'.repeat(500)}` });
  const error = (await evaluate('fromJSON(text)', scope).catch((thrown) => thrown)) as ExpressionError;
  expect(error.message).toContain('"<html>xxx');
  expect(error.message.length).toBeLessThan(300);
});

test('how the run stands', async () => {
  const scope = scopeOf({}, { status: { success: false, failure: true, cancelled: false } });
  for (const [text, value] of [
    ['success()', false],
    ['failure()', true],
    ['cancelled()', false],
    ['always()', true],
    ['always() && !success()', true],
  ] as const)
    expect(await evaluate(text, scope)).toBe(value);
});

test('outcomes are told in our words, and in those of GitHub', async () => {
  const scope: Scope = {
    context: (name) =>
      name === 'steps'
        ? { a: { outcome: 'failed', state: 'failed' }, b: { outcome: 'succeeded' } }
        : undefined,
  };
  for (const [text, value] of [
    ["steps.a.outcome == 'failure'", true],
    ["steps.a.outcome == 'failed'", true],
    ["'success' != steps.a.outcome", true],
    ["steps['b'].outcome == 'success'", true],
    ["steps.a.state == 'failure'", false],
  ] as const)
    expect(await evaluate(text, scope), text).toBe(value);
});

test('a context is asked for once, and only when it is used', async () => {
  const asked: string[] = [];
  const scope: Scope = {
    context: (name) => {
      asked.push(name);
      return { x: 1 };
    },
  };
  expect(await renderText("${{ a.x }}${{ a.x == 2 && b.x || 'no' }}${{ a.x }}", scope)).toBe('1no1');
  expect(asked).toEqual(['a']);
});

test('what a scope throws is told with its place', async () => {
  const scope = scopeOf({
    steps: {
      get items(): never {
        throw new AppError('EXPRESSION', 'there are 5000 items', { fix: 'Read steps.a.counts.' });
      },
    },
  });
  for (const text of ['1 == 2 || length(steps.items) > 1', 'toJSON(steps)', '${{ steps }}']) {
    const error = (await renderText(text.includes('$') ? text : `\${{ ${text} }}`, scope).catch(
      (thrown) => thrown,
    )) as ExpressionError;
    expect(error).toBeInstanceOf(ExpressionError);
    expect(error.message).toContain('there are 5000 items');
    expect(error.fix).toBe('Read steps.a.counts.');
    expect(error.snippet).toContain('^');
  }
  const broken: Scope = {
    context: () => {
      throw new TypeError('boom');
    },
  };
  await expect(evaluate('x', broken)).rejects.toThrow(ExpressionError);
});

test('files are asked for with all patterns, and refused with their place', async () => {
  const scope = scopeOf(
    {},
    {
      files: {
        glob: async (patterns, limit) => [{ path: `${patterns.join('+')} ${limit}` } as never],
        hash: async (patterns) => {
          throw new AppError('EXPRESSION', `no such ${patterns[0]}`, { fix: 'Make it.' });
        },
      },
    },
  );
  expect(await evaluate("glob('a', '!b')[0].path", scope)).toBe('a+!b 100000');
  const error = (await evaluate("'x' == hashFiles('y')", scope).catch((thrown) => thrown)) as ExpressionError;
  expect(error.problem).toMatchObject({ at: 7, length: 14, message: 'no such y', fix: 'Make it.' });
  expect(await evaluate("hashFiles('y') == ''", scopeOf({}, { files: noFiles }))).toBe(true);
  await expect(evaluate('glob()', scope)).rejects.toThrow('at least 1 argument');
});

test('a whole template keeps its type, others are texts', async () => {
  const scope = scopeOf(data);
  expect(await renderValue('${{ list }}', scope)).toEqual(data.list);
  expect(await renderValue('${{ none }}', scope)).toBe(null);
  expect(await renderValue('${{ two }}', scope)).toBe(2);
  expect(await renderValue('${{ two }} ', scope)).toBe('2 ');
  expect(await renderValue('two', scope)).toBe('two');
  expect(await renderText('${{ none }}|${{ yes }}|${{ two }}|${{ numbers }}|${{ text }}', scope)).toBe(
    '|true|2|[1,2]|Ab',
  );
});

test('JSON with templates in it', async () => {
  const value = JSON.parse(
    '{"a": "${{ two }}", "b": ["x ${{ text }}", 1, null, true], "__proto__": {"c": "${{ none }}"}, "${{ two }}": "$${{"}',
  );
  const rendered = await renderDeep(value, scopeOf(data));
  expect(JSON.stringify(rendered)).toBe(
    '{"a":2,"b":["x Ab",1,null,true],"__proto__":{"c":null},"${{ two }}":"${{"}',
  );
  expect(Object.getPrototypeOf(rendered)).toBe(Object.prototype);
});

test('files as arguments', async () => {
  const files = [{ path: '/a b' }, { path: '/${{ x }}' }];
  const scope = scopeOf({ files, one: { list: files } });
  expect(await renderArguments('${{ files }}', scope)).toEqual(['/a b', '/${{ x }}']);
  expect(await renderArguments('${{files}}', scopeOf({ files: null }))).toEqual([]);
  expect(await renderArguments(' ${{ files }}', scope)).toHaveLength(1);
  expect(await renderArguments('${{ one.list }}', scope)).toHaveLength(1);
  expect(await renderArguments('', scope)).toEqual(['']);
  expect(renderArgumentsNow('${{ files }}', scope)).toEqual(['/a b', '/${{ x }}']);
  expect(renderTextNow('${{ files[0].path }}', scope)).toBe('/a b');
  expect(() => renderTextNow("${{ hashFiles('a') }}", scopeOf({}, { files: noFiles }))).toThrow(
    ExpressionError,
  );
});

test('an interpolated value never changes the number of arguments', async () => {
  const value = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.jsonValue() as fc.Arbitrary<Value>,
    fc.constantFrom('${{ files }}', '}}', "' '", '\0'),
  );
  await fc.assert(
    fc.asyncProperty(
      value,
      value,
      fc.constantFrom('${{ x }}', 'a ${{ x }}${{ y }}', '${{ y || x }}', '--x=${{ toJSON(x) }}'),
      async (x, y, word) => {
        const words = await renderArguments(word, scopeOf({ x, y, files: [] }));
        expect(words).toHaveLength(1);
        if (typeof x === 'string' && word === '${{ x }}') expect(words).toEqual([x]);
      },
    ),
    { numRuns: 300 },
  );
});

test.for([
  ['success()', true],
  ["a.b == 'x' && !(failure() || c)", true],
  ['contains(a[always()], 1)', true],
  ["a.success == 'success()'", false],
] as const)('%s asks how the run stands: %s', ([text, uses]) => {
  expect(usesStatus(text)).toBe(uses);
});

test('what a text reads', () => {
  const read = (text: string) =>
    contextsOf(parseTemplate(text)).map(({ context, path, at, length }) => [
      [context, ...path].join('/'),
      text.slice(at, at + length),
    ]);
  expect(read("x ${{ steps.a.result }} ${{ steps['b c'].outputs.d[0] || state }}")).toEqual([
    ['steps/a/result', 'steps.a.result'],
    ['steps/b c/outputs/d/0', "steps['b c'].outputs.d[0]"],
    ['state', 'state'],
  ]);
  expect(read('${{ steps[inputs.name].result }} ${{ fromJSON(steps.a.result).b }}')).toEqual([
    ['inputs/name', 'inputs.name'],
    ['steps', 'steps[inputs.name].result'],
    ['steps/a/result', 'steps.a.result'],
  ]);
  expect(read('$${{ a }}')).toEqual([]);
  const parsed = parseExpression('!a && b.c < length(d)');
  expect('ast' in parsed && contextsOf(parsed.ast).map(({ context }) => context)).toEqual(['a', 'b', 'd']);
});
