/** Durations, sizes, command lines, suggestions, references: pure text in, value out. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { formatDuration, parseDuration } from '../../src/config/duration.ts';
import { formatPercent, parsePercent } from '../../src/config/percent.ts';
import { parseRate } from '../../src/config/rate.ts';
import { findReferences, malformedReferences } from '../../src/config/reference.ts';
import { formatSize, parseSize } from '../../src/config/size.ts';
import { joinCommand, splitCommand } from '../../src/config/split-command.ts';
import { nearest } from '../../src/config/suggest.ts';
import { formatTokens, parseTokens } from '../../src/config/tokens.ts';

test.each([
  ['200ms', 200],
  ['30s', 30_000],
  ['5m', 300_000],
  ['2h', 7_200_000],
  ['30d', 2_592_000_000],
  ['1.1s', 1100],
  ['0s', 0],
  ['0.5ms', undefined],
  ['30', undefined],
  ['1h30m', undefined],
  ['-1s', undefined],
  ['5M', undefined],
  [' 5m', undefined],
  ['', undefined],
  ['999999999999999d', undefined],
])('duration %s', (text, ms) => expect(parseDuration(text)).toBe(ms));

test.each([
  ['10MiB', 10 * 2 ** 20],
  ['2GiB', 2 ** 31],
  ['500KB', 500_000],
  ['1.5KiB', 1536],
  ['0B', 0],
  ['7B', 7],
  ['10mb', undefined],
  ['10', undefined],
  ['10 MiB', undefined],
  ['999999999999999TiB', undefined],
])('size %s', (text, bytes) => expect(parseSize(text)).toBe(bytes));

test.each([
  ['5M', 5_000_000],
  ['200k', 200_000],
  ['1.5M', 1_500_000],
  ['0.001k', 1],
  [1234, 1234],
  ['0k', undefined],
  ['5m', undefined],
  ['5K', undefined],
  ['5', undefined],
  ['0.0001M', undefined],
])('tokens %s', (text, tokens) => expect(parseTokens(text)).toBe(tokens));

test.each([
  ['50%', 50],
  ['2.5%', 2.5],
  ['1600%', 1600],
  ['50', undefined],
  ['-1%', undefined],
  ['50 %', undefined],
])('percentage %s', (text, percent) => expect(parsePercent(text)).toBe(percent));

test.each([
  ['30/min', 30, 60_000],
  ['5/s', 5, 1000],
  ['100/h', 100, 3_600_000],
  ['1000/d', 1000, 86_400_000],
])('rate %s', (text, count, perMs) => expect(parseRate(text)).toEqual({ count, perMs, text }));

test.each(['0/s', '1/ms', '1.5/s', '-1/s', '5', '/s', '5 / s'])('rate %s is none', (text) =>
  expect(parseRate(text)).toBeUndefined(),
);

test('what is formatted parses to the same value', () => {
  fc.assert(fc.property(fc.nat({ max: 2 ** 45 }), (ms) => parseDuration(formatDuration(ms)) === ms));
  fc.assert(fc.property(fc.nat({ max: 2 ** 45 }), (bytes) => parseSize(formatSize(bytes)) === bytes));
  fc.assert(fc.property(fc.integer({ min: 1, max: 1e15 }), (n) => parseTokens(formatTokens(n)) === n));
  fc.assert(fc.property(fc.nat({ max: 1e8 }), (n) => parsePercent(formatPercent(n / 1000)) === n / 1000));
  fc.assert(
    fc.property(
      fc.nat({ max: 1000 }),
      fc.constantFrom(1000, 60_000, 3_600_000),
      (n, unit) => parseDuration(formatDuration(n * unit)) === n * unit,
    ),
  );
});

test.each([
  ['python3 a.py --x', ['python3', 'a.py', '--x']],
  ['  a   b\tc\n', ['a', 'b', 'c']],
  [`a 'b c' "d e"f`, ['a', 'b c', 'd ef']],
  [`a "" ''`, ['a', '', '']],
  [`a\\ b "\\"c\\n"`, ['a b', '"c\\n']],
  [`sh -c 'a | b > $C && \`d\`'`, ['sh', '-c', 'a | b > $C && `d`']],
  ['x ${{ file.path }} "in=${{ file.stem | y }}"', ['x', '${{ file.path }}', 'in=${{ file.stem | y }}']],
  [`a \${{ f.e == '}} x' && "b c" }} d`, ['a', `\${{ f.e == '}} x' && "b c" }}`, 'd']],
  [`"x=\${{ join(f, ' ') }} y" z`, [`x=\${{ join(f, ' ') }} y`, 'z']],
  ["a $${{x}} 'b ${{ c'", ['a', '$${{x}}', 'b ${{ c']],
  ['a #b ~ *.c', ['a', '#b', '~', '*.c']],
])('command %j', (text, words) => expect(splitCommand(text)).toEqual({ words }));

test.each([
  ['a | b', 2],
  ['a && b', 2],
  ['a; b', 1],
  ['a > b', 2],
  ['a $HOME', 2],
  ['a "$(b)"', 3],
  ['a `b`', 2],
  ["a 'b", 2],
  ['a "b', 2],
  ['a ${{ b', 2],
  ['a \\', 2],
  ['', 0],
  ['   ', 0],
])('command %j is refused', (text, at) =>
  expect(splitCommand(text)).toEqual({ problem: expect.any(String), at }),
);

test('single quotes carry any word through', () => {
  fc.assert(
    fc.property(
      fc.array(fc.string({ unit: 'binary', maxLength: 12 }), { minLength: 1, maxLength: 6 }),
      (words) => {
        const text = words.map((word) => `'${word.replaceAll("'", `'"'"'`)}'`).join(' ');
        expect(splitCommand(text)).toEqual({ words });
        expect(splitCommand(joinCommand(words))).toEqual({ words });
      },
    ),
  );
});

test.each([
  ['lnit', ['lint', 'tests'], 'lint'],
  ['concurrencyLimits', ['cache', 'concurrency_limits'], 'concurrency_limits'],
  ['WARN', ['DEBUG', 'WARNING'], 'WARNING'],
  ['zzz', ['lint', 'tests'], undefined],
  ['a', ['b'], undefined],
])('nearest of %s', (word, allowed, expected) => expect(nearest(word, allowed)).toBe(expected));

test('references', () => {
  const text =
    'a ${env:A_1} ${file:/run/x y} ${credential:c.d-e} ${age:s/x.yaml#db.key} ${{ file.path }} ${HOME}';
  expect(findReferences(text).map(({ kind, name }) => `${kind} ${name}`)).toEqual([
    'env A_1',
    'file /run/x y',
    'credential c.d-e',
    'age s/x.yaml#db.key',
  ]);
  expect(malformedReferences(text)).toEqual([]);
  expect(
    malformedReferences('${env:} ${env:1A} ${credential:../x} ${age:x} ${evn:A}').map(({ kind, known }) => [
      kind,
      known,
    ]),
  ).toEqual([
    ['env', true],
    ['env', true],
    ['credential', true],
    ['age', true],
    ['evn', false],
  ]);
});
