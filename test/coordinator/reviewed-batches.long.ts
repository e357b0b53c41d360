/** Batches that are reviewed: the process dies before each of its writes to the ledger in turn. */
import { expect, test } from 'vitest';
import { survives } from './reviewed-house.ts';

test('killed before any write, from the first file to the end of the reviews', async () => {
  let lastWrite = 1;
  while (await survives(lastWrite)) lastWrite++;
  expect(lastWrite).toBeGreaterThan(30);
});
