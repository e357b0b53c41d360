import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  caretUnder,
  ExpressionError,
  expressionEnd,
  parseExpression,
  parseTemplate,
  withoutBraces,
} from '../../src/expressions/expressions.ts';
import { type Bare, bare, print } from './print.ts';

/** Every operation in parentheses. */
function shape(text: string): string {
  const parsed = parseExpression(text);
  if ('problem' in parsed) throw new Error(parsed.problem.message);
  const show = (node: Bare): string => {
    switch (node.kind) {
      case 'literal':
        return JSON.stringify(node.value);
      case 'context':
        return node.name;
      case 'property':
        return `${show(node.of)}[${show(node.key)}]`;
      case 'call':
        return `${node.name}(${node.args.map(show).join(' ')})`;
      case 'not':
        return `(! ${show(node.operand)})`;
      case 'compare':
        return `(${show(node.left)} ${node.operator} ${show(node.right)})`;
      default:
        return `(${node.operands.map(show).join(` ${node.kind} `)})`;
    }
  };
  return show(bare(parsed.ast));
}

test.for([
  // Precedence, as on GitHub: ! then < then == then && then ||.
  ['a || b && c', '(a or (b and c))'],
  ['a && b || c && d', '((a and b) or (c and d))'],
  ['(a || b) && c', '((a or b) and c)'],
  ['a && b && c', '(a and b and c)'],
  ['(a && b) && c', '((a and b) and c)'],
  ['a == b && c != d', '((a == b) and (c != d))'],
  ['a < b == c >= d', '((a < b) == (c >= d))'],
  ['!a == b', '((! a) == b)'],
  ['!(a == b)', '(! (a == b))'],
  ['!!a.b', '(! (! a["b"]))'],
  ['!a && !b', '((! a) and (! b))'],
  // Properties.
  ['a.b-c.d_1', 'a["b-c"]["d_1"]'],
  ["a['b c'].d[0]", 'a["b c"]["d"][0]'],
  ['a[b.c]', 'a[b["c"]]'],
  ['a.1st.2', 'a["1st"]["2"]'],
  ['a.true.null', 'a["true"]["null"]'],
  ['schritte.prüfen', 'schritte["prüfen"]'],
  ['f(a).b', 'f(a)["b"]'],
  ['(a || b).c', '(a or b)["c"]'],
  [' a \n . b ', 'a["b"]'],
  // Calls.
  ['f()', 'f()'],
  ["f(a, 'b', g(1))", 'f(a "b" g(1))'],
  ['f (a)', 'f(a)'],
  // Literals.
  ['null', 'null'],
  ['true || false', '(true or false)'],
  ['0', '0'],
  ['-0', '0'],
  ['-12.50', '-12.5'],
  ['1E3', '1000'],
  ["''", '""'],
  ["'it''s'", '"it\'s"'],
  ["''''", '"\'"'],
  ['"it\'s ""it"""', '"it\'s \\"it\\""'],
  ["'\\n\n${{ }}'", '"\\\\n\\n${{ }}"'],
  ["'😀'", '"😀"'],
  // With braces around.
  ['${{ a }}', 'a'],
  ['  ${{a}}\n', 'a'],
  ["${{ '}}' }}", '"}}"'],
] as const)('%s', ([text, parsed]) => {
  expect(shape(text)).toBe(parsed);
});

test.for([
  ['', 0, 'there is no expression'],
  ['  ', 2, 'there is no expression'],
  ['${{ }}', 4, 'there is no expression'],
  ['a &&', 2, 'a value is missing behind `&&`'],
  ['&& a', 0, 'a value is missing before `&&`'],
  ['(a', 0, '`(` is not closed'],
  ['f(a', 1, '`(` is not closed'],
  ['a[0', 1, '`[` is not closed'],
  ['(a]', 2, '`]` closes nothing'],
  ['a)', 1, '`)` closes nothing'],
  ['a b', 2, 'there is no operator between two values'],
  ['f(a b)', 4, 'there is no operator between two values'],
  ['a.b(c)', 3, 'only functions can be called'],
  ['a..b', 1, 'a name is missing behind `.`'],
  ["a.'b'", 1, 'a name is missing behind `.`'],
  ['a.', 1, 'a name is missing behind `.`'],
  ['a & b', 2, '"&" has no meaning here'],
  ['a ? b', 2, '"?" has no meaning here'],
  ['😀', 0, '"😀" has no meaning here'],
  ["'a", 0, "the quote ' is not closed"],
  ["a == 'it's'", 10, "the quote ' is not closed"],
  ['1e999', 0, '1e999 is too large a number'],
  ['a == b == c', 7, '`==` and `==` stand in a row'],
  ['a == b != c', 7, '`==` and `!=` stand in a row'],
  ['a !== b', 2, 'there is no `!==`'],
  ['[1]', 0, 'a value is missing before `[`'],
  ['${{ a', 0, '`${{` is not closed'],
  ['${{ a }} && b', 9, 'something stands behind the `}}`'],
  ['${{ a }}${{ b }}', 8, 'something stands behind the `}}`'],
] as const)('%s is refused at %s', ([text, at, message]) => {
  expect(parseExpression(text)).toMatchObject({ problem: { at, message } });
});

test.for([
  ['a and b', '`&&`'],
  ['not a', '`!`'],
  ["'a' in b", 'contains('],
  ['a + b', 'format('],
  ['a = b', '`==`'],
  ['{}', 'fromJSON'],
] as const)('%s: the fix names what is meant', ([text, fix]) => {
  const parsed = parseExpression(text);
  expect('problem' in parsed && parsed.problem.fix).toContain(fix);
});

test.for([
  ['', [], false],
  ['plain', ['plain'], false],
  ['${{ a }}', ['<a>'], true],
  ['${{ a }} ', ['<a>', ' '], false],
  ['x${{a}}y${{b}}', ['x', '<a>', 'y', '<b>'], false],
  ['$${{ a }}', ['${{ a }}'], false],
  ['$$${{ a }}', ['$${{ a }}'], false],
  ['${{ a }}$${{', ['<a>', '${{'], false],
  ['$ {{ a }} ${ b }', ['$ {{ a }} ${ b }'], false],
  ["${{ '${{ }}' }}", ["<'${{ }}'>"], true],
] as const)('the parts of %s', ([text, parts, isWhole]) => {
  const template = parseTemplate(text);
  const shown = template.parts.map((part) =>
    part.kind === 'text' ? part.text : `<${text.slice(part.expression.root.at, part.expression.root.end)}>`,
  );
  expect(shown).toEqual(parts);
  expect(template.isWhole).toBe(isWhole);
});

test('a quote that is not closed is what is told, not what follows it', () => {
  const text = "Look at ${{ file.ext == '.py }} and don't forget it; it's ${{ file.name }}";
  expect(() => parseTemplate(text)).toThrow(ExpressionError);
  try {
    parseTemplate(text);
  } catch (error) {
    expect((error as ExpressionError).at).toBe(24);
  }
});

test('an error shows its line with carets under the place', () => {
  const text = 'first line\nand ${{ file.nme == }} in the second\nthird';
  try {
    parseTemplate(text);
    expect.unreachable();
  } catch (error) {
    const { code, snippet, at, fix, message } = error as ExpressionError;
    expect({ code, snippet, at, fix, message }).toEqual({
      code: 'EXPRESSION',
      at: 28,
      snippet: 'and ${{ file.nme == }} in the second\n                 ^^',
      fix: 'Write one, or remove it.',
      message: `a value is missing behind \`==\` (character 29 of ${JSON.stringify(text)})`,
    });
  }
});

test('of a long line the part around the place is shown', () => {
  const text = `${'x'.repeat(5000)} = ${'y'.repeat(5000)}`;
  const [line = '', carets = ''] = caretUnder(text, 5001, 1).split('\n');
  expect(line.length).toBeLessThan(110);
  expect(line[carets.indexOf('^')]).toBe('=');
});

test.for([
  ['${{ a }}', 'a'],
  [' ${{ a && b }}\n', 'a && b'],
  ['a && b', 'a && b'],
  ['${{ a }} && ${{ b }}', '${{ a }} && ${{ b }}'],
] as const)('%s without its braces', ([text, expression]) => {
  expect(withoutBraces(text)).toBe(expression);
});

test.for([
  ['${{ a }} b', 0, 8],
  ["x${{ '}}' }}y", 1, 12],
  ['${{ a', 0, undefined],
  // What is no expression ends where it seems to.
  ["${{ it's }}", 0, 11],
] as const)('the end of %s', ([text, from, end]) => {
  expect(expressionEnd(text, from)).toBe(end);
});

const name = fc
  .stringMatching(/^[a-z_][a-z0-9_-]{0,5}$/)
  .filter((one) => !['null', 'true', 'false'].includes(one));
const literal = fc
  .oneof(
    fc.constantFrom(null, true, false),
    fc.string(),
    fc.double({ noNaN: true, noDefaultInfinity: true }),
    fc.integer(),
  )
  .map((value): Bare => ({ kind: 'literal', value: Object.is(value, -0) ? 0 : value }));
const { tree } = fc.letrec<{ tree: Bare }>((tie) => ({
  tree: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    literal,
    name.map((one): Bare => ({ kind: 'context', name: one })),
    fc.record({
      kind: fc.constant('property' as const),
      of: tie('tree'),
      key: fc.oneof(tie('tree'), literal),
    }),
    fc.record({ kind: fc.constant('call' as const), name, args: fc.array(tie('tree'), { maxLength: 3 }) }),
    fc.record({ kind: fc.constant('not' as const), operand: tie('tree') }),
    fc.record({
      kind: fc.constantFrom('and' as const, 'or' as const),
      operands: fc.array(tie('tree'), { minLength: 2, maxLength: 4 }),
    }),
    fc.record({
      kind: fc.constant('compare' as const),
      operator: fc.constantFrom(
        '==' as const,
        '!=' as const,
        '<' as const,
        '<=' as const,
        '>' as const,
        '>=' as const,
      ),
      left: tie('tree'),
      right: tie('tree'),
    }),
  ),
}));

test('what is printed is parsed back, alone and in braces', () => {
  fc.assert(
    fc.property(tree, (one) => {
      const text = print(one);
      for (const written of [text, `\${{ ${text} }}`, ` ( ${text} ) `]) {
        const parsed = parseExpression(written);
        if ('problem' in parsed) throw new Error(`${written}: ${parsed.problem.message}`);
        expect(bare(parsed.ast)).toEqual(one);
      }
      const template = parseTemplate(`x \${{ ${text} }} }} \${{${text}}}`);
      expect(template.parts).toHaveLength(4);
    }),
    { numRuns: 500 },
  );
});

test('every node knows where it stands', () => {
  fc.assert(
    fc.property(tree, (one) => {
      const parsed = parseExpression(print(one));
      if ('problem' in parsed) throw new Error(parsed.problem.message);
      const { root, text } = parsed.ast;
      const again = parseExpression(text.slice(root.at, root.end));
      expect('ast' in again && bare(again.ast)).toEqual(one);
    }),
  );
});
