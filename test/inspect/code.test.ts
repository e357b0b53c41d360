import { expect, test } from 'vitest';
import { headline, report } from './report.ts';

const samples: readonly [string, string, string, number, number][] = [
  [
    'a.ts',
    '// x\nconst f = (a: number): number => {\n  if (a > 1 && a < 9) return 1;\n  for (;;) break;\n  return a ? 1 : 2;\n};\n',
    '`f`',
    2,
    5,
  ],
  [
    'a.js',
    'class A {\n  go(x) {\n    switch (x) { case 1: case 2: return; }\n    try {} catch {}\n  }\n}\n',
    '`go`',
    2,
    4,
  ],
  [
    'a.py',
    'def f(x):\n    if x and y or z:\n        pass\n    elif x:\n        pass\n    return [i for i in x if i]\n',
    '`f`',
    1,
    7,
  ],
  [
    'a.go',
    'package a\n\nfunc F(x int) int {\n\tswitch x {\n\tcase 1:\n\t\treturn 1\n\t}\n\treturn 0\n}\n',
    '`F`',
    3,
    2,
  ],
  ['a.rs', 'fn f(x: i32) -> i32 {\n    match x { 1 => 2, _ => 3 }\n}\n', '`f`', 1, 3],
  ['a.c', 'static int *f(int x)\n{\n    while (x) x--;\n    return 0;\n}\n', '`f`', 1, 2],
  ['A.java', 'class A {\n  int f(int x) {\n    if (x > 0) return 1;\n    return 0;\n  }\n}\n', '`f`', 2, 2],
  ['a.rb', 'def f(x)\n  return 1 if x\n  2\nend\n', '`f`', 1, 2],
  ['a.sh', 'f() {\n  if true; then echo; fi\n}\n', '`f`', 1, 2],
];

test.each(samples)('%s: function, line and complexity', async (name, content, label, line, complexity) => {
  const text = await report(name, content);
  expect(text).toContain('Syntax: no errors found.');
  expect(text).toMatch(new RegExp(`\\| ${label} \\| ${line} \\| \\d+ \\| ${complexity} \\|`));
});

test('notes in comments are listed by line, those in strings are not; comment lines are counted', async () => {
  const text = await report(
    'a.ts',
    '// TODO: one\nconst a = "TODO: not this";\n/*\n * FIXME two\n */\nlet b = 1; // plain\n',
  );
  expect(headline(text)).toBe('TypeScript, 6 lines, 0 functions, 2 TODOs and FIXMEs');
  expect(text).toContain('line 1: `// TODO: one`');
  expect(text).toContain('line 4: `* FIXME two`');
  expect(text).not.toContain('not this');
  expect(text).toContain('4 of comments');
});

test('a syntax error is found by line', async () => {
  const text = await report('a.js', 'let a = 1;\nfunction f( {\n  return a;\n}\n');
  expect(headline(text)).toContain('syntax errors from line 2');
});

test('the ten most branched functions come first', async () => {
  const functions = Array.from({ length: 14 }, (_, n) => `function f${n}(x) { ${'if (x) x++; '.repeat(n)} }`);
  const rows = (await report('a.js', functions.join('\n')))
    .split('\n')
    .filter((row) => row.startsWith('| `f'));
  expect(rows.map((row) => row.split('`')[1])).toEqual(
    [13, 12, 11, 10, 9, 8, 7, 6, 5, 4].map((n) => `f${n}`),
  );
});

test('the language is known by its first line, and named without a grammar', async () => {
  expect(headline(await report('tool', '#!/usr/bin/env -S python3 -u\nprint(1)\n'))).toBe(
    'Python, 2 lines, 0 functions',
  );
  expect(headline(await report('a.sql', '-- TODO: index\nSELECT 1;\n'))).toBe(
    'SQL, 2 lines, 1 TODO or FIXME',
  );
});
