/**
 * `sluice run`: processes what is there once and tells how it went. It follows its own jobs by their events; it ends
 * when nothing of it can go on: everything has ended, or waits for something that does not come by itself.
 */
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import type { CoordinatorEvent } from '../coordinator/events.ts';
import type { Taken } from '../coordinator/intake.ts';
import type { Change } from '../types/change.ts';
import { messageOf } from '../types/errors.ts';
import type { JobId, JobRecord } from '../types/job.ts';
import type { Receipt } from '../types/receipt.ts';
import type { Host } from './host.ts';
import { type RetryRequest, retry, type Take } from './retry.ts';

export interface RunRequest {
  /** Absolute; every root when absent. */
  readonly paths?: readonly string[];
  readonly force?: boolean;
  /** Instead of what is there: what is to be run again. */
  readonly retry?: RetryRequest;
}

/** Counts of files; every file that was found is in exactly one of the last ones. */
export interface RunCounts {
  found: number;
  succeeded: number;
  cached: number;
  failed: number;
  /** Taken in earlier, by the recipe in force, and well: nothing was read or run. */
  unchanged: number;
  unrouted: number;
  ignored: number;
  quarantined: number;
  cancelled: number;
  open: number;
}

export interface RunProblem {
  readonly path: string;
  readonly root: string;
  readonly job_id: JobId;
  readonly state: JobRecord['state'];
  readonly reason?: string;
  readonly message?: string;
  readonly fix?: string;
}

export interface RunReport {
  readonly run_id: string;
  readonly state: 'scanning' | 'running' | 'succeeded' | 'failed';
  readonly files: RunCounts;
  readonly duration_ms: number;
  /** What failed (also earlier, with the file unchanged), and what waits for something that does not come by itself. */
  readonly problems: readonly RunProblem[];
  readonly problems_total: number;
  /** Of a retry: what could not be run again. */
  readonly skipped?: Take['skipped'];
  readonly error?: string;
}

const MAX_PROBLEMS = 50;

export class Run {
  readonly id = randomBytes(6).toString('hex');
  /** Resolves with the final report. */
  readonly done: Promise<RunReport>;
  /** Jobs that this run started, or that stand for its files. */
  readonly #jobIds: JobId[] = [];
  readonly #host: Host;
  readonly #startedAt = performance.now();
  readonly #open = new Set<JobId>();
  readonly #problems: RunProblem[] = [];
  readonly #counts: RunCounts = {
    found: 0,
    succeeded: 0,
    cached: 0,
    failed: 0,
    unchanged: 0,
    unrouted: 0,
    ignored: 0,
    quarantined: 0,
    cancelled: 0,
    open: 0,
  };
  #problemsTotal = 0;
  #skipped: Take['skipped'] | undefined;
  #scanning = true;
  #error: string | undefined;
  #finish: (report: RunReport) => void = () => {};
  #unsubscribe: () => void;
  /** Everything of it has ended; it is told when that is on disk. */
  #ending = false;
  #ended = false;

  constructor(host: Host, request: RunRequest, signal: AbortSignal) {
    this.#host = host;
    this.done = new Promise((resolve) => {
      this.#finish = resolve;
    });
    this.#unsubscribe = host.coordinator.events.subscribe((event) => this.#follow(event, signal));
    void this.#begin(request, signal);
  }

  report(): RunReport {
    const isBad =
      this.#problemsTotal > 0 ||
      this.#error !== undefined ||
      (this.#skipped !== undefined && this.#skipped.length > 0);
    const ended = isBad ? 'failed' : 'succeeded';
    return {
      run_id: this.id,
      state: this.#ended ? ended : this.#scanning ? 'scanning' : 'running',
      files: { ...this.#counts, open: this.#open.size },
      duration_ms: Math.round(performance.now() - this.#startedAt),
      problems: this.#problems,
      problems_total: this.#problemsTotal,
      ...(this.#skipped && { skipped: this.#skipped }),
      ...(this.#error !== undefined && { error: this.#error }),
    };
  }

  /** Receipts of its jobs, in the order in which they were taken in; fewer than `limit` at the end. */
  async receipts(from: number, limit: number): Promise<Receipt[]> {
    const receipts: Receipt[] = [];
    for (const id of this.#jobIds.slice(from, from + limit)) {
      const job = await this.#host.ledger.jobs.get(id);
      if (job) receipts.push(this.#host.results.toReceipt(job));
    }
    return receipts;
  }

  async #begin({ paths, force = false, retry: again }: RunRequest, signal: AbortSignal): Promise<void> {
    try {
      if (again) await this.#retry(again);
      else
        for await (const changes of this.#host.scan({ ...(paths && { paths }), signal })) {
          this.#counts.found += changes.length;
          await this.#submit(changes, force);
          signal.throwIfAborted();
        }
    } catch (error) {
      this.#error = signal.aborted ? 'interrupted' : messageOf(error);
    }
    this.#scanning = false;
    await this.#endIfNothingGoesOn();
  }

  async #retry(request: RetryRequest): Promise<void> {
    const { job_ids: ids, skipped } = await retry(this.#host, request);
    this.#counts.found = ids.length;
    this.#skipped = skipped;
    for (const id of ids) {
      const job = await this.#host.ledger.jobs.get(id);
      if (job) this.#countKnown(job, true);
    }
  }

  async #submit(changes: readonly Change[], force: boolean): Promise<void> {
    const known: JobId[] = [];
    const { reading } = await this.#host.coordinator.submitAll(
      changes,
      () => ({ force, byRecipe: true }),
      (_change, taken) => this.#count(taken, known),
    );
    await reading;
    for (const id of known) {
      const job = await this.#host.ledger.jobs.get(id);
      if (job) this.#countKnown(job);
    }
  }

  #count(taken: Taken, known: JobId[]): void {
    switch (taken.kind) {
      case 'job':
        this.#jobIds.push(taken.job.id);
        if (taken.job.endedAt === undefined) this.#open.add(taken.job.id);
        else this.#countEnded(taken.job);
        return;
      case 'known':
        if (taken.jobId !== undefined) known.push(taken.jobId);
        else this.#countDisposition(taken.disposition);
        return;
      case 'settled':
        return this.#countDisposition(taken.disposition);
      case 'gone':
        this.#counts.cancelled++;
        return;
      default:
        taken satisfies never;
    }
  }

  #countDisposition(disposition: string | undefined): void {
    if (disposition === 'unrouted' || disposition === 'ignored' || disposition === 'quarantined')
      this.#counts[disposition]++;
    else this.#counts.unchanged++;
  }

  /** @param isNew False: the file is as it was when this job took it in. */
  #countKnown(job: JobRecord, isNew = false): void {
    if (job.endedAt === undefined) this.#open.add(job.id);
    else if (job.state === 'failed' || isNew) this.#countEnded(job);
    else this.#counts.unchanged++;
    this.#jobIds.push(job.id);
  }

  #countEnded(job: JobRecord): void {
    switch (job.state) {
      case 'succeeded':
      case 'cached':
        this.#counts[job.state]++;
        return;
      case 'failed':
        this.#counts.failed++;
        return this.#addProblem(job);
      default:
        this.#counts.cancelled++;
    }
  }

  #addProblem({ id, input, state, reason, message, fix }: JobRecord): void {
    this.#problemsTotal++;
    if (this.#problems.length >= MAX_PROBLEMS) return;
    this.#problems.push({
      path: input.path,
      root: input.root,
      job_id: id,
      state,
      ...(reason !== undefined && { reason }),
      ...(message !== undefined && { message }),
      ...(fix !== undefined && { fix }),
    });
  }

  #follow(event: CoordinatorEvent, signal: AbortSignal): void {
    if (event.type === 'ended' && this.#open.delete(event.job.id)) {
      if (event.job.state === 'superseded') void this.#takeAgain(event.job, signal);
      else this.#countEnded(event.job);
    }
    if (event.type === 'idle' || this.#open.size === 0) void this.#endIfNothingGoesOn();
  }

  /** The file changed under the attempt. Where a watcher looks it finds the new version too: both are the same job. */
  async #takeAgain({ input }: JobRecord, signal: AbortSignal): Promise<void> {
    const token: JobId = `again:${input.root}:${input.path}`;
    this.#open.add(token);
    try {
      const dir = this.#host.config().roots.find((root) => root.name === input.root)?.dir ?? '';
      for await (const changes of this.#host.scan({ paths: [join(dir, input.path)], signal }))
        await this.#submit(changes, false);
    } catch {
      this.#counts.cancelled++;
    } finally {
      this.#open.delete(token);
      await this.#endIfNothingGoesOn();
    }
  }

  async #endIfNothingGoesOn(): Promise<void> {
    if (this.#scanning || this.#ending) return;
    const stuck: JobRecord[] = [];
    for (const id of this.#open) {
      const job = await this.#host.ledger.jobs.get(id);
      const isStuck =
        job &&
        (job.state === 'held' ||
          (job.state === 'waiting' && job.reason !== 'backoff' && job.reason !== 'single_flight'));
      if (!isStuck && this.#error === undefined) return;
      if (job) stuck.push(job);
    }
    if (this.#ending) return;
    this.#ending = true;
    this.#unsubscribe();
    for (const job of stuck) this.#addProblem(job);
    try {
      await this.#host.ledger.durable();
      await this.#host.results.flush();
    } catch (error) {
      this.#error ??= messageOf(error);
    }
    this.#ended = true;
    this.#finish(this.report());
  }
}
