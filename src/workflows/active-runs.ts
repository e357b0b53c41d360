/**
 * The runs that are under way: one driver each, in the order that their concurrency groups allow. New runs are created
 * here, those of steps (sub-workflows) like all others.
 */

import { setMaxListeners } from 'node:events';
import { setImmediate as nextTurn } from 'node:timers/promises';
import PQueue from 'p-queue';
import { renderText } from '../expressions/expressions.ts';
import { AppError, messageOf } from '../types/errors.ts';
import {
  finalRunStates,
  type RunId,
  type RunRecord,
  type RunTrigger,
  type StepRecord,
} from '../types/run.ts';
import { type KeptDefinition, keptCall } from './definition.ts';
import type { WorkflowsDeps } from './deps.ts';
import type { DriverHost } from './driver-host.ts';
import { RunEvents } from './events.ts';
import { Groups, type Joining } from './groups.ts';
import { resolveInputs } from './inputs.ts';
import { JobWatch } from './job-watch.ts';
import { RunDriver } from './run-driver.ts';
import { newRunId } from './run-id.ts';
import { RunReports } from './run-reports.ts';
import { RunScope } from './scope.ts';
import { Detached, type RunContext, stoppable } from './unit.ts';

/** Steps that are prepared at once, and after how many of them others get their turn. */
const PREPARED_AT_ONCE = 8;
const PREPARED_PER_TURN = 16;

export interface NewRun {
  readonly id?: RunId;
  readonly definition: KeptDefinition;
  readonly inputs: Readonly<Record<string, unknown>>;
  readonly trigger: RunTrigger;
  readonly force: boolean;
  readonly depth: number;
}

export class ActiveRuns implements AsyncDisposable {
  readonly events = new RunEvents();
  readonly #deps: WorkflowsDeps;
  readonly #drivers = new Map<RunId, RunDriver>();
  readonly #groups = new Groups();
  readonly #reports: RunReports;
  readonly #watch: JobWatch;
  readonly #stopping = new AbortController();
  readonly #preparing = new PQueue({ concurrency: PREPARED_AT_ONCE });
  /** Ids that were given out and may not be in the ledger yet. */
  readonly #newIds = new Set<RunId>();
  /** Over in the ledger; reports are being written. */
  readonly #closing = new Map<RunId, Promise<void>>();
  readonly #changeListeners = new Set<() => void>();
  #prepared = 0;

  constructor(deps: WorkflowsDeps) {
    this.#deps = deps;
    this.#reports = new RunReports(deps);
    this.#watch = new JobWatch(deps.jobs);
    setMaxListeners(0, this.#stopping.signal);
  }

  get isStopping(): boolean {
    return this.#stopping.signal.aborted;
  }

  get stopping(): AbortSignal {
    return this.#stopping.signal;
  }

  get(id: RunId): RunDriver | undefined {
    return this.#drivers.get(id);
  }

  /** A run that stands in the ledger and has not ended goes on, or takes its place in its group's line. */
  async take(
    run: RunRecord,
    o: { readonly force?: boolean; readonly definition?: KeptDefinition } = {},
  ): Promise<RunDriver> {
    const known = this.#drivers.get(run.id);
    if (known) return known;
    const definition =
      o.definition ??
      ((await this.#deps.ledger.runs.definition(run.definition)) as KeptDefinition | undefined);
    if (!definition)
      throw new AppError('INTERNAL', `The definition of run ${run.id} is not in the ledger any more`, {
        fix: 'Start the workflow anew; this run cannot go on.',
      });
    const priority = await this.#priorityOf(run);
    const meanwhile = this.#drivers.get(run.id);
    if (meanwhile) return meanwhile;
    const driver = new RunDriver(this.#host(), run, definition, { force: o.force ?? false, priority });
    this.#drivers.set(run.id, driver);
    this.#followFile(driver);
    if (this.mayBegin(run)) await driver.begin();
    return driver;
  }

  /** @throws AppError INPUT_INVALID, EXPRESSION (its group), NOT_POSSIBLE (it would wait for itself). */
  async create(o: NewRun): Promise<RunDriver> {
    const { definition, trigger, force, depth } = o;
    const { ledger, now } = this.#deps;
    if (this.isStopping)
      throw new AppError('NOT_POSSIBLE', 'No run is started while the daemon stops', {
        fix: 'Start it again.',
      });
    const id = o.id ?? (await this.newRunId());
    const draft: RunRecord = {
      id,
      workflow: definition.name,
      definition: '',
      state: 'running',
      inputs: resolveInputs(definition, o.inputs),
      ...{ trigger, force, depth, warnings: [], createdAt: now(), startedAt: now() },
    };
    const group = await this.#groupOf(definition, draft);
    const caller = callerOf(draft);
    const place = group === undefined ? noPlace : this.#takePlace({ id, group, caller });
    try {
      const definitionId = await ledger.runs.define(definition);
      const run: RunRecord = {
        ...(place.mayRun ? draft : { ...notStarted(draft), state: 'queued' }),
        definition: definitionId,
        ...(group !== undefined && { group }),
      };
      await ledger.runs.create(run);
      const driver = await this.take(run, { definition });
      if (definition.concurrency?.cancelInProgress)
        for (const other of place.ahead)
          await this.#drivers.get(other)?.cancel('replaced', `run ${id} of the same group takes its place`);
      return driver;
    } catch (error) {
      if (!this.#drivers.has(id)) this.#leave(id);
      throw error;
    } finally {
      this.#newIds.delete(id);
    }
  }

  /** Not in the ledger, and not given out twice. */
  async newRunId(): Promise<RunId> {
    for (;;) {
      const id = newRunId(this.#deps.now(), this.#deps.random);
      if (this.#newIds.has(id)) continue;
      this.#newIds.add(id);
      if (!(await this.#deps.ledger.runs.get(id))) return id;
    }
  }

  /** Resolves when nobody is being told of its end (any more). */
  async told(id: RunId): Promise<void> {
    await this.#closing.get(id);
  }

  get asking(): readonly RunId[] {
    return [...this.#drivers.values()].filter((one) => one.asking.length > 0).map(({ run }) => run.id);
  }

  /** Open runs with a driver that this one called, and those that they called. */
  calledBy(id: RunId): readonly RunDriver[] {
    return [...this.#drivers.values()].filter(({ run }) => {
      const seen = new Set<RunId>();
      for (let caller = callerOf(run); caller !== undefined && !seen.has(caller); ) {
        if (caller === id) return true;
        seen.add(caller);
        const above = this.#drivers.get(caller);
        caller = above && callerOf(above.run);
      }
      return false;
    });
  }

  /** Told when a run waits, goes on or ends: for whoever waits until nothing goes on. */
  onChange(listener: () => void): () => void {
    this.#changeListeners.add(listener);
    return () => this.#changeListeners.delete(listener);
  }

  /** Nothing goes on with it before a person answers, nor with any run that it called. */
  isIdle(id: RunId): boolean {
    return this.#waits(id) && this.calledBy(id).every(({ run }) => this.#waits(run.id));
  }

  /** It has not ended, and nothing of it goes on by itself soon: what it waits for may not come while a command looks on. */
  isStill(id: RunId): boolean {
    const isStill = ({ run, isStill: still }: RunDriver): boolean => still || this.#waits(run.id);
    const driver = this.#drivers.get(id);
    return driver !== undefined && isStill(driver) && this.calledBy(id).every(isStill);
  }

  /** It waits for a person itself, or for one that does. */
  #waits(id: RunId): boolean {
    const holder = this.#groups.holderBefore(id);
    const isWaiting = (one: RunId): boolean => this.#drivers.get(one)?.isWaiting ?? false;
    return isWaiting(id) || (holder !== undefined && isWaiting(holder));
  }

  /** Runs under way stay open; resolves when nothing of them goes on. */
  async stop(): Promise<void> {
    if (!this.isStopping) this.#stopping.abort('stopping');
    await Promise.all([...this.#drivers.values()].map((driver) => driver.detach()));
    await this.#preparing.onIdle();
    this.#changed();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
    this.#watch[Symbol.dispose]();
    await this.#reports[Symbol.asyncDispose]();
  }

  #host(): DriverHost {
    return {
      deps: this.#deps,
      events: this.events,
      reports: this.#reports,
      watch: this.#watch,
      stopping: this.#stopping.signal,
      prepare: (task) => this.#prepare(task),
      newRunId: () => this.newRunId(),
      ended: (driver) => this.#ended(driver),
      changed: () => this.#changed(),
      call: (driver, o) => this.#call(driver, o),
    };
  }

  #prepare<T>(task: () => Promise<T>): Promise<T> {
    return this.#preparing.add(async () => {
      if (++this.#prepared % PREPARED_PER_TURN === 0) await nextTurn();
      return task();
    });
  }

  async #ended(driver: RunDriver): Promise<void> {
    const { run } = driver;
    this.#drivers.delete(run.id);
    this.#leave(run.id);
    const told = this.#tellEnd(run);
    this.#closing.set(run.id, told);
    await told.finally(() => this.#closing.delete(run.id));
  }

  async #tellEnd(run: RunRecord): Promise<void> {
    // What people are told is on disk; the run that called it tells of both.
    const isOwn = run.trigger.kind !== 'workflow';
    if (isOwn)
      await this.#deps.ledger.durable().catch((error: unknown) => {
        this.#deps.log.warn(
          { run: run.id },
          `Run ${run.id} has ended, and is not on disk: ${messageOf(error)}`,
        );
      });
    const written = this.#reports.write(run.id);
    if (isOwn) await written;
    this.events.emit({ type: 'run_ended', run });
    this.#changed();
  }

  #changed(): void {
    for (const listener of [...this.#changeListeners]) listener();
  }

  /** A run of a step: created once, then followed to its end. */
  async #call(
    parent: RunDriver,
    { id, workflow, inputs, unit }: Parameters<RunContext['call']>[0],
  ): Promise<RunRecord | undefined> {
    const { runs } = this.#deps.ledger;
    let run = await runs.get(id);
    if (!run && unit.signal.aborted) {
      if (unit.signal.reason === 'stopping') throw new Detached();
      return undefined;
    }
    if (run && finalRunStates.includes(run.state)) return run;
    let driver: RunDriver;
    if (run) driver = await this.take(run);
    else {
      const definition = keptCall(parent.definition, workflow);
      if (!definition) throw unknownCall(parent.run, workflow);
      const { force, depth } = parent.run;
      const trigger: RunTrigger = { kind: 'workflow', runId: parent.run.id, step: unit.id };
      driver = await this.create({ id, definition, inputs: await inputs(), trigger, force, depth });
      run = driver.run;
    }
    return this.#follow(parent, driver, unit);
  }

  async #follow(
    parent: RunDriver,
    driver: RunDriver,
    unit: Parameters<RunContext['call']>[0]['unit'],
  ): Promise<RunRecord> {
    const cancel = (): void => {
      if (unit.signal.reason === 'stopping') return;
      void driver.cancel('cancelled', `run ${parent.run.id}, which called it, was ended`);
    };
    const look = (): void => {
      const waits = this.#waits(driver.run.id);
      parent.setBlocked(unit, waits, waits ? this.#whyBlocked(driver) : {});
    };
    const forget = this.onChange(look);
    unit.signal.addEventListener('abort', cancel, { once: true });
    try {
      if (unit.signal.aborted) cancel();
      look();
      return await stoppable(driver.ended, this.#stopping.signal);
    } finally {
      forget();
      unit.signal.removeEventListener('abort', cancel);
    }
  }

  #whyBlocked(driver: RunDriver): Pick<StepRecord, 'reason' | 'message'> {
    const { id, workflow } = driver.run;
    const asks = [driver, ...this.calledBy(id)].some(({ asking }) => asking.length > 0);
    return {
      ...(asks && { reason: 'approval' }),
      message: `run ${id} of "${workflow}" waits for a person`,
    };
  }

  /** Takes its place in the line of its group. @returns whether that is the first. */
  mayBegin(run: RunRecord): boolean {
    const { id, group } = run;
    const caller = callerOf(run);
    if (caller !== undefined) this.#groups.called(id, caller);
    return group === undefined || this.#groups.join({ id, group, caller });
  }

  /** At once, so that of two runs that come together one waits. @throws AppError NOT_POSSIBLE. */
  #takePlace(joining: Joining): { readonly mayRun: boolean; readonly ahead: readonly RunId[] } {
    const ahead = [...this.#groups.ahead(joining)];
    if (ahead.length > 0 && joining.caller !== undefined && this.#groups.wouldDeadlock(joining))
      throw new AppError(
        'NOT_POSSIBLE',
        `It would wait for ever: the run that holds the group "${joining.group}" waits for this one`,
        { fix: 'Give workflows that call each other groups of their own.' },
      );
    return { mayRun: this.#groups.join(joining), ahead };
  }

  #leave(id: RunId): void {
    const next = this.#groups.leave(id);
    if (next !== undefined && !this.isStopping) void this.#drivers.get(next)?.begin();
  }

  /** The run of a file whose job is over before it: the file was changed, or somebody cancelled the job. */
  #followFile(driver: RunDriver): void {
    const { trigger } = driver.run;
    if (trigger.kind !== 'file') return;
    const unwatch = this.#watch.add(trigger.jobId, ({ type, job }) => {
      if (type !== 'ended') return;
      if (job.state === 'superseded') void driver.cancel('on_file_changed', 'its file was changed');
      if (job.state === 'cancelled')
        void driver.cancel('cancelled', job.message ?? 'the job of its file was cancelled');
    });
    void driver.ended.then(unwatch);
  }

  async #groupOf(definition: KeptDefinition, draft: RunRecord): Promise<string | undefined> {
    if (!definition.concurrency) return undefined;
    const scope = new RunScope(this.#deps, definition, () => draft);
    const template = scope.template(definition.concurrency.group);
    const group = await renderText(template, await scope.of([template]));
    return group === '' ? undefined : group;
  }

  /** A file's run is as urgent as the file. */
  async #priorityOf({ trigger }: RunRecord): Promise<number> {
    if (trigger.kind !== 'file') return 0;
    return (await this.#deps.ledger.jobs.get(trigger.jobId))?.priority ?? 0;
  }
}

const noPlace = { mayRun: true, ahead: [] } as const;

function callerOf({ trigger }: Pick<RunRecord, 'trigger'>): RunId | undefined {
  return trigger.kind === 'workflow' ? trigger.runId : undefined;
}

function notStarted({ startedAt: _, ...run }: RunRecord): RunRecord {
  return run;
}

function unknownCall({ workflow }: RunRecord, name: string): AppError {
  return new AppError(
    'UNKNOWN_WORKFLOW',
    `"${workflow}" calls "${name}", which its definition does not hold`,
    {
      fix: 'Start the workflow anew.',
    },
  );
}
