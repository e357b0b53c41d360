/**
 * A new ledger from what the output folder says, when there was none or a damaged one: every receipt becomes an ended
 * job again, its key stands for its result, and its file is known by its content (the receipt does not say which version
 * on disk it was). So the first sweep reads what it finds, and nothing that has a result, or has failed, runs again.
 */
import { readReceipts } from '../aggregator/read-receipts.ts';
import { dispositionOf } from '../coordinator/finish.ts';
import { toJobEnd } from '../coordinator/job-end.ts';
import type { Ledger } from '../ledger/ledger.ts';
import type { Conditions } from '../types/condition.ts';

export interface RebuildOptions {
  readonly ledger: Ledger;
  readonly outputDir: string;
  /** Where the damaged ledger is kept; absent: there was no ledger at all. */
  readonly setAside?: string;
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
    const end = toJobEnd(receipt);
    if (!end) continue;
    const { job_id: id, input, rule, agent, key = '', depth, parent } = receipt;
    const stamp = ''; // unknown: the sweep reads the file again, and its content decides
    const job = { id, input: { ...input, stamp }, rule, agent, key, priority: 0, depth };
    const queuedAt = Date.parse(receipt.queued_at);
    const endedAt = Date.parse(receipt.ended_at ?? receipt.queued_at);
    const spec = { ...job, ...(parent !== undefined && { parent }) };
    const ended = await ledger.jobs.record(spec, end, { queuedAt, endedAt });
    const disposition = dispositionOf(ended);
    if (disposition !== undefined)
      await ledger.files.put({ ...input, stamp, disposition, jobId: id, seenAt: endedAt, gone: false });
    await ledger.jobs.published(id);
    if (key !== '' && receipt.state === 'succeeded') await ledger.results.put(key, id);
    jobs++;
  }
  await ledger.durable();
  if (jobs > 0 || setAside !== undefined)
    conditions.raise({
      code: 'LEDGER_DAMAGED',
      subject: '',
      message:
        setAside === undefined
          ? `there was no ledger but an output folder with results; a new ledger was made from ${jobs} receipts`
          : `the ledger could not be read; a new one was made from ${jobs} receipts, the damaged one is kept as ${setAside}`,
      fix:
        setAside === undefined
          ? 'Nothing has to be done if `.sluice/` was removed on purpose. This note goes with the next start.'
          : 'Check the disk; delete the damaged ledger when nothing is missing. This note goes with the next start.',
    });
  return jobs;
}
