/**
 * Has the work of a step judged by other agents, and acts on what they decide: goes on, asks its author to mend what
 * blocks it, asks a person, or stops the run.
 */
import { hash } from 'node:crypto';
import { join } from 'node:path';
import type { ReviewStep } from '../../config/workflow.ts';
import { guidanceOf } from '../../reviews/guidance.ts';
import { blockingFindings } from '../../reviews/rounds.ts';
import { readWork } from '../../reviews/work.ts';
import type { JobRecord } from '../../types/job.ts';
import type { ReviewRecord } from '../../types/review.ts';
import { hasEnded } from '../job-watch.ts';
import { Renderer } from '../rendering.ts';
import { readResult } from '../results.ts';
import {
  aborted,
  endOfAborted,
  failed,
  type RunContext,
  stoppable,
  type Unit,
  type UnitEnd,
} from '../unit.ts';

/** More than any `max_rounds`. */
const roundsListed = 500;

export async function runReview(context: RunContext, unit: Unit<ReviewStep>): Promise<UnitEnd> {
  const { deps, run } = context;
  if (unit.signal.aborted) return endOfAborted(unit);
  const first = await workOf(context, unit.step.of);
  if (!first) return failed('need_failed', `step "${unit.step.of}" has left no work to review`);
  if (!unit.row) await context.put(unit, { state: 'running' });
  const { prompt } = unit.step;
  const lookFor =
    prompt === undefined ? undefined : await context.prepare(() => new Renderer(context, unit).text(prompt));
  const known = await deps.ledger.reviews.list({ sessionId: run.id, limit: roundsListed });
  let round = 1 + known.filter(({ name, isRevised }) => name === unit.id && isRevised === true).length;
  let job = round === 1 ? first : await revised(context, unit, first, round);
  for (;;) {
    if (job.state !== 'succeeded' && job.state !== 'cached') return unrevised(job);
    const record = await conduct(context, unit, {
      job,
      round,
      lookFor,
      canRevise: first.step?.work.kind === 'agent',
    });
    if (record === 'aborted') return endOfAborted(unit);
    if (!record.isRevised) return act(context, unit, job, record);
    const guidance = guidanceOf(blockingFindings(record.verdicts), round);
    round += 1;
    job = await revise(context, unit, first, round, guidance);
  }
}

async function conduct(
  { deps, run, priority, stopping }: RunContext,
  unit: Unit<ReviewStep>,
  o: {
    readonly job: JobRecord;
    readonly round: number;
    readonly lookFor: string | undefined;
    readonly canRevise: boolean;
  },
): Promise<ReviewRecord | 'aborted'> {
  const { job, round, lookFor, canRevise } = o;
  const { step } = unit;
  const ending = AbortSignal.any([unit.signal, stopping]);
  try {
    const found = await deps.jobs.resultOf(job);
    const task = job.step?.work.kind === 'agent' ? (job.step.work.prompt ?? '') : '';
    const work = await readWork(
      {
        title: `step "${step.of}" of workflow "${run.workflow}" by ${job.agent}`,
        task,
        ...(found?.file !== undefined && { resultFile: found.file }),
        ...(found?.outputsDir !== undefined && { outputsDir: found.outputsDir }),
        outputs: job.outputs,
        changes: deps.changesOf(job.agent),
      },
      ending,
    );
    return await stoppable(
      deps.reviews.conduct(
        {
          subject: { kind: 'step', runId: run.id, workflow: run.workflow, step: step.of, jobId: job.id },
          sessionId: run.id,
          author: job.agent,
          trigger: 'step',
          name: unit.id,
          ...{ round, work, canRevise, priority },
          ...(lookFor !== undefined && { lookFor }),
          config: step.reviews,
          artifactsDir: join(deps.publish.folder(run), 'reviews'),
          depth: run.depth,
        },
        ending,
      ),
      stopping,
    );
  } catch (error) {
    if (unit.signal.aborted) return 'aborted';
    throw error;
  }
}

async function act(
  context: RunContext,
  unit: Unit<ReviewStep>,
  job: JobRecord,
  record: ReviewRecord,
): Promise<UnitEnd> {
  const { decision = 'pause', why = '' } = record;
  const text = (await readResult(context.deps.jobs, job)).text ?? '';
  const end: UnitEnd = {
    state: 'succeeded',
    result: text,
    resultBytes: Buffer.byteLength(text),
    outputs: {
      decision,
      why,
      rounds: record.round,
      verdicts: record.verdicts.map(({ agent, verdict, summary, findings }) => ({
        agent,
        verdict,
        summary,
        findings,
      })),
    },
  };
  switch (decision) {
    case 'continue':
      return end;
    case 'warn':
      context.deps.log.warn({ run: context.run.id, step: unit.id }, `review with a warning: ${why}`);
      return { ...end, message: why };
    case 'stop':
      return {
        ...end,
        ...failed(
          'review_stopped',
          why,
          `Look at \`reviews/\` of the run; then mend it and \`sluice workflow resume ${context.run.id}\`.`,
        ),
      };
    case 'pause':
      return ask(context, unit, why, end);
    default:
      return decision satisfies never;
  }
}

/** A person says whether it goes on. */
async function ask(context: RunContext, unit: Unit<ReviewStep>, why: string, end: UnitEnd): Promise<UnitEnd> {
  const { deps, run } = context;
  const answered = context.answer(unit);
  await context.put(unit, { state: 'waiting', message: why });
  const subject = `run ${run.id}: ${unit.id}`;
  deps.conditions.raise({
    code: 'REVIEW_ASKS',
    subject,
    message: `run ${run.id} of "${run.workflow}": ${deps.redact(why)}`,
    fix: `\`sluice workflow approve ${run.id}\` accepts the work, \`reject\` fails the step; \`show\` says what was found.`,
  });
  context.setBlocked(unit, true);
  const first = await Promise.race([answered, aborted(unit)]);
  context.setBlocked(unit, false);
  // What still waits when the process ends is not over: nobody is told so.
  if (!context.stopping.aborted) deps.conditions.clear('REVIEW_ASKS', subject);
  if (first === 'aborted') return endOfAborted(unit);
  const { verdict, by, comment } = first;
  const said = comment === undefined ? '' : `: ${comment}`;
  if (verdict === 'approved') return { ...end, answer: first, message: `${why}; accepted by ${by}${said}` };
  return { ...end, ...failed('rejected', `${why}; rejected by ${by}${said}`), answer: first };
}

/** The job whose work it is: that of the step, at its last end. */
async function workOf({ deps, run }: RunContext, of: string): Promise<JobRecord | undefined> {
  const rows = await deps.ledger.runs.steps(run.id);
  const row = rows.find(({ id }) => id === of);
  return row?.jobId === undefined ? undefined : deps.ledger.jobs.get(row.jobId);
}

/** The author does its work again, and heeds what was found. */
async function revise(
  context: RunContext,
  unit: Unit<ReviewStep>,
  { step: task, agent }: JobRecord,
  round: number,
  guidance: string,
): Promise<JobRecord> {
  const { deps, run, priority } = context;
  if (task?.work.kind !== 'agent') throw new TypeError(`step "${unit.step.of}" cannot be asked again`);
  const prompt = `${task.work.prompt ?? ''}\n\n${guidance}`;
  const id = revisionId(run.id, unit.id, round);
  const job = await deps.jobs.submit(
    {
      ...task,
      step: `${unit.step.of}.round-${round}`,
      work: { kind: 'agent', agents: [agent], prompt },
      isShared: false,
    },
    { id, priority, force: false, depth: run.depth },
  );
  return ended(context, unit, job);
}

/** After a restart: the revision that was under way, or its end. */
async function revised(
  context: RunContext,
  unit: Unit<ReviewStep>,
  first: JobRecord,
  round: number,
): Promise<JobRecord> {
  const known = await context.deps.ledger.jobs.get(revisionId(context.run.id, unit.id, round));
  if (known) return ended(context, unit, known);
  const rounds = await context.deps.ledger.reviews.list({ sessionId: context.run.id, limit: roundsListed });
  const last = rounds.find((one) => one.name === unit.id && one.round === round - 1);
  return revise(context, unit, first, round, guidanceOf(blockingFindings(last?.verdicts ?? []), round - 1));
}

async function ended(context: RunContext, unit: Unit<ReviewStep>, job: JobRecord): Promise<JobRecord> {
  if (hasEnded(job)) return job;
  const { promise, resolve } = Promise.withResolvers<JobRecord>();
  const unwatch = context.watch.add(job.id, (event) => {
    context.setBlocked(unit, event.type === 'held');
    if (event.type === 'ended') resolve(event.job);
  });
  try {
    // It may have ended while nobody listened yet.
    const now = await context.deps.ledger.jobs.get(job.id);
    if (now && hasEnded(now)) return now;
    const first = await Promise.race([promise, aborted(unit)]);
    if (first !== 'aborted') return first;
    await context.deps.jobs.cancel(job.id, endOfAborted(unit).message ?? 'cancelled');
    return await stoppable(promise, context.stopping);
  } finally {
    unwatch();
  }
}

function unrevised({ reason, message, fix }: JobRecord): UnitEnd {
  return failed(reason ?? 'cancelled', `its author could not mend it: ${message ?? ''}`, fix);
}

/** The same after a restart: nothing is done twice. */
function revisionId(run: string, step: string, round: number): string {
  return hash('sha256', `${run}\n${step}\n${round}`, 'hex').slice(0, 16);
}
