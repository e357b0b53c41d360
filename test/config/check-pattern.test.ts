import { expect, test } from 'vitest';
import { checkPattern } from '../../src/config/check-pattern.ts';
import { compileGlob } from '../../src/config/glob.ts';

test.each([
  ['**/*.py'],
  ['{*.js,*.ts}'],
  ['src/**/test_*.py'],
  ['!drafts/**'],
  ['!(a|b).md'],
  ['./src/*.c'],
  ['**/\\[draft\\]*.md'],
  ['a\\{b'],
  ['[]a]*'],
  ['[^]]*'],
  ['[[:alpha:]]*'],
  ['@(a|b[)])/*'],
  ['weird..name/...'],
  ['{{cookiecutter}}/**'],
  ['a b/"quoted"/*'],
])('%s is a good pattern', (pattern) => {
  expect(checkPattern(pattern)).toBeUndefined();
});

test.each([
  ['', /empty/, /\*\*/],
  ['   ', /empty/, /\*\*/],
  ['!', /empty/, /\*\*/],
  ['!!a', /two "!"/, /one "!"/],
  ['/var/in/*.py', /absolute/, /"var\/in\/\*\.py"/],
  ['!/x', /absolute/, /"!x"/],
  ['C:\\in\\*.py', /absolute/, /below the root/],
  ['~/in/*', /absolute/, /below the root/],
  ['src\\lib\\*.py', /separator/, /"src\/lib\/\*\.py"/],
  ['src\\**\\*.py', /separator/, /"src\/\*\*\/\*\.py"/],
  ['a\\', /lone/, /"a"/],
  ['../x/*', /leaves the watched root/, /root of its own/],
  ['a/../b', /leaves the watched root/, /root of its own/],
  ['{../a,b}/*', /leaves the watched root/, /root of its own/],
  ['drafts/', /only files/, /"drafts\/\*\*"/],
  ['a//b', /empty folder/, /"a\/b"/],
  ['a/./b', /"\." as a folder/, /"a\/b"/],
  ['a[bc', /"\[" at character 2 .* never closed/, /Add "\]"/],
  ['{a,b', /"\{" at character 1 .* never closed/, /Add "\}"/],
  ['{a,(b}', /"\(" at character 4 .* never closed/, /Add "\)"/],
  ['a)', /closes nothing/, /\\\)/],
  ['"a', /never closed/, /Add """/],
  ['[!a]*', /does not exclude/, /"\[\^a\]"/],
  ['[z-a]', /can not be understood/, /ranges/],
  ['a\0b', /NUL/, /Remove/],
  ['a'.repeat(70_000), /65536 is the limit/, /several/],
])('%s is refused with a fix', (pattern, message, fix) => {
  const problem = checkPattern(pattern);
  expect(problem?.message).toMatch(message);
  expect(problem?.fix).toMatch(fix);
});

test.each(['+(a*)', '*(a|+(b))', '**/+(x*y).txt', 'a*b*c*d*e*f*g*h*i*.txt'])(
  '%s could keep the matcher busy',
  (pattern) => {
    expect(checkPattern(pattern)?.message).toContain('for ever');
  },
);

test.each(['+(a|b)', '@(a*|b*).txt', '!(a*)', '**/*-*-*.{csv,tsv}'])('%s is quick to match', (pattern) => {
  expect(checkPattern(pattern)).toBeUndefined();
});

test.each([
  ['*\\\\', ['x\\', 'x\\\\'], ['x']],
  ['*\\\\\\\\', ['x\\\\'], ['x\\', 'x']],
  ['a/**/[bc]\\\\\\\\\\\\', ['a/b\\\\\\', 'a/x/c\\\\\\'], ['a/b\\\\']],
  ['{x,y}\\\\\\\\', ['y\\\\'], ['y\\']],
])('%s, which ends in backslashes, is understood', (pattern, matched, others) => {
  expect(checkPattern(pattern)).toBeUndefined();
  const fits = compileGlob(pattern);
  expect([...matched, ...others].filter((path) => fits(path))).toEqual(matched);
});

test.each(['*\\\\\\\\\\', 'a/**/[\\\\\\\\', '+(a\\\\\\\\'])(
  '%s, which means nothing, is refused',
  (pattern) => {
    expect(checkPattern(pattern)).toBeDefined();
    compileGlob(pattern);
  },
);
