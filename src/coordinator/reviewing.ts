/**
 * Work that is reviewed before it counts: it waits, with its proof and its folder, until somebody settles it. Who reviews
 * and what they say is not known here (`src/reviews`).
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import {
  type AgentConfig,
  type Config,
  isCliAgent,
  type ReviewsConfig,
  type RuleConfig,
} from '../config/config.ts';
import type { JobEnd, Lease } from '../ledger/ledger.ts';
import type { AgentCall } from '../types/agent.ts';
import type { HoldReason, JobId, JobRecord, Proof } from '../types/job.ts';
import { isOurs } from '../types/step-task.ts';
import { sumCosts, sumUsage } from '../types/usage.ts';
import type { AttemptDeps } from './attempt.ts';
import { aloneOf } from './batch-groups.ts';
import { type Crew, leaderOf, toCall, workspaceOf } from './call.ts';
import { announceWaiting, endJob, giveBack, holdJob, succeed } from './endings.ts';
import { hasSpace } from './full-disk.ts';
import { failByOwnFault } from './own-fault.ts';
import { promote } from './promotion.ts';
import type { Recipes } from './recipes.ts';
import { backoffMs } from './verdict.ts';

/** How a job goes on whose work was reviewed. */
export type Settlement =
  /** It counts. `warning`: and the receipt says this of it. */
  | { readonly kind: 'accept'; readonly warning?: string }
  /** Its agent works on it again, and heeds this. */
  | { readonly kind: 'revise'; readonly guidance: string }
  | {
      readonly kind: 'hold';
      readonly reason: Extract<HoldReason, 'clarify' | 'escalated'>;
      readonly message: string;
      readonly fix: string;
    };

/** The reviews that hold for the work of this agent under this rule; undefined: none. */
export function reviewsOf(
  { reviews }: Pick<Config, 'reviews'>,
  agent: AgentConfig,
  rule: Pick<RuleConfig, 'review'>,
  job: Pick<JobRecord, 'step'>,
): ReviewsConfig | undefined {
  if (!reviews || isOurs(job.step)) return undefined;
  return (rule.review ?? isCliAgent(agent)) ? reviews : undefined;
}

/** What this attempt makes does not count before others have looked at it. */
export function isReviewDue(deps: Pick<AttemptDeps, 'isUnderReview'>, recipes: Recipes, crew: Crew): boolean {
  const { job } = leaderOf(crew);
  const reviews = reviewsOf(recipes.config, crew.agent, crew.rule, job);
  return reviews !== undefined && (reviews.on.has('result') || deps.isUnderReview(job.id));
}

/**
 * The work has its proof; it waits for `settle`. From here on it is a job by itself, whomever it was worked on with.
 * @param call Of this job alone: where its own work is.
 */
export async function waitForReview(
  deps: AttemptDeps,
  lease: Lease,
  call: AgentCall,
  proof: readonly Proof[],
): Promise<void> {
  const isOnCopy = call.workspaceDir !== undefined && { isOnCopy: true as const };
  const proved = { attempt: call.attempt, token: lease.token, proof, ...isOnCopy };
  // What it was told is told again where its work cannot be put in place, and is done anew.
  const { guidance } = deps.notes.get(lease.job.id);
  await deps.notes.put(lease.job.id, { ...(guidance !== undefined && { guidance }), proved });
  const message = 'Its work has its proof and waits for its review.';
  const group = aloneOf(lease.job);
  await deps.ledger.jobs.retry(lease, { reason: 'review', message, ...(group !== undefined && { group }) });
  await announceWaiting(deps, lease.job);
  const job = await deps.ledger.jobs.get(lease.job.id);
  if (job) deps.events.emit({ type: 'review_wanted', job, call });
}

/** What the receipt of work says that counts although its review did not let it pass. */
export function acceptedWords({ message }: Pick<JobRecord, 'message'>): string {
  return `accepted as it is by a person${message ? `, against its review: ${message}` : ''}`;
}

/** What was called for the work that waits: where it is. */
export async function callOfProved(
  deps: AttemptDeps,
  recipes: Recipes,
  id: JobId,
): Promise<{ readonly job: JobRecord; readonly call: AgentCall } | undefined> {
  const found = await provedOf(deps, recipes, id);
  return found && { job: found.job, call: found.call };
}

/** @returns false: nothing of it waits any more. */
export async function settle(
  deps: AttemptDeps,
  recipes: Recipes,
  leaseMs: number,
  id: JobId,
  settlement: Settlement,
): Promise<boolean> {
  const found = await provedOf(deps, recipes, id);
  if (!found) return false;
  const { job, crew, call, proof, token } = found;
  const { worker, ledger } = deps;
  const { batch: _, ...spec } = job;
  const lease = await ledger.jobs.adopt({ ...spec, force: false }, { token, worker, leaseMs });
  if (!lease) return false;
  try {
    switch (settlement.kind) {
      case 'accept':
        await accept(deps, recipes, { ...crew, leases: [lease] }, call, proof, settlement.warning);
        break;
      case 'revise': {
        await deps.notes.put(id, { guidance: settlement.guidance });
        const message = 'Its review found what must be mended.';
        await ledger.jobs.retry(lease, { reason: 'backoff', message, notBefore: deps.now(), isAnew: true });
        await announceWaiting(deps, job);
        break;
      }
      case 'hold': {
        const { reason, message, fix } = settlement;
        await holdJob(deps, lease, { reason, message, fix });
        break;
      }
      default:
        settlement satisfies never;
    }
  } catch (error) {
    // The lease is ours: nobody else would let the job go on.
    await failByOwnFault(deps, lease, error);
  }
  return true;
}

/**
 * A job is claimed whose work has its proof. A person accepted it while no daemon ran; or the process ended in the middle
 * of a settlement: then its review, which is known, decides once more.
 * @returns false: it is to be worked on.
 */
export async function takeProved(deps: AttemptDeps, recipes: Recipes, crew: Crew): Promise<boolean> {
  const lease = leaderOf(crew);
  const { proved } = deps.notes.get(lease.job.id);
  // Whoever has its proof is in no group any more.
  if (!proved || crew.leases.length > 1) return false;
  const { attempt, proof, isOnCopy = false } = proved;
  const before: Crew = { ...crew, leases: [{ ...lease, token: attempt }] };
  const workspaceDir = isOnCopy ? workspaceOf(deps.work, before) : undefined;
  const call = toCall(deps, recipes, before, { ...(workspaceDir !== undefined && { workspaceDir }) });
  // Another agent's by now, or nothing is left of it.
  const isItsOwn = lease.job.attempts.some(({ n, agent }) => n === attempt && agent === crew.agent.name);
  if (!isItsOwn || !existsSync(call.workDir)) {
    await deps.notes.forget(lease.job.id);
    return false;
  }
  if (proved.accepted !== undefined) await accept(deps, recipes, crew, call, proof, proved.accepted);
  else await waitForReview(deps, lease, call, proof);
  return true;
}

/** The job has ended: nothing of it waits any more. Work that is not wanted goes. */
export async function leaveProved(deps: AttemptDeps, { id, state }: JobRecord): Promise<void> {
  const { proved } = deps.notes.get(id);
  await deps.notes.forget(id);
  if (!proved || (state !== 'cancelled' && state !== 'superseded')) return;
  const copy = join(deps.work.place(id, proved.attempt).workDir, 'workspace');
  if (existsSync(copy)) await deps.workspaces.discard(copy);
  deps.work.close(id, proved.attempt);
}

/** The review of its work cannot be held, or its decision not be acted on: its agent or rule is not what it was. */
export async function doAgain(deps: AttemptDeps, leaseMs: number, id: JobId): Promise<void> {
  const job = await deps.ledger.jobs.get(id);
  if (job?.state !== 'waiting' || job.reason !== 'review') return;
  const token = Math.max(deps.notes.get(id).proved?.token ?? 0, job.attempts.at(-1)?.n ?? 0);
  await deps.notes.forget(id);
  const { batch: _, ...spec } = job;
  const lease = await deps.ledger.jobs.adopt(
    { ...spec, force: false },
    { token, worker: deps.worker, leaseMs },
  );
  if (lease) await giveBack(deps, lease, false);
}

async function provedOf(deps: AttemptDeps, recipes: Recipes, id: JobId) {
  const { proved } = deps.notes.get(id);
  const job = await deps.ledger.jobs.get(id);
  if (!proved || !job || job.endedAt !== undefined || job.state === 'running') return undefined;
  const route = recipes.routeOf(job);
  const agent = route?.kind === 'agent' ? recipes.agentOf(route, job.agent) : undefined;
  if (route?.kind !== 'agent' || !agent) return undefined;
  const { attempt, token, proof, isOnCopy = false } = proved;
  const lease: Lease = { job, companions: [], force: false, token: attempt, triesBefore: 0 };
  const crew: Crew = { rule: route.rule, agent, leases: [lease] };
  const workspaceDir = isOnCopy ? workspaceOf(deps.work, crew) : undefined;
  const call = toCall(deps, recipes, crew, { ...(workspaceDir !== undefined && { workspaceDir }) });
  return { job, crew, call, token, proof };
}

async function accept(
  deps: AttemptDeps,
  recipes: Recipes,
  crew: Crew,
  call: AgentCall,
  proof: readonly Proof[],
  warning?: string,
): Promise<void> {
  const [lease] = crew.leases as readonly [Lease];
  const promoted = await promote(deps, recipes, crew, call);
  hasSpace(deps);
  if (promoted.kind === 'conflict') {
    const { reason, message, fix, maxTries } = promoted.failure;
    const { retry } = crew.agent;
    // Its attempt has been counted.
    const { triesBefore: tries } = lease;
    if (tries >= Math.min(retry.attempts, maxTries))
      return endJob(
        deps,
        lease,
        { state: 'failed', reason, message, fix, ...spentBy(lease.job) },
        call.workDir,
        call,
      );
    const { guidance } = deps.notes.get(lease.job.id);
    await (guidance === undefined
      ? deps.notes.forget(lease.job.id)
      : deps.notes.put(lease.job.id, { guidance }));
    const notBefore = deps.now() + backoffMs(retry, tries, deps.random());
    await deps.ledger.jobs.retry(lease, { reason: 'backoff', message, fix, notBefore });
    return announceWaiting(deps, lease.job);
  }
  const outputs = await deps.results.collectOutputs(call.outputDir);
  await succeed(
    deps,
    recipes,
    lease,
    {
      proof,
      outputs,
      ...(warning !== undefined && { message: warning }),
      ...spentBy(lease.job),
    },
    call.workDir,
    call,
  );
}

function spentBy({ attempts }: JobRecord): Pick<JobEnd, 'usage' | 'costUsd'> {
  const usage = sumUsage(attempts.map(({ usage: one }) => one));
  return { ...(usage && { usage }), costUsd: sumCosts(attempts.map(({ costUsd }) => costUsd)) };
}
