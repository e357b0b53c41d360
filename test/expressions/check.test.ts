import { expect, test } from 'vitest';
import { checkExpression, checkTemplate, type Known } from '../../src/expressions/expressions.ts';
import { known } from './scope.ts';

test.for([
  "file.name == 'a' && file.bytes > 1 || inputs.dry_run",
  "steps['count lines'].outputs.rows == '5' || steps['count lines'].outputs.rows == 5",
  'steps.lint.outputs.anything.at[0].all',
  'state.any.thing > 1',
  'state[file.name].x',
  'files[0].name == files[inputs.limit].path',
  'file == null || inputs.limit == null || null != file.name',
  "fromJSON(steps.lint.result).x == 1 && contains(fromJSON('[]'), file.name)",
  "(file.ext == '.py' && 'a' || 'b') == 'a'",
  "(inputs.note || 'x') == 'x'",
  "(inputs.limit || 'x') == 'x'",
  'success() || failure() || always() || cancelled()',
  "length(glob('**', '!b')) > 0 && hashFiles('a') != ''",
  'join(null) == toJSON(null)',
])('%s is fine', (text) => {
  expect(checkExpression(text, known)).toEqual([]);
  expect(checkTemplate(`x \${{ ${text} }} y`, known)).toEqual([]);
});

test.for<[text: string, place: string, message: string, fix: string]>([
  // Names.
  ['path', 'path', 'unknown value "path"', 'did you mean "file.path"?'],
  ['fle.name', 'fle', 'unknown value "fle"', 'did you mean "file"?'],
  ['file.Name', 'file.Name', 'unknown value "file.Name"', 'did you mean "file.name"?'],
  ['secrets.X', 'secrets', 'unknown value "secrets"', 'Known here: file, files, steps, inputs, state.'],
  ['True', 'True', 'unknown value "True"', 'did you mean "true"?'],
  ['success', 'success', '`success` is a function', 'did you mean "success()"?'],
  ['steps.lnt.result', 'steps.lnt', 'unknown value "steps.lnt"', 'did you mean "steps.lint"?'],
  [
    'steps.count_lines.result',
    'steps.count_lines',
    'unknown value "steps.count_lines"',
    'did you mean "steps[\'count lines\']"?',
  ],
  [
    "steps['count lines'].outputs.row",
    "steps['count lines'].outputs.row",
    'unknown value "steps[\'count lines\'].outputs.row"',
    'did you mean "steps[\'count lines\'].outputs.rows"?',
  ],
  [
    'inputs.constructor',
    'inputs.constructor',
    'unknown value "inputs.constructor"',
    'Known here: inputs.limit, inputs.customer, inputs.dry_run, inputs.note.',
  ],
  [
    'inputs.__proto__',
    'inputs.__proto__',
    'unknown value "inputs.__proto__"',
    'Known here: inputs.limit, inputs.customer, inputs.dry_run, inputs.note.',
  ],
  ['__proto__', '__proto__', 'unknown value "__proto__"', 'Known here: file, files, steps, inputs, state.'],
  ['files[0].nam', 'files[0].nam', 'unknown value "files[0].nam"', 'did you mean "files[0].name"?'],
  ['1 == 1 && item.x', 'item', '`item` is there in steps with `for_each` only', 'Add `for_each`.'],
  ['steps.later.result', 'steps.later', 'step "later" does not run before', 'Write `needs: later`.'],
  // Functions.
  ['fromJson(file.name)', 'fromJson', 'unknown function "fromJson"', 'did you mean "fromJSON"?'],
  ['toJSON()', 'toJSON()', 'toJSON() takes 1 argument, 0 are given', 'Write `toJSON(value)`.'],
  [
    "contains('a')",
    "contains('a')",
    'contains() takes 2 arguments, 1 is given',
    'Write `contains(in, value)`.',
  ],
  [
    'startsWith(file.name, 1)',
    '1',
    'startsWith() takes text here, this is number',
    'Nothing is converted: toJSON() makes a text of any value, fromJSON() a value of a text.',
  ],
  [
    'join(file.name)',
    'file.name',
    'join() takes list here, this is text',
    'Nothing is converted: toJSON() makes a text of any value, fromJSON() a value of a text.',
  ],
  [
    "glob('a', 1)",
    '1',
    'glob() takes text here, this is number',
    'Nothing is converted: toJSON() makes a text of any value, fromJSON() a value of a text.',
  ],
  // Types.
  [
    "file.bytes == '5'",
    "file.bytes == '5'",
    '`==` compares number with text',
    'Nothing is converted: write numbers without quotes and texts in quotes, or read a number from a text by fromJSON().',
  ],
  [
    "inputs.limit >= '5'",
    "inputs.limit >= '5'",
    '`>=` compares number with text',
    'Nothing is converted: write numbers without quotes and texts in quotes, or read a number from a text by fromJSON().',
  ],
  [
    "inputs.dry_run == 'true'",
    "inputs.dry_run == 'true'",
    '`==` compares boolean with text',
    'Nothing is converted: write numbers without quotes and texts in quotes, or read a number from a text by fromJSON().',
  ],
  [
    'length(files) < steps.lint.result',
    'length(files) < steps.lint.result',
    '`<` compares number with text',
    'Nothing is converted: write numbers without quotes and texts in quotes, or read a number from a text by fromJSON().',
  ],
  [
    'null < 1',
    'null < 1',
    '`<` has null on one side',
    'Ask before whether it is there: `x != null && x > 1`.',
  ],
  [
    'files == files',
    'files == files',
    '`==` cannot compare lists',
    'Compare one of its values, its length(), or both sides as toJSON().',
  ],
  [
    'file.name.stem',
    'file.name.stem',
    '`file.name` is a text and has no properties',
    'fromJSON(file.name) reads JSON; length(file.name) counts characters.',
  ],
  [
    'files.length',
    'files.length',
    '`files` is a list; its items are read by their number',
    'Write length(files).',
  ],
  ['steps[0]', '0', 'the key of an object is a text, this is number', "Put it in quotes: `['1']`."],
])('%s is told at %s', ([text, place, message, fix]) => {
  const [problem, ...more] = checkExpression(text, known);
  expect(more).toEqual([]);
  expect(problem).toMatchObject({ message, fix });
  if (problem) expect(text.slice(problem.at, problem.at + problem.length)).toBe(place);
  // The same in a template, at its place there.
  const [inTemplate] = checkTemplate(`some text \${{ ${text} }}`, known);
  expect(inTemplate).toMatchObject({ message, fix, at: (problem?.at ?? 0) + 14 });
});

test('a suggestion replaces what is pointed at', () => {
  const text = 'x ${{ steps.cuont_lines.result }} ${{ fil.nam }} ${{ path }}';
  let repaired = text;
  for (const { at, length, suggestion } of checkTemplate(text, known).toReversed())
    repaired = repaired.slice(0, at) + suggestion + repaired.slice(at + length);
  expect(repaired).toBe("x ${{ steps['count lines'].result }} ${{ file.nam }} ${{ file.path }}");
});

test('a text that is one of a few is never another', () => {
  const outcome = { kind: 'text', values: ['succeeded', 'failed'] } as const;
  const few = {
    contexts: { steps: { kind: 'object', keys: { a: { kind: 'object', keys: { outcome } } } } },
    status: true,
  } as const;
  for (const text of [
    "steps.a.outcome == 'failed'",
    "'failure' == steps.a.outcome",
    "steps.a.outcome != 'x' && 1",
  ])
    expect(checkExpression(text, few)).toHaveLength(text.includes("'x'") ? 1 : 0);
  expect(checkExpression("steps.a.outcome == 'suceeded'", few)).toMatchObject([
    { at: 19, message: '`steps.a.outcome` is never "suceeded"', suggestion: "'succeeded'" },
  ]);
});

test('all problems of a text are told, in their order', () => {
  const text = "${{ file.nme }} ${{ a b }} ${{ 1 == '1' && pth }} ${{ file.name }} ${{ 'open }}";
  expect(checkTemplate(text, known).map(({ at, message }) => `${at} ${message}`)).toEqual([
    '4 unknown value "file.nme"',
    '22 there is no operator between two values',
    '31 `==` compares number with text',
    '43 unknown value "pth"',
    "71 the quote ' is not closed",
  ]);
});

test('functions that have no meaning here', () => {
  const plain: Known = {
    contexts: { file: known.contexts.file as never },
    functions: ['contains'],
    status: false,
  };
  const messages = (text: string) =>
    checkExpression(text, plain).map(({ message, fix }) => `${message}: ${fix}`);
  expect(messages('always()')).toEqual([
    'always() has no meaning here: It can be asked in the `if` of a step.',
  ]);
  expect(messages("glob('a')")).toEqual(['glob() has no meaning here: Functions here: contains.']);
  expect(messages("contain(file.name, 'a')")).toEqual([
    'unknown function "contain": did you mean "contains"?',
  ]);
  expect(messages("contains(file.name, 'a')")).toEqual([]);
});

test.for([
  ['${{ files }}', ['list'], undefined],
  ['${{ file.name }}', ['list'], 'this is text, where list is needed'],
  ['${{ fromJSON(file.name) }}', ['list'], undefined],
  ['${{ null }}', ['list'], undefined],
  ['a,b', ['list'], 'this is text, where list is needed'],
  ['${{ files }} ', ['list'], 'this is text, where list is needed'],
  ['${{ file.bytes }}', ['number', 'boolean'], undefined],
  ['${{ inputs.dry_run }}', ['number', 'text'], 'this is boolean, where number or text is needed'],
] as const)('%s where %s is needed', ([text, expected, message]) => {
  expect(checkTemplate(text, known, expected)[0]?.message).toBe(message);
});

test('a list of an expression', () => {
  expect(checkExpression('files', known, ['list'])).toEqual([]);
  expect(checkExpression('file.name', known, ['list'])[0]).toMatchObject({
    at: 0,
    length: 9,
    fix: expect.stringContaining('fromJSON'),
  });
});
