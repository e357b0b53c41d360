/**
 * One attempt of claimed jobs (mostly one, several in a batch): from the check of the inputs to the start. What its end
 * means is in `conclude.ts`. The input is compared before and after, so that a result never stands for content that the
 * agent did not see.
 */
import { type AgentConfig, isCliAgent } from '../config/config.ts';
import type { Lease } from '../ledger/ledger.ts';
import type { Spent } from '../types/agent.ts';
import type { AttemptState } from '../types/attempt-state.ts';
import { AppError } from '../types/errors.ts';
import type { FailureReason, WaitReason } from '../types/job.ts';
import { isOurs } from '../types/step-task.ts';
import { cachedEnd } from './cached-end.ts';
import { type Crew, leaderOf, toCall, workspaceOf, writePrompt } from './call.ts';
import { concludeAttempt } from './conclude.ts';
import { correctionOf } from './corrections.ts';
import {
  announceWaiting,
  endJob,
  giveBack,
  holdJob,
  ignoresChanges,
  inputChanged,
  inputGone,
} from './endings.ts';
import type { SchemaCheck } from './expect.ts';
import { earlier, fallBack, takeOverAt } from './fall-back.ts';
import { inputNow } from './input-now.ts';
import type { IntakeDeps } from './intake.ts';
import type { JobNotes } from './job-notes.ts';
import { originalOf } from './original.ts';
import type { AgentRoute, Recipes } from './recipes.ts';
import { noRoute } from './reroute.ts';
import { reviewsOf, takeProved } from './reviewing.ts';
import type { RunningAttempts } from './running-attempts.ts';
import type { WorkFolders } from './work-folders.ts';

const UNAVAILABLE_RETRY_MS = 30_000;

export interface AttemptDeps extends IntakeDeps {
  readonly checkSchema: SchemaCheck;
  readonly work: WorkFolders;
  readonly running: Pick<RunningAttempts, 'cancelled'>;
  readonly notes: JobNotes;
  /** Takes the version of a file in that stands there now. */
  readonly takeAgain: (root: string, path: string) => void;
}

export interface AttemptHooks {
  /** What it has used so far; only called when somebody has set a bound on that. */
  readonly onSpent: (crew: Crew, spent: Spent) => void;
}

/** Runs the attempt; on return each of its jobs has ended, waits, or is back in the queue. */
export async function runAttempt(
  deps: AttemptDeps,
  recipes: Recipes,
  lease: Lease,
  signal: AbortSignal,
  hooks: AttemptHooks,
): Promise<void> {
  const crew = await muster(deps, recipes, lease);
  if (!crew) return;
  if (await takeProved(deps, recipes, crew)) return;
  const { agent } = crew;
  const { job, token } = leaderOf(crew);
  deps.work.open(job.id, token);
  const workspace = agent.workspace === 'copy' ? await copyTree(deps, recipes, crew) : undefined;
  if (workspace?.kind === 'refused') return;
  const state = await grantState(deps, crew);
  const correction = await correctionOf(deps.ledger, crew);
  const { guidance } = deps.notes.get(job.id);
  const isReviewed = reviewsOf(recipes.config, agent, crew.rule, job) !== undefined;
  const call = toCall(deps, recipes, crew, {
    ...(state && { state }),
    ...(correction && { correction }),
    ...(guidance !== undefined && { guidance }),
    ...((isReviewed || isCliAgent(agent)) && {
      onEvent: (event) => deps.events.emit({ type: 'agent_event', job, event }),
    }),
    ...(isReviewed && { isReviewed }),
    ...(workspace && { workspaceDir: workspace.dir }),
    ...(deps.gates.isBounded(crew) && { onSpent: (spent) => hooks.onSpent(crew, spent) }),
  });
  if (job.step) writePrompt(call);
  for (const { job: one, token: n } of crew.leases)
    deps.events.emit({
      type: 'started',
      job: one,
      attempt: n,
      ...(one === job ? { call } : { with: job.id }),
    });
  deps.gates.began(crew);
  // A step is part of what a file's job, a schedule or a person started: whoever loops, it is not the step by itself.
  const looping = crew.leases.filter(({ job: one }) => one.step === undefined);
  for (const lease of looping) deps.loops.started(agent, lease);
  const running = deps.agents.run(call, signal);
  if (state) void running.catch(() => {}).then(() => deps.states.revoke(holderOf(crew)));
  // Its processes are gone then: what appears while its results are put in place is somebody else's.
  const endedAt = await running.then((result) => result.endedAt, deps.now);
  for (const lease of looping) await deps.loops.ended(lease, endedAt);
  if (looping.length > 0) await deps.loops.mayBeSeen(crew.rule.name, endedAt);
  return concludeAttempt(deps, recipes, crew, call, await running);
}

/** A step's process can read and change the state of its run while it runs. */
async function grantState(deps: AttemptDeps, crew: Crew): Promise<AttemptState | undefined> {
  const { step } = leaderOf(crew).job;
  // What reviewers say is all that they leave.
  if (!step || isOurs(step) || (crew.agent.kind !== 'command' && !isCliAgent(crew.agent))) return undefined;
  return deps.states.grant({
    session: step.runId,
    agent: step.work.kind === 'agent' ? crew.agent.name : step.step,
    holder: holderOf(crew),
    by: `step ${step.step}`,
  });
}

function holderOf(crew: Crew): string {
  const { job, token } = leaderOf(crew);
  return `${job.id}.${token}`;
}

/** Those of the claimed jobs that can be worked on now; the others are ended, moved or parked. */
async function muster(deps: AttemptDeps, recipes: Recipes, lease: Lease): Promise<Crew | undefined> {
  const fit: { lease: Lease; route: AgentRoute; agent: AgentConfig }[] = [];
  for (const one of [lease, ...lease.companions]) {
    const found = await placeOf(deps, recipes, one);
    if (found) fit.push({ lease: one, ...found });
  }
  const [first] = fit;
  if (!first) return undefined;
  const crew: Crew = { rule: first.route.rule, agent: first.agent, leases: fit.map(({ lease: one }) => one) };
  if (await parkUnlessReady(deps, recipes, crew)) return undefined;
  const leases: Lease[] = [];
  for (const one of crew.leases) if (await isInputThere(deps, recipes, one)) leases.push(one);
  return leases.length === 0 ? undefined : { ...crew, leases };
}

/** Where the job is to run, when that is here and now. */
async function placeOf(
  deps: AttemptDeps,
  recipes: Recipes,
  lease: Lease,
): Promise<{ route: AgentRoute; agent: AgentConfig } | undefined> {
  const { ledger, gates } = deps;
  const { job } = lease;
  const route = recipes.routeOf(job);
  if (route?.kind !== 'agent') {
    await endJob(deps, lease, noRoute(job));
    return undefined;
  }
  const agent = recipes.agentOf(route, job.agent);
  const key = agent && (await recipes.key(route.rule, agent, job.input));
  if (route.rule.name !== job.rule || !agent || key !== job.key) {
    const to = agent ?? (route.candidates[0] as AgentConfig);
    const lane = deps.lanes().of(to.name, route.rule.name);
    await ledger.jobs.moveOn(lease, await recipes.destination(route.rule, to, job.input, lane));
    return undefined;
  }
  if (!lease.force) {
    const cachedFrom = await deps.cache.get(job.key);
    const source = cachedFrom === undefined ? undefined : await ledger.jobs.get(cachedFrom);
    if (source) {
      await endJob(deps, lease, cachedEnd(source.id, source));
      return undefined;
    }
  }
  if (!(await isAdmitted(deps, lease))) return undefined;
  const gate = gates.of(agent, route.rule);
  if (gate.kind !== 'closed') {
    const overspent = gates.overspent(agent, route.rule, job);
    if (overspent) {
      const { message, fix } = overspent;
      await endJob(deps, lease, { state: 'failed', reason: 'limit_exceeded', message, fix });
      return undefined;
    }
    return { route, agent };
  }
  const { reason, message, fix, notBefore: until } = gate.park;
  if (gate.mayDivert && (await fallBack(deps, recipes, lease, { reason, message }))) return undefined;
  const otherAt = gate.mayDivert ? takeOverAt(deps, recipes, lease, { reason }) : undefined;
  const notBefore = earlier(until, otherAt);
  await ledger.jobs.retry(lease, { reason, message, fix, ...(notBefore !== undefined && { notBefore }) });
  await announceWaiting(deps, job);
  return undefined;
}

/** False for a file of a loop: it is held, or waits until it is its turn. */
async function isAdmitted(deps: AttemptDeps, lease: Lease): Promise<boolean> {
  if (lease.job.step) return true;
  const admission = deps.loops.admit(lease);
  if (admission.kind === 'run') return true;
  if (admission.kind === 'later') await giveBack(deps, lease, false);
  else await holdJob(deps, lease, admission.hold);
  return false;
}

async function isInputThere(deps: AttemptDeps, recipes: Recipes, lease: Lease): Promise<boolean> {
  const { job } = lease;
  const { root, path } = job.input;
  const there = await inputNow(deps, recipes, lease, job.id);
  switch (there.kind) {
    case 'same':
      return true;
    case 'gone':
      await endJob(deps, lease, inputGone);
      return false;
    case 'own':
    case 'changed': {
      // Cut short when its proved work was put in place: that goes on.
      if (there.kind === 'own' && deps.notes.get(job.id).proved) return true;
      await endJob(deps, lease, inputChanged);
      // The change was seen and left alone while an earlier attempt ran, or is of our own making: nobody else brings it back.
      const known = await deps.ledger.files.get(root, path);
      const isLeft = known?.jobId === job.id && known.stamp === there.stamp;
      if (isLeft || ignoresChanges(recipes, lease)) deps.takeAgain(root, path);
      return false;
    }
    default:
      return there satisfies never;
  }
}

/** Gives the agent a copy of the root's tree. A tree that is too large for that fails its jobs. */
async function copyTree(
  deps: AttemptDeps,
  recipes: Recipes,
  crew: Crew,
): Promise<{ readonly kind: 'copied'; readonly dir: string } | { readonly kind: 'refused' }> {
  const { job, token } = leaderOf(crew);
  const originals = crew.leases.flatMap(({ job: one }) => originalOf(recipes, one) ?? []);
  const root = originals[0]?.root;
  const into = workspaceOf(deps.work, crew);
  const refuse = async (
    reason: FailureReason,
    message: string,
    fix: string,
  ): Promise<{ kind: 'refused' }> => {
    for (const lease of crew.leases) await endJob(deps, lease, { state: 'failed', reason, message, fix });
    return { kind: 'refused' };
  };
  if (!root) {
    const { name } = crew.agent;
    const message = `agent "${name}" works on a copy of a tree, and this step names no file in one`;
    return refuse(
      'spawn_failed',
      message,
      'Name one in the step, such as `file: inbox/notes.md`, or take an agent without `workspace: copy`.',
    );
  }
  try {
    const inputs = originals.map(({ path }) => path);
    await deps.workspaces.prepare({ jobId: job.id, attempt: token, root, inputs, into });
    return { kind: 'copied', dir: into };
  } catch (error) {
    if (!(error instanceof AppError) || error.code !== 'WORKSPACE_TOO_LARGE') throw error;
    return refuse('input_too_large', error.message, error.fix);
  }
}

/** What an agent lacks, as the reason for which its jobs wait. */
const waitReasons: Partial<Record<AppError['code'], WaitReason>> = {
  AGENT_UNAVAILABLE: 'agent_unavailable',
  PLUGIN_INVALID: 'agent_unavailable',
  SANDBOX_UNAVAILABLE: 'sandbox',
  LIMITS_UNAVAILABLE: 'limits',
};

/** True when the agent cannot be started now: its jobs go to its fallback or wait, and the condition says for what. */
async function parkUnlessReady(
  deps: AttemptDeps,
  recipes: Recipes,
  { agent, leases }: Crew,
): Promise<boolean> {
  const problem = (await deps.agents.available(agent)) ?? (await deps.checkSecrets(secretTexts(agent)));
  for (const code of [...Object.keys(waitReasons), 'SECRET_UNRESOLVED'] as AppError['code'][])
    if (code !== problem?.code) deps.conditions.clear(code, agent.name);
  if (!problem) return false;
  const { code, message, fix } = problem;
  if (code === 'AGENT_UNAVAILABLE' && agent.kind === 'command' && agent.isLiteral) {
    for (const lease of leases)
      await endJob(deps, lease, { state: 'failed', reason: 'spawn_failed', message, fix });
    return true;
  }
  deps.conditions.raise({ code, subject: agent.name, message, fix });
  const reason = waitReasons[code] ?? 'secret_unresolved';
  const notBefore = deps.now() + UNAVAILABLE_RETRY_MS;
  for (const lease of leases) {
    if (reason === 'agent_unavailable' && (await fallBack(deps, recipes, lease, { reason, message })))
      continue;
    await deps.ledger.jobs.retry(lease, { reason, message, fix, notBefore });
    await announceWaiting(deps, lease.job);
  }
  return true;
}

/** Where an agent's configuration may refer to secrets. */
export function secretTexts(agent: AgentConfig): readonly string[] {
  const values = agent.env.flatMap((entry) => (entry.kind === 'set' ? [entry.value] : []));
  return agent.kind === 'http' ? [...values, agent.url, ...Object.values(agent.headers)] : values;
}
