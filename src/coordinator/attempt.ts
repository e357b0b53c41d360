/**
 * One attempt of a claimed job: from the check of its input to the change of its state. The input is compared before
 * and after, so that a result never stands for content that the agent did not see.
 */
import { join } from 'node:path';
import { sameStamp, stampOf } from '../cache/fingerprint.ts';
import type { AgentConfig } from '../config/config.ts';
import { formatDuration } from '../config/duration.ts';
import { formatSize } from '../config/size.ts';
import type { JobEnd, JobSpec, Lease } from '../ledger/ledger.ts';
import type { AgentCall, AgentResult } from '../types/agent.ts';
import { formatStamp } from '../types/change.ts';
import type { AttemptRecord, JobRecord } from '../types/job.ts';
import { meets, type SchemaCheck } from './expect.ts';
import { finish } from './finish.ts';
import { hasSpace, isFullDisk, waitForSpace } from './full-disk.ts';
import type { IntakeDeps } from './intake.ts';
import type { Recipes, Route } from './recipes.ts';
import { backoffMs, judge, type Verdict } from './verdict.ts';
import type { WorkFolders } from './work-folders.ts';

/** After this many deaths of the daemon in a row a job is `held`: it may be what kills it. */
const MAX_INTERRUPTIONS = 5;
const UNAVAILABLE_RETRY_MS = 30_000;

export interface AttemptDeps extends IntakeDeps {
  readonly checkSchema: SchemaCheck;
  readonly work: WorkFolders;
  /** Takes the version of a file in that stands there now. */
  readonly takeAgain: (root: string, path: string) => void;
}

type AgentRoute = Extract<Route, { kind: 'agent' }>;

/** Runs the attempt; on return the job has ended, waits, or is back in the queue. */
export async function runAttempt(
  deps: AttemptDeps,
  recipes: Recipes,
  lease: Lease,
  signal: AbortSignal,
): Promise<void> {
  const { ledger, events } = deps;
  const { job } = lease;
  const route = recipes.route(job.input.path);
  if (route?.kind !== 'agent') {
    const message = 'No rule sends this file to an agent any more.';
    return endJob(deps, lease, { state: 'cancelled', message });
  }
  const key = await recipes.key(route, job.input.sha256, job.input.root, job.input.path);
  if (route.rule.name !== job.rule || route.agent.name !== job.agent || key !== job.key)
    return moveTo(deps, lease, route, key);
  if (!lease.force) {
    const cachedFrom = await deps.cache.get(key);
    const source = cachedFrom === undefined ? undefined : await ledger.jobs.get(cachedFrom);
    if (source) {
      const { proof, outputs } = source;
      return endJob(deps, lease, { state: 'cached', cachedFrom: source.id, proof, outputs });
    }
  }
  if (await parkUnlessReady(deps, lease, route.agent)) return;

  const call = toCall(deps, recipes, lease, route);
  const before = stampOf(call.input.file);
  if (!before) return endJob(deps, lease, inputGone);
  if (formatStamp(before) !== job.input.stamp) {
    await endJob(deps, lease, inputChanged);
    // The change was seen and left alone while an earlier attempt ran: nobody else brings it back.
    if (ignoresChanges(recipes, lease)) deps.takeAgain(job.input.root, job.input.path);
    return;
  }

  deps.work.open(job.id, lease.token);
  events.emit({ type: 'started', job, attempt: lease.token });
  const result = await deps.agents.run(call, signal);
  return concludeAttempt(deps, recipes, lease, call, result);
}

/** What an attempt that was run (now, or before a crash) means for its job. */
export async function concludeAttempt(
  deps: AttemptDeps,
  recipes: Recipes,
  lease: Lease,
  call: AgentCall,
  result: AgentResult,
): Promise<void> {
  const { ledger, results } = deps;
  const { job } = lease;
  const { agent } = call;
  const { outcome } = result;
  if (outcome.kind === 'spawn_failed' && isFullDisk(outcome.code))
    return waitForSpace(deps, lease, outcome.message);
  hasSpace(deps);
  const verdict = judge(agent, result);
  const counts = verdict.kind === 'succeeded' || verdict.kind === 'failed';
  await ledger.jobs.attempted(lease, toRecord(lease, agent, result, verdict), counts);

  if (verdict.kind === 'interrupted') return giveBack(deps, lease, true);
  if (verdict.kind === 'cancelled') {
    if (verdict.reason === 'stopping') return giveBack(deps, lease, false);
    if (verdict.reason === 'superseded') return endJob(deps, lease, inputChanged, call.workDir);
    return endJob(deps, lease, { state: 'cancelled', message: verdict.reason }, call.workDir);
  }
  const after = stampOf(call.input.file);
  if (after && formatStamp(after) !== job.input.stamp && !ignoresChanges(recipes, lease))
    return endJob(deps, lease, inputChanged, call.workDir);
  if (verdict.kind === 'failed') return retryOrFail(deps, lease, call, result, verdict);

  const route = recipes.route(job.input.path);
  const expect = route?.rule.expect ?? { outputs: [] };
  const outputs = await results.collectOutputs(call.outputDir);
  const made = {
    outputs,
    outputDir: call.outputDir,
    ...(result.resultFile && { resultFile: result.resultFile }),
  };
  const expectation = await meets(expect, made, deps.checkSchema);
  const spent = { ...(result.usage && { usage: result.usage }), costUsd: result.costUsd };
  if (expectation.kind === 'unmet') {
    const { reason, message, fix } = expectation;
    return endJob(deps, lease, { state: 'failed', reason, message, fix, outputs, ...spent }, call.workDir);
  }
  const proof = [...verdict.proof, ...expectation.proof];
  await deps.cache.put(job.key, job.id);
  await endJob(deps, lease, { state: 'succeeded', proof, outputs, ...spent }, call.workDir);
  if (!recipes.config.output.preserveOriginal && after && sameStamp(after, stampOf(call.input.file) ?? after))
    await results.archiveOriginal(job, call.input.file);
}

/** `on_change: ignore`: the result stands for the content with which the attempt began. */
function ignoresChanges(recipes: Recipes, { job }: Lease): boolean {
  return recipes.root(job.input.root)?.onChange === 'ignore';
}

const inputGone: JobEnd = {
  state: 'cancelled',
  reason: 'input_gone',
  message: 'The file was removed before its job started.',
};
const inputChanged: JobEnd = {
  state: 'superseded',
  message: 'The file changed; its new content is processed.',
};

async function endJob(deps: AttemptDeps, lease: Lease, end: JobEnd, workDir?: string): Promise<void> {
  const job = await deps.ledger.jobs.end(lease, end);
  if (!job) return;
  const isPublished = await finish(deps, job, workDir);
  if (workDir !== undefined && isPublished && job.state !== 'failed') deps.work.close(job.id, lease.token);
  if (job.state === 'cancelled' && job.reason === 'input_gone')
    await deps.ledger.files.setGone(job.input.root, job.input.path);
}

async function retryOrFail(
  deps: AttemptDeps,
  lease: Lease,
  call: AgentCall,
  result: AgentResult,
  verdict: Extract<Verdict, { kind: 'failed' }>,
): Promise<void> {
  const { agent } = call;
  const tries = lease.triesBefore + 1;
  const { reason, message, fix } = verdict;
  if (tries >= Math.min(agent.retry.attempts, verdict.maxTries)) {
    const outputs = await deps.results.collectOutputs(call.outputDir);
    const spent = { ...(result.usage && { usage: result.usage }), costUsd: result.costUsd };
    return endJob(deps, lease, { state: 'failed', reason, message, fix, outputs, ...spent }, call.workDir);
  }
  const delayMs = backoffMs(agent.retry, tries, deps.random(), verdict.retryAfterMs);
  const notBefore = deps.now() + delayMs;
  await deps.ledger.jobs.retry(lease, { reason: 'backoff', message, fix, notBefore });
  await announceWaiting(deps, lease.job);
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

/** The configuration changed while the job was in the queue: it goes where its path goes now. */
async function moveTo(
  deps: AttemptDeps,
  lease: Lease,
  { rule, agent }: AgentRoute,
  key: string,
): Promise<void> {
  await giveBack(deps, lease, false);
  await deps.ledger.jobs.reroute(lease.job.id, {
    rule: rule.name,
    agent: agent.name,
    key,
    priority: rule.priority,
  });
}

/** True when the agent cannot be started now: the job waits, and the condition says for what. */
async function parkUnlessReady(deps: AttemptDeps, lease: Lease, agent: AgentConfig): Promise<boolean> {
  const problem = (await deps.agents.available(agent)) ?? (await deps.checkSecrets(secretTexts(agent)));
  if (!problem) {
    deps.conditions.clear('AGENT_UNAVAILABLE', agent.name);
    deps.conditions.clear('SECRET_UNRESOLVED', agent.name);
    return false;
  }
  const { code, message, fix } = problem;
  deps.conditions.raise({ code, subject: agent.name, message, fix });
  const reason = code === 'AGENT_UNAVAILABLE' ? 'agent_unavailable' : 'secret_unresolved';
  const notBefore = deps.now() + UNAVAILABLE_RETRY_MS;
  await deps.ledger.jobs.retry(lease, { reason, message, fix, notBefore });
  await announceWaiting(deps, lease.job);
  return true;
}

/** Where an agent's configuration may refer to secrets. */
export function secretTexts(agent: AgentConfig): readonly string[] {
  const values = agent.env.flatMap((entry) => (entry.kind === 'set' ? [entry.value] : []));
  return agent.kind === 'http' ? [...values, agent.url, ...Object.values(agent.headers)] : values;
}

async function announceWaiting({ ledger, events }: AttemptDeps, { id }: JobRecord): Promise<void> {
  const job = await ledger.jobs.get(id);
  if (job) events.emit({ type: 'waiting', job });
}

export function toCall(
  { work }: Pick<AttemptDeps, 'work'>,
  recipes: Recipes,
  lease: Lease,
  { rule, agent }: AgentRoute,
): AgentCall {
  const { job } = lease;
  const { projectDir } = recipes.config;
  const rootDir = recipes.root(job.input.root)?.dir ?? '';
  return {
    jobId: job.id,
    attempt: lease.token,
    sessionId: job.id,
    agent,
    rule: rule.name,
    depth: job.depth,
    input: {
      root: job.input.root,
      rootDir,
      path: job.input.path,
      file: join(rootDir, job.input.path),
      sha256: job.input.sha256,
      bytes: job.input.bytes,
    },
    ...(rule.prompt !== undefined && { prompt: rule.prompt }),
    journal: JSON.stringify(toSpec(lease)),
    projectDir,
    ...work.place(job.id, lease.token),
  };
}

/** What the attempts journal keeps, so that a job whose start never reached the ledger can be adopted. */
function toSpec({ job, force }: Lease): JobSpec {
  const { id, input, rule, agent, key, priority, depth, parent } = job;
  return { id, input, rule, agent, key, priority, depth, force, ...(parent !== undefined && { parent }) };
}

function toRecord(
  { token }: Lease,
  agent: AgentConfig,
  result: AgentResult,
  verdict: Verdict,
): AttemptRecord {
  const { outcome, startedAt, endedAt, events } = result;
  const message = verdict.kind === 'failed' ? verdict.message : undefined;
  return {
    n: token,
    agent: agent.name,
    startedAt,
    endedAt,
    outcome: outcome.kind,
    ...(outcome.kind === 'exited' && { exitCode: outcome.exitCode }),
    ...(outcome.kind === 'signalled' && { signal: outcome.signal }),
    ...(message !== undefined && { message }),
    sandbox:
      agent.sandbox.mode === 'off'
        ? { mode: 'off', reason: agent.sandbox.reason }
        : { mode: 'auto', backend: 'none' },
    limits: {
      timeout: formatDuration(agent.timeoutMs),
      ...(agent.idleTimeoutMs !== undefined && { idle_timeout: formatDuration(agent.idleTimeoutMs) }),
      output: formatSize(agent.maxOutputBytes),
    },
    events,
  };
}
