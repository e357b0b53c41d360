/** Texts are cut to their bounds, and never within a character. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { cutBytes, cutChars, cutWords } from '../../src/reviews/texts.ts';

const text = fc.string({ unit: 'grapheme', maxLength: 60 });

test('by bytes: a beginning of it, and how much is left out; a whole line where that costs little', () => {
  fc.assert(
    fc.property(text, fc.nat(80), (all, max) => {
      const { text: kept, leftOut } = cutBytes(all, max);
      expect(all.startsWith(kept)).toBe(true);
      expect(Buffer.byteLength(kept)).toBeLessThanOrEqual(max);
      expect(Buffer.byteLength(kept) + leftOut).toBe(Buffer.byteLength(all));
    }),
  );
  expect(cutBytes('one\ntwo\nthree', 10)).toEqual({ text: 'one\ntwo\n', leftOut: 5 });
  expect(cutBytes('a\nlong line', 10)).toEqual({ text: 'a\nlong lin', leftOut: 1 });
});

test('by characters and words: no half of a pair is left', () => {
  fc.assert(
    fc.property(text, fc.nat(80), (all, max) => {
      for (const cut of [cutChars(all, max), cutWords(all, max).text])
        expect(cut.isWellFormed()).toBe(all.isWellFormed());
      expect(cutChars(all, max).length).toBeLessThanOrEqual(max + 1);
      expect(cutWords(all, max).isCut || cutWords(all, max).text === all).toBe(true);
    }),
  );
});
