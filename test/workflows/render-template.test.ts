import { expect, test } from 'vitest';
import { checkTemplate, formatFor, renderTemplate } from '../../src/workflows/render-template.ts';

const file = 'reports/day.md.liquid';
const render = (text: string, values = {}, more = {}) => renderTemplate(text, values, { file, ...more });

test('a template sees values, loops and conditions', async () => {
  const values = { steps: { lint: { outcome: 'failed', outputs: { warnings: 3 } } }, files: ['a', 'b'] };
  expect(
    await render(
      '{% for f in files %}{{ forloop.index }}. {{ f }}\n{% endfor %}{% if steps.lint.outputs.warnings > 2 %}many{% endif %} {{ steps.gone.outputs.x | default: "none" }}',
      values,
    ),
  ).toBe('1. a\n2. b\nmany none');
});

test.each([
  ['{{ 1234 | duration }}', '1.2 s'],
  ['{{ 0.0042 | usd }} {{ 12.5 | usd }} {{ nothing | usd }}', '$0.0042 $12.50 '],
  ['{{ 2048 | bytes }} {{ 12 | bytes }}', '2.0 KiB 12 B'],
  ['{{ x | md }}', '\\<b\\>\\| \\`a\\` b'],
])('%s gives %s', async (text, expected) => {
  expect(await render(text, { x: '<b>| `a`\n b' })).toBe(expected);
});

test('what goes into HTML is escaped unless the template says otherwise', async () => {
  const values = { x: '<script>alert("1")</script>' };
  const html = await render('<p>{{ x }}</p>{{ x | raw }}', values, { format: formatFor('a/B.HTML') });
  expect(html).toBe(`<p>&lt;script&gt;alert(&#34;1&#34;)&lt;/script&gt;</p>${values.x}`);
  expect(await render('{{ x }}', values, { format: formatFor('report.md') })).toBe(values.x);
});

test('values are data: no prototypes, no functions, no getters', async () => {
  const values = { x: { a: 1, toString: () => 'called' }, list: [1, 2] };
  expect(
    await render('{{ x.constructor }}{{ x.__proto__ }}{{ list.constructor.name }}{{ x.toString }}', values),
  ).toBe('');
});

const small = { limits: { timeMs: 300, memoryChars: 100_000, outputChars: 10_000 } };
const big = 'x'.repeat(1000);
test.each([
  ['an unclosed tag', 'a\n  {% if x %}b', /2:3: tag {% if x %} not closed/],
  ['an unknown filter', 'a\n {{ x | nofilter }}', /2:2: undefined filter: nofilter/],
  ['an unclosed output', 'a\n\n {{ x ', /3:2: output/],
  ['a tag that would read a file', "{% include '/etc/passwd' %}", /1:1: tag "include" not found/],
  ['another one', "{% render '../secret' %}", /1:1: tag "render" not found/],
  ['a layout', "{% layout '/etc/passwd' %}", /1:1: tag "layout" not found/],
  [
    'an endless loop',
    '\n{% for i in (1..90000) %}{% for j in (1..90000) %}{% endfor %}{% endfor %}',
    /2:\d+: it (takes too long|makes more)/,
  ],
  ['a huge range', '{% for i in (1..1000000000) %}{% endfor %}', /1:1: it makes more text and lists/],
  [
    'a text that doubles',
    '{% assign s = "aaaa" %}{% for i in (1..60) %}{% assign s = s | append: s %}{% endfor %}',
    /1:\d+: it makes more text/,
  ],
  ['too much output', `{% for i in (1..90000) %}${big}{% endfor %}`, /1:\d+: it gives more than 10000/],
  ['a padded date', '{{ "now" | date: "%99999999d" }}', /1:1: it makes more/],
])('%s is an error with its place', async (_, text, message) => {
  await expect(render(text, {}, small)).rejects.toMatchObject({
    code: 'TEMPLATE',
    message: expect.stringMatching(message),
    fix: expect.stringContaining('template'),
  });
});

test('a filter that takes very long, where nothing can ask it to stop, is ended from outside', async () => {
  const text = '{% assign all = x | split: "," %}{% assign some = all | where: "a", "b" %}';
  const rendering = render(text, { x: 'a,'.repeat(3_000_000) }, { limits: { timeMs: 100 } });
  await expect(rendering).rejects.toMatchObject({
    code: 'TEMPLATE',
    message: expect.stringContaining('it takes too long'),
  });
});

test('an abort ends it', async () => {
  const stop = new AbortController();
  const text = '{% for i in (1..90000) %}{% for j in (1..90000) %}{% endfor %}{% endfor %}';
  const rendering = render(text, {}, { signal: stop.signal, limits: { memoryChars: 1e12 } });
  stop.abort(new Error('stopping'));
  await expect(rendering).rejects.toThrow('stopping');
});

test('at load a template is checked without being rendered', () => {
  expect(checkTemplate('{{ steps.a.result }}{% assign x = 1 %}{{ x }}', ['steps'])).toEqual([]);
  expect(checkTemplate('{% if a %}')).toMatchObject([
    { line: 1, column: 1, message: expect.stringContaining('not closed') },
  ]);
  expect(checkTemplate('ok\n  {{ stps.a.result }}', ['steps', 'inputs'])).toEqual([
    { message: 'nothing is called "stps"; did you mean "steps"?', line: 2, column: 6 },
  ]);
  expect(checkTemplate('{{ anything }}')).toEqual([]);
  expect(checkTemplate('x'.repeat(2_000_000))).toMatchObject([
    { message: expect.stringContaining('longer') },
  ]);
});
