/** Whatever is done to a daemon, no limit is ever exceeded and the queue drains: 500 random operations, from one seed or many. */
import { expect, test } from 'vitest';
import { seedOf } from '../daemon/chance.ts';
import { limitsUnderFire } from '../daemon/limits-under-fire.ts';
import { say, scaled, tell } from './say.ts';

const OPERATIONS = 500;

test('limits under random operations', async () => {
  const beganMs = performance.now();
  const first = seedOf(process.env);
  const runs = scaled(1);
  const total = { files: 0, attempts: 0, lost: [] as string[], doubled: [] as string[], orphans: 0 };
  const violations: string[] = [];
  for (let seed = first; seed < first + runs; seed++) {
    const { files, attempts, lost, doubled, orphans, ...one } = await limitsUnderFire(seed, OPERATIONS);
    total.files += files;
    total.attempts += attempts;
    total.lost.push(...lost);
    total.doubled.push(...doubled);
    total.orphans += orphans;
    violations.push(...one.violations.map((violation) => `SEED=${seed}: ${violation}`));
  }
  const { files, attempts, lost, doubled, orphans } = total;
  tell({
    scenario: 'limits, 500 random operations',
    runs,
    files,
    lost: lost.length,
    doubled: doubled.length,
    orphans,
    beganMs,
  });
  say(`limits: SEED=${first}, ${attempts} attempts`, beganMs);
  expect({ violations, lost, doubled, orphans }).toEqual({
    violations: [],
    lost: [],
    doubled: [],
    orphans: 0,
  });
});
