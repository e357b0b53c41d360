/** What may be written: pure, by tables. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { readChanges } from '../../src/sessions/changes.ts';
import { checkName, checkValue, stateLimits } from '../../src/sessions/limits.ts';
import { AppError } from '../../src/types/errors.ts';

const read = (value: unknown) => readChanges(value, stateLimits);

test.each([
  [
    { op: 'set', key: 'a', value: 1 },
    { op: 'set', type: 'shared', key: 'a', value: 1 },
  ],
  [
    { op: 'set', key: 'a', value: null },
    { op: 'set', type: 'shared', key: 'a', value: null },
  ],
  [
    { op: 'set', type: 'private', key: 'a', value: '', ttl: '5m' },
    { op: 'set', type: 'private', key: 'a', value: '', ttlMs: 300_000 },
  ],
  [
    { op: 'set', key: 'a', value: 1, ttl_ms: 20, if_revision: 0 },
    { op: 'set', type: 'temporary', key: 'a', value: 1, ttlMs: 20, ifRevision: 0 },
  ],
  [
    { op: 'delete', key: 'ä b' },
    { op: 'delete', type: 'shared', key: 'ä b' },
  ],
  [
    { op: 'check', key: 'a', if_revision: 3 },
    { op: 'check', type: 'shared', key: 'a', ifRevision: 3 },
  ],
  [
    { op: 'add', key: 'n' },
    { op: 'add', type: 'shared', key: 'n', by: 1 },
  ],
  [
    { op: 'add', key: 'n', by: -0.5 },
    { op: 'add', type: 'shared', key: 'n', by: -0.5 },
  ],
])('%j is read', (given, change) => {
  expect(read([given])).toEqual([change]);
});

const set = { op: 'set', key: 'a', value: 1 };
test.each([
  [undefined, 'USAGE', 'list of changes'],
  [{}, 'USAGE', 'list of changes'],
  [[], 'USAGE', 'list of changes'],
  [[1], 'USAGE', 'change 1 is no object'],
  [[set, null], 'USAGE', 'change 2 is no object'],
  [[{ ...set, op: 'put' }], 'USAGE', '`op` is "put"'],
  [[{ ...set, op: 'toString' }], 'USAGE', '`op` is "toString"'],
  [[{ ...set, owner: 'x' }], 'USAGE', '`set` has no "owner"'],
  [[{ ...set, type: 'public' }], 'USAGE', '`type` is "public"'],
  [[{ ...set, type: 'temporary' }], 'USAGE', 'needs a `ttl`'],
  [[{ ...set, ttl: '1h30m' }], 'USAGE', 'ttl` is "1h30m"'],
  [[{ ...set, ttl: '0s' }], 'USAGE', 'ttl` is 0 ms'],
  [[{ ...set, ttl_ms: 1.5 }], 'USAGE', 'ttl` is 1.5 ms'],
  [[{ ...set, if_revision: -1 }], 'USAGE', '`if_revision` is -1'],
  [[{ op: 'set', key: 'a' }], 'USAGE', 'cannot be written as JSON'],
  [[{ op: 'check', key: 'a' }], 'USAGE', 'needs `if_revision`'],
  [[{ op: 'add', key: 'a', by: '1' }], 'USAGE', '`by` is no number'],
  [[{ op: 'add', key: 'a', if_revision: 1 }], 'USAGE', '`add` has no "if_revision"'],
  [[set, { op: 'delete', key: 'a' }], 'USAGE', 'names "a" twice'],
  [[set, { ...set, ttl: '1m' }], 'USAGE', 'names "a" twice'],
  [[{ ...set, key: '' }], 'USAGE', 'must be a text'],
  [[{ ...set, key: 7 }], 'USAGE', 'must be a text'],
  [[{ ...set, key: 'a\nb' }], 'USAGE', 'control character'],
  [[{ ...set, key: '\ud800' }], 'USAGE', 'control character'],
  [[{ ...set, key: 'é'.repeat(129) }], 'STATE_LIMIT', '258 bytes; at most 256'],
  [[{ ...set, value: 'x'.repeat(262_143) }], 'STATE_LIMIT', '262145 bytes; at most 262144'],
  [[{ ...set, value: nested(65) }], 'STATE_LIMIT', 'nested deeper than 64'],
  [[{ ...set, value: nested(200_000) }], 'STATE_LIMIT', 'nested deeper than 64'],
  [Array.from({ length: 1_001 }, (_, n) => ({ ...set, key: String(n) })), 'STATE_LIMIT', '1001 changes'],
])('refused %#: %.60j', (given, code, message) => {
  expect(() => read(given)).toThrow(
    expect.objectContaining({ code, message: expect.stringContaining(message), fix: expect.any(String) }),
  );
});

test('the same key may be shared and private in one transaction', () => {
  expect(read([set, { ...set, type: 'private' }])).toHaveLength(2);
});

test('whatever JSON is given, it is read or refused with a reason', () => {
  const change = fc.record(
    {
      op: fc.oneof(fc.constantFrom('set', 'delete', 'check', 'add'), fc.string()),
      type: fc.oneof(fc.constantFrom('shared', 'private', 'temporary'), fc.jsonValue()),
      key: fc.oneof(fc.string(), fc.jsonValue()),
      value: fc.jsonValue(),
      ttl: fc.oneof(fc.constant('5m'), fc.jsonValue()),
      if_revision: fc.oneof(fc.nat(), fc.jsonValue()),
    },
    { requiredKeys: [] },
  );
  fc.assert(
    fc.property(fc.oneof(fc.jsonValue(), fc.array(change)), (given) => {
      try {
        for (const one of read(given)) expect(checkName('key', one.key, stateLimits)).toBe(one.key);
      } catch (error) {
        expect(error).toBeInstanceOf(AppError);
      }
    }),
  );
});

test('the bytes of a value are those of its JSON', () => {
  fc.assert(
    fc.property(fc.jsonValue({ maxDepth: 5 }), (value) => {
      expect(checkValue('a', value, stateLimits)).toBe(Buffer.byteLength(JSON.stringify(value)));
    }),
  );
});

function nested(levels: number): unknown {
  let value: unknown = 1;
  for (let level = 0; level < levels; level += 1) value = [value];
  return value;
}
