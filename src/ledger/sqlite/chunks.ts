/** Changes to as many jobs as there are, a few at a time: a hundred thousand at once would stop everything for a second. */
import { setImmediate } from 'node:timers/promises';

export const CHUNK = 2_000;

/** @param change Changes up to `CHUNK` rows that then are not found again. @returns how many there were in all. */
export async function inChunks(change: () => number): Promise<number> {
  let all = 0;
  for (;;) {
    const some = change();
    all += some;
    if (some < CHUNK) return all;
    await setImmediate();
  }
}
