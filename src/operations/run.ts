/**
 * `sluice run`: processes what is there once and tells how it went. It follows its own jobs by their events; it ends
 * when nothing of it can go on: everything has ended, or waits for something that does not come by itself.
 */
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { CoordinatorEvent } from '../coordinator/events.ts';
import type { Taken, TakeOptions } from '../coordinator/intake.ts';
import type { Change } from '../types/change.ts';
import { messageOf } from '../types/errors.ts';
import { endsSoon, type JobId, type JobRecord, passingWaits } from '../types/job.ts';
import { Patience } from '../types/patience.ts';
import type { Receipt } from '../types/receipt.ts';
import { type Asking, asCircle, asStarved, isStarved } from './asking.ts';
import type { Host } from './host.ts';
import { type RetryRequest, retry, type Take } from './retry.ts';
import { type RunCounts, type RunProblem, RunTally } from './run-tally.ts';
import { asUnanswered } from './unanswered.ts';

export interface RunRequest {
  /** Absolute; every root when absent. */
  readonly paths?: readonly string[];
  readonly force?: boolean;
  /** Instead of what is there: what is to be run again. */
  readonly retry?: RetryRequest;
  /** Of the jobs it starts, when it is asked for from inside an attempt; and the job of that attempt. */
  readonly depth?: number;
  readonly parent?: JobId;
}

export interface RunReport {
  readonly run_id: string;
  readonly state: 'scanning' | 'running' | 'succeeded' | 'failed';
  readonly files: RunCounts;
  readonly duration_ms: number;
  /** All that is open waits, and goes on within two minutes. */
  readonly waits?: {
    readonly agent: string;
    readonly reason: string;
    readonly message: string;
    /** RFC 3339. */
    readonly until: string;
  };
  /** What failed (also earlier, with the file unchanged), and what waits for something that does not come by itself. */
  readonly problems: readonly RunProblem[];
  readonly problems_total: number;
  /** Of a retry: what could not be run again. */
  readonly skipped?: Take['skipped'];
  readonly error?: string;
}

/** How often a run looks whether it waits for nobody but people, or for places that are never given back. */
const STANDSTILL_CHECK_MS = 1_000;

export class Run {
  readonly id = randomBytes(6).toString('hex');
  /** Resolves with the final report. */
  readonly done: Promise<RunReport>;
  /** Jobs that this run started, or that stand for its files. */
  readonly #jobIds: JobId[] = [];
  readonly #host: Host;
  readonly #asking: Asking;
  readonly #request: RunRequest;
  readonly #startedAt = performance.now();
  readonly #open = new Set<JobId>();
  readonly #tally = new RunTally();
  #skipped: Take['skipped'] | undefined;
  #scanning = true;
  #error: string | undefined;
  #finish: (report: RunReport) => void = () => {};
  #unsubscribe: () => void;
  readonly #patience = new Patience();
  #waits: RunReport['waits'];
  /** Everything of it has ended; it is told when that is on disk. */
  #ending = false;
  #ended = false;

  constructor(host: Host, request: RunRequest, signal: AbortSignal, asking: Asking) {
    this.#host = host;
    this.#asking = asking;
    this.#request = request;
    this.done = new Promise((resolve) => {
      this.#finish = resolve;
    });
    this.#unsubscribe = host.coordinator.events.subscribe((event) => this.#follow(event, signal));
    void this.#begin(request, signal);
    void this.#lookForStandstill(signal);
  }

  /** Whether it has come to its end. */
  get isOver(): boolean {
    return this.#ended;
  }

  /** The job whose attempt asked for it. */
  get parent(): JobId | undefined {
    return this.#request.parent;
  }

  /** Jobs that it waits for. */
  get open(): Iterable<JobId> {
    return this.#open;
  }

  report(): RunReport {
    const isBad =
      this.#tally.problemsTotal > 0 ||
      this.#error !== undefined ||
      (this.#skipped !== undefined && this.#skipped.length > 0);
    const ended = isBad ? 'failed' : 'succeeded';
    return {
      run_id: this.id,
      state: this.#ended ? ended : this.#scanning ? 'scanning' : 'running',
      files: { ...this.#tally.counts, open: this.#open.size },
      duration_ms: Math.round(performance.now() - this.#startedAt),
      ...(this.#waits && !this.#ended && { waits: this.#waits }),
      problems: this.#tally.problems,
      problems_total: this.#tally.problemsTotal,
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

  async #begin({ paths, retry: again }: RunRequest, signal: AbortSignal): Promise<void> {
    try {
      if (again) await this.#retry(again);
      else
        for await (const changes of this.#host.scan({ ...(paths && { paths }), signal })) {
          this.#tally.counts.found += changes.length;
          await this.#submit(changes);
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
    this.#tally.counts.found = ids.length;
    this.#skipped = skipped;
    for (const id of ids) {
      const job = await this.#host.ledger.jobs.get(id);
      if (job) this.#countKnown(job, true);
    }
  }

  async #submit(changes: readonly Change[], isAgain = false): Promise<void> {
    const known: JobId[] = [];
    const { force = false, depth, parent } = this.#request;
    const options: TakeOptions = {
      force: force && !isAgain,
      byRecipe: true,
      ...(depth !== undefined && { depth }),
      ...(parent !== undefined && { parent }),
    };
    const { reading } = await this.#host.coordinator.submitAll(
      changes,
      () => options,
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
        else this.#tally.ended(taken.job);
        return;
      case 'known':
        if (taken.jobId !== undefined) known.push(taken.jobId);
        else this.#tally.disposition(taken.disposition);
        return;
      case 'settled':
        return this.#tally.disposition(taken.disposition);
      case 'left':
        return this.#tally.disposition('ignored');
      case 'gone':
        this.#tally.counts.cancelled++;
        return;
      default:
        taken satisfies never;
    }
  }

  /** @param isNew False: the file is as it was when this job took it in. */
  #countKnown(job: JobRecord, isNew = false): void {
    if (job.endedAt === undefined && this.#asking.waitsForUs(job.id)) this.#tally.problem(asCircle(job));
    else if (job.endedAt === undefined) this.#open.add(job.id);
    else if (job.state === 'failed' || isNew) this.#tally.ended(job);
    else this.#tally.counts.unchanged++;
    this.#jobIds.push(job.id);
  }

  #follow(event: CoordinatorEvent, signal: AbortSignal): void {
    if (event.type === 'started' && this.#open.has(event.job.id)) this.#goOn();
    if (event.type === 'ended' && this.#open.delete(event.job.id)) {
      this.#goOn();
      this.#patience.renew();
      if (event.job.state === 'superseded') void this.#takeAgain(event.job, signal);
      else this.#tally.ended(event.job);
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
        await this.#submit(changes, true);
    } catch {
      this.#tally.counts.cancelled++;
    } finally {
      this.#open.delete(token);
      await this.#endIfNothingGoesOn();
    }
  }

  /** Runs that wait for a person, or places that are all kept by attempts that wait for runs: no event says so. */
  async #lookForStandstill(signal: AbortSignal): Promise<void> {
    for (let times = 0; !this.#ending && !signal.aborted; ) {
      await sleep(STANDSTILL_CHECK_MS, undefined, { ref: false });
      if (this.#scanning || this.#ending) continue;
      const isStarved = this.#request.parent !== undefined && (await this.#isStarved());
      const unanswered = isStarved ? undefined : await asUnanswered(this.#host, this.#open);
      times = isStarved || unanswered ? times + 1 : 0;
      // Once may be the moment between two attempts.
      if (times < 2) continue;
      if (unanswered) await this.#endWith(unanswered);
      else await this.#endWith(await this.#openJobs(), asStarved);
    }
  }

  async #isStarved(): Promise<boolean> {
    if (this.#open.size === 0) return false;
    const { coordinator, ledger } = this.#host;
    const running = await Promise.all(coordinator.runningIds().map((id) => ledger.jobs.get(id)));
    return isStarved({
      config: this.#host.config(),
      open: await this.#openJobs(),
      running: running.filter((job) => job !== undefined),
      isAsking: (id) => this.#asking.isAsking(id),
    });
  }

  async #openJobs(): Promise<readonly JobRecord[]> {
    const jobs = await Promise.all([...this.#open].map((id) => this.#host.ledger.jobs.get(id)));
    return jobs.filter((job) => job !== undefined);
  }

  async #endIfNothingGoesOn(): Promise<void> {
    if (this.#scanning || this.#ending) return;
    const isPatient = this.#error === undefined && !this.#patience.isOver(performance.now());
    const stuck: JobRecord[] = [];
    let soon: JobRecord | undefined;
    for (const id of this.#open) {
      const job = await this.#host.ledger.jobs.get(id);
      const isWaiting = job?.state === 'waiting';
      if (isWaiting && isPatient && endsSoon(job, Date.now())) {
        if ((soon?.notBefore ?? Number.POSITIVE_INFINITY) > (job.notBefore as number)) soon = job;
        continue;
      }
      const isStuck = job?.state === 'held' || (isWaiting && !passingWaits.has(job.reason));
      if (!isStuck && this.#error === undefined) return;
      if (job) stuck.push(job);
    }
    if (soon) this.#wait(soon);
    else await this.#endWith(stuck);
  }

  #wait({ agent, reason, message = '', notBefore = 0 }: JobRecord): void {
    this.#patience.waits(performance.now());
    this.#waits = { agent, reason: String(reason), message, until: new Date(notBefore).toISOString() };
  }

  #goOn(): void {
    this.#patience.goesOn(performance.now());
    this.#waits = undefined;
  }

  async #endWith(stuck: readonly JobRecord[], say = (job: JobRecord): JobRecord => job): Promise<void> {
    if (this.#ending) return;
    this.#ending = true;
    this.#unsubscribe();
    for (const job of stuck) this.#tally.problem(say(job));
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
