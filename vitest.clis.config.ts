import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';

/** Scenarios with the real agent CLIs; `scripts/test-clis.ts` installs them and says where they are. */
export default defineConfig({
  test: {
    include: ['test/clis/**/*.clis.ts'],
    // Each CLI takes a core while it starts.
    maxWorkers: availableParallelism(),
    pool: 'forks',
    testTimeout: 300_000,
    hookTimeout: 120_000,
  },
});
