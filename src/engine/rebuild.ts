/**
 * A new ledger from what the output folder says: every receipt becomes an ended job again, and its key stands for its
 * result, so that the files, which the first sweep finds as if they were new, are answered from the cache.
 */
import { readReceipts } from '../aggregator/read-receipts.ts';
import type { Ledger } from '../ledger/ledger.ts';
import type { Conditions } from '../types/condition.ts';
import { type FinalState, finalStates } from '../types/job.ts';

export interface RebuildOptions {
  readonly ledger: Ledger;
  readonly outputDir: string;
  /** Where the damaged ledger is kept. */
  readonly setAside: string;
  readonly conditions: Conditions;
}

/** @returns the number of jobs that were taken from receipts. */
export async function rebuildLedger({
  ledger,
  outputDir,
  setAside,
  conditions,
}: RebuildOptions): Promise<number> {
  let jobs = 0;
  for await (const receipt of readReceipts(outputDir)) {
    if (!finalStates.includes(receipt.state as FinalState)) continue;
    const {
      job_id: id,
      input,
      rule,
      agent,
      key = '',
      depth,
      parent,
      proof,
      outputs,
      message,
      fix,
      cost_usd: costUsd,
    } = receipt;
    await ledger.jobs.record(
      {
        id,
        input: { ...input, stamp: '' },
        rule,
        agent,
        key,
        priority: 0,
        depth,
        ...(parent !== undefined && { parent }),
      },
      {
        state: receipt.state as FinalState,
        ...(receipt.reason !== undefined && { reason: receipt.reason as never }),
        ...(message !== undefined && { message }),
        ...(fix !== undefined && { fix }),
        ...(receipt.usage && { usage: receipt.usage }),
        ...(receipt.cached_from !== undefined && { cachedFrom: receipt.cached_from }),
        proof,
        outputs,
        costUsd,
      },
    );
    await ledger.jobs.published(id);
    if (key !== '' && receipt.state === 'succeeded') await ledger.results.put(key, id);
    jobs++;
  }
  await ledger.durable();
  conditions.raise({
    code: 'LEDGER_DAMAGED',
    subject: '',
    message: `the ledger could not be read; a new one was made from ${jobs} receipts, the damaged one is kept as ${setAside}`,
    fix: 'Check the disk; delete the damaged ledger when nothing is missing. This note goes with the next start.',
  });
  return jobs;
}
