import { defineConfig } from 'vitest/config';

/**
 * The heavy tests: one after another, since several of them measure; together under five minutes on two cores. `SEED=n`
 * repeats a run, `TORTURE_SCALE=20` makes it long.
 */
export default defineConfig({
  test: {
    include: ['test/torture/**/*.torture.ts'],
    pool: 'forks',
    fileParallelism: false,
    testTimeout: 120_000 * Math.max(1, Number(process.env.TORTURE_SCALE ?? 1)),
    hookTimeout: 60_000,
    // Each test says in one line what it did; the table comes last.
    disableConsoleIntercept: true,
    reporters: ['default', './test/torture/table.ts'],
  },
});
