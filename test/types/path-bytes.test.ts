import fc from 'fast-check';
import { expect, test } from 'vitest';
import { fsPath, pathFromBytes, pathToBytes } from '../../src/types/path-bytes.ts';

test('any bytes come back as they were, and the text is valid UTF-8', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => {
      const path = pathFromBytes(bytes);
      expect(path.isWellFormed()).toBe(true);
      expect(Buffer.compare(pathToBytes(path), Buffer.from(bytes))).toBe(0);
    }),
  );
});

test('valid names stay as they are; two names never become one', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), fc.string({ unit: 'binary' }), (a, b) => {
      const [x, y] = [Buffer.from(a), Buffer.from(b)].map((bytes) => pathFromBytes(bytes));
      expect(x === y).toBe(Buffer.from(a).equals(Buffer.from(b)));
      if (!/[\uef80-\uefff]/.test(a)) expect(x).toBe(Buffer.from(a).toString());
    }),
  );
});

test.each([
  ['plain', Buffer.from('a/b.txt'), 'a/b.txt', 'string'],
  ['Latin-1', Buffer.from([0x63, 0x61, 0x66, 0xe9]), 'caf\uefe9', 'object'],
  ['a cut sequence', Buffer.from([0xe2, 0x82]), '\uefe2\uef82', 'object'],
  ['a real private-use character', Buffer.from('\uef80'), '\uefee\uefbe\uef80', 'object'],
])('%s', (_name, bytes, path, kind) => {
  expect(pathFromBytes(bytes)).toBe(path);
  expect(typeof fsPath(path)).toBe(kind);
});
