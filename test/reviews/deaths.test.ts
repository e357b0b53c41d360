/** Two of the deaths of `deaths.long.ts`: while reviewers are asked, and between a decision and what follows from it. */
import { expect, test } from 'vitest';
import { survives } from './deaths.ts';

test.each([7, 17])(
  'killed after write %i to the ledger nobody works, or is asked, twice',
  async (lastWrite) => {
    expect(await survives(lastWrite)).toBe(true);
  },
);
