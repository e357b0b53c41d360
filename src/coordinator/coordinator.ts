/**
 * The only one that starts attempts. It takes settled changes in, claims from the ledger what may run now, and keeps
 * every limit by counting, not by hoping: a job is claimed only when a slot is free, and the ledger refuses the rest.
 *
 * It holds no queue of its own. What is waiting lives in the ledger, so that a restart, a reload and a second engine
 * see the same; here are only the attempts that run.
 */
import { join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import PQueue from 'p-queue';
import { createCache } from '../cache/cache.ts';
import { stampOf } from '../cache/fingerprint.ts';
import type { Config, SelectionPolicy } from '../config/config.ts';
import type { Lease } from '../ledger/ledger.ts';
import type { Spent } from '../types/agent.ts';
import type { Change } from '../types/change.ts';
import { AppError } from '../types/errors.ts';
import type { JobId, JobRecord, WaitReason } from '../types/job.ts';
import type { StepTask } from '../types/step-task.ts';
import { answerHeld } from './answering.ts';
import { type AttemptDeps, runAttempt } from './attempt.ts';
import { Background } from './background.ts';
import { BatchSizes } from './batch-sizes.ts';
import type { BreakerState } from './breaker.ts';
import { type Crew, leaderOf } from './call.ts';
import { ClaimGate } from './claim-gate.ts';
import type { CoordinatorDeps } from './deps.ts';
import { CoordinatorEvents } from './events.ts';
import { finish } from './finish.ts';
import { Gates } from './gates.ts';
import { leave, type Taken, type TakeOptions, take } from './intake.ts';
import { JobNotes } from './job-notes.ts';
import { KeyedTasks } from './keyed-tasks.ts';
import { Lanes } from './lanes.ts';
import { Peaks } from './limits-in-use.ts';
import { LoopGuard } from './loop-guard.ts';
import { inOrder } from './new-job.ts';
import { failByOwnFault } from './own-fault.ts';
import { type ParkedAgent, viewParked } from './parking.ts';
import { lookAgain, lookAtLogIns, publishLeft } from './patrol.ts';
import { forgetPermissions, tellPermissions } from './permissions.ts';
import { Recipes } from './recipes.ts';
import { recover } from './recovery.ts';
import { rerouteVanished } from './reroute.ts';
import { acceptedWords, callOfProved, doAgain, leaveProved, type Settlement, settle } from './reviewing.ts';
import { RunningAttempts } from './running-attempts.ts';
import { createSchemaCheck } from './schema-check.ts';
import { Slots } from './slots.ts';
import { type CoordinatorStatus, statusOf } from './status.ts';
import { type StepOptions, submitStep } from './step-job.ts';
import { WorkFolders } from './work-folders.ts';

export const LEASE_MS = 60_000;
/** How often what waits for something outside (an agent's command, the output folder) is looked at again. */
const PATROL_MS = 15_000;
const CLAIMS_PER_TURN = 32;
/** From here on a content is read beside the others, so that one large file does not hold up the intake. */
const LARGE_BYTES = 8 << 20;

export class Coordinator implements AsyncDisposable {
  readonly events = new CoordinatorEvents();
  readonly #deps: AttemptDeps;
  readonly #slots = new Slots();
  readonly #paths = new KeyedTasks();
  readonly #running = new RunningAttempts();
  readonly #gates: Gates;
  readonly #batchSizes: BatchSizes;
  readonly #peaks = new Peaks();
  readonly #loops: LoopGuard;
  readonly #notes: JobNotes;
  #lanes: Lanes;
  #laneSignature = '';
  #claimGate: ClaimGate;
  readonly #blocks = new Set<string>();
  #recipes: Recipes;
  readonly #background: Background;
  readonly #largeReads = new PQueue({ concurrency: 2 });
  readonly #reading = new AbortController();
  #only: string | undefined;
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
    this.#background = new Background(deps.conditions);
    this.#gates = new Gates(config, deps);
    this.#loops = new LoopGuard(config, deps);
    this.#batchSizes = new BatchSizes(ledger.kept);
    this.#notes = new JobNotes(ledger);
    this.#deps = {
      ...deps,
      cache,
      events: this.events,
      reading: this.#reading.signal,
      checkSchema: createSchemaCheck(),
      takeAgain: (root, path) => this.#takeAgain(root, path),
      work: new WorkFolders(join(config.stateDir, 'work')),
      gates: this.#gates,
      batchSizes: this.#batchSizes,
      running: this.#running,
      notes: this.#notes,
      loops: this.#loops,
      lanes: () => this.#lanes,
    };
    this.#recipes = new Recipes(config, deps.agents);
    this.#lanes = new Lanes(this.#recipes, this.#loops);
    this.#claimGate = this.#newClaimGate();
    this.#slots.configure(config.concurrency);
    this.events.subscribe((event) => {
      if (event.type !== 'ended') return;
      if (event.job.attempts.length === 0) this.#loops.gone(event.job.id, event.job.rule);
      void this.#background.run(leaveProved(this.#deps, event.job));
    });
  }

  get recipes(): Recipes {
    return this.#recipes;
  }

  /** Takes up what an earlier process left, then starts work. Call once, before the first `submit`. */
  async start(finished: Parameters<typeof recover>[3]): Promise<void> {
    await this.#gates.load();
    await this.#loops.load();
    await this.#batchSizes.load();
    await this.#notes.load();
    await recover(this.#deps, this.#recipes, LEASE_MS, finished);
    await this.#takeOver();
    await tellPermissions(this.#deps, this.#recipes.config.agents.values());
    // Nobody has looked meanwhile: a CLI may have been installed since, somebody logged in, a secret put in its place.
    await lookAtLogIns(this.#deps, this.#recipes);
    await this.#gates.parking.wakeLeft();
    await this.#wake(lacking);
    this.#patrol = setInterval(() => void this.#background.run(this.#lookAgain()), PATROL_MS);
    this.pump();
  }

  /** Takes one settled change in. Changes of one path are taken one after another. */
  submit(change: Change, options: TakeOptions = {}): Promise<Taken> {
    return this.#paths.run(`${change.root}\n${change.path}`, async () => {
      if (change.type === 'removed') return this.#removed(change);
      if (this.#ignoresMeanwhile(change))
        return leave(this.#deps, change, await this.#deps.ledger.files.get(change.root, change.path));
      const taken = await take(this.#deps, this.#recipes, change, options);
      // What gathers for a batch too: somebody must look when its time comes.
      if (taken.kind === 'job' && (taken.job.state === 'queued' || taken.job.state === 'waiting'))
        this.#queued(taken.job);
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
      if (this.#isLarge(change)) large.push(this.#largeReads.add(takeIn));
      else await takeIn();
    }
    const reading = Promise.all(large);
    // Whoever awaits it hears of a failure; until then nobody is to blame for not listening.
    reading.catch(() => {});
    return { reading };
  }

  /** Puts a step of a run in the queue; see `step-job.ts`. */
  async submitStep(task: StepTask, options: StepOptions): Promise<JobRecord> {
    const job = await submitStep(this.#deps, this.#recipes, task, options);
    if (job.state === 'queued') this.pump();
    return job;
  }

  /** Agents that could do a step, the best first. @param bytes Of its file or prompt. */
  async chooseAgents(
    names: readonly string[],
    policy: SelectionPolicy,
    bytes?: number,
  ): Promise<readonly string[]> {
    const candidates = names.flatMap((name) => this.#recipes.config.agents.get(name) ?? []);
    return (await inOrder(this.#deps, policy, candidates, { bytes })).map(({ name }) => name);
  }

  /** A new configuration: what runs goes on as it was started, everything else follows the new one. */
  async configure(config: Config): Promise<void> {
    forgetPermissions(this.#deps.conditions, this.#recipes.config.agents, config.agents);
    this.#recipes = new Recipes(config, this.#deps.agents);
    this.#loops.configure(config);
    this.#lanes = new Lanes(this.#recipes, this.#loops);
    this.#claimGate = this.#newClaimGate();
    this.#slots.configure(config.concurrency);
    this.#gates.configure(config);
    await this.#gates.parking.configure(config);
    await lookAtLogIns(this.#deps, this.#recipes);
    await this.#gates.refresh();
    await this.#takeOver();
    await this.#wake([...lacking, 'budget', 'breaker']);
    this.pump();
  }

  async #wake(reasons: readonly WaitReason[]): Promise<void> {
    for (const reason of reasons) await this.#deps.ledger.jobs.wake({ reason });
  }

  /** Jobs that another configuration put in the queue follow this one. */
  async #takeOver(): Promise<void> {
    await rerouteVanished(this.#deps, this.#recipes, this.#lanes);
    this.#laneSignature = '';
    await this.#relane();
  }

  /** Rules that have come to be limited by themselves, or are no longer, take what is queued with them. */
  async #relane(): Promise<void> {
    const signature = `\n${this.#lanes.signature()}`;
    if (signature === this.#laneSignature) return;
    this.#laneSignature = signature;
    await this.#deps.ledger.jobs.relane(({ agent, rule }) => this.#lanes.of(agent, rule));
  }

  #newClaimGate(): ClaimGate {
    const { ledger } = this.#deps;
    return new ClaimGate(
      {
        recipes: this.#recipes,
        gates: this.#gates,
        lanes: this.#lanes,
        slots: this.#slots,
        sizes: this.#batchSizes,
        ledger,
        only: () => this.#only,
      },
      this.#claimGate,
    );
  }

  /** Starts nothing more while any reason blocks (`pause`, a full disk …). */
  block(reason: string): void {
    this.#blocks.add(reason);
  }

  unblock(reason: string): void {
    if (!this.#blocks.delete(reason)) return;
    this.pump();
    void this.#background.run(this.#publishLeft());
  }

  /** From now on nothing is started but steps of this agent: for a command that works alone and wants one thing done. */
  restrictTo(agent: string): void {
    this.#only = agent;
  }

  get isPaused(): boolean {
    return this.#blocks.has('pause');
  }

  /** @throws AppError NOT_POSSIBLE when the job has ended. */
  async cancel(id: JobId, reason: string): Promise<void> {
    if (this.#running.cancel(id, reason)) return;
    const job = await this.#deps.ledger.jobs.endIdle(id, { state: 'cancelled', message: reason });
    if (!job)
      throw new AppError('NOT_POSSIBLE', `Job ${id} cannot be cancelled: it has ended`, {
        fix: 'See `sluice jobs show`.',
      });
    await finish(this.#deps, job);
    await this.#tellPermissions(job);
  }

  /** How a job goes on whose work was reviewed. @returns false when nothing of it waits for that. */
  async settle(id: JobId, settlement: Settlement): Promise<boolean> {
    const isSettled = await settle(this.#deps, this.#recipes, LEASE_MS, id, settlement);
    if (isSettled) this.pump();
    return isSettled;
  }

  /** The review of work that has its proof came to nothing: it is done again, by whoever does it now. */
  async doAgain(id: JobId): Promise<void> {
    await doAgain(this.#deps, LEASE_MS, id);
    this.pump();
  }

  /** Work that has its proof and waits for its review: where it is. */
  proved(id: JobId): ReturnType<typeof callOfProved> {
    return callOfProved(this.#deps, this.#recipes, id);
  }

  /** What reviewers said of its work: its agent hears it with the answer of the person who is asked. */
  found(id: JobId, findings: string): Promise<void> {
    return this.#notes.found(id, findings);
  }

  /** A review ends an attempt that runs. @returns false when none does. */
  interrupt(id: JobId, decision: 'pause' | 'stop', message: string): boolean {
    return this.#running.end(id, { kind: 'reviewed', decision, message });
  }

  /** A person answers: held work goes on, and its agent heeds what they say. @returns those that do; none: it is not held. */
  async answer(id: JobId, text: string): Promise<readonly JobId[]> {
    const answered = await answerHeld(this.#deps, id, text);
    for (const one of answered) await this.#goesOn(one);
    this.pump();
    return answered;
  }

  /**
   * A person lets a job go on. Work that has its proof, and that its review stopped, counts from then on.
   * @returns false when it is not held.
   */
  async unhold(id: JobId): Promise<boolean> {
    const held = await this.#deps.ledger.jobs.get(id);
    if (held?.state === 'held' && this.#notes.get(id).proved) {
      const warning = acceptedWords(held);
      // What cannot be put in place now is, later, without the person.
      await this.#notes.accept(id, warning);
      if (await this.settle(id, { kind: 'accept', warning })) return true;
      // Its agent or rule is not what it was: it goes on as any job does.
    }
    if (!(await this.#deps.ledger.jobs.unhold(id))) return false;
    await this.#goesOn(id);
    this.pump();
    return true;
  }

  /** It was held. */
  async #goesOn(id: JobId): Promise<void> {
    this.#loops.released(id);
    const job = await this.#deps.ledger.jobs.get(id);
    if (!job) return;
    await this.#deps.ledger.files.setDisposition(job.input.root, job.input.path, id, undefined);
    await this.#tellPermissions(job);
  }

  /** One that was held for them is held no more. */
  async #tellPermissions({ agent: name }: JobRecord): Promise<void> {
    const agent = this.#recipes.config.agents.get(name);
    if (agent) await tellPermissions(this.#deps, [agent]);
  }

  /** Agents that are left alone: for a time, or until a person says `resumeAgent`. */
  parked(): ReadonlyMap<string, ParkedAgent> {
    return new Map([...this.#gates.parking.list()].map(([name, parked]) => [name, viewParked(parked)]));
  }

  /** Starts nothing more of this agent, also after a restart; what runs goes on. */
  async pauseAgent(name: string, who: string): Promise<void> {
    await this.#gates.parking.pause(name, who);
    this.pump();
  }

  /**
   * Ends a pause, and parking for a quota; an agent that was not let in is tried by one job.
   * @returns false when the agent was not parked.
   */
  async resumeAgent(name: string): Promise<boolean> {
    const wasParked = await this.#gates.parking.resume(name);
    this.pump();
    return wasParked;
  }

  /** A person is about to see whether an agent is let in by now: its next job tries. Nothing else that keeps it back ends. */
  async tryLogIn(name: string): Promise<void> {
    await this.#gates.parking.tryLogIn(name);
    this.pump();
  }

  breaker(agent: string): BreakerState {
    return this.#gates.breaker(agent);
  }

  async status(): Promise<CoordinatorStatus> {
    const parts = {
      config: this.#recipes.config,
      ledger: this.#deps.ledger,
      slots: this.#slots,
      peaks: this.#peaks,
      gates: this.#gates,
    };
    return { paused: this.isPaused, ...(await statusOf(parts)) };
  }

  /** Jobs whose attempt runs, or has ended without the ledger knowing yet. */
  runningIds(): readonly JobId[] {
    return this.#running.ids();
  }

  /** Starts nothing more; what runs has `drainMs` to end, then it is ended and goes back to the queue uncounted. */
  async drain(drainMs: number): Promise<void> {
    this.#stopping = true;
    this.#largeReads.clear();
    this.#reading.abort();
    clearTimeout(this.#dueTimer);
    clearInterval(this.#patrol);
    const timer = setTimeout(() => this.#running.endAll('stopping'), drainMs);
    await this.#slots.idle();
    clearTimeout(timer);
    await this.#gates.refresh();
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
    void this.#background.run(this.#claimAll()).finally(() => {
      this.#pumping = false;
      if (this.#pumpAgain) {
        this.#pumpAgain = false;
        this.pump();
      }
    });
  }

  async #claimAll(): Promise<void> {
    for (let claims = 1; !this.#stopping && this.#blocks.size === 0; claims++) {
      // The ledger answers without leaving the event loop's turn: others want theirs.
      if (claims % CLAIMS_PER_TURN === 0) await nextTurn();
      await this.#relane();
      const open = await this.#claimGate.query();
      if (!open) break;
      const [lease] = await this.#deps.ledger.jobs.claim({
        ...open,
        max: 1,
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

  #begin(lease: Lease): void {
    const leases = [lease, ...lease.companions];
    const kind = this.#recipes.config.agents.get(lease.job.agent)?.kind ?? 'command';
    const signal = this.#running.add(leases);
    this.#claimGate.began(leases);
    this.#peaks.see(this.#claimGate.running);
    void this.#background.run(this.#seeRate(lease.job.agent));
    const attempt = async (): Promise<void> => {
      try {
        await runAttempt(this.#deps, this.#recipes, lease, signal, {
          onSpent: (crew, spent) => this.#spent(crew, spent),
        });
      } catch (error) {
        for (const one of leases) await failByOwnFault(this.#deps, one, error);
      }
    };
    void this.#slots.run(kind, attempt, lease.job.step ? 0 : leases.length).finally(() => {
      this.#running.remove(leases);
      void this.#background.run(this.#cancelMissed(lease, signal));
      this.#gates.left(lease.job);
      this.#claimGate.ended(leases);
      this.pump();
    });
  }

  /** Cancelled while it was claimed, when no process ran that could have been ended: it waits now, and is not to go on. */
  async #cancelMissed({ job, companions }: Lease, { aborted, reason }: AbortSignal): Promise<void> {
    if (!aborted || companions.length > 0) return;
    if (typeof reason !== 'string' || reason === 'stopping' || reason === 'superseded') return;
    const ended = await this.#deps.ledger.jobs.endIdle(job.id, { state: 'cancelled', message: reason });
    if (ended) await finish(this.#deps, ended);
  }

  async #seeRate(agent: string): Promise<void> {
    const rate = this.#recipes.config.agents.get(agent)?.rate;
    if (rate) this.#peaks.seeRate(agent, await this.#deps.ledger.jobs.startedWithin(agent, rate.perMs));
  }

  /** Whoever is over a bound because of it is ended, with what it has made so far. */
  #spent(crew: Crew, spent: Spent): void {
    for (const { job, crossing } of this.#gates.spent(leaderOf(crew).job.id, spent))
      this.#running.end(job, crossing);
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

  /** What was seen small may have grown since: it is read as it is now. */
  #isLarge(change: Change): boolean {
    if (change.type === 'removed') return false;
    const { root, path, stamp } = change;
    if (stamp.size >= LARGE_BYTES) return true;
    const now = stampOf(join(this.#recipes.root(root)?.dir ?? '', path));
    return now !== undefined && now.size >= LARGE_BYTES;
  }

  /** A job runs on this file, and its root says that changes meanwhile are to be ignored. */
  #ignoresMeanwhile({ root, path }: Change): boolean {
    if (this.#recipes.root(root)?.onChange !== 'ignore') return false;
    return this.#running.worksOn(root, path);
  }

  /** A new version is in the queue: what runs on the old one goes on, or is ended, as its root says. */
  #queued(job: JobRecord): void {
    if (this.#recipes.root(job.input.root)?.onChange === 'restart') this.#running.supersede(job);
    this.pump();
  }

  #takeAgain(root: string, path: string): void {
    const stamp = stampOf(join(this.#recipes.root(root)?.dir ?? '', path));
    if (stamp)
      void this.#background.run(
        this.submit({ type: 'changed', root, path, stamp, found: 'event' }, { again: true }).then(() => {}),
      );
  }

  async #scheduleNextDue(): Promise<void> {
    clearTimeout(this.#dueTimer);
    const dueAt = await this.#claimGate.nextDueAt();
    if (dueAt === undefined || this.#stopping) return;
    const delayMs = Math.min(Math.max(dueAt - this.#deps.now(), 10), 60_000);
    this.#dueTimer = setTimeout(() => this.pump(), delayMs);
  }

  #publishLeft(): Promise<void> {
    return publishLeft(this.#deps, (id) => this.#running.has(id));
  }

  async #lookAgain(): Promise<void> {
    await this.#deps.ledger.jobs.heartbeat(this.#deps.worker, LEASE_MS);
    await this.#publishLeft();
    await this.#gates.refresh();
    await this.#loops.look();
    await lookAtLogIns(this.#deps, this.#recipes);
    await lookAgain(this.#deps, this.#recipes);
    await tellPermissions(this.#deps, this.#recipes.config.agents.values());
    this.pump();
  }
}

/** What may have come while nobody looked: jobs that wait for it are looked at again. */
const lacking = ['agent_unavailable', 'secret_unresolved', 'sandbox', 'limits'] as const;
