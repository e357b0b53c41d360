/** A character of a value is found again in the file, in every style in which the value can be written. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parseDocument, Scalar } from 'yaml';
import { sourceOffset } from '../../src/config/scalar-offset.ts';

const cases: readonly [name: string, source: string, value: string][] = [
  ['plain', 'a ${{ X }}', 'a ${{ X }}'],
  ['plain over two lines', 'a\n    ${{ X }}', 'a ${{ X }}'],
  ['single quotes', "'it''s ${{ X }}'", "it's ${{ X }}"],
  ['double quotes', '"a ${{ X }}"', 'a ${{ X }}'],
  ['escapes before it', '"\\u0041\\t\\"\\\\ \\x20 ${{ X }}"', 'A\t"\\   ${{ X }}'],
  ['a pair of surrogates', '"\\U0001F600 ${{ X }}"', '😀 ${{ X }}'],
  ['a line that is continued', '"a\\\n    ${{ X }}"', 'a${{ X }}'],
  ['a line that is folded in quotes', '"a\n\n    ${{ X }}"', 'a\n${{ X }}'],
  ['literal block', '|\n    a\n      ${{ X }}\n', 'a\n  ${{ X }}\n'],
  ['literal block with a comment', '|- # X\n    a ${{ X }}\n', 'a ${{ X }}'],
  ['folded block', '>-\n    a\n    b\n\n    ${{ X }}\n', 'a b\n${{ X }}'],
  ['windows line ends', '|\r\n    a\r\n    ${{ X }}\r\n', 'a\n${{ X }}\n'],
];

test.each(cases)('%s', (_name, source, value) => {
  const at = sourceOffset(source, value, value.indexOf('X }}'));
  expect(source.slice(at, at + 4)).toBe('X }}');
  const text = parseDocument(`k: ${source.replaceAll('\r\n', '\n')}\n`).get('k');
  expect(text).toBe(value);
});

const styles = [
  Scalar.PLAIN,
  Scalar.QUOTE_SINGLE,
  Scalar.QUOTE_DOUBLE,
  Scalar.BLOCK_LITERAL,
  Scalar.BLOCK_FOLDED,
] as const;

test('whatever is written, and however: the character that was meant is found', () => {
  const text = fc
    .array(
      fc.oneof(
        fc.constantFrom('a', 'b c', '\n', '  ', '"', "'", '\\', '${{', '}}', '#', ': ', 'é', '😀', '\t'),
      ),
      {
        minLength: 1,
        maxLength: 30,
      },
    )
    .map((parts) => parts.join(''))
    .filter((value) => value.trim() !== '');
  fc.assert(
    fc.property(text, fc.constantFrom(...styles), fc.nat(), (value, style, pick) => {
      const document = parseDocument('k: x\n');
      const scalar = new Scalar(value);
      scalar.type = style;
      document.set('k', scalar);
      const written = document.toString({ lineWidth: 40 });
      const again = parseDocument(written);
      const node = again.get('k', true) as Scalar;
      fc.pre(node.value === value && node.range !== undefined);
      const [start, end] = node.range as [number, number, number];
      const solid = [...value].flatMap((char) => (/\s/.test(char) ? [] : [char]));
      const nth = pick % solid.length;
      // Offset of the n-th character that is no white space.
      let offset = 0;
      for (let seen = -1, at = 0; at < value.length; at += 1) {
        if (/\s/.test(value[at] as string)) continue;
        if (/[\udc00-\udfff]/.test(value[at] as string)) continue;
        seen += 1;
        if (seen === nth) {
          offset = at;
          break;
        }
      }
      const found = start + sourceOffset(written.slice(start, end), value, offset);
      const char = solid[nth] as string;
      const here = written.slice(found, found + 2);
      expect(here.startsWith(char) || here.startsWith('\\') || here === "''").toBe(true);
    }),
    { numRuns: 1_000 },
  );
});
