/**
 * What an earlier process left: attempts that had finished are concluded as if we had seen it, those that were under
 * way go back to the queue (their trees were ended by the spawner, or are by now), results that were not all put in
 * place are. Nothing runs twice that had run to its end.
 */
import type { JobSpec, Lease } from '../ledger/ledger.ts';
import type { AgentCall, AgentResult } from '../types/agent.ts';
import type { Receipt } from '../types/receipt.ts';
import { type AttemptDeps, concludeAttempt, giveBack, toCall } from './attempt.ts';
import { finish } from './finish.ts';
import { toJobEnd } from './job-end.ts';
import type { Recipes } from './recipes.ts';

/** An attempt that is known to have ended, from the attempts journal. */
export interface FinishedAttempt {
  readonly n: number;
  /** The call's `journal`: the job's specification as JSON. */
  readonly journal: string;
  /** Builds its result from the files it left. */
  collect(call: AgentCall): Promise<AgentResult>;
}

export async function recover(
  deps: AttemptDeps,
  recipes: Recipes,
  leaseMs: number,
  finished: readonly FinishedAttempt[],
): Promise<void> {
  const { ledger, worker } = deps;
  for (const attempt of finished) {
    const spec = JSON.parse(attempt.journal) as JobSpec;
    const known = await ledger.jobs.get(spec.id);
    const isDone = known?.endedAt !== undefined || known?.attempts.some(({ n }) => n === attempt.n);
    if (isDone) continue;
    const lease = await ledger.jobs.adopt(spec, { token: attempt.n, worker, leaseMs });
    if (lease) await conclude(deps, recipes, lease, attempt, !known);
  }
  for (const lease of await ledger.jobs.orphaned(worker)) await giveBack(deps, lease, true);
  for (;;) {
    const jobs = await ledger.jobs.unpublished(500);
    for (const job of jobs) await finish(deps, job);
    const left = await ledger.jobs.unpublished(1);
    if (left.length === 0 || left[0]?.id === jobs[0]?.id) break;
  }
  await ledger.durable();
}

async function conclude(
  deps: AttemptDeps,
  recipes: Recipes,
  lease: Lease,
  attempt: FinishedAttempt,
  isNew: boolean,
): Promise<void> {
  const { ledger, now } = deps;
  const { job } = lease;
  const { root, path, stamp, sha256, bytes } = job.input;
  if (isNew)
    await ledger.files.put({ root, path, stamp, sha256, bytes, jobId: job.id, seenAt: now(), gone: false });
  const receipt = deps.results.receiptOf(job.id, job.input);
  if (receipt) return endAsReceiptSays(deps, lease, receipt);
  const route = recipes.route(path);
  if (route?.kind !== 'agent' || route.agent.name !== job.agent) {
    await giveBack(deps, lease, true);
    return;
  }
  const call = toCall(deps, recipes, lease, route);
  await concludeAttempt(deps, recipes, lease, call, await attempt.collect(call));
}

/** It had been concluded and its files put in place, only the ledger's commit was lost. */
async function endAsReceiptSays(deps: AttemptDeps, lease: Lease, receipt: Receipt): Promise<void> {
  const end = toJobEnd(receipt);
  const job = end && (await deps.ledger.jobs.end(lease, end));
  if (!job) return;
  if (job.state === 'succeeded') await deps.cache.put(job.key, job.id);
  await finish(deps, job);
}
