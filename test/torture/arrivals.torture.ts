import { test } from 'vitest';
import { arriveInAllWays } from '../badinput/arrivals.ts';
import { say, tell } from './say.ts';

test('5,000 files by every way in which files arrive', async () => {
  const began = performance.now();
  const { files, ways } = await arriveInAllWays(5_000, 250_000, false);
  tell({ scenario: `arrivals by ${ways} ways`, runs: 1, files, lost: 0, beganMs: began });
  say(`${files} files by ${ways} ways: each has one disposition and the right sha256`, began);
});
