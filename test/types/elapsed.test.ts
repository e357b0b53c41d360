import { expect, test } from 'vitest';
import { formatElapsed } from '../../src/types/elapsed.ts';

test.each([
  [-5, '0 ms'],
  [0, '0 ms'],
  [70, '70 ms'],
  [840, '0.8 s'],
  [9_949, '9.9 s'],
  [9_960, '10 s'],
  [59_499, '59 s'],
  [59_600, '1 min'],
  [185_000, '3 min 5 s'],
  [3_599_900, '1 h'],
  [7_800_000, '2 h 10 min'],
])('elapsed %i', (ms, text) => expect(formatElapsed(ms)).toBe(text));
