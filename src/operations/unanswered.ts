/**
 * Files whose runs wait for a person, or for something else that may not come soon: their jobs are `running`, and nothing
 * goes on. `sluice run` does not wait with them; without a daemon it holds the project, so that nobody else could answer.
 */
import type { JobRecord, WaitReason } from '../types/job.ts';
import type { RunRecord } from '../types/run.ts';
import type { Host } from './host.ts';
import { waitingStep } from './workflows/waiting-step.ts';

type Needed = Pick<Host, 'config' | 'coordinator' | 'ledger' | 'workflows'>;

/** @returns the open jobs as they are told; undefined while any of them goes on, or waits for something else. */
export async function asUnanswered(
  host: Needed,
  open: Iterable<string>,
): Promise<readonly JobRecord[] | undefined> {
  const { config, coordinator, ledger } = host;
  const asking = new Map<string, JobRecord>();
  for (const id of coordinator.runningIds()) {
    const job = await ledger.jobs.get(id);
    if (!job || job.step || !isFileRun(config(), job)) continue;
    const told = await whoAsks(host, job);
    // Its end makes room for others.
    if (!told) return undefined;
    asking.set(id, told);
  }
  if (asking.size === 0) return undefined;
  const all: JobRecord[] = [];
  for (const id of open) {
    const job = asking.get(id) ?? (await ledger.jobs.get(id));
    if (!job) continue;
    if (!asking.has(id) && !isBehind(config(), job, [...asking.values()])) return undefined;
    all.push(asking.has(id) ? job : asBehind(job));
  }
  return all;
}

function isFileRun({ agents }: ReturnType<Host['config']>, { agent }: JobRecord): boolean {
  return agents.get(agent)?.kind === 'workflow';
}

/** The same bounds as those of the coordinator's slots: one place is left to files that no workflow takes. */
function isBehind(config: ReturnType<Host['config']>, job: JobRecord, asking: readonly JobRecord[]): boolean {
  if (job.state !== 'queued' || !isFileRun(config, job)) return false;
  const ofRule = config.rules.find(({ name }) => name === job.rule)?.maxLoad ?? Number.POSITIVE_INFINITY;
  return (
    asking.length >= Math.max(1, config.concurrency.maxConcurrentFiles - 1) ||
    asking.filter(({ rule }) => rule === job.rule).length >= ofRule
  );
}

async function whoAsks({ ledger, workflows }: Needed, job: JobRecord): Promise<JobRecord | undefined> {
  const [run] = await ledger.runs.ofJob(job.id);
  if (!run || !workflows.isStill(run.id)) return undefined;
  return workflows.isIdle(run.id) ? asAsking(ledger, job, run) : asStill(ledger, job, run);
}

async function asAsking(ledger: Needed['ledger'], job: JobRecord, { id }: RunRecord): Promise<JobRecord> {
  const steps = await ledger.runs.steps(id);
  const waiting = steps.find(({ state }) => state === 'waiting');
  const isApproval = waiting !== undefined && waiting.jobId === undefined && waiting.subRunId === undefined;
  const said = waiting?.message === undefined ? '' : `: ${waiting.message}`;
  return {
    ...job,
    ...{ state: 'waiting', reason: 'approval' },
    message: `run ${id} waits for a person${said}`,
    fix: isApproval
      ? `Answer with \`sluice workflow approve ${id}\`, or \`reject\`.`
      : `Look at it with \`sluice workflow show ${id}\`.`,
  };
}

async function asStill(ledger: Needed['ledger'], job: JobRecord, { id }: RunRecord): Promise<JobRecord> {
  const step = await waitingStep(ledger, id);
  const why = step?.message ?? step?.reason ?? 'for something that may not come soon';
  return {
    ...job,
    state: 'waiting',
    ...(step?.reason !== undefined && { reason: step.reason as WaitReason }),
    message: `${step ? `step "${step.id}" of run ${step.runId}` : `run ${id}`} waits: ${why}`,
    fix: step?.fix ?? `Look at it with \`sluice workflow show ${id}\`.`,
  };
}

function asBehind(job: JobRecord): JobRecord {
  return {
    ...job,
    message: 'it comes after files whose runs wait for a person',
    fix: 'Answer those (`sluice workflow list --runs --state waiting`), or raise `concurrency_limits.max_concurrent_files`.',
  };
}
