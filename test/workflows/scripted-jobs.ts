/**
 * Jobs that end when the test says so: stands for the coordinator and its part of the ledger. It outlives the engine under
 * test, as the queue outlives a daemon that is killed.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { CoordinatorEvent } from '../../src/coordinator/events.ts';
import type { JobId, JobRecord } from '../../src/types/job.ts';
import type { StepTask } from '../../src/types/step-task.ts';
import type { StepJobs } from '../../src/workflows/deps.ts';

export type Ending = Partial<Pick<JobRecord, 'state' | 'reason' | 'message' | 'fix' | 'cachedFrom'>> & {
  readonly result?: string;
};

export class ScriptedJobs implements StepJobs {
  readonly #jobs = new Map<JobId, JobRecord>();
  readonly #listeners = new Set<(event: CoordinatorEvent) => void>();
  readonly #dir: string;
  readonly #waiting: { readonly when: () => boolean; readonly resolve: () => void }[] = [];
  /** Every task that was taken in, in order. */
  readonly tasks: StepTask[] = [];
  /** Of each submission: how it was asked for. */
  readonly asked = new Map<string, Parameters<StepJobs['submit']>[1]>();
  readonly cancelled: string[] = [];
  /** Ends each job by itself as it says; undefined: the test does. */
  script: ((task: StepTask) => Ending | undefined) | undefined;
  /** A job that is cancelled ends at once; otherwise when the test says so. */
  endsWhenCancelled = true;
  mostAtOnce = 0;
  #open = 0;

  constructor(dir: string) {
    this.#dir = dir;
    mkdirSync(dir, { recursive: true });
  }

  async submit(task: StepTask, o: Parameters<StepJobs['submit']>[1]): Promise<JobRecord> {
    const known = this.#jobs.get(o.id);
    if (known) return known;
    this.tasks.push(task);
    this.asked.set(task.step, o);
    const job = newJob(o.id, task);
    this.#jobs.set(o.id, job);
    this.#open += 1;
    this.mostAtOnce = Math.max(this.mostAtOnce, this.#open);
    this.#emit({ type: 'queued', job });
    const ending = this.script?.(task);
    if (ending?.state === 'cached') return this.#end(job, ending);
    if (ending) setImmediate(() => this.#end(job, ending));
    this.#look();
    return job;
  }

  async cancel(id: JobId, reason: string): Promise<void> {
    const job = this.#jobs.get(id);
    if (!job || job.endedAt !== undefined) return;
    this.cancelled.push(job.step?.step ?? job.input.path);
    if (this.endsWhenCancelled) this.#end(job, { state: 'cancelled', message: reason });
  }

  subscribe(listener: (event: CoordinatorEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  async resultOf({ id }: JobRecord) {
    const bytes = this.#results.get(id);
    return bytes === undefined ? undefined : { file: this.#fileOf(id), bytes };
  }

  async get(id: JobId): Promise<JobRecord | undefined> {
    return this.#jobs.get(id);
  }

  /** A file's job, as an intake makes them. */
  addFile(path: string, facts: Partial<JobRecord> = {}): JobRecord {
    const id = `file${String(this.#jobs.size).padStart(12, '0')}`;
    const job: JobRecord = { ...newJob(id), input: inputOf(path), rule: 'all', ...facts };
    this.#jobs.set(id, job);
    this.#open += 1;
    return job;
  }

  /** The job of a step, when it has been submitted. */
  async of(step: string): Promise<JobRecord> {
    await this.until(() => this.#find(step) !== undefined);
    return this.#find(step) as JobRecord;
  }

  /** @param step `lint`, `lint[3]`, or the id of a job. */
  async end(step: string, ending: Ending = {}): Promise<void> {
    const job = this.#jobs.get(step) ?? (await this.of(step));
    this.#end(job, ending);
  }

  async tell(
    step: string,
    type: 'started' | 'waiting' | 'held',
    facts: Partial<JobRecord> = {},
  ): Promise<void> {
    const before = this.#jobs.get(step) ?? (await this.of(step));
    const job: JobRecord = { ...before, state: type === 'started' ? 'running' : type, ...facts };
    this.#jobs.set(job.id, job);
    this.#emit(type === 'started' ? { type, job, attempt: 1 } : { type, job });
  }

  /** Resolves when as many tasks were taken in. */
  async submitted(count: number): Promise<void> {
    await this.until(() => this.tasks.length >= count);
  }

  until(when: () => boolean): Promise<void> {
    return new Promise((resolve) => {
      this.#waiting.push({ when, resolve });
      this.#look();
    });
  }

  /** Steps in the order in which they were submitted. */
  get steps(): readonly string[] {
    return this.tasks.map(({ step }) => step);
  }

  readonly #results = new Map<JobId, number>();

  #find(step: string): JobRecord | undefined {
    return [...this.#jobs.values()].findLast((job) => job.step?.step === step);
  }

  #end(before: JobRecord, { result, ...ending }: Ending): JobRecord {
    if (this.#jobs.get(before.id)?.endedAt !== undefined) return before;
    const job: JobRecord = { ...before, state: 'succeeded', ...ending, endedAt: Date.now() };
    if (result !== undefined) {
      writeFileSync(this.#fileOf(job.id), result);
      this.#results.set(job.id, Buffer.byteLength(result));
    }
    this.#jobs.set(job.id, job);
    this.#open -= 1;
    this.#emit({ type: 'ended', job });
    return job;
  }

  #fileOf(id: JobId): string {
    return join(this.#dir, `${id}.md`);
  }

  #emit(event: CoordinatorEvent): void {
    for (const listener of [...this.#listeners]) listener(event);
    this.#look();
  }

  #look(): void {
    for (const one of [...this.#waiting])
      if (one.when()) {
        this.#waiting.splice(this.#waiting.indexOf(one), 1);
        one.resolve();
      }
  }
}

function inputOf(path: string): JobRecord['input'] {
  return { root: 'inbox', path, sha256: `sha-${path}`, bytes: 3, stamp: `1-3-${path}` };
}

function newJob(id: JobId, step?: StepTask): JobRecord {
  return {
    id,
    input: { root: '', path: '', sha256: '', bytes: 0, stamp: '' },
    ...(step && { step }),
    rule: '',
    agent: '$command',
    key: '',
    state: 'queued',
    proof: [],
    priority: 0,
    lane: '$command',
    fallbacks: [],
    promoted: [],
    depth: 0,
    queuedAt: Date.now(),
    attempts: [],
    costUsd: null,
    outputs: [],
  };
}
