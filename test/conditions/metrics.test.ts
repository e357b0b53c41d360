/** Minutes in a real ledger. */
import { expect, test } from 'vitest';
import type { Config } from '../../src/config/config.ts';
import { CoordinatorEvents } from '../../src/coordinator/events.ts';
import { metricsKeptMs, recordMetrics } from '../../src/engine/metrics.ts';
import { openSqliteLedger } from '../../src/ledger/sqlite/open.ts';
import type { JobRecord } from '../../src/types/job.ts';
import { spec } from '../ledger/specs.ts';
import { stateFolder } from '../ledger/state-folder.ts';

test('a minute holds what ended in it, also over a restart within it', async () => {
  const stateDir = stateFolder();
  await using ledger = openSqliteLedger({ stateDir }).ledger;
  await ledger.jobs.enqueue(spec({ id: 'q1' }));
  const events = new CoordinatorEvents();
  const now = (): number => 600_000_000;
  const warned: string[] = [];
  const open = () =>
    recordMetrics({
      config: () => ({ stateDir, output: { retentionMs: 1e12 } }) as Config,
      ledger,
      events,
      log: { warn: ((text: string) => void warned.push(text)) as never },
      now,
    });
  const end = (facts: Partial<JobRecord>): void =>
    events.emit({ type: 'ended', job: { costUsd: null, ...facts } as JobRecord });
  const usage = { input_tokens: 1, cache_read_tokens: 2, cache_write_tokens: 3, output_tokens: 4 };
  {
    await using _first = await open();
    end({ state: 'succeeded', costUsd: 0.5, usage });
    end({ state: 'cached', costUsd: 0.5 });
    end({ state: 'failed' });
  }
  {
    await using _second = await open();
    events.emit({ type: 'started', job: {} as JobRecord, attempt: 1 });
    end({ state: 'succeeded' });
  }
  const rows = await ledger.metrics.list(0, 1e15);
  expect(warned).toEqual([]);
  expect(rows).toHaveLength(1);
  expect(rows[0]?.minute).toBe(600_000_000);
  expect(rows[0]?.values).toMatchObject({
    succeeded: 2,
    cached: 1,
    failed: 1,
    attempts: 1,
    cost_usd: 0.5,
    tokens: 10,
    queued: 1,
  });
  expect(rows[0]?.values.rss_bytes).toBeGreaterThan(1e6);
  expect(rows[0]?.values.state_bytes).toBeGreaterThan(1e3);
  expect(rows[0]?.values).not.toHaveProperty('held');
});

test('they are kept no longer than results, and no longer than 30 days', () => {
  const kept = (retentionMs: number) => metricsKeptMs({ output: { retentionMs } } as Config);
  expect(kept(3_600_000)).toBe(3_600_000);
  expect(kept(1e12)).toBe(30 * 86_400_000);
});
