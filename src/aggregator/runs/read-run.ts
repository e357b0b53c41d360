/**
 * Gathers the facts of a run from the ledger. Whatever the size of the run, only so many items and files are read: failed
 * ones are looked for first, the rest are samples, and the totals come from counts that the ledger keeps. Between pages
 * the loop is left to others.
 */
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import type { StepConfig, WorkflowConfig } from '../../config/workflow.ts';
import type { Ledger } from '../../ledger/ledger.ts';
import { finalStates, type JobId, type JobRecord } from '../../types/job.ts';
import { aboutJob, aboutStep, type ReviewRecord } from '../../types/review.ts';
import type { RunId, RunRecord, StepRecord, StepState } from '../../types/run.ts';
import { readTails, type Tail } from '../failure-page.ts';
import type { FileFacts, FileShown, ItemFacts, ItemShown, RunFacts, Spent, StepFacts } from './facts.ts';
import { itemLoad, type Span } from './load.ts';
import { cut } from './model.ts';
import { addSpent, runSpent } from './spent.ts';

export interface RunReader {
  readonly ledger: Pick<Ledger, 'runs' | 'jobs' | 'reviews'>;
  /** `<state>/work`: holds what attempts wrote. */
  readonly workRoot: string;
  readonly redact: (text: string) => string;
  readonly now: () => number;
}

/** Failures that are shown of one step, and others beside them. */
const shown = { failed: 50, others: 50 };
/** Of all steps together: what they wrote last. */
const maxTails = 12;
/** Items whose times are read for the timeline, and whose jobs are added up. */
const itemsRead = 2_000;
/** Steps whose results are read whole; of more the first characters. */
const withResults = 200;
const manyResults = 4_000;
const filesRead = 20_000;
/** Rounds of review, the newest of a step. */
const reviewsRead = 100;
const page = 100;
const failing: readonly StepState[] = ['failed', 'waiting', 'cancelled'];

/** @returns undefined when there is no such run. */
export async function readRun(o: RunReader, id: RunId): Promise<RunFacts | undefined> {
  const run = await o.ledger.runs.get(id);
  return run === undefined ? undefined : new Reading(o, run).facts();
}

class Reading {
  readonly #o: RunReader;
  readonly #run: RunRecord;
  #tails = 0;
  #reads = 0;

  constructor(o: RunReader, run: RunRecord) {
    this.#o = o;
    this.#run = run;
  }

  async facts(): Promise<RunFacts> {
    const { runs } = this.#o.ledger;
    const run = this.#run;
    const definition = asWorkflow(await runs.definition(run.definition));
    const records = new Map((await this.#records()).map((step) => [step.name, step]));
    const planned: { name: string; config?: StepConfig; onFailure: boolean }[] = [
      ...(definition?.steps ?? []).map((config) => ({ name: config.name, config, onFailure: false })),
      ...(definition?.onFailure ?? []).map((config) => ({ name: config.name, config, onFailure: true })),
    ];
    const known = new Set(planned.map(({ name }) => name));
    for (const name of records.keys()) if (!known.has(name)) planned.push({ name, onFailure: false });
    const steps: StepFacts[] = [];
    for (const plan of planned) steps.push(await this.#page(() => this.#step(plan, records.get(plan.name))));
    const caller = run.trigger.kind === 'workflow' ? await runs.get(run.trigger.runId) : undefined;
    const { spent, ...sums } = await runSpent(runs, run.id);
    return {
      run,
      ...(definition !== undefined && { definition }),
      steps,
      spent: { ...spent, jobs: sums.jobs, attempts: sums.attempts },
      subRuns: sums.runs,
      ...(caller !== undefined && { caller }),
      now: this.#o.now(),
    };
  }

  /** Of many steps the results are read one by one, and no more is kept of them than is shown. */
  async #records(): Promise<readonly StepRecord[]> {
    const { runs } = this.#o.ledger;
    const bare = await runs.steps(this.#run.id, { withResults: false });
    if (bare.length <= withResults) return runs.steps(this.#run.id);
    const records: StepRecord[] = [];
    for (const row of bare) {
      const whole = row.resultBytes ? await this.#page(() => runs.step(row.runId, row.id)) : row;
      const { result, ...rest } = whole ?? row;
      records.push({ ...rest, ...(result !== undefined && { result: cut(result, manyResults) }) });
    }
    return records;
  }

  async #step(
    plan: { readonly name: string; readonly config?: StepConfig; readonly onFailure: boolean },
    record: StepRecord | undefined,
  ): Promise<StepFacts> {
    const base: StepFacts = { ...plan, tails: [] };
    if (record === undefined) return base;
    const job = await this.#job(record.jobId);
    const source = await this.#job(record.cachedFrom ?? job?.cachedFrom);
    const { runs } = this.#o.ledger;
    const subRun = record.subRunId === undefined ? undefined : await runs.get(record.subRunId);
    const items = await this.#items(plan, record);
    const files = plan.config?.type === 'file_processing' ? await this.#files(record) : undefined;
    const reviews = await this.#reviewsOf(record, plan.config);
    const asked = plan.config?.type === 'review' ? await this.#askedFor(reviews) : undefined;
    const own =
      job === undefined ? undefined : { ...(job.usage && { usage: job.usage }), costUsd: job.costUsd };
    const spent =
      own ??
      asked ??
      items?.spent ??
      files?.spent ??
      (subRun === undefined ? undefined : (await runSpent(runs, subRun.id)).spent);
    return {
      ...base,
      record: asItsJob(record, job),
      ...(job !== undefined && { job }),
      ...(source !== undefined && { source }),
      ...(subRun !== undefined && { subRun }),
      ...(items !== undefined && { items: items.facts }),
      ...(files !== undefined && { files: files.facts }),
      ...(spent !== undefined && { spent }),
      tails: record.state === 'failed' ? this.#tailsOf(job) : [],
      ...(reviews.length > 0 && { reviews }),
    };
  }

  /** Those that a `review` step has held since it began, or those of the work of a step. */
  async #reviewsOf(
    { id, jobId, startedAt = 0 }: StepRecord,
    config: StepConfig | undefined,
  ): Promise<readonly ReviewRecord[]> {
    const about = async (word: string): Promise<readonly ReviewRecord[]> =>
      (await this.#o.ledger.reviews.list({ about: word, limit: reviewsRead })).toReversed();
    if (config?.type === 'review') {
      const rounds = await about(aboutStep(this.#run.id, config.of));
      return rounds.filter(({ name, startedAt: at }) => name === id && at >= startedAt);
    }
    return jobId === undefined ? [] : about(aboutJob(jobId));
  }

  /** Of a `review` step: what its reviewers used, and the revisions that it asked for. */
  async #askedFor(reviews: readonly ReviewRecord[]): Promise<Spent> {
    const first = reviews[0]?.subject.jobId;
    const revisions = new Set(reviews.map(({ subject }) => subject.jobId).filter((id) => id !== first));
    const reviewers = reviews.flatMap(({ verdicts }) => verdicts.flatMap(({ jobId }) => jobId ?? []));
    let spent: Spent = { costUsd: null };
    for (const id of new Set([...revisions, ...reviewers])) {
      const job = await this.#job(id);
      if (job) spent = addSpent(spent, { ...(job.usage && { usage: job.usage }), costUsd: job.costUsd });
    }
    return spent;
  }

  async #items(
    { name, config }: { readonly name: string; readonly config?: StepConfig },
    record: StepRecord,
  ): Promise<{ facts: ItemFacts; spent?: Spent } | undefined> {
    const { runs } = this.#o.ledger;
    if (config !== undefined ? config.forEach === undefined : record.counts === undefined) return undefined;
    const counts = await runs.itemCounts(this.#run.id, name);
    const begun = Object.values(counts).reduce((sum, n) => sum + n, 0);
    if (begun === 0 && config?.forEach === undefined) return undefined;
    const total = Math.max(begun, record.counts?.total ?? record.counts?.items ?? 0);

    const failures: ItemShown[] = [];
    for (const state of failing) {
      const left = shown.failed - failures.length;
      const indexes = left > 0 && counts[state] ? await runs.itemIndexes(this.#run.id, name, [state]) : [];
      for (const index of indexes.slice(0, left)) {
        const [item] = await this.#page(() => runs.items(this.#run.id, name, index, 1));
        if (item?.index === index) failures.push(await this.#itemShown(item));
      }
    }
    const others: ItemShown[] = [];
    const spans: Span[] = [];
    let spent: Spent | undefined = { costUsd: null };
    const whole = begun <= itemsRead;
    // All of them, or pages that are evenly spread: a fan-out of a hundred thousand looks the same in two thousand.
    const pages = Math.ceil(itemsRead / page);
    for (let n = 0; n < pages; n++) {
      const from = whole ? n * page : Math.floor((n * Math.max(0, begun - page)) / (pages - 1));
      const items = await this.#page(() => runs.items(this.#run.id, name, from, page));
      for (const item of items) {
        const { startedAt, endedAt, state } = item;
        if (startedAt !== undefined)
          spans.push({
            from: startedAt,
            ...(endedAt !== undefined && { to: endedAt }),
            failed: state === 'failed',
          });
        if (n === 0 && others.length < shown.others && !failing.includes(state))
          others.push(await this.#itemShown(item));
        if (whole && spent !== undefined) spent = addSpent(spent, await this.#itemSpent(item));
      }
      if (whole && items.length < page) break;
    }
    if (!whole) spent = undefined;
    const load =
      record.startedAt !== undefined && begun > failures.length + others.length
        ? itemLoad(spans, {
            from: record.startedAt,
            to: record.endedAt ?? this.#o.now(),
            scale: begun / Math.max(1, spans.length),
          })
        : undefined;
    const facts = { total, counts, shown: [...failures, ...others], ...(load !== undefined && { load }) };
    return { facts, ...(spent !== undefined && { spent }) };
  }

  async #itemShown(record: StepRecord): Promise<ItemShown> {
    const subRun = record.subRunId === undefined ? undefined : await this.#o.ledger.runs.get(record.subRunId);
    const { state, jobId } = record;
    const job = await this.#job(jobId);
    const tails = state === 'failed' && this.#tails < maxTails ? this.#tailsOf(job) : [];
    return {
      record: asItsJob(record, job),
      ...(job !== undefined && { agent: job.agent }),
      tails,
      ...(subRun !== undefined && { subRun }),
    };
  }

  async #itemSpent(item: StepRecord): Promise<Spent> {
    if (item.subRunId !== undefined)
      return (await runSpent(this.#o.ledger.runs, item.subRunId, { left: 10 })).spent;
    const job = await this.#job(item.jobId);
    return job === undefined
      ? { costUsd: null }
      : { ...(job.usage && { usage: job.usage }), costUsd: job.costUsd };
  }

  async #files(record: StepRecord): Promise<{ facts: FileFacts; spent?: Spent }> {
    const { runs } = this.#o.ledger;
    const failures: FileShown[] = [];
    const others: FileShown[] = [];
    let spent: Spent = { costUsd: null };
    let read = 0;
    let after: JobId | undefined;
    for (;;) {
      const ids = await runs.files(this.#run.id, record.name, {
        limit: page,
        ...(after !== undefined && { after }),
      });
      for (const id of ids) {
        const job = await this.#job(id);
        if (job === undefined) continue;
        spent = addSpent(spent, { ...(job.usage && { usage: job.usage }), costUsd: job.costUsd });
        const isFine = job.state === 'succeeded' || job.state === 'cached';
        if (isFine ? others.length < shown.others : failures.length < shown.failed)
          (isFine ? others : failures).push({ job, tails: job.state === 'failed' ? this.#tailsOf(job) : [] });
      }
      read += ids.length;
      after = ids.at(-1);
      if (ids.length < page) break;
      if (read >= filesRead) {
        return { facts: fileFacts(record, [...failures, ...others], read) };
      }
    }
    return { facts: fileFacts(record, [...failures, ...others], read), spent };
  }

  /** What a failed job wrote last. The lines are redacted. */
  #tailsOf(job: JobRecord | undefined): readonly Tail[] {
    const attempt = job?.attempts.at(-1);
    if (job === undefined || attempt === undefined || this.#tails >= maxTails) return [];
    const tails = readTails(join(this.#o.workRoot, job.id, String(attempt.n)), this.#o.redact);
    if (tails.length > 0) this.#tails += 1;
    return tails;
  }

  #job(id: JobId | undefined): Promise<JobRecord | undefined> {
    if (id === undefined) return Promise.resolve(undefined);
    return this.#page(() => this.#o.ledger.jobs.get(id));
  }

  async #page<T>(read: () => Promise<T>): Promise<T> {
    this.#reads += 1;
    if (this.#reads % 50 === 0) await setImmediate();
    return read();
  }
}

function fileFacts({ counts = {} }: StepRecord, shown: readonly FileShown[], read: number): FileFacts {
  const total = counts.total ?? Math.max(read, sum(Object.values(counts)));
  const jobs = shown.map(({ job }) => job);
  const ended = jobs.filter(({ state }) => finalStates.includes(state as (typeof finalStates)[number]));
  // A step that still goes on has no counts yet: those of the files that were read.
  const own = Object.keys(counts).length > 0 ? counts : countBy(ended.map(({ state }) => state));
  return { counts: own, total, shown };
}

function countBy(names: readonly string[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const name of names) counts[name] = (counts[name] ?? 0) + 1;
  return counts;
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, n) => total + n, 0);
}

/** What an earlier version kept is not believed to have today's shape. */
function asWorkflow(value: unknown): WorkflowConfig | undefined {
  const workflow = value as Partial<WorkflowConfig> | null | undefined;
  if (typeof workflow !== 'object' || workflow === null || !Array.isArray(workflow.steps)) return undefined;
  const named = (steps: unknown): readonly StepConfig[] =>
    Array.isArray(steps) ? steps.filter((step) => typeof step?.name === 'string') : [];
  return {
    ...(workflow as WorkflowConfig),
    steps: named(workflow.steps),
    onFailure: named(workflow.onFailure),
  };
}

/** A budget or a breaker parks many jobs at once, without a word to each of their steps. */
function asItsJob(record: StepRecord, job: JobRecord | undefined): StepRecord {
  if (record.state !== 'running' || (job?.state !== 'waiting' && job?.state !== 'held')) return record;
  const { reason, message, fix } = job;
  return {
    ...record,
    state: 'waiting',
    ...(reason !== undefined && { reason }),
    ...(message !== undefined && { message }),
    ...(fix !== undefined && { fix }),
  };
}
