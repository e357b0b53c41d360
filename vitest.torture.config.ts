import { defineConfig } from 'vitest/config';

/** The heavy tests: one after another, since several of them measure; together under five minutes on two cores. */
export default defineConfig({
  test: {
    include: ['test/torture/**/*.torture.ts'],
    pool: 'forks',
    fileParallelism: false,
    testTimeout: 120_000,
    hookTimeout: 60_000,
    // Each test says in one line what it did.
    disableConsoleIntercept: true,
  },
});
