/**
 * Steps that are jobs: `custom_command`, `agent`, `http`. The row with the job's id is written before the job is put in
 * the queue; after a restart the job is looked up by it, and only one that is not there is submitted (again).
 */
import type { AgentStep, CommandStep, HttpStep } from '../../config/workflow.ts';
import { renderValue } from '../../expressions/expressions.ts';
import type { JobRecord } from '../../types/job.ts';
import type { StepTask } from '../../types/step-task.ts';
import { hasEnded, type JobEvent } from '../job-watch.ts';
import { Renderer } from '../rendering.ts';
import { impliedOutputs, READABLE_BYTES, readLongResult, readResult, tooLong } from '../results.ts';
import { newJobId } from '../run-id.ts';
import { lookNowAndThen } from '../silent-waits.ts';
import {
  aborted,
  endOfAborted,
  failed,
  type RunContext,
  stoppable,
  type Unit,
  type UnitEnd,
} from '../unit.ts';

export type JobStep = CommandStep | AgentStep | HttpStep;

/** What the type of step adds to its task. An end: it cannot be done. */
export type Work =
  | (Pick<StepTask, 'work' | 'isShared'> & Partial<Pick<StepTask, 'file' | 'inputsSha256'>>)
  | { readonly end: UnitEnd };

export async function runJob<S extends JobStep>(
  context: RunContext,
  unit: Unit<S>,
  workOf: (render: Renderer) => Promise<Work>,
): Promise<UnitEnd> {
  const { deps } = context;
  const jobId = unit.row?.jobId ?? newJobId();
  const { promise: ended, resolve } = Promise.withResolvers<JobRecord>();
  let told = '';
  const see = (what: Exclude<JobEvent['type'], 'ended'>, job: JobRecord): void => {
    told = what;
    follow(context, unit, what, job);
  };
  const unwatch = context.watch.add(jobId, (event) => {
    if (event.type !== 'ended') return see(event.type, event.job);
    context.setBlocked(unit, false);
    resolve(event.job);
  });
  using _ = lookNowAndThen(async () => {
    const now = told === 'waiting' ? undefined : await deps.ledger.jobs.get(jobId);
    if (now?.state === 'waiting' && told !== 'waiting') see('waiting', now);
    return told === 'waiting';
  });
  try {
    let job = unit.row?.jobId === undefined ? undefined : await deps.ledger.jobs.get(jobId);
    if (!job) {
      if (unit.signal.aborted) return endOfAborted(unit);
      await context.put(unit, { state: 'running', jobId });
      const task = await context.prepare(() => taskOf(context, unit, workOf));
      if ('end' in task) return task.end;
      if (unit.signal.aborted) return endOfAborted(unit);
      job = await deps.jobs.submit(task, {
        id: jobId,
        priority: context.priority,
        force: context.force,
        depth: context.run.depth,
        ...(context.run.trigger.kind === 'file' && { parent: context.run.trigger.jobId }),
      });
    } else if (job.state === 'waiting' || job.state === 'held') see(job.state, job);
    if (!hasEnded(job)) job = await endOrAbort(context, unit, ended, job);
    return await endOf(context, unit, job);
  } finally {
    unwatch();
  }
}

/** Aborted: the job is cancelled, and ended before the unit is. */
async function endOrAbort(
  { deps, stopping }: RunContext,
  unit: Unit,
  ended: Promise<JobRecord>,
  { id }: JobRecord,
): Promise<JobRecord> {
  const first = await Promise.race([ended, aborted(unit)]);
  if (first !== 'aborted') return first;
  const { message } = endOfAborted(unit);
  await deps.jobs.cancel(id, message ?? 'cancelled');
  // It may have ended while nobody listened yet.
  const job = await deps.ledger.jobs.get(id);
  return job && hasEnded(job) ? job : stoppable(ended, stopping);
}

/** The row says so when the job waits; one that cannot be written now says so the next time. */
function follow(
  context: RunContext,
  unit: Unit,
  now: Exclude<JobEvent['type'], 'ended'>,
  { reason, message, fix, notBefore }: JobRecord,
): void {
  const isWaiting = now !== 'started';
  context.setBlocked(unit, now === 'held' || (isWaiting && reason === 'approval'));
  context
    .put(unit, {
      state: isWaiting ? 'waiting' : 'running',
      ...(isWaiting && reason !== undefined && { reason }),
      ...(isWaiting && message !== undefined && { message }),
      ...(isWaiting && fix !== undefined && { fix }),
      ...(isWaiting && notBefore !== undefined && { waitUntil: notBefore }),
    })
    .catch(() => {});
}

async function taskOf<S extends JobStep>(
  context: RunContext,
  unit: Unit<S>,
  workOf: (render: Renderer) => Promise<Work>,
): Promise<StepTask | { readonly end: UnitEnd }> {
  const { step, id } = unit;
  const { run, definition } = context;
  const render = new Renderer(context, unit);
  const work = await workOf(render);
  if ('end' in work) return work;
  return {
    runId: run.id,
    workflow: run.workflow,
    step: id,
    ...work,
    expect: step.expect,
    ...(step.timeoutMs !== undefined && { timeoutMs: step.timeoutMs }),
    ...(step.retry && { retry: step.retry }),
    env: await render.env([...definition.env, ...step.env]),
  };
}

async function endOf(context: RunContext, unit: Unit<JobStep>, job: JobRecord): Promise<UnitEnd> {
  const { state, reason, message, fix, cachedFrom } = job;
  const said = {
    ...(reason !== undefined && { reason }),
    ...(message !== undefined && { message }),
    ...(fix !== undefined && { fix }),
  };
  switch (state) {
    case 'succeeded':
    case 'cached': {
      const { text, bytes } = await readResult(context.deps.jobs, job);
      const outputs = await outputsOf(context, unit, job, text, bytes);
      return {
        state,
        resultBytes: bytes,
        ...(text !== undefined && { result: text }),
        ...(outputs && { outputs }),
        // What succeeds has nothing to say but what its review was concerned about.
        ...(message !== undefined && { reason: 'review_warning', message }),
        ...(cachedFrom !== undefined && { cachedFrom }),
      };
    }
    case 'failed': {
      const { text, bytes } = await readResult(context.deps.jobs, job);
      return { state, ...said, resultBytes: bytes, ...(text !== undefined && { result: text }) };
    }
    case 'cancelled':
      if (unit.signal.aborted) return endOfAborted(unit);
      return { state, reason: reason ?? 'cancelled', message: message ?? 'its job was cancelled' };
    case 'superseded':
      return failed('superseded', 'its file was changed while it was worked on', 'Start the run again.');
    case 'queued':
    case 'running':
    case 'waiting':
    case 'held':
      throw new TypeError(`job ${job.id} was told as ended and is ${state}`);
    default:
      return state satisfies never;
  }
}

async function outputsOf(
  context: RunContext,
  unit: Unit<JobStep>,
  job: JobRecord,
  text: string | undefined,
  bytes: number,
): Promise<Readonly<Record<string, unknown>> | undefined> {
  const declared = Object.entries(unit.step.outputs);
  if (declared.length === 0) return impliedOutputs(text);
  const { scope } = context;
  const templates = declared.map(([, template]) => scope.template(template));
  const result = text ?? (bytes === 0 ? '' : await longResult(context, unit, job, bytes));
  const seen = await new Renderer(context, unit, { result }).scopeOf(templates);
  const outputs: Record<string, unknown> = {};
  for (const [at, [name]] of declared.entries())
    outputs[name] = await renderValue(templates[at] as (typeof templates)[number], seen);
  return outputs;
}

async function longResult(
  { deps }: RunContext,
  { id }: Unit,
  job: JobRecord,
  bytes: number,
): Promise<string | null> {
  if (bytes > READABLE_BYTES) throw tooLong(id, bytes);
  return readLongResult(deps.jobs, job, id);
}
