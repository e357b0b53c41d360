import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';

/** Nothing here takes so long; on a machine that does much else, it may. */
const common = { pool: 'forks', testTimeout: 120_000, hookTimeout: 120_000 } as const;
/** Tests that leave nothing behind share their workers: a worker of its own for each file costs more than most of these. */
const shared = [
  ...[
    'aggregator',
    'cache',
    'conditions',
    'config',
    'coordinator',
    'docs',
    'engine',
    'expressions',
    'inspect',
  ],
  ...['ledger', 'operations', 'router', 'schedules', 'secrets', 'service', 'sessions', 'types', 'workflows'],
  ...['workspace', 'agents/cli/{claude,codex,copilot,gemini,opencode,reading}'],
].map((name) => `test/${name}/**/*.test.ts`);

export default defineConfig({
  test: {
    // Most tests wait for processes: one file more than there are cores keeps them busy.
    maxWorkers: 1 + Math.max(2, availableParallelism()),
    projects: [
      { test: { ...common, name: 'shared', include: shared, isolate: false } },
      {
        test: {
          ...common,
          name: 'apart',
          include: ['test/**/*.test.ts'],
          exclude: ['test/torture/**', ...shared],
        },
      },
    ],
  },
});
