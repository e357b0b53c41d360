/**
 * `sluice reports rebuild`: the ledger is the truth, the output folder is made to say the same again. Receipts that are
 * missing or torn are written; results come back from the work folder or the history where they still are; reports of runs
 * are made anew.
 */
import { join } from 'node:path';
import type { Ledger } from '../ledger/ledger.ts';
import type { JobRecord } from '../types/job.ts';
import type { RunId } from '../types/run.ts';
import { longPlace, resultPlace } from './places.ts';
import { isReported } from './runs/publish-run.ts';
import { isWhole, lookInto } from './standing.ts';

export interface Rebuilt {
  /** Receipts written again. */
  readonly receipts: number;
  /** Results put back in place. */
  readonly results: number;
  /** Results that are nowhere any more: only processing the input again brings them back. */
  readonly missing: number;
  /** Runs whose reports were written again. */
  readonly runs: number;
}

export interface RebuildOptions {
  readonly ledger: Ledger;
  readonly base: () => string;
  readonly publish: (job: JobRecord) => Promise<void>;
  readonly publishRun: (id: RunId) => Promise<void>;
}

const all = 1_000_000_000;

export async function rebuildReports(o: RebuildOptions): Promise<Rebuilt> {
  const count = { receipts: 0, results: 0, missing: 0, runs: 0 };
  for (const disposition of ['processed', 'cached', 'failed'] as const) {
    for (const file of await o.ledger.files.list({ disposition, limit: all })) {
      const job = file.jobId === undefined ? undefined : await o.ledger.jobs.get(file.jobId);
      if (job === undefined) continue;
      const before = stateOf(o, job);
      if (before.receipt && before.whole) continue;
      await o.publish(job);
      const after = stateOf(o, job);
      if (!before.receipt) count.receipts += 1;
      // A success that left neither text nor outputs is possible, but then its receipt would hardly be lost.
      if (!after.whole || !after.results) count.missing += 1;
      else if (!before.results) count.results += 1;
    }
  }
  for (const run of await o.ledger.runs.list({ limit: all })) {
    if (run.startedAt === undefined || isReported(o.base(), run)) continue;
    await o.publishRun(run.id);
    count.runs += 1;
  }
  return count;
}

interface State {
  readonly receipt: boolean;
  /** Some file of the result stands there. */
  readonly results: boolean;
  /** All that the receipt lists stands there. */
  readonly whole: boolean;
}

function stateOf(o: RebuildOptions, job: JobRecord): State {
  const base = o.base();
  const { root, path } = job.input;
  const state = { receipt: false, results: false, whole: false };
  for (const place of [resultPlace(base, root, path), longPlace(root, path)]) {
    const folder = join(base, ...place);
    const { owner, receipt, result, outputs } = lookInto(folder);
    if (owner !== undefined && owner.job_id !== job.id) continue;
    state.results ||= result === 'file' || (outputs === 'folder' && job.outputs.length > 0);
    if (owner === undefined || receipt !== 'file') continue;
    state.receipt = true;
    state.whole = isWhole(folder, owner);
  }
  return state;
}
