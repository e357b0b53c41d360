import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    exclude: ['test/torture/**'],
    // Most tests wait for processes: two files at a time keep two cores busy.
    maxWorkers: Math.max(2, availableParallelism()),
    pool: 'forks',
    testTimeout: 30_000,
    hookTimeout: 30_000,
  },
});
