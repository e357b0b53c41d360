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
import { aboutStep, type ReviewRecord } from '../../types/review.ts';
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

/** Rounds about the same step that are looked through: those of other `review` steps are among them. */
const roundsListed = 1_000;

/** What is asked for: whose work, and since when. A run that is resumed has it reviewed anew. */
interface Inquiry {
  /** The job of the step; revisions do its task again. */
  readonly author: JobRecord;
  readonly lookFor: string | undefined;
  /** Epoch milliseconds. */
  readonly since: number;
}

export async function runReview(context: RunContext, unit: Unit<ReviewStep>): Promise<UnitEnd> {
  if (unit.signal.aborted) return endEarly(context, unit);
  const author = await authorOf(context, unit.step.of);
  if (!author || !isDone(author))
    return failed('need_failed', `step "${unit.step.of}" has left no work to review`);
  if (!unit.row) await context.put(unit, { state: 'running' });
  const { prompt } = unit.step;
  const lookFor =
    prompt === undefined ? undefined : await context.prepare(() => new Renderer(context, unit).text(prompt));
  const inquiry: Inquiry = { author, lookFor, since: context.startedAt(unit) };
  const rounds = await roundsOf(context, unit);
  let round = 1 + rounds.filter((one) => isOf(inquiry, one) && one.isRevised).length;
  let job =
    round === 1 ? await latestWork(context, author, rounds) : await revised(context, unit, inquiry, round);
  for (;;) {
    if (!isDone(job)) return unit.signal.aborted ? endEarly(context, unit) : unrevised(job);
    const record = await conduct(context, unit, inquiry, job, round);
    if (record === 'aborted') return endEarly(context, unit);
    if (!record.isRevised) return act(context, unit, job, record);
    round += 1;
    job = await revise(context, unit, inquiry, round, record);
  }
}

/** Who is asked need not answer any more; the process alone that ends leaves the review open. */
async function endEarly(context: RunContext, unit: Unit<ReviewStep>): Promise<UnitEnd> {
  const end = endOfAborted(unit);
  const { deps, run } = context;
  await deps.reviews.letGo(run.id, ({ subject, name }) => subject.kind === 'step' && name === unit.id);
  return end;
}

function isDone({ state }: JobRecord): boolean {
  return state === 'succeeded' || state === 'cached';
}

/** Newest first. */
async function roundsOf(
  { deps, run }: RunContext,
  { id, step }: Unit<ReviewStep>,
): Promise<readonly ReviewRecord[]> {
  const all = await deps.ledger.reviews.list({ about: aboutStep(run.id, step.of), limit: roundsListed });
  return all.filter(({ name }) => name === id);
}

function isOf({ since }: Inquiry, { startedAt }: ReviewRecord): boolean {
  return startedAt >= since;
}

/** What was revised before the run was resumed need not be revised again. */
async function latestWork(
  { deps }: RunContext,
  author: JobRecord,
  rounds: readonly ReviewRecord[],
): Promise<JobRecord> {
  const last = rounds.find(({ startedAt }) => startedAt >= (author.endedAt ?? 0));
  const job = last && (await deps.ledger.jobs.get(last.subject.jobId));
  return job && isDone(job) ? job : author;
}

async function conduct(
  { deps, run, priority, stopping }: RunContext,
  unit: Unit<ReviewStep>,
  { author, lookFor, since }: Inquiry,
  job: JobRecord,
  round: number,
): Promise<ReviewRecord | 'aborted'> {
  const { step } = unit;
  const canRevise = author.step?.work.kind === 'agent';
  const ending = AbortSignal.any([unit.signal, stopping]);
  try {
    const found = await deps.jobs.resultOf(job);
    const task = author.step?.work.kind === 'agent' ? (author.step.work.prompt ?? '') : '';
    const work = await readWork(
      {
        title: `step "${step.of}" of workflow "${run.workflow}" by ${job.agent}`,
        task,
        ...(found?.file !== undefined && { resultFile: found.file }),
        ...(found?.outputsDir !== undefined && { outputsDir: found.outputsDir }),
        outputs: job.outputs,
        changes: deps.changesOf(job),
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
          ...{ round, since, work, canRevise, priority },
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
      return { ...end, reason: 'review_warning', message: why };
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
  await context.put(unit, { state: 'waiting', reason: 'review', message: why });
  const subject = `run ${run.id}: ${unit.id}`;
  deps.conditions.raise({
    code: 'REVIEW_ASKS',
    subject,
    message: `run ${run.id} of "${run.workflow}": ${deps.redact(why)}`,
    fix: `\`sluice workflow approve ${run.id}\` accepts the work, \`reject\` fails the step; what was found stands in ${join(deps.publish.folder(run), 'reviews')}.`,
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

/** The job of the step, at its last end. */
async function authorOf({ deps, run }: RunContext, of: string): Promise<JobRecord | undefined> {
  const rows = await deps.ledger.runs.steps(run.id, { withResults: false });
  const row = rows.find(({ id }) => id === of);
  return row?.jobId === undefined ? undefined : deps.ledger.jobs.get(row.jobId);
}

/** The author does its work again, and heeds what was found in the round before. */
async function revise(
  context: RunContext,
  unit: Unit<ReviewStep>,
  { author: { step: task, agent }, since }: Inquiry,
  round: number,
  before: ReviewRecord,
): Promise<JobRecord> {
  const { deps, run, priority } = context;
  if (task?.work.kind !== 'agent') throw new TypeError(`step "${unit.step.of}" cannot be asked again`);
  const earlier = await deps.ledger.jobs.get(before.subject.jobId);
  const { text } = earlier ? await readResult(deps.jobs, earlier) : {};
  const guidance = guidanceOf(blockingFindings(before.verdicts), before.round, text);
  const job = await deps.jobs.submit(
    {
      ...task,
      step: `${unit.step.of}.round-${round}`,
      work: { kind: 'agent', agents: [agent], prompt: `${task.work.prompt ?? ''}\n\n${guidance}` },
      isShared: false,
    },
    { id: revisionId(run.id, unit.id, since, round), priority, force: false, depth: run.depth },
  );
  return ended(context, unit, job);
}

/** After a restart: the revision that was under way, or its end. */
async function revised(
  context: RunContext,
  unit: Unit<ReviewStep>,
  inquiry: Inquiry,
  round: number,
): Promise<JobRecord> {
  const id = revisionId(context.run.id, unit.id, inquiry.since, round);
  const known = await context.deps.ledger.jobs.get(id);
  if (known) return ended(context, unit, known);
  const rounds = await roundsOf(context, unit);
  const before = rounds.find((one) => isOf(inquiry, one) && one.round === round - 1);
  if (!before) throw new TypeError(`round ${round - 1} of the review "${unit.id}" is gone`);
  return revise(context, unit, inquiry, round, before);
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
function revisionId(run: string, step: string, since: number, round: number): string {
  return hash('sha256', `${run}\n${step}\n${since}\n${round}`, 'hex').slice(0, 16);
}
