/** What routing promises, case by case. */
import { describe, expect, test } from 'vitest';
import { createRouter } from '../../src/router/router.ts';
import { rule } from './rules.ts';

const semantics: readonly (readonly [
  patterns: string | readonly string[],
  path: string,
  matches: boolean,
])[] = [
  ['*.py', 'a.py', true],
  ['*.py', 'src/a.py', false],
  ['*.py', '.hidden.py', true],
  ['**/*.py', 'a.py', true],
  ['**/*.py', 'src/deep/a.py', true],
  ['**/*.py', '.cache/.a.py', true],
  ['**/*.py', 'a.PY', false],
  ['src/**/test_*.py', 'src/test_a.py', true],
  ['src/**/test_*.py', 'src/x/y/test_a.py', true],
  ['src/**/test_*.py', 'lib/src/test_a.py', false],
  ['src/**/test_*.py', 'src/x/a_test.py', false],
  ['{*.js,*.ts}', 'a.js', true],
  ['{*.js,*.ts}', 'a.ts', true],
  ['{*.js,*.ts}', 'src/a.ts', false],
  ['**', 'any/thing at all', true],
  ['src/**', 'src', true],
  ['src/**', 'srcs/a', false],
  ['**/{a,b{c,d}}/*.{x,y}', 'q/bd/n.y', true],
  ['**/{a,b{c,d}}/*.{x,y}', 'q/b/n.y', false],
  ['**/report-[0-9]?.csv', 'r/report-12.csv', true],
  ['**/*', 'two\nlines.txt', true],
  ['*.txt', 'two\nlines.txt', true],
  ['**/\\[draft\\]*.md', 'x/[draft] a.md', true],
  ['**/!(*.test).ts', 'src/a.ts', true],
  ['**/!(*.test).ts', 'src/a.test.ts', false],
  ['!(x).md', 'y.md', true],
  ['!(x).md', 'x.md', false],
  [['**/*.md', '!drafts/**'], 'a.md', true],
  [['**/*.md', '!drafts/**'], 'drafts/a.md', false],
  [['!drafts/**', '**/*.md'], 'drafts/a.md', false],
  [['!drafts/**'], 'a.md', false],
  [['*.md', 'docs/**'], 'docs/a/b', true],
  ['./src/*.c', 'src/a.c', true],
  ['**/été.txt', 'x/été.txt', true],
];

test.each(semantics)('%j and %j: %s', (patterns, path, matches) => {
  const router = createRouter([rule('r', [patterns].flat())]);
  expect(router.route(path)?.name).toBe(matches ? 'r' : undefined);
});

test('the first rule that matches wins, in the order in which they are handed in', () => {
  const rules = [
    rule('tests', ['src/**/test_*.py'], 20),
    rule('python', ['**/*.py'], 10),
    rule('also', ['**/*.py'], 10),
  ];
  const router = createRouter(rules);
  expect(router.route('src/test_a.py')).toBe(rules[0]);
  expect(router.route('src/a.py')).toBe(rules[1]);
  expect(router.route('a.rb')).toBeUndefined();
});

test('no rules: nothing matches', () => {
  expect(createRouter([]).route('a')).toBeUndefined();
  expect(createRouter([]).explain('a')).toEqual({ rule: undefined, candidates: [] });
});

describe('explain', () => {
  const reason = (patterns: readonly string[], path: string) =>
    createRouter([rule('r', patterns)]).explain(path).candidates[0]?.reason;

  test.each([
    [['**/*.py'], 'a/b.py', 'matches `**/*.py`'],
    [
      ['*.py'],
      'a/b.py',
      "needs a file in the root's own folder: `*.py` does not cross `/` (`**/*.py` would)",
    ],
    [['**/*.md', '!drafts/**'], 'drafts/a.md', 'matches `**/*.md`, but is taken away by `!drafts/**`'],
    [['**/*.py'], 'a/b.rb', 'needs a name like `*.py` (`**/*.py`)'],
    [['*.py', '*.rb'], 'c.js', 'needs a name like `*.py` (`*.py`); needs a name like `*.rb` (`*.rb`)'],
    [['**/*.py'], 'a/B.PY', 'differs from `**/*.py` only in upper and lower case, which count'],
    [['src/**/*.py'], 'lib/a.py', 'the name fits `*.py`, but the folder `lib` is not `src/**`'],
    [['src/*.py'], 'a.py', "needs a file in a folder `src`, not in the root's own (`src/*.py`)"],
    [['!a'], 'b', 'has only `!` patterns, which take away: it can not match anything'],
  ])('%j and %j: %s', (patterns, path, expected) => {
    expect(reason(patterns, path)).toBe(expected);
  });

  test('names the rule that comes first, and why', () => {
    const rules = [rule('x', ['**'], 10), rule('y', ['*.a'], 10), rule('z', ['*.a'], 3)];
    const { rule: winner, candidates } = createRouter(rules).explain('f.a');
    expect(winner).toBe(rules[0]);
    expect(candidates.map((c) => [c.rule.name, c.matched, c.reason])).toEqual([
      ['x', true, 'matches `**`'],
      ['y', true, 'matches `*.a`, but rule "x" has the same priority (10) and stands before it'],
      ['z', true, 'matches `*.a`, but rule "x" (priority 10) comes first'],
    ]);
  });
});
