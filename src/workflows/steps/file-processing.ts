/**
 * Every file of a directory through the routing rules. The jobs are those of files, as if they had been dropped; which of
 * them this step took in stands in the ledger. What is open is watched, what has ended is only counted.
 */
import { resolve } from 'node:path';
import type { FileProcessingStep } from '../../config/workflow.ts';
import { dispositionOf } from '../../coordinator/finish.ts';
import { type JobId, type JobRecord, passingWaits } from '../../types/job.ts';
import { printableName } from '../../types/printable-name.ts';
import { hasEnded } from '../job-watch.ts';
import { Renderer } from '../rendering.ts';
import { takenIn } from '../run-files.ts';
import { lookNowAndThen } from '../silent-waits.ts';
import { endOfAborted, failed, type RunContext, stoppable, type Unit, type UnitEnd } from '../unit.ts';

/** With so many files open no more are taken in: memory, and others' turn. */
const OPEN_AT_MOST = 5_000;

export async function runFileProcessing(
  context: RunContext,
  unit: Unit<FileProcessingStep>,
): Promise<UnitEnd> {
  if (unit.row === undefined && unit.signal.aborted) return endOfAborted(unit);
  if (unit.row === undefined) await context.put(unit, { state: 'running' });
  const { directory, recursive } = unit.step;
  const { deps, run } = context;
  using files = new Files(context, unit);
  using _ = lookNowAndThen(() => files.look());
  const before = unit.row?.counts;
  if (unit.row) await files.takeUp();
  if (before?.total !== undefined) files.listed(before);
  else if (!unit.signal.aborted) {
    const dir = resolve(deps.config.projectDir, await new Renderer(context, unit).text(directory));
    const pages = deps.files.process({
      ...{ directory: dir, recursive, runId: run.id, step: unit.id },
      ...{ force: context.force, depth: run.depth, signal: unit.signal },
      leaveWorkflows: await isOfFile(context),
      isTaken: (root, path) => files.isTaken(root, path),
    });
    for await (const { jobs, unrouted, ignored, quarantined, left = 0 } of pages) {
      files.count({ unrouted, ignored: ignored + left, quarantined });
      files.left += left;
      await files.takeIn(jobs);
      if (!(await files.room()) || unit.signal.aborted) break;
    }
    if (!unit.signal.aborted) {
      files.listed();
      await context.put(unit, { state: 'running', counts: files.jobless() });
    }
  }
  if (!(await files.allEnded())) await stoppable(files.cancel(), context.stopping);
  if (unit.signal.aborted) return { ...endOfAborted(unit), counts: files.counts() };
  return files.end();
}

/**
 * Whether a file started the run, or one that called it. Such a run leaves other files alone whose work would be runs, too:
 * runs that wait for each other, or for places that they hold themselves, would wait for ever.
 */
async function isOfFile({ run, deps }: RunContext): Promise<boolean> {
  let { trigger } = run;
  while (trigger.kind === 'workflow') {
    const caller = await deps.ledger.runs.get(trigger.runId);
    if (!caller) return false;
    trigger = caller.trigger;
  }
  return trigger.kind === 'file';
}

class Files implements Disposable {
  /** Files whose work would be runs. */
  left = 0;
  readonly #context: RunContext;
  readonly #unit: Unit<FileProcessingStep>;
  readonly #counts: Record<string, number> = {
    ...{ processed: 0, cached: 0, failed: 0, quarantined: 0, ignored: 0, unrouted: 0 },
  };
  readonly #jobless: Record<string, number> = {};
  /** Open jobs, with what ends the watching. */
  readonly #open = new Map<JobId, { readonly job: JobRecord; readonly unwatch: () => void }>();
  readonly #held = new Set<JobId>();
  /** Its row says for what its files wait. */
  #isWaiting = false;
  /** Before a restart. */
  readonly #paths = new Set<string>();
  readonly #ids = new Set<JobId>();
  /** Superseded jobs whose successor is looked for. */
  #seeking = 0;
  #isListed = false;
  #error: { readonly error: unknown } | undefined;
  #firstFailure: string | undefined;
  #changed = Promise.withResolvers<void>();

  constructor(context: RunContext, unit: Unit<FileProcessingStep>) {
    this.#context = context;
    this.#unit = unit;
    unit.signal.addEventListener('abort', () => this.#wake(), { once: true });
  }

  [Symbol.dispose](): void {
    for (const { unwatch } of this.#open.values()) unwatch();
  }

  isTaken(root: string, path: string): boolean {
    return this.#paths.has(`${root}\n${path}`);
  }

  /** What this step took in before a restart. */
  async takeUp(): Promise<void> {
    const { deps, run } = this.#context;
    for await (const id of takenIn(deps, run.id, this.#unit.id)) {
      const job = await deps.ledger.jobs.get(id);
      this.#ids.add(id);
      if (!job) continue;
      this.#paths.add(`${job.input.root}\n${job.input.path}`);
      await this.#follow(job);
    }
  }

  async takeIn(jobs: readonly JobRecord[]): Promise<void> {
    const { deps, run } = this.#context;
    const fresh = jobs.filter(({ id }) => !this.#ids.has(id) && !this.#open.has(id));
    if (fresh.length === 0) return;
    await deps.ledger.runs.addFiles(
      run.id,
      this.#unit.id,
      fresh.map(({ id }) => id),
    );
    for (const job of fresh) await this.#follow(job);
    this.#tell();
  }

  /** @returns false when it was aborted while there was no room. */
  async room(): Promise<boolean> {
    return this.#until(() => this.#open.size < OPEN_AT_MOST);
  }

  async allEnded(): Promise<boolean> {
    return this.#until(() => this.#open.size === 0 && this.#seeking === 0);
  }

  /** Every file has been looked at. @param before What had no job, as it was counted before a restart. */
  listed(before: Readonly<Record<string, number>> = {}): void {
    this.#isListed = true;
    const { unrouted = 0, ignored = 0, quarantined = 0 } = before;
    this.count({ unrouted, ignored, quarantined });
    this.#tell();
  }

  /** Files without a job: what is only told while the directory is read. */
  count(counts: Readonly<Record<string, number>>): void {
    for (const [key, n] of Object.entries(counts)) {
      this.#add(key, n);
      this.#jobless[key] = (this.#jobless[key] ?? 0) + n;
    }
  }

  /** With `total`: from then on the directory is not read again. */
  jobless(): Readonly<Record<string, number>> {
    return { ...this.#jobless, total: this.counts().total ?? 0 };
  }

  counts(): Readonly<Record<string, number>> {
    const held = this.#held.size;
    const ended = Object.values(this.#counts).reduce((sum, n) => sum + n, 0);
    return { ...this.#counts, held, total: ended + this.#open.size + this.#seeking };
  }

  /** Jobs that were there before the step began are somebody else's, too: they go on. Resolves when the others have ended. */
  async cancel(): Promise<void> {
    const { message = 'cancelled' } = endOfAborted(this.#unit);
    const since = this.#context.startedAt(this.#unit);
    for (const [id, { job, unwatch }] of [...this.#open]) {
      if (job.queuedAt >= since) await this.#context.deps.jobs.cancel(id, message);
      else {
        unwatch();
        this.#open.delete(id);
      }
    }
    while (this.#open.size > 0) await this.#changed.promise;
  }

  /**
   * Tells in the row of the step when nothing of it goes on.
   * @returns true when it is as it was.
   */
  async look(): Promise<boolean> {
    if (!this.#isListed || this.#open.size === 0) return false;
    let waiting: JobRecord | undefined;
    for (const id of [...this.#open.keys()]) {
      const job = await this.#context.deps.ledger.jobs.get(id);
      if (job?.state === 'held') continue;
      if (job?.state !== 'waiting' || passingWaits.has(job.reason)) return this.#goOn();
      // That which goes on first.
      if (!waiting || (job.notBefore ?? Infinity) < (waiting.notBefore ?? Infinity)) waiting = job;
    }
    if (!waiting || this.#isWaiting) return true;
    const { reason, message, fix, notBefore: waitUntil } = waiting;
    this.#isWaiting = true;
    await this.#context.put(this.#unit, {
      state: 'waiting',
      ...(reason !== undefined && { reason }),
      ...(message !== undefined && { message }),
      ...(fix !== undefined && { fix }),
      ...(waitUntil !== undefined && { waitUntil }),
    });
    return false;
  }

  async #goOn(): Promise<false> {
    if (!this.#isWaiting) return false;
    this.#isWaiting = false;
    await this.#context.put(this.#unit, { state: 'running' });
    return false;
  }

  end(): UnitEnd {
    const counts = this.counts();
    const { failed: failures = 0, total = 0 } = counts;
    const outputs = { ...counts };
    if (failures === 0) {
      const said = total === 0 ? 'nothing to do: there are no files' : this.#leftWords();
      return { state: 'succeeded', counts, outputs, ...(said !== undefined && { message: said }) };
    }
    const message = `${failures} of ${total} files failed: ${this.#firstFailure ?? ''}`;
    const fix = 'Mend them and resume the run, or allow it with `continue_on_error`.';
    return { ...failed('files_failed', message, fix), counts, outputs };
  }

  #leftWords(): string | undefined {
    if (this.left === 0) return undefined;
    const files = this.left === 1 ? '1 file goes' : `${this.left} files go`;
    return `${files} to a workflow and ${this.left === 1 ? 'is' : 'are'} left out: a run that a file started starts no others`;
  }

  async #follow(job: JobRecord): Promise<void> {
    if (hasEnded(job)) return this.#ended(job);
    const { id } = job;
    const unwatch = this.#context.watch.add(id, (event) => {
      if (event.type === 'started') void this.#goOn().catch(() => {});
      if (event.type === 'ended') this.#ended(event.job).catch((error: unknown) => this.#fail(error));
      else this.#hold(id, event.type === 'held');
    });
    this.#open.set(id, { job, unwatch });
    this.#hold(id, job.state === 'held');
    const now = await this.#context.deps.ledger.jobs.get(id);
    if (now && hasEnded(now)) await this.#ended(now);
  }

  async #ended(job: JobRecord): Promise<void> {
    const { id, state } = job;
    const known = this.#open.get(id);
    known?.unwatch();
    if (state === 'superseded') {
      this.#seeking += 1;
      this.#open.delete(id);
      const newer = await this.#context.deps.files.again(job);
      this.#seeking -= 1;
      if (newer && newer.id !== id) await this.takeIn([newer]);
    } else {
      this.#open.delete(id);
      const disposition = dispositionOf(job);
      if (disposition !== undefined) this.#add(disposition, 1);
      if (state === 'failed')
        this.#firstFailure ??= `${printableName(job.input.path)}: ${job.message ?? job.reason ?? ''}`;
    }
    this.#hold(id, false);
    this.#tell();
  }

  #hold(id: JobId, isHeld: boolean): void {
    if (isHeld === this.#held.has(id)) return;
    if (isHeld) this.#held.add(id);
    else this.#held.delete(id);
    this.#tell();
  }

  #add(key: string, n: number): void {
    this.#counts[key] = (this.#counts[key] ?? 0) + n;
  }

  #tell(): void {
    const isBlocked = this.#isListed && this.#held.size > 0 && this.#held.size === this.#open.size;
    this.#context.setBlocked(this.#unit, isBlocked);
    this.#context.progress(this.#unit, this.counts());
    this.#wake();
  }

  #wake(): void {
    this.#changed.resolve();
    this.#changed = Promise.withResolvers();
  }

  #fail(error: unknown): void {
    this.#error ??= { error };
    this.#wake();
  }

  /** @returns false when the unit was aborted first. */
  async #until(holds: () => boolean): Promise<boolean> {
    while (!holds()) {
      if (this.#unit.signal.aborted) return false;
      await this.#changed.promise;
      if (this.#error) throw this.#error.error;
    }
    return true;
  }
}
