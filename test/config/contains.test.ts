import { expect, test } from 'vitest';
import { contains } from '../../src/config/contains.ts';

test.each([
  ['/a', '/a', true],
  ['/a', '/a/b/c', true],
  ['/a/', '/a', true],
  ['/', '/a', true],
  ['/a', '/a/..b', true],
  ['/a', '/a/...', true],
  ['/a', '/ab', false],
  ['/a/b', '/a', false],
  ['/a', '/a/../b', false],
  ['/a', '/b', false],
] as const)('%s holds %s: %s', (folder, path, expected) => {
  expect(contains(folder, path)).toBe(expected);
});
