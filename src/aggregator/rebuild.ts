/**
 * `sluice reports rebuild`: the ledger is the truth, the output folder is made to say the same again. Receipts that are
 * missing or torn are written; results come back from the work folder or the history where they still are; reports of runs
 * are made anew.
 */
import { join } from 'node:path';
import type { Ledger } from '../ledger/ledger.ts';
import type { JobId, JobRecord } from '../types/job.ts';
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
const ITEMS_PAGE = 500;

export async function rebuildReports(o: RebuildOptions): Promise<Rebuilt> {
  const count = { receipts: 0, results: 0, missing: 0, runs: 0 };
  for await (const id of jobsWithResults(o.ledger)) {
    const job = await o.ledger.jobs.get(id);
    if (job?.endedAt === undefined) continue;
    const before = stateOf(o, job);
    if (before.receipt && before.whole) continue;
    await o.publish(job);
    const after = stateOf(o, job);
    if (!before.receipt) count.receipts += 1;
    // A success that left neither text nor outputs is possible, but then its receipt would hardly be lost.
    if (!after.whole || !after.results) count.missing += 1;
    else if (!before.results) count.results += 1;
  }
  for (const run of await o.ledger.runs.list({ limit: all })) {
    if (run.startedAt === undefined || isReported(o.base(), run)) continue;
    await o.publishRun(run.id);
    count.runs += 1;
  }
  return count;
}

/** The latest of each file, and those of steps. */
async function* jobsWithResults({ files, runs }: Ledger): AsyncGenerator<JobId> {
  for (const disposition of ['processed', 'cached', 'failed'] as const)
    for (const { jobId } of await files.list({ disposition, limit: all }))
      if (jobId !== undefined) yield jobId;
  for (const { id } of await runs.list({ limit: all }))
    for (const step of await runs.steps(id, { withResults: false })) {
      if (step.jobId !== undefined) yield step.jobId;
      if (step.counts?.total !== undefined) yield* itemJobs({ runs }, id, step.name);
    }
}

async function* itemJobs({ runs }: Pick<Ledger, 'runs'>, runId: RunId, step: string): AsyncGenerator<JobId> {
  for (let from = 0; ; ) {
    const items = await runs.items(runId, step, from, ITEMS_PAGE);
    for (const { jobId } of items) if (jobId !== undefined) yield jobId;
    if (items.length < ITEMS_PAGE) return;
    from = (items.at(-1)?.index ?? 0) + 1;
  }
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
