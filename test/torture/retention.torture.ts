/** A ledger that is used for years: what is kept is bounded, and opening it beside a long queue is quick. */
import { expect, test } from 'vitest';
import { openSqliteLedger } from '../../src/ledger/sqlite/open.ts';
import { retention } from '../ledger/retention.ts';
import { claim, spec } from '../ledger/specs.ts';
import { stateFolder } from '../ledger/state-folder.ts';
import { say } from './say.ts';

const MiB = 1 << 20;

test('50,000 jobs have ended, 1,000 are kept', async () => {
  const began = performance.now();
  const { jobs, largestBytes, finalBytes, longestReadMs, longestPruneMs } = await retention({
    jobs: 50_000,
    keep: 1_000,
  });
  const mib = (bytes: number): string => (bytes / MiB).toFixed(1);
  say(
    `50,000 ended jobs, ${jobs} kept: ledger and log ${mib(finalBytes)} MiB, ${mib(largestBytes)} at most; longest read ${longestReadMs.toFixed(0)} ms, prune ${longestPruneMs.toFixed(0)} ms`,
    began,
  );
  expect(jobs).toBeLessThanOrEqual(1_000);
  expect(finalBytes).toBeLessThan(8 * MiB);
  expect(largestBytes).toBeLessThan(24 * MiB);
  expect(longestReadMs).toBeLessThan(10_000);
});

test('a ledger with 100,000 jobs in the queue: from opening it to the first claim', async () => {
  const stateDir = stateFolder();
  {
    await using ledger = openSqliteLedger({ stateDir }).ledger;
    for (let n = 0; n < 100_000; n++) {
      await ledger.jobs.enqueue(
        spec({ id: `j${n}`, path: `${n % 100}/${n}`, key: `key${n}`, priority: n % 5 }),
      );
      if (n % 5_000 === 0) await ledger.durable();
    }
  }
  const began = performance.now();
  await using ledger = openSqliteLedger({ stateDir, verify: true }).ledger;
  const openMs = performance.now() - began;
  expect(await ledger.jobs.orphaned('w')).toEqual([]);
  expect(await claim(ledger, { max: 4, limit: 4 })).toHaveLength(4);
  const claimedMs = performance.now() - began;
  say(
    `100,000 queued: open with its pages verified ${openMs.toFixed(0)} ms, first claim after ${claimedMs.toFixed(0)} ms`,
    began,
  );
  expect(claimedMs).toBeLessThan(20_000);
});
