/**
 * A long life in short: jobs come and end, their files go away, and only the newest are kept; the ledger is tidied now
 * and then, and somebody reads all the time in a process of their own kind: a connection that sees only what is committed.
 */
import { randomBytes } from 'node:crypto';
import { openSqliteLedger } from '../../src/ledger/sqlite/open.ts';
import { attempt, claim, file, spec } from './specs.ts';
import { stateFolder } from './state-folder.ts';

const PRUNE_EVERY = 1_000;

export interface Retained {
  /** Ended jobs that are left. */
  readonly jobs: number;
  readonly largestBytes: number;
  readonly finalBytes: number;
  readonly longestReadMs: number;
  readonly longestPruneMs: number;
}

export async function retention({ jobs, keep }: { jobs: number; keep: number }): Promise<Retained> {
  const stateDir = stateFolder();
  await using ledger = openSqliteLedger({ stateDir }).ledger;
  await using reader = openSqliteLedger({ stateDir, readOnly: true }).ledger;
  let largestBytes = 0;
  let longestReadMs = 0;
  let longestPruneMs = 0;
  const clean = async (): Promise<void> => {
    for (;;) {
      const began = performance.now();
      const gone = await ledger.jobs.prune(0, 200, keep);
      longestPruneMs = Math.max(longestPruneMs, performance.now() - began);
      if (gone.length === 0) break;
      await ledger.durable();
    }
    await ledger.tidy();
    largestBytes = Math.max(largestBytes, await ledger.size());
  };
  for (let n = 0; n < jobs; n++) {
    const id = randomBytes(8).toString('hex');
    await ledger.files.put(file(`${n % 50}/${id}`, { jobId: id, sha256: id }));
    await ledger.jobs.enqueue(spec({ id, path: `${n % 50}/${id}`, key: id }));
    const [lease] = await claim(ledger);
    if (!lease) throw new Error('nothing to claim');
    await ledger.jobs.attempted(lease, attempt(1, { message: 'x'.repeat(300) }), true);
    await ledger.jobs.end(lease, { state: 'failed', message: 'y'.repeat(300) });
    await ledger.jobs.published(id);
    await ledger.files.setGone('inbox', `${n % 50}/${id}`);
    if (n % 100 === 99) {
      await ledger.durable();
      const began = performance.now();
      await reader.jobs.list({ limit: 20 });
      longestReadMs = Math.max(longestReadMs, performance.now() - began);
    }
    if (n % PRUNE_EVERY === PRUNE_EVERY - 1) await clean();
  }
  await clean();
  const left = await ledger.jobs.list({ limit: jobs });
  return { jobs: left.length, largestBytes, finalBytes: await ledger.size(), longestReadMs, longestPruneMs };
}
