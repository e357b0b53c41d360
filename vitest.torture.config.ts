import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';

// Of all workers.
process.env.TORTURE_BEGAN = String(Date.now());
const scale = Math.max(1, Number(process.env.TORTURE_SCALE ?? 1));
const unmeasured = ['conclusions', 'interrupt', 'kills', 'limits', 'loops', 'reload', 'workflows'].map(
  (name) => `test/torture/${name}.torture.ts`,
);
const common = {
  pool: 'forks',
  testTimeout: 300_000 * scale,
  hookTimeout: 300_000,
} as const;

/**
 * What takes too long for `npm test`. First whole stories (`*.long.ts`) and what measures nothing, which mostly wait,
 * several at once; then the heavy tests, one after another, since several of them measure. `--project long` and
 * `--project torture` run one half; a few minutes each on two cores. `SEED=n` repeats a run,
 * `TORTURE_SCALE=20` makes it long, `TORTURE_MINUTES=4` begins nothing after so long.
 */
export default defineConfig({
  test: {
    // Each test says in one line what it did; the table comes last.
    disableConsoleIntercept: true,
    reporters: ['default', './test/torture/table.ts'],
    projects: [
      {
        test: {
          ...common,
          name: 'long',
          include: ['test/**/*.long.ts', ...unmeasured],
          maxWorkers: 2 + Math.max(2, availableParallelism()),
          sequence: { groupOrder: 0 },
        },
      },
      {
        test: {
          ...common,
          name: 'torture',
          include: ['test/torture/**/*.torture.ts'],
          exclude: unmeasured,
          maxWorkers: 1,
          setupFiles: ['test/torture/bounded.ts'],
          sequence: { groupOrder: 1 },
        },
      },
    ],
  },
});
