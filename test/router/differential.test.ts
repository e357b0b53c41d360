/** The index against the linear scan: same answers for generated patterns and paths, whatever they hold. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createRouter } from '../../src/router/router.ts';
import { linearScan, rule } from './rules.ts';

const words = [
  'src',
  'a',
  'b',
  'foo',
  'test_x',
  '.git',
  '.env',
  'ab',
  'a.py',
  'b.js',
  'é',
  '😀',
  'x y',
  'a\nb',
  'a,b',
  "it's",
  '@s',
  '#',
  'c++',
  '$(x)',
  'A',
  '-x',
  '1',
  '7',
  '[a]',
  '{a,b}',
  '*',
];
const word = fc.constantFrom(...words);
const path = fc
  .array(
    fc.oneof(
      { weight: 5, arbitrary: word },
      fc
        .array(fc.constantFrom('a', 'b', '.', 'é', '\n', 'x', '7', '-'), { minLength: 1, maxLength: 4 })
        .map((c) => c.join('')),
    ),
    { minLength: 1, maxLength: 5 },
  )
  .map((segments) => segments.join('/'));

const glob = fc.letrec<{ piece: string; segment: string; brace: string; glob: string }>((tie) => ({
  piece: fc.oneof(
    { maxDepth: 3, depthSize: 'small', withCrossShrink: true },
    { weight: 8, arbitrary: word },
    { weight: 6, arbitrary: fc.constantFrom('*', '?', '.', '.py', '.js', 'a', 'b', '**', '*.', '-') },
    {
      weight: 2,
      arbitrary: fc.constantFrom(
        '[ab]',
        '[^a]',
        '[!a]',
        '[a-c]',
        '[.-0]',
        '[a-]',
        '[[:alpha:]]',
        '[]a]',
        '[a/b]',
        '[',
      ),
    },
    {
      weight: 2,
      arbitrary: fc.constantFrom(
        '\\*',
        '\\?',
        '\\[a\\]',
        '\\{',
        '\\.',
        '\\!',
        '\\a',
        '\\\\',
        '"a"',
        '|',
        '+',
        '^',
        '$',
        '(',
        ')',
        '{',
        '}',
        '!',
        ',',
      ),
    },
    {
      weight: 2,
      arbitrary: fc
        .tuple(fc.constantFrom('@', '+', '*', '?', '!', ''), tie('segment'), tie('segment'))
        .map(([sign, x, y]) => `${sign}(${x}|${y})`),
    },
    { weight: 2, arbitrary: fc.constantFrom('{1..3}', '{a}', '{a,b..c}', '{,a}', '{a,}', '{}') },
    { weight: 4, arbitrary: tie('brace') },
  ),
  segment: fc.array(tie('piece'), { minLength: 1, maxLength: 3 }).map((pieces) => pieces.join('')),
  brace: fc
    .array(fc.oneof({ weight: 3, arbitrary: tie('segment') }, tie('glob')), { minLength: 2, maxLength: 3 })
    .map((choices) => `{${choices.join(',')}}`),
  glob: fc
    .array(
      fc.oneof(
        { weight: 2, arbitrary: fc.constant('**') },
        { weight: 3, arbitrary: word },
        { weight: 4, arbitrary: tie('segment') },
      ),
      { minLength: 1, maxLength: 4 },
    )
    .map((segments) => segments.join('/')),
}));

const pattern = fc
  .tuple(fc.constantFrom('', '', '', '', './', '!', '!'), glob.glob)
  .map(([sign, text]) => sign + text)
  // Nested stars can make the reference's expressions back-track for minutes.
  .filter((text) => text !== '!' && text.length < 40 && (text.match(/[*+]/g)?.length ?? 0) <= 4);
const rules = fc.array(fc.array(pattern, { minLength: 1, maxLength: 3 }), { minLength: 1, maxLength: 8 });

test('the router and the linear scan choose the same rule', () => {
  let matched = 0;
  fc.assert(
    fc.property(rules, fc.array(path, { minLength: 20, maxLength: 20 }), (lists, paths) => {
      const config = lists.map((patterns, n) => rule(`r${n}`, patterns));
      const router = createRouter(config);
      const scan = linearScan(config);
      // A path that is the very text of a pattern matches too.
      for (const at of [...paths, ...lists.flat()]) {
        const expected = scan(at);
        if (expected !== undefined) matched += 1;
        if (router.route(at) !== expected)
          expect({ at, lists, rule: router.route(at)?.name }).toEqual({ at, lists, rule: expected?.name });
        if (at === paths[0]) expect(router.explain(at).rule).toBe(expected);
      }
    }),
    { numRuns: Number(process.env.ROUTER_RUNS ?? 400) },
  );
  expect(matched).toBeGreaterThan(1000);
});

test('every rule alone is found by the index when its pattern matches', () => {
  fc.assert(
    fc.property(pattern, fc.array(path, { minLength: 30, maxLength: 30 }), (text, paths) => {
      const config = [rule('only', [text])];
      const router = createRouter(config);
      const scan = linearScan(config);
      for (const at of paths) expect([at, text, router.route(at)?.name]).toEqual([at, text, scan(at)?.name]);
    }),
    { numRuns: Number(process.env.ROUTER_RUNS ?? 3000) },
  );
});
