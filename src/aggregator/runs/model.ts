/** Facts of a run → its report, as data. Pure. Texts are cut where there is much: the whole stands in the steps' folders. */

import { roundFile } from '../../reviews/round-name.ts';
import type { JobRecord } from '../../types/job.ts';
import type { ReviewFinding, ReviewRecord } from '../../types/review.ts';
import type { RunRecord, StepRecord, StepState } from '../../types/run.ts';
import { folderHref } from '../overview/html.ts';
import { resultPlace, reviewsName } from '../places.ts';
import { leavesFiles } from '../publish.ts';
import { rfc3339, toReceipt } from '../receipt.ts';
import { shownName } from '../shown-name.ts';
import type { FileShown, ItemShown, RunFacts, StepFacts } from './facts.ts';
import { belowRun, reportNames, runPlace } from './places.ts';
import type {
  ReportFile,
  ReportItem,
  ReportReview,
  ReportStep,
  ReportStepState,
  ReportTrigger,
  RunReport,
} from './report.ts';

/** Of all result texts together, about; each may have at least `leastText`. */
const allText = 4 * 1024 * 1024;
const leastText = 500;
const mostText = 64 * 1024;
const maxMessage = 4_000;
/** Of a value in inputs and outputs, as JSON. */
const maxValue = 16 * 1024;
const maxLabel = 120;
/** Attempts and files of one step that are listed. */
const maxListed = 100;
/** Findings of one verdict, and what of each of their texts is told. */
const maxFindings = 20;
const maxFinding = 1_000;
/** From the report's folder up to the output folder. */
const up = '../../../';

/**
 * @param dir The output folder: its length decides where results with long names stand.
 */
export function runReport(facts: RunFacts, dir: string): RunReport {
  const { run, steps, spent } = facts;
  const maxText = Math.min(mostText, Math.max(leastText, Math.floor(allText / Math.max(1, steps.length))));
  const reported = steps.map((step) => reportStep(step, { run, maxText, dir }));
  const counts: Partial<Record<ReportStepState, number>> = {};
  // Steps that run only when the run fails are not missed where it did not.
  for (const { state, on_failure } of reported)
    if (!(on_failure && state === 'pending')) counts[state] = (counts[state] ?? 0) + 1;
  const { usage, costUsd, jobs, attempts } = spent;
  return {
    schema: 1,
    run_id: run.id,
    workflow: run.workflow,
    ...(facts.definition?.description !== undefined && {
      description: cut(facts.definition.description, maxMessage),
    }),
    state: run.state,
    ...problemOf(run),
    created_at: rfc3339(run.createdAt),
    ...timesOf(run),
    generated_at: rfc3339(facts.now),
    trigger: triggerOf(facts, dir),
    inputs: bounded(run.inputs),
    ...(run.outputs !== undefined && { outputs: bounded(run.outputs) }),
    warnings: run.warnings.slice(0, maxListed).map((text) => cut(text, maxMessage)),
    counts,
    steps_total: reported.length,
    steps: reported,
    ...(usage !== undefined && { usage }),
    cost_usd: costUsd,
    jobs,
    attempts,
    sub_runs: facts.subRuns,
  };
}

interface Around {
  readonly run: RunRecord;
  readonly maxText: number;
  readonly dir: string;
}

function reportStep(step: StepFacts, { run, maxText, dir }: Around): ReportStep {
  const { record, job, config, spent, source, subRun } = step;
  const type = config?.type ?? 'step';
  const needs = config?.needs;
  const attempts = job === undefined ? [] : toReceipt(job).attempts.slice(-maxListed);
  const cachedFrom = record?.cachedFrom ?? job?.cachedFrom;
  const hasFolder =
    (job !== undefined && leavesFiles(job)) ||
    step.items?.shown.some(({ record }) => record.jobId !== undefined) ||
    (type === 'report' && record?.state === 'succeeded');
  return {
    name: step.name,
    type,
    ...(step.onFailure && { on_failure: true as const }),
    ...(needs !== undefined && { needs }),
    ...(config?.if !== undefined && { condition: config.if }),
    ...(config?.continueOnError && { continue_on_error: true as const }),
    state: record?.state ?? 'pending',
    ...(record !== undefined && problemOf(record)),
    ...(record !== undefined && timesOf(record)),
    ...agentOf(step),
    ...(record?.jobId !== undefined && { job_id: record.jobId }),
    attempts,
    ...resultOf(record, maxText),
    outputs: bounded(record?.outputs ?? {}),
    ...(spent?.usage !== undefined && { usage: spent.usage }),
    cost_usd: spent?.costUsd ?? null,
    ...(cachedFrom !== undefined && { cached_from: cachedFrom }),
    ...(source !== undefined && { saved: savedBy(source) }),
    ...(hasFolder && { href: folderHref(belowRun(step.name)) }),
    ...filesMade(step),
    ...(step.items !== undefined && {
      items: {
        total: step.items.total,
        counts: step.items.counts,
        shown: step.items.shown.map((item) => reportItem(item, type)),
        ...(step.items.load !== undefined && { load: step.items.load }),
      },
    }),
    ...(step.files !== undefined && {
      files: {
        counts: step.files.counts,
        total: step.files.total,
        shown: step.files.shown.map((file) => reportFile(file, dir)),
      },
    }),
    ...(subRun !== undefined && { sub_run: subRunOf(subRun) }),
    ...(record !== undefined && isAsked(type, record) && { approval: approvalOf(record, run.id) }),
    ...(step.tails.length > 0 && { tails: step.tails }),
    ...(step.reviews && { reviews: step.reviews.slice(-maxListed).map((one) => reportReview(one, step)) }),
  };
}

function reportReview(review: ReviewRecord, { name: step, job }: StepFacts): ReportReview {
  const { round, trigger, decision, why, isRevised, startedAt, endedAt, subject, verdicts } = review;
  // Where nothing was decided there are none. Of a job's own reviews they stand beside its result, once there is one.
  const hasFiles =
    decision !== undefined && (subject.kind === 'step' || (job !== undefined && leavesFiles(job)));
  const folder = folderHref(subject.kind === 'step' ? ['reviews'] : [...belowRun(step), reviewsName]);
  return {
    ...{ round, trigger },
    ...(decision !== undefined && { decision }),
    ...(why !== undefined && { why: cut(why, maxMessage) }),
    ...(isRevised && { is_revised: true as const }),
    started_at: rfc3339(startedAt),
    ...(endedAt !== undefined && { ended_at: rfc3339(endedAt) }),
    job_id: subject.jobId,
    verdicts: verdicts.map(({ agent, weight, verdict, summary, findings, jobId, costUsd }) => ({
      ...{ agent, weight, verdict, summary: cut(summary, maxMessage) },
      findings: findings.slice(0, maxFindings).map(boundedFinding),
      findings_total: findings.length,
      ...(jobId !== undefined && { job_id: jobId }),
      cost_usd: costUsd,
    })),
    ...(hasFiles && { href: `${folder}${encodeURIComponent(roundFile(review, 'md'))}` }),
  };
}

function boundedFinding({ severity, text, place, evidence }: ReviewFinding): ReviewFinding {
  return {
    ...{ severity, text: cut(text, maxFinding) },
    ...(place !== undefined && { place }),
    ...(evidence !== undefined && { evidence: cut(evidence, maxFinding) }),
  };
}

/** Of a job its outputs; of a report step what it wrote. */
function filesMade({
  name,
  job,
  config,
  record,
}: StepFacts): Pick<ReportStep, 'files_made' | 'files_made_total'> {
  const files = job !== undefined && leavesFiles(job) ? job.outputs : [];
  if (files.length > 0)
    return {
      files_made: files.slice(0, maxListed).map(({ path, bytes }) => ({ path, bytes })),
      files_made_total: files.length,
    };
  const { file, bytes } = (record?.outputs ?? {}) as { file?: unknown; bytes?: unknown };
  if (config?.type !== 'report' || typeof file !== 'string') return {};
  const folder = `/${[...belowRun(name), 'outputs'].join('/')}/`;
  const at = file.lastIndexOf(folder);
  if (at === -1) return {};
  const path = file.slice(at + folder.length);
  return { files_made: [{ path, bytes: Number(bytes) || 0 }], files_made_total: 1 };
}

/** Its job's, or the one who has the jobs of all its items that are shown; agents of our own have no name for people. */
function agentOf({ job, items }: StepFacts): Pick<ReportStep, 'agent'> {
  const agents = new Set([job?.agent, ...(items?.shown ?? []).map((item) => item.agent)]);
  const [agent, ...others] = [...agents].filter((name) => name !== undefined);
  return agent === undefined || others.length > 0 || agent.startsWith('$') ? {} : { agent };
}

function reportItem({ record, tails, subRun }: ItemShown, type: string): ReportItem {
  const { index = 0, item, jobId, state } = record;
  const isOurs = type === 'report' && state === 'succeeded';
  const left =
    isOurs || (jobId !== undefined && (['succeeded', 'cached', 'failed'] as StepState[]).includes(state));
  const href = subRun !== undefined ? runHref(subRun) : left ? folderHref(belowRun(record.id)) : undefined;
  return {
    index,
    label: cut(labelOf(item, record.id), maxLabel),
    state,
    ...problemOf(record),
    ...timesOf(record),
    ...(record.cachedFrom !== undefined && { cached_from: record.cachedFrom }),
    ...(href !== undefined && { href }),
    ...(tails.length > 0 && { tails }),
  };
}

/** What a person would call an item: its text, its path or name, else the JSON of it. */
function labelOf(item: unknown, id: string): string {
  if (item === undefined || item === null) return id;
  if (typeof item === 'string') return item;
  if (typeof item === 'object')
    for (const key of ['rel', 'path', 'name', 'id', 'title']) {
      const value = (item as Record<string, unknown>)[key];
      if (typeof value === 'string' && value !== '') return value;
    }
  return JSON.stringify(item);
}

function reportFile({ job, tails }: FileShown, dir: string): ReportFile {
  const { root, path } = job.input;
  return {
    root,
    path,
    job_id: job.id,
    state: job.state,
    ...problemOf(job),
    agent: job.agent,
    ...durationOf(job),
    cost_usd: job.costUsd,
    ...(job.cachedFrom !== undefined && { cached_from: job.cachedFrom }),
    ...(leavesFiles(job) && { href: `${up}${folderHref(resultPlace(dir, root, path))}` }),
    ...(tails.length > 0 && { tails }),
  };
}

function triggerOf({ run, caller }: RunFacts, dir: string): ReportTrigger {
  const { trigger } = run;
  switch (trigger.kind) {
    case 'manual':
      return { kind: 'manual', who: trigger.who };
    case 'schedule':
      return { kind: 'schedule', schedule: trigger.schedule, due_at: rfc3339(trigger.dueAt) };
    case 'workflow':
      return {
        kind: 'workflow',
        run_id: trigger.runId,
        step: trigger.step,
        ...(caller !== undefined && { workflow: caller.workflow, href: runHref(caller) }),
      };
    case 'file': {
      const { root, path } = trigger.file;
      const href = `${up}${folderHref(resultPlace(dir, root, path))}`;
      // Its own job ends after the run: before that nothing of this version stands there.
      return { kind: 'file', job_id: trigger.jobId, root, path, ...(run.endedAt !== undefined && { href }) };
    }
  }
}

/** An approval, a review that asks a person, or a step that called a run in which there is one that waits. */
function isAsked(type: string, { state, reason, subRunId, answer }: StepRecord): boolean {
  // Of a review that nobody had to decide there is nothing to tell.
  if (type === 'review') return answer !== undefined || state === 'waiting';
  return type === 'approval' || (subRunId !== undefined && state === 'waiting' && reason === 'approval');
}

function approvalOf(record: StepRecord, runId: string): NonNullable<ReportStep['approval']> {
  const { waitUntil, answer, endedAt } = record;
  return {
    ...(waitUntil !== undefined && { wait_until: rfc3339(waitUntil) }),
    ...(answer !== undefined && { verdict: answer.verdict, by: answer.by }),
    ...(answer?.comment !== undefined && { comment: cut(answer.comment, maxMessage) }),
    ...(endedAt !== undefined && { at: rfc3339(endedAt) }),
    ...(record.state === 'waiting' && { ask: `sluice workflow approve ${runId} ${quoted(record.name)}` }),
  };
}

/** As a shell reads it. */
function quoted(name: string): string {
  return /^[\w.-]+$/.test(name) ? name : `'${name.replaceAll("'", "'\\''")}'`;
}

/** What did not have to be done again. */
function savedBy(source: JobRecord): NonNullable<ReportStep['saved']> {
  return {
    ...(source.endedAt !== undefined && { made_at: rfc3339(source.endedAt) }),
    ...durationOf(source),
    cost_usd: source.costUsd,
  };
}

function subRunOf(run: RunRecord): NonNullable<ReportStep['sub_run']> {
  return { run_id: run.id, workflow: run.workflow, state: run.state, href: runHref(run) };
}

function runHref(run: RunRecord): string {
  return `${up}${folderHref(runPlace(run))}${reportNames.html}`;
}

function resultOf(
  record: StepRecord | undefined,
  maxText: number,
): Pick<ReportStep, 'result' | 'result_bytes'> {
  const { result, resultBytes } = record ?? {};
  if (result === undefined)
    return { result: null, ...(resultBytes !== undefined && { result_bytes: resultBytes }) };
  return { result: cut(result, maxText), result_bytes: resultBytes ?? Buffer.byteLength(result) };
}

function problemOf(one: { reason?: string; message?: string; fix?: string }): {
  reason?: string;
  message?: string;
  fix?: string;
} {
  return {
    ...(one.reason !== undefined && { reason: one.reason }),
    ...(one.message !== undefined && { message: cut(one.message, maxMessage) }),
    ...(one.fix !== undefined && { fix: cut(one.fix, maxMessage) }),
  };
}

type Timed = { readonly startedAt?: number; readonly endedAt?: number };

function timesOf(one: Timed): { started_at?: string; ended_at?: string; duration_ms?: number } {
  return {
    ...(one.startedAt !== undefined && { started_at: rfc3339(one.startedAt) }),
    ...(one.endedAt !== undefined && { ended_at: rfc3339(one.endedAt) }),
    ...durationOf(one),
  };
}

function durationOf({ startedAt, endedAt }: Timed): { duration_ms?: number } {
  if (startedAt === undefined || endedAt === undefined) return {};
  return { duration_ms: Math.max(0, Math.round(endedAt - startedAt)) };
}

/** Values that are small stay as they are; a large one is told by its beginning. */
function bounded(values: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const entries = Object.entries(values).slice(0, maxListed);
  return Object.fromEntries(
    entries.map(([name, value]) => {
      const text = JSON.stringify(value);
      return [
        name,
        text === undefined || text.length <= maxValue
          ? value
          : cut(typeof value === 'string' ? value : text, maxValue),
      ];
    }),
  );
}

export function cut(text: string, max: number): string {
  return text.length > max ? `${text.slice(0, max).toWellFormed()} …` : text;
}

/** `inbox/a/b.txt`, as people should see it. */
export function shownFile(file: { readonly root: string; readonly path: string }): string {
  return shownName(`${file.root}/${file.path}`);
}
