/**
 * The only one that starts attempts. It takes settled changes in, claims from the ledger what may run now, and keeps
 * every limit by counting, not by hoping: a job is claimed only when a slot is free, and the ledger refuses the rest.
 *
 * It holds no queue of its own. What is waiting lives in the ledger, so that a restart, a reload and a second engine
 * see the same; here are only the attempts that run.
 */
import { join } from 'node:path';
import PQueue from 'p-queue';
import { createCache } from '../cache/cache.ts';
import { stampOf } from '../cache/fingerprint.ts';
import type { Config } from '../config/config.ts';
import type { Lease } from '../ledger/ledger.ts';
import type { Change } from '../types/change.ts';
import type { ErrorCode } from '../types/error-codes.ts';
import { AppError, messageOf, systemCode } from '../types/errors.ts';
import type { JobId, JobRecord } from '../types/job.ts';
import { type AttemptDeps, giveBack, runAttempt } from './attempt.ts';
import type { CoordinatorDeps } from './deps.ts';
import { CoordinatorEvents } from './events.ts';
import { finish } from './finish.ts';
import { isFullDisk, waitForSpace } from './full-disk.ts';
import { leave, type Taken, type TakeOptions, take } from './intake.ts';
import { KeyedTasks } from './keyed-tasks.ts';
import { lookAgain, publishLeft } from './patrol.ts';
import { Recipes } from './recipes.ts';
import { recover } from './recovery.ts';
import { rerouteVanished } from './reroute.ts';
import { createSchemaCheck } from './schema-check.ts';
import { Slots, type SlotUse } from './slots.ts';
import { WorkFolders } from './work-folders.ts';

export const LEASE_MS = 60_000;
/** How often what waits for something outside (an agent's command, the output folder) is looked at again. */
const PATROL_MS = 15_000;
/** From here on a content is read beside the others, so that one large file does not hold up the intake. */
const LARGE_BYTES = 8 << 20;

export interface CoordinatorStatus {
  readonly paused: boolean;
  readonly queue: Readonly<Record<'queued' | 'running' | 'waiting' | 'held', number>>;
  readonly limits: Readonly<Record<string, SlotUse>>;
  readonly agents: readonly {
    name: string;
    kind: string;
    description?: string;
    running: number;
    max_load: number | null;
  }[];
}

export class Coordinator implements AsyncDisposable {
  readonly events = new CoordinatorEvents();
  readonly #deps: AttemptDeps;
  readonly #slots = new Slots();
  readonly #paths = new KeyedTasks();
  readonly #running = new Map<JobId, { lease: Lease; controller: AbortController }>();
  readonly #blocks = new Set<string>();
  #recipes: Recipes;
  readonly #problems: ErrorCode[] = [];
  readonly #largeReads = new PQueue({ concurrency: 2 });
  readonly #reading = new AbortController();
  #pumping = false;
  #pumpAgain = false;
  #stopping = false;
  #dueTimer: NodeJS.Timeout | undefined;
  #patrol: NodeJS.Timeout | undefined;

  constructor(deps: CoordinatorDeps) {
    const { ledger, now, config, results } = deps;
    const cache = createCache({
      results: ledger.results,
      ttlMs: () => this.#recipes.config.cache.ttlMs,
      now,
      exists: (id) => results.hasResult(id),
    });
    this.#deps = {
      ...deps,
      cache,
      events: this.events,
      reading: this.#reading.signal,
      checkSchema: createSchemaCheck(),
      takeAgain: (root, path) => this.#takeAgain(root, path),
      work: new WorkFolders(join(config.stateDir, 'work')),
    };
    this.#recipes = new Recipes(config, deps.agents);
    this.#slots.configure(config.concurrency);
  }

  get recipes(): Recipes {
    return this.#recipes;
  }

  /** Takes up what an earlier process left, then starts work. Call once, before the first `submit`. */
  async start(finished: Parameters<typeof recover>[3]): Promise<void> {
    await recover(this.#deps, this.#recipes, LEASE_MS, finished);
    await rerouteVanished(this.#deps, this.#recipes);
    this.#patrol = setInterval(() => void this.#guarded(this.#lookAgain()), PATROL_MS);
    this.pump();
  }

  /** Takes one settled change in. Changes of one path are taken one after another. */
  submit(change: Change, options: TakeOptions = {}): Promise<Taken> {
    return this.#paths.run(`${change.root}\n${change.path}`, async () => {
      if (change.type === 'removed') return this.#removed(change);
      if (this.#ignoresMeanwhile(change))
        return leave(this.#deps, change, await this.#deps.ledger.files.get(change.root, change.path));
      const taken = await take(this.#deps, this.#recipes, change, options);
      if (taken.kind === 'job' && taken.job.state === 'queued') this.#queued(taken.job);
      return taken;
    });
  }

  /**
   * Takes a batch in: in order, but for large files, which are read two at a time beside the others.
   * @returns when all but those are taken in; `reading` settles when they are too.
   */
  async submitAll(
    changes: readonly Change[],
    options: (change: Change) => TakeOptions,
    onTaken?: (change: Change, taken: Taken) => void,
  ): Promise<{ readonly reading: Promise<unknown> }> {
    const large: Promise<void>[] = [];
    for (const change of changes) {
      const chosen = options(change);
      const takeIn = async (): Promise<void> => {
        const taken = await this.submit(change, chosen);
        onTaken?.(change, taken);
      };
      if (change.type === 'removed' || change.stamp.size < LARGE_BYTES) await takeIn();
      else large.push(this.#largeReads.add(takeIn));
    }
    const reading = Promise.all(large);
    // Whoever awaits it hears of a failure; until then nobody is to blame for not listening.
    reading.catch(() => {});
    return { reading };
  }

  /** A new configuration: what runs goes on as it was started, everything else follows the new one. */
  async configure(config: Config): Promise<void> {
    this.#recipes = new Recipes(config, this.#deps.agents);
    this.#slots.configure(config.concurrency);
    await rerouteVanished(this.#deps, this.#recipes);
    for (const reason of ['agent_unavailable', 'secret_unresolved'] as const)
      await this.#deps.ledger.jobs.wake({ reason });
    this.pump();
  }

  /** Starts nothing more while any reason blocks (`pause`, a full disk …). */
  block(reason: string): void {
    this.#blocks.add(reason);
  }

  unblock(reason: string): void {
    if (!this.#blocks.delete(reason)) return;
    this.pump();
    void this.#guarded(this.#publishLeft());
  }

  get isPaused(): boolean {
    return this.#blocks.has('pause');
  }

  /** @throws AppError NOT_POSSIBLE when the job has ended. */
  async cancel(id: JobId, reason: string): Promise<void> {
    const running = this.#running.get(id);
    if (running) return running.controller.abort(reason);
    const job = await this.#deps.ledger.jobs.endIdle(id, { state: 'cancelled', message: reason });
    if (!job)
      throw new AppError('NOT_POSSIBLE', `Job ${id} cannot be cancelled: it has ended`, {
        fix: 'See `sluice jobs show`.',
      });
    await finish(this.#deps, job);
  }

  /** @throws AppError NOT_POSSIBLE when the job is not held. */
  async unhold(id: JobId): Promise<void> {
    if (!(await this.#deps.ledger.jobs.unhold(id)))
      throw new AppError('NOT_POSSIBLE', `Job ${id} is not held`, {
        fix: '`sluice jobs list --state held` shows those that are.',
      });
    const job = await this.#deps.ledger.jobs.get(id);
    if (job) await this.#deps.ledger.files.setDisposition(job.input.root, job.input.path, id, undefined);
    this.pump();
  }

  async status(): Promise<CoordinatorStatus> {
    const { ledger } = this.#deps;
    const load = await ledger.jobs.load();
    return {
      paused: this.isPaused,
      queue: await ledger.jobs.counts(),
      limits: this.#slots.use(),
      agents: [...this.#recipes.config.agents.values()].map((agent) => ({
        name: agent.name,
        kind: agent.kind,
        ...(agent.description !== undefined && { description: agent.description }),
        running: load.get(agent.name) ?? 0,
        max_load: Number.isFinite(agent.maxLoad) ? agent.maxLoad : null,
      })),
    };
  }

  /** Jobs whose attempt runs, or has ended without the ledger knowing yet. */
  runningIds(): readonly JobId[] {
    return [...this.#running.keys()];
  }

  /** Starts nothing more; what runs has `drainMs` to end, then it is ended and goes back to the queue uncounted. */
  async drain(drainMs: number): Promise<void> {
    this.#stopping = true;
    this.#largeReads.clear();
    this.#reading.abort();
    clearTimeout(this.#dueTimer);
    clearInterval(this.#patrol);
    const timer = setTimeout(() => this.#abortAll(), drainMs);
    await this.#slots.idle();
    clearTimeout(timer);
    await this.#deps.ledger.durable();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.drain(0);
    this.#deps.work[Symbol.dispose]();
  }

  /** Claims and starts what may run now. Safe to call at any time: calls in between are folded into one. */
  pump(): void {
    if (this.#pumping) {
      this.#pumpAgain = true;
      return;
    }
    this.#pumping = true;
    void this.#guarded(this.#claimAll()).finally(() => {
      this.#pumping = false;
      if (this.#pumpAgain) {
        this.#pumpAgain = false;
        this.pump();
      }
    });
  }

  async #claimAll(): Promise<void> {
    while (!this.#stopping && this.#blocks.size === 0) {
      const limits = this.#openLimits();
      if (limits.size === 0) return;
      const [lease] = await this.#deps.ledger.jobs.claim({
        max: 1,
        limits,
        worker: this.#deps.worker,
        leaseMs: LEASE_MS,
      });
      if (!lease) break;
      this.#begin(lease);
    }
    if (this.#stopping) return;
    if (this.#running.size === 0) this.events.emit({ type: 'idle' });
    await this.#scheduleNextDue();
  }

  #openLimits(): Map<string, number> {
    const limits = new Map<string, number>();
    for (const agent of this.#recipes.config.agents.values())
      if (this.#slots.hasRoom(agent.kind)) limits.set(agent.name, agent.maxLoad);
    return limits;
  }

  #begin(lease: Lease): void {
    const controller = new AbortController();
    const { job } = lease;
    const kind = this.#recipes.config.agents.get(job.agent)?.kind ?? 'command';
    this.#running.set(job.id, { lease, controller });
    const attempt = async (): Promise<void> => {
      try {
        await runAttempt(this.#deps, this.#recipes, lease, controller.signal);
      } catch (error) {
        await this.#failInternally(lease, error);
      }
    };
    void this.#slots.run(kind, attempt).finally(() => {
      this.#running.delete(job.id);
      this.pump();
    });
  }

  /** A fault of ours, not of the agent: the job fails with what is known, the daemon goes on. */
  async #failInternally(lease: Lease, error: unknown): Promise<void> {
    if (this.#deps.isStateLost?.()) {
      await giveBack(this.#deps, lease, true);
      return;
    }
    const known = error instanceof AppError ? error : undefined;
    if (isFullDisk(known?.code ?? systemCode(error)))
      return waitForSpace(this.#deps, lease, messageOf(error));
    const job = await this.#deps.ledger.jobs.end(lease, {
      state: 'failed',
      reason: 'interrupted',
      message: messageOf(error),
      fix: known?.fix ?? 'Look at the log for the cause, then run `sluice jobs retry`.',
    });
    if (job) await finish(this.#deps, job);
  }

  async #removed({ root, path }: Extract<Change, { type: 'removed' }>): Promise<Taken> {
    const { ledger } = this.#deps;
    await ledger.files.setGone(root, path);
    for (const open of await ledger.jobs.openOf(root, path)) {
      const message = 'The file was removed before its job started.';
      const job = await ledger.jobs.endIdle(open.id, { state: 'cancelled', reason: 'input_gone', message });
      if (job) await finish(this.#deps, job);
    }
    this.pump();
    return { kind: 'gone' };
  }

  /** A job runs on this file, and its root says that changes meanwhile are to be ignored. */
  #ignoresMeanwhile({ root, path }: Change): boolean {
    if (this.#recipes.root(root)?.onChange !== 'ignore') return false;
    return [...this.#running.values()].some(
      ({ lease: { job } }) => job.input.root === root && job.input.path === path,
    );
  }

  /** A new version is in the queue: what runs on the old one goes on, or is ended, as its root says. */
  #queued(job: JobRecord): void {
    if (this.#recipes.root(job.input.root)?.onChange === 'restart')
      for (const { lease, controller } of this.#running.values())
        if (
          lease.job.id !== job.id &&
          lease.job.input.root === job.input.root &&
          lease.job.input.path === job.input.path
        )
          controller.abort('superseded');
    this.pump();
  }

  #takeAgain(root: string, path: string): void {
    const stamp = stampOf(join(this.#recipes.root(root)?.dir ?? '', path));
    if (stamp)
      void this.#guarded(
        this.submit({ type: 'changed', root, path, stamp, found: 'event' }, { again: true }).then(() => {}),
      );
  }

  #abortAll(): void {
    for (const { controller } of this.#running.values()) controller.abort('stopping');
  }

  async #scheduleNextDue(): Promise<void> {
    clearTimeout(this.#dueTimer);
    const dueAt = await this.#deps.ledger.jobs.nextDueAt();
    if (dueAt === undefined || this.#stopping) return;
    const delayMs = Math.min(Math.max(dueAt - this.#deps.now(), 10), 60_000);
    this.#dueTimer = setTimeout(() => this.pump(), delayMs);
  }

  /** What fails in the background (the ledger's disk answers with errors) is a condition; the patrol tries again. */
  async #guarded(task: Promise<void>): Promise<void> {
    const subject = 'coordinator';
    try {
      await task;
      for (const code of this.#problems.splice(0)) this.#deps.conditions.clear(code, subject);
    } catch (error) {
      const { code, fix } =
        error instanceof AppError
          ? error
          : { code: 'INTERNAL' as const, fix: 'Please report it with the log.' };
      this.#problems.push(code);
      this.#deps.conditions.raise({ code, subject, message: messageOf(error), fix });
    }
  }

  #publishLeft(): Promise<void> {
    return publishLeft(this.#deps, (id) => this.#running.has(id));
  }

  async #lookAgain(): Promise<void> {
    await this.#deps.ledger.jobs.heartbeat(this.#deps.worker, LEASE_MS);
    await this.#publishLeft();
    await lookAgain(this.#deps, this.#recipes);
    this.pump();
  }
}
