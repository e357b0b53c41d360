/** Keys of the whole design whose feature is not there: refused by name and place, never accepted and ignored. */
import { expect, test } from 'vitest';
import { brief, errorsOf } from './project.ts';

const topLevel = ['server: { listen: 127.0.0.1:1 }'];

test.each(topLevel)('%s', async (line) => {
  expect((await errorsOf(`version: 1\n${line}\n`)).map(brief)).toEqual(['2:1 NOT_SUPPORTED_YET']);
});

test.each([
  ['on: [added, removed]', '4:17 NOT_SUPPORTED_YET'],
  ['on: [removed]', '4:10 NOT_SUPPORTED_YET'],
])('root: %s', async (line, at) => {
  expect((await errorsOf(`version: 1\nwatch:\n  - path: ./inbox\n    ${line}\n`)).map(brief)).toEqual([at]);
});
