import { expect, test } from 'vitest';
import { seedOf } from './chance.ts';
import { limitsUnderFire } from './limits-under-fire.ts';

test('500 random operations: no limit is ever exceeded, and the queue drains', async () => {
  const seed = seedOf(process.env);
  const { violations, lost, doubled, orphans, attempts } = await limitsUnderFire(seed, 500);
  const wrong = { violations, lost, doubled, orphans };
  expect(wrong, `SEED=${seed} repeats it`).toEqual({ violations: [], lost: [], doubled: [], orphans: 0 });
  expect(attempts).toBeGreaterThan(150);
}, 120_000);
