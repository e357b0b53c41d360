/**
 * How one job of an attempt goes on, whatever it was that decided it: it succeeds, is tried again, goes to another agent,
 * fails, or is given back.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { sameStamp, stampOf } from '../cache/fingerprint.ts';
import type { Hold, JobEnd, Lease } from '../ledger/ledger.ts';
import type { AgentCall, AgentResult } from '../types/agent.ts';
import type { JobRecord, Output } from '../types/job.ts';
import { AGENTS_TEST, PROJECT_ROOT, REVIEWS } from '../types/step-task.ts';
import { sumCosts, sumUsage } from '../types/usage.ts';
import type { AttemptDeps } from './attempt.ts';
import { aloneOf } from './batch-groups.ts';
import { mayFallBack } from './breaker.ts';
import { type Crew, shareOf } from './call.ts';
import { type Expectation, meets } from './expect.ts';
import { fallBack } from './fall-back.ts';
import { finish } from './finish.ts';
import { originalOf } from './original.ts';
import type { Recipes } from './recipes.ts';
import { backoffMs, type Verdict } from './verdict.ts';
import { again, whenOver } from './verdict-cli.ts';

/** After this many deaths of the daemon in a row a job is `held`: it may be what kills it. */
const MAX_INTERRUPTIONS = 5;

export const inputGone: JobEnd = {
  state: 'cancelled',
  reason: 'input_gone',
  message: 'The file was removed before its job started.',
};
export const inputChanged: JobEnd = {
  state: 'superseded',
  message: 'The file changed; its new content is processed.',
};

export type Failure = Extract<Verdict, { kind: 'failed' }>;

/** The proof holds: the result is shared, the job ends, the original goes where it is to go. */
export async function succeed(
  deps: AttemptDeps,
  recipes: Recipes,
  lease: Lease,
  end: Omit<JobEnd, 'state'>,
  workDir: string,
  call: AgentCall,
): Promise<void> {
  const { job } = lease;
  const isPreserved =
    recipes.config.output.preserveOriginal ||
    call.workspaceDir !== undefined ||
    // Only what was dropped into a root is an original of ours: a step's file, or the project's own source, is not.
    job.step !== undefined ||
    job.input.root === PROJECT_ROOT;
  const file = isPreserved ? undefined : originalOf(recipes, job)?.file;
  const after = file === undefined ? undefined : stampOf(file);
  await deps.cache.put(job.key, job.id);
  await endJob(deps, lease, { state: 'succeeded', ...end }, workDir, call);
  if (file !== undefined && after && sameStamp(after, stampOf(file) ?? after))
    await deps.results.archiveOriginal(job, file);
}

export async function whatWasMade(
  deps: AttemptDeps,
  { rule }: Crew,
  call: AgentCall,
  result: AgentResult,
): Promise<{ readonly outputs: readonly Output[]; readonly expectation: Expectation }> {
  const outputs = await deps.results.collectOutputs(call.outputDir);
  const { resultFile } = result;
  const made = { outputs, outputDir: call.outputDir, ...(resultFile && { resultFile }) };
  return { outputs, expectation: await meets(rule.expect, made, deps.checkSchema) };
}

export function unmet({ reason, message, fix }: Extract<Expectation, { kind: 'unmet' }>): Failure {
  return { kind: 'failed', reason, message, fix, maxTries: 1 };
}

/** `on_change: ignore`: the result stands for the content with which the attempt began. */
export function ignoresChanges(recipes: Recipes, { job }: Lease): boolean {
  return recipes.root(job.input.root)?.onChange === 'ignore';
}

/** @param call The attempt that decided it, if one did. */
export async function endJob(
  deps: AttemptDeps,
  lease: Lease,
  end: JobEnd,
  workDir?: string,
  call?: AgentCall,
): Promise<void> {
  const job = await deps.ledger.jobs.end(lease, end);
  if (!job) return;
  // No process waits for an answer and writes it into the attempts journal: after a crash only the ledger can know that
  // it came, and it must before anybody sees the result. Otherwise it would be asked, and paid, again.
  if (call?.agent.kind === 'http') await deps.ledger.durable();
  const isPublished = await finish(deps, job, workDir);
  if (workDir !== undefined && isPublished && job.state !== 'failed') {
    const copy = join(workDir, 'workspace');
    if (existsSync(copy)) await deps.workspaces.discard(copy);
    deps.work.close(job.id, lease.token);
  }
  if (job.state === 'cancelled' && job.reason === 'input_gone')
    await deps.ledger.files.setGone(job.input.root, job.input.path);
}

/** Once more after a pause, by the next agent of the chain, or failed for good. */
export async function retryOrFail(
  deps: AttemptDeps,
  recipes: Recipes,
  { agent, leases }: Crew,
  lease: Lease,
  call: AgentCall,
  result: AgentResult,
  verdict: Failure,
): Promise<void> {
  const tries = lease.triesBefore + 1;
  const { reason, message, fix } = verdict;
  if (tries < Math.min(agent.retry.attempts, verdict.maxTries)) {
    const delayMs = backoffMs(agent.retry, tries, deps.random(), verdict.retryAfterMs);
    const notBefore = deps.now() + delayMs;
    // What one file was told, by itself, is for nobody else.
    const isTold = leases.length === 1 && deps.notes.get(lease.job.id).guidance !== undefined;
    const group = isTold ? aloneOf(lease.job) : undefined;
    const how = { ...{ message, fix, notBefore }, ...(group !== undefined && { group }) };
    await deps.ledger.jobs.retry(lease, { reason: 'backoff', ...how });
    return announceWaiting(deps, lease.job);
  }
  if (mayFallBack(reason) && (await fallBack(deps, recipes, lease, { reason, message }))) return;
  const place = deps.work.place(lease.job.id, lease.token);
  const outputs = await deps.results.collectOutputs(place.outputDir);
  const hint = deps.explainFailure(result);
  const spent = spentOn(lease, result, call);
  return endJob(
    deps,
    lease,
    { state: 'failed', reason, message, fix: hint ?? remedy(lease.job, fix), outputs, ...spent },
    place.workDir,
    call,
  );
}

/** For good. A file is tried again by itself; a step with its run; a reviewer with the next review. */
function remedy({ step }: JobRecord, verdict: string): string {
  const fix = verdict === again ? whenOver : verdict;
  if (!step || step.workflow === REVIEWS) return fix;
  const line =
    step.workflow === AGENTS_TEST
      ? `sluice agents test ${step.step}`
      : `sluice workflow resume ${step.runId}`;
  return fix.replaceAll('`sluice jobs retry`', `\`${line}\``);
}

/** What the job has used in all: its earlier attempts, and this one, which may stand among them since before a crash. */
export function spentOn(
  { job, token }: Lease,
  result: AgentResult,
  { jobId, inputs }: Pick<AgentCall, 'jobId' | 'inputs'>,
): Pick<JobEnd, 'usage' | 'costUsd'> {
  const own = shareOf(result, Math.max(1, inputs.length), jobId === job.id);
  const earlier = job.attempts.filter(({ n }) => n !== token);
  const usage = sumUsage([...earlier.map((attempt) => attempt.usage), own.usage]);
  return {
    ...(usage && { usage }),
    costUsd: sumCosts([...earlier.map(({ costUsd }) => costUsd), own.costUsd]),
  };
}

/** Back to the queue, uncounted; what was interrupted too often in a row is `held` instead. */
export async function giveBack(
  { ledger }: Pick<AttemptDeps, 'ledger'>,
  lease: Lease,
  interrupted: boolean,
): Promise<void> {
  const state = await ledger.jobs.release(lease, { interrupted, maxInterruptions: MAX_INTERRUPTIONS });
  const { id, input } = lease.job;
  if (state === 'held') await ledger.files.setDisposition(input.root, input.path, id, 'held');
}

/** It rests until a person lets it go on. */
export async function holdJob({ ledger, events }: AttemptDeps, lease: Lease, hold: Hold): Promise<void> {
  const { id, input } = lease.job;
  if (!(await ledger.jobs.hold(lease, hold))) return;
  await ledger.files.setDisposition(input.root, input.path, id, 'held');
  const job = await ledger.jobs.get(id);
  if (job) events.emit({ type: 'held', job });
}

export async function announceWaiting({ ledger, events }: AttemptDeps, { id }: JobRecord): Promise<void> {
  const job = await ledger.jobs.get(id);
  if (job) events.emit({ type: 'waiting', job });
}
