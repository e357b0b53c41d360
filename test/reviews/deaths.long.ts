/** A review whose process dies before each of its writes to the ledger in turn. */
import { expect, test } from 'vitest';
import { survives } from './deaths.ts';

test('killed before any write, from the first file to the decision on what was mended', async () => {
  let lastWrite = 1;
  while (await survives(lastWrite)) lastWrite++;
  expect(lastWrite).toBeGreaterThan(30);
});
