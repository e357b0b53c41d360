/**
 * What an earlier process left: attempts that had finished are concluded as if we had seen it, those that were under
 * way go back to the queue (their trees were ended by the spawner, or are by now), results that were not all put in
 * place are. Nothing runs twice that had run to its end.
 */
import type { Lease } from '../ledger/ledger.ts';
import type { AgentCall, AgentResult } from '../types/agent.ts';
import type { JobRecord } from '../types/job.ts';
import type { Receipt } from '../types/receipt.ts';
import type { AttemptDeps } from './attempt.ts';
import { type Crew, readJournal, toCall, workspaceOf } from './call.ts';
import { concludeAttempt } from './conclude.ts';
import { giveBack } from './endings.ts';
import { finish } from './finish.ts';
import { toAttempts, toJobEnd } from './job-end.ts';
import { failByOwnFault } from './own-fault.ts';
import type { Recipes } from './recipes.ts';
import { takeProved } from './reviewing.ts';

/** An attempt that is known to have ended, from the attempts journal. */
export interface FinishedAttempt {
  readonly n: number;
  /** The call's `journal`. */
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
    const all: Lease[] = [];
    const open: Lease[] = [];
    let isOnCopy = false;
    for (const { spec, token, isOnCopy: isItsCopy = false } of readJournal(attempt.journal)) {
      isOnCopy ||= isItsCopy;
      const known = await ledger.jobs.get(spec.id);
      const lease = isConcluded(known, token)
        ? undefined
        : await ledger.jobs.adopt(spec, { token, worker, leaseMs });
      if (known && !lease) all.push({ job: known, companions: [], force: false, token, triesBefore: 0 });
      if (!lease) continue;
      all.push(lease);
      if (!known && !lease.job.step) await putFile(deps, lease);
      const receipt = deps.results.receiptOf(spec.id, lease.job.input);
      if (receipt) await endAsReceiptSays(deps, lease, receipt);
      else open.push(lease);
    }
    if (open.length === 0) continue;
    try {
      await conclude(deps, recipes, { all, open, isOnCopy }, attempt);
    } catch (error) {
      // Otherwise no start would come to its end.
      for (const lease of open) await failByOwnFault(deps, lease, error);
    }
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

async function putFile({ ledger, now }: AttemptDeps, { job }: Lease): Promise<void> {
  const { root, path, stamp, sha256, bytes } = job.input;
  await ledger.files.put({ root, path, stamp, sha256, bytes, jobId: job.id, seenAt: now(), gone: false });
}

/** What was made of it is known: the job has ended, or goes on already. One that still runs was only told of its end. */
function isConcluded(known: JobRecord | undefined, token: number): boolean {
  if (!known) return false;
  if (known.endedAt !== undefined) return true;
  return known.state !== 'running' && known.attempts.some(({ n }) => n === token);
}

/** @param all Of the attempt, those included that are concluded: its folder is that of the first. */
async function conclude(
  deps: AttemptDeps,
  recipes: Recipes,
  { all, open, isOnCopy }: { all: readonly Lease[]; open: readonly Lease[]; isOnCopy: boolean },
  attempt: FinishedAttempt,
): Promise<void> {
  const { job } = open[0] as Lease;
  const route = recipes.routeOf(job);
  const agent = route?.kind === 'agent' ? recipes.agentOf(route, job.agent) : undefined;
  if (route?.kind !== 'agent' || !agent) {
    for (const lease of open) await giveBack(deps, lease, true);
    return;
  }
  // Divided, and with its proof: only how its review was acted on is not known. The folder of the first may be gone by now.
  const undecided: Lease[] = [];
  for (const lease of open)
    if (!(await takeProved(deps, recipes, { rule: route.rule, agent, leases: [lease] })))
      undecided.push(lease);
  if (undecided.length === 0) return;
  const crew: Crew = { rule: route.rule, agent, leases: all };
  const workspaceDir = isOnCopy ? workspaceOf(deps.work, crew) : undefined;
  const call = toCall(deps, recipes, crew, { ...(workspaceDir !== undefined && { workspaceDir }) });
  await concludeAttempt(deps, recipes, crew, call, await attempt.collect(call), undecided);
}

/** It had been concluded and its files put in place, only the ledger's commit was lost. */
async function endAsReceiptSays(deps: AttemptDeps, lease: Lease, receipt: Receipt): Promise<void> {
  const end = toJobEnd(receipt);
  // What they cost counts, and the receipt that is written again tells of them too.
  if (end)
    for (const attempt of toAttempts(receipt))
      if (!lease.job.attempts.some(({ n }) => n === attempt.n))
        await deps.ledger.jobs.attempted(lease, attempt, true);
  if (end?.promoted) await deps.ledger.jobs.promoted(lease, end.promoted);
  const job = end && (await deps.ledger.jobs.end(lease, end));
  if (!job) return;
  if (job.state === 'succeeded') await deps.cache.put(job.key, job.id);
  await finish(deps, job);
}
