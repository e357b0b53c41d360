import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    exclude: ['test/torture/**'],
    // Most tests wait for processes: one file more than there are cores keeps them busy.
    maxWorkers: 1 + Math.max(2, availableParallelism()),
    pool: 'forks',
    testTimeout: 30_000,
    hookTimeout: 30_000,
  },
});
