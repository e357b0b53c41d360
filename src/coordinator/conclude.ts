/**
 * What an attempt that was run (now, or before a crash) means for its jobs: proved, failed, tried again, sent to another
 * agent, or given back. A batch is divided here; from then on each of its jobs stands for itself.
 */
import { isCliAgent } from '../config/config.ts';
import type { Lease } from '../ledger/ledger.ts';
import type { AgentCall, AgentResult } from '../types/agent.ts';
import type { JobRecord } from '../types/job.ts';
import { AGENTS_TEST, isOurs, REVIEWS } from '../types/step-task.ts';
import type { AttemptDeps } from './attempt.ts';
import { concludeBatch } from './batch.ts';
import { isAgentFault } from './breaker.ts';
import { type Crew, leaderOf, toRecord } from './call.ts';
import { isCorrected, learn } from './corrections.ts';
import {
  announceWaiting,
  endJob,
  type Failure,
  giveBack,
  holdJob,
  ignoresChanges,
  inputChanged,
  retryOrFail,
  spentOn,
  succeed,
  unmet,
  whatWasMade,
} from './endings.ts';
import { earlier, fallBack, takeOverAt } from './fall-back.ts';
import { hasSpace, isFullDisk, waitForSpace } from './full-disk.ts';
import { inputNow } from './input-now.ts';
import { parkedFix, untilOf, viewParked, waitReasonOf } from './parking.ts';
import { tellPermissions } from './permissions.ts';
import { promote } from './promotion.ts';
import type { Recipes } from './recipes.ts';
import { isReviewDue, waitForReview } from './reviewing.ts';
import { judge, type Verdict } from './verdict.ts';
import { howToLogIn } from './verdict-cli.ts';

/** @param open Those of its jobs that are not concluded yet: after a crash in the middle some may be. */
export async function concludeAttempt(
  deps: AttemptDeps,
  recipes: Recipes,
  crew: Crew,
  call: AgentCall,
  result: AgentResult,
  open: readonly Lease[] = crew.leases,
): Promise<void> {
  const { ledger } = deps;
  const { outcome } = result;
  if (outcome.kind === 'spawn_failed' && isFullDisk(outcome.code)) {
    await deps.gates.ended(crew, undefined, result);
    for (const lease of open) await waitForSpace(deps, lease, outcome.message);
    return;
  }
  hasSpace(deps);
  tellSurvivors(deps, crew, result);
  const judged = judge(crew.agent, asJudged(crew, result), isCorrected(crew));
  const verdict = isKnownRefusal(deps, crew, judged) ? asParked(judged) : judged;
  const counts = verdict.kind === 'succeeded' || verdict.kind === 'failed';
  deps.gates.ending(crew);
  for (const lease of open)
    await ledger.jobs.attempted(lease, toRecord(crew, lease, result, verdict), counts);
  await deps.gates.ended(crew, counts ? toBreakerCall(result, verdict) : undefined, result);

  await tellCli(deps, crew, result, verdict);
  switch (verdict.kind) {
    case 'corrected':
      for (const lease of open) {
        const { message } = verdict;
        await ledger.jobs.retry(lease, { reason: 'backoff', message, notBefore: deps.now() });
        await announceWaiting(deps, lease.job);
      }
      return;
    case 'parked':
      for (const lease of open) await waitForAgent(deps, recipes, crew, lease, verdict);
      return;
    case 'denied': {
      const { message, fix } = verdict;
      for (const lease of open) {
        await holdJob(deps, lease, { reason: 'permission_denied', message, fix: ofJob(fix, lease.job) });
      }
      return tellPermissions(deps, [crew.agent]);
    }
    case 'reviewed': {
      const { decision } = verdict;
      const files = open.length;
      for (const lease of open) {
        const { id } = lease.job;
        const message =
          lease === leaderOf(crew)
            ? verdict.message
            : `${verdict.message} (in full: job ${leaderOf(crew).job.id})`;
        const whom = files === 1 ? 'it go' : `all ${files} files of the attempt go`;
        const fix = `\`sluice answer ${id} TEXT\` lets ${whom} on with what you say, \`sluice jobs release ${id}\` starts it again as it was, \`sluice jobs cancel ${id}\` ends it.`;
        await holdJob(deps, lease, { reason: decision === 'stop' ? 'escalated' : 'clarify', message, fix });
      }
      return;
    }
    case 'interrupted':
      for (const lease of open) if (!(await endCancelled(deps, lease))) await giveBack(deps, lease, true);
      return;
    case 'cancelled':
      for (const lease of open) await concludeCancelled(deps, lease, verdict.reason, call);
      return;
    case 'failed':
    case 'succeeded': {
      // Before anything is ended: who looks at the work of all is asked by the first of them.
      const isReviewed = isReviewDue(deps, recipes, crew);
      const current: Lease[] = [];
      for (const lease of open) if (await isCurrent(deps, recipes, lease, call)) current.push(lease);
      const left = { ...crew, leases: current };
      if (crew.leases.length === 1)
        return current.length === 0 ? undefined : concludeOne(deps, recipes, left, call, result, verdict);
      if (current.length > 0)
        await concludeBatch(deps, recipes, { whole: crew, left, isReviewed }, call, result, verdict);
      // Its own end, if it came first, has left the folder to the others.
      const leader = leaderOf(crew);
      if (!current.includes(leader)) deps.work.close(leader.job.id, leader.token);
      return;
    }
    default:
      verdict satisfies never;
  }
}

/** A test of an agent is over when it is held: there is nothing to release. */
function ofJob(fix: string, { id, step }: JobRecord): string {
  if (step?.workflow !== AGENTS_TEST) return fix.replaceAll('JOB', id);
  return fix.replace(/`sluice jobs release JOB`.*/, `\`sluice agents test ${step.step}\`.`);
}

/** A reviewer that wanted to do more than look, and was not let, has its opinion all the same. */
function asJudged(crew: Crew, result: AgentResult): AgentResult {
  const { cli } = result;
  if (leaderOf(crew).job.step?.workflow !== REVIEWS || cli?.report.terminal !== 'success') return result;
  const { next: _, ...record } = cli.record;
  return { ...result, cli: { report: { ...cli.report, denials: [] }, record } };
}

/** They hang in the kernel, or belong to another user: nothing more can be done from here. */
function tellSurvivors({ conditions }: AttemptDeps, { agent }: Crew, { survivors = 0 }: AgentResult): void {
  if (survivors === 0) return;
  conditions.raise({
    code: 'PROCESS_SURVIVES',
    subject: agent.name,
    message: `${survivors} processes of an attempt of agent "${agent.name}" survived SIGKILL for 30 s`,
    fix: 'Look for them with `ps -eo pid,stat,wchan,args`; a restart of the daemon forgets this.',
  });
}

async function concludeCancelled(
  deps: AttemptDeps,
  lease: Lease,
  reason: string,
  call: AgentCall,
): Promise<void> {
  if (await endCancelled(deps, lease)) return;
  if (reason === 'stopping') return giveBack(deps, lease, false);
  const workDir = call.inputs.length <= 1 ? call.workDir : undefined;
  if (reason === 'superseded') return endJob(deps, lease, inputChanged, workDir);
  return endJob(deps, lease, { state: 'cancelled', message: reason }, workDir);
}

async function concludeOne(
  deps: AttemptDeps,
  recipes: Recipes,
  crew: Crew,
  call: AgentCall,
  result: AgentResult,
  verdict: Extract<Verdict, { kind: 'failed' | 'succeeded' }>,
): Promise<void> {
  const lease = leaderOf(crew);
  if (verdict.kind === 'failed') return retryOrFail(deps, recipes, crew, lease, call, result, verdict);
  const { outputs, expectation } = await whatWasMade(deps, crew, call, result);
  if (expectation.kind === 'unmet') {
    const failure = await explained(deps, crew, lease, unmet(expectation));
    return retryOrFail(deps, recipes, crew, lease, call, result, failure);
  }
  if (isReviewDue(deps, recipes, crew))
    return waitForReview(deps, lease, call, [...verdict.proof, ...expectation.proof]);
  const promoted = await promote(deps, recipes, crew, call);
  if (promoted.kind === 'conflict')
    return retryOrFail(deps, recipes, crew, lease, call, result, promoted.failure);
  const proof = [...verdict.proof, ...expectation.proof];
  const { workDir } = call;
  await succeed(deps, recipes, lease, { proof, outputs, ...spentOn(lease, result, call) }, workDir, call);
}

/** What an agent CLI got wrong in its answer it is told, once: a command would only do the same again. */
async function explained(
  deps: AttemptDeps,
  { agent }: Crew,
  { job }: Lease,
  failure: Failure,
): Promise<Failure> {
  if (!isCliAgent(agent)) return failure;
  const why = `Your last answer was not accepted: ${failure.message}. Do the task again and mend that.`;
  // What its reviewers found, or a person answered, is still to be heeded.
  const { guidance } = deps.notes.get(job.id);
  await deps.notes.put(job.id, { guidance: guidance === undefined ? why : `${why}\n\n${guidance}` });
  return { ...failure, maxTries: 2 };
}

/**
 * The job that finds out that its agent is not let in fails; one that tries again, or was under way meanwhile, tells
 * nothing new. Who tests an agent, and a review, want to know at once.
 */
function isKnownRefusal(
  { gates }: AttemptDeps,
  crew: Crew,
  verdict: Verdict,
): verdict is Extract<Verdict, { kind: 'failed' }> {
  if (verdict.kind !== 'failed' || verdict.reason !== 'auth' || !isCliAgent(crew.agent)) return false;
  return gates.parking.isRefused(crew.agent.name) && !isOurs(leaderOf(crew).job.step);
}

function asParked({ message, fix }: Extract<Verdict, { kind: 'failed' }>): Verdict {
  return { kind: 'parked', shortage: { why: 'auth' }, message, fix };
}

/** The agent's quota or rate is used up, or it is not let in: its jobs wait for it, or go to another one. */
async function waitForAgent(
  deps: AttemptDeps,
  recipes: Recipes,
  { agent }: Crew,
  lease: Lease,
  { shortage, message, fix }: Extract<Verdict, { kind: 'parked' }>,
): Promise<void> {
  const { parking } = deps.gates;
  const isShort = shortage.why !== 'auth';
  const parked = isShort ? await parking.park(agent, shortage) : parking.of(agent.name);
  const reason = parked ? waitReasonOf(parked) : 'auth';
  const goesOn = !isShort || (isCliAgent(agent) && agent.cli.onQuota === 'fallback');
  if (goesOn && (await fallBack(deps, recipes, lease, { reason, message }))) return;
  // Somebody may have said meanwhile that it is to be tried again.
  const until = parked ? untilOf(parked) : deps.now();
  const notBefore = earlier(until, goesOn ? takeOverAt(deps, recipes, lease, { reason }) : undefined);
  await deps.ledger.jobs.retry(lease, {
    ...{ reason, message },
    fix:
      parked && (parked.why === 'auth' || until === undefined)
        ? parkedFix(agent.name, viewParked(parked))
        : fix,
    ...(notBefore !== undefined && { notBefore }),
  });
  await announceWaiting(deps, lease.job);
}

/** What the end of an attempt says about the agent itself. */
async function tellCli(deps: AttemptDeps, crew: Crew, result: AgentResult, verdict: Verdict): Promise<void> {
  const { cli, startedAt } = result;
  if (!cli) return;
  const { agent } = crew;
  const { parking } = deps.gates;
  if (isRefusal(verdict)) {
    const { message } = verdict;
    const evidence = cli.logInEvidence ?? (await deps.agents.logInEvidence(agent));
    await parking.refused(agent.name, { message, fix: howToLogIn(cli.report), evidence, startedAt });
    return;
  }
  const { output_tokens: answered = 0 } = cli.report.usage ?? {};
  if (verdict.kind === 'succeeded' || answered > 0) await parking.letIn(agent.name, startedAt);
  if (verdict.kind !== 'succeeded') return;
  await parking.worked(agent.name);
  await learn(deps.ledger, agent.name, cli.record);
}

function isRefusal(verdict: Verdict): verdict is Extract<Verdict, { kind: 'failed' | 'parked' }> {
  if (verdict.kind === 'parked') return verdict.shortage.why === 'auth';
  return verdict.kind === 'failed' && verdict.reason === 'auth';
}

/** False when the job has ended meanwhile: somebody cancelled it, or its input is another one by now. What was only touched is still the same. */
async function isCurrent(
  deps: AttemptDeps,
  recipes: Recipes,
  lease: Lease,
  call: AgentCall,
): Promise<boolean> {
  if (await endCancelled(deps, lease)) return false;
  if (ignoresChanges(recipes, lease)) return true;
  const { kind } = await inputNow(deps, recipes, lease, call.jobId);
  if (kind !== 'changed') return true;
  await endJob(deps, lease, inputChanged, call.inputs.length <= 1 ? call.workDir : undefined);
  return false;
}

/** True for a job of a batch that somebody cancelled while the others went on. */
async function endCancelled(deps: AttemptDeps, lease: Lease): Promise<boolean> {
  const message = deps.running.cancelled(lease.job.id);
  if (message === undefined) return false;
  await endJob(deps, lease, { state: 'cancelled', message });
  return true;
}

function toBreakerCall(
  { outcome, startedAt, endedAt }: AgentResult,
  verdict: Extract<Verdict, { kind: 'failed' | 'succeeded' }>,
): { readonly isFault: boolean; readonly durationMs: number; readonly message?: string } {
  const durationMs = Math.max(0, endedAt - startedAt);
  if (verdict.kind === 'succeeded') return { isFault: false, durationMs };
  const code =
    outcome.kind === 'exited' ? outcome.exitCode : outcome.kind === 'responded' ? outcome.status : undefined;
  return { isFault: isAgentFault(verdict.reason, code), durationMs, message: verdict.message };
}
