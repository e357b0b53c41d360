/**
 * The units of a run that are under way: their rows, how each is ended from outside, and whether all of them wait for a
 * person. A row is written here and nowhere else.
 */
import type { StepConfig } from '../config/workflow.ts';
import type { Value } from '../expressions/scope.ts';
import { AppError, messageOf } from '../types/errors.ts';
import { endsSoon, passingWaits } from '../types/job.ts';
import { Patience } from '../types/patience.ts';
import type { RunRecord, StepRecord } from '../types/run.ts';
import type { DriverHost } from './driver-host.ts';
import { type Answer, asEnd, Detached, failed, type Unit, type UnitAbort, type UnitEnd } from './unit.ts';
import { wakeAt } from './wake.ts';

/** Counts of a step are told so often at most. */
const PROGRESS_MS = 250;

export interface UnitSpec {
  readonly step: StepConfig;
  readonly id: string;
  readonly index?: number;
  readonly item?: Value;
  readonly row?: StepRecord;
  /** The step of a `for_each` itself: its items are what is worked on. */
  readonly isList?: boolean;
}

interface Active {
  readonly unit: Unit;
  readonly isList: boolean;
  readonly controller: AbortController;
  readonly patience: Patience;
  row: StepRecord;
  isBlocked: boolean;
  /** A list of which no item has begun yet. */
  isListing: boolean;
  toldAt: number;
}

export class UnitTable {
  readonly #host: DriverHost;
  readonly #run: () => RunRecord;
  readonly #onChange: () => void;
  readonly #active = new Map<string, Active>();
  readonly #asked = new Map<
    string,
    { readonly resolve: (answer: Answer) => void; readonly ended: Promise<StepRecord> }
  >();
  readonly #ends = new Map<string, (row: StepRecord) => void>();
  /** Executions, so that a detached run is known to be at rest. */
  readonly #executing = new Set<Promise<unknown>>();
  #working = 0;
  #blocked = 0;
  #listing = 0;
  #isDetached = false;

  constructor(host: DriverHost, run: () => RunRecord, onChange: () => void) {
    this.#host = host;
    this.#run = run;
    this.#onChange = onChange;
  }

  get isEmpty(): boolean {
    return this.#active.size === 0;
  }

  /** Something is under way, and all of it waits for a person. */
  get areAllBlocked(): boolean {
    return this.#working > 0 && this.#blocked === this.#working && this.#listing === 0;
  }

  /**
   * Something is under way, and all of it waits for what may not come soon: a person, a program, tomorrow's budget. Steps
   * that have called runs wait with those.
   */
  get areAllStill(): boolean {
    if (this.#working === 0 || this.#listing > 0) return false;
    return [...this.#active.values()].every(
      (active) =>
        active.isList || active.isBlocked || active.row.subRunId !== undefined || this.#waitsForLong(active),
    );
  }

  #waitsForLong({ row, patience }: Active): boolean {
    const { reason, waitUntil: notBefore } = row;
    if (row.state !== 'waiting' || passingWaits.has(reason)) return false;
    return !endsSoon({ reason, notBefore }, this.#host.deps.now()) || patience.isOver(performance.now());
  }

  get asking(): readonly string[] {
    return [...this.#asked.keys()];
  }

  /**
   * @param abort It is to be ended at once: only what is known of it is brought to an end.
   * @returns its final row. @throws Detached when the process ends before.
   */
  run(spec: UnitSpec, work: (unit: Unit) => Promise<UnitEnd>, abort?: UnitAbort): Promise<StepRecord> {
    const execution = this.#execute(spec, work, abort);
    this.#executing.add(execution);
    const forget = (): void => void this.#executing.delete(execution);
    execution.then(forget, forget);
    return execution;
  }

  async #execute(
    spec: UnitSpec,
    work: (unit: Unit) => Promise<UnitEnd>,
    abort: UnitAbort | undefined,
  ): Promise<StepRecord> {
    if (this.#isDetached) throw new Detached();
    const { isList = false, ...given } = spec;
    const controller = new AbortController();
    const unit: Unit = { ...given, signal: controller.signal };
    const row = spec.row ?? identity(this.#run().id, spec);
    const active: Active = {
      ...{ unit, isList, controller, row, isBlocked: false, isListing: false, toldAt: 0 },
      patience: new Patience(),
    };
    this.#active.set(unit.id, active);
    if (isList) this.#setListing(active, true);
    else {
      this.#working += 1;
      this.#setListing(this.#active.get(unit.step.name), false);
    }
    if (abort) controller.abort(abort);
    const forgetDeadline = this.#deadline(active);
    try {
      const end = await this.#endOf(unit, work);
      return await this.#write(active, end);
    } finally {
      forgetDeadline();
      this.setBlocked(unit, false);
      this.#active.delete(unit.id);
      this.#asked.delete(unit.id);
      this.#setListing(active, false);
      if (!isList) this.#working -= 1;
      this.#onChange();
    }
  }

  async #endOf(unit: Unit, work: (unit: Unit) => Promise<UnitEnd>): Promise<UnitEnd> {
    try {
      return await work(unit);
    } catch (error) {
      if (error instanceof Detached || this.#isDetached) throw new Detached();
      try {
        return asEnd(error);
      } catch {
        return this.#ownFault(unit, error);
      }
    }
  }

  #ownFault({ id }: Unit, error: unknown): UnitEnd {
    const { deps } = this.#host;
    deps.log.warn(
      { run: this.#run().id, step: id, error: messageOf(error) },
      `Step "${id}" met a fault of our own`,
    );
    const fix = error instanceof AppError ? error.fix : 'This is a fault in Sluice; please report it.';
    return failed('internal', messageOf(error), fix);
  }

  /** A step that did not run at all has its row, too. */
  async record(spec: UnitSpec, end: Omit<UnitEnd, 'state'> & Pick<StepRecord, 'state'>): Promise<StepRecord> {
    return this.#put({
      ...identity(this.#run().id, spec),
      ...this.#redacted(end),
      endedAt: this.#host.deps.now(),
    });
  }

  async put(unit: Unit, change: Partial<StepRecord>): Promise<StepRecord> {
    const active = this.#active.get(unit.id);
    if (!active || active.row.endedAt !== undefined) throw new Detached();
    const { reason: _, message: __, fix: ___, waitUntil: ____, ...before } = active.row;
    const isNew = before.startedAt === undefined;
    const startedAt = before.startedAt ?? this.#host.deps.now();
    const row: StepRecord = { ...before, startedAt, ...this.#redacted(change) };
    const changed = row.state !== active.row.state || isNew;
    active.row = row;
    if (row.state === 'waiting' && !passingWaits.has(row.reason)) active.patience.waits(performance.now());
    else active.patience.goesOn(performance.now());
    await this.#put(row);
    if (isNew) this.#host.events.emit({ type: 'step_started', runId: row.runId, step: row });
    if (changed && row.state === 'waiting')
      this.#host.events.emit({ type: 'step_waiting', runId: row.runId, step: row });
    return row;
  }

  startedAt(unit: Unit): number {
    return this.#active.get(unit.id)?.row.startedAt ?? 0;
  }

  setBlocked(unit: Unit, isBlocked: boolean): void {
    const active = this.#active.get(unit.id);
    if (!active || active.isBlocked === isBlocked) return;
    active.isBlocked = isBlocked;
    if (active.isList) return;
    this.#blocked += isBlocked ? 1 : -1;
    this.#onChange();
  }

  /** Its row says that it waits. */
  async tellBlocked(
    unit: Unit,
    isBlocked: boolean,
    why: Pick<StepRecord, 'reason' | 'message'>,
  ): Promise<void> {
    const active = this.#active.get(unit.id);
    if (!active || (active.row.state === 'waiting') === isBlocked) return;
    await this.put(unit, isBlocked ? { state: 'waiting', ...why } : { state: 'running' });
  }

  progress(unit: Unit, counts: Readonly<Record<string, number>>): void {
    const active = this.#active.get(unit.id);
    const now = this.#host.deps.now();
    if (!active || now - active.toldAt < PROGRESS_MS) return;
    active.toldAt = now;
    this.#host.events.emit({ type: 'progress', runId: this.#run().id, step: unit.id, counts });
  }

  asked({ id }: Unit): Promise<Answer> {
    const answer = Promise.withResolvers<Answer>();
    const ended = new Promise<StepRecord>((resolve) => this.#ends.set(id, resolve));
    this.#asked.set(id, { resolve: answer.resolve, ended });
    return answer.promise;
  }

  async answered(id: string, answer: Answer): Promise<StepRecord> {
    const asked = this.#asked.get(id);
    if (!asked)
      throw new AppError(
        'NOT_POSSIBLE',
        `Step "${id}" of run ${this.#run().id} does not wait for an answer`,
        {
          fix: 'See `sluice workflow show`.',
        },
      );
    this.#asked.delete(id);
    asked.resolve(answer);
    return asked.ended;
  }

  abort(reason: UnitAbort): void {
    for (const { controller } of [...this.#active.values()]) controller.abort(reason);
  }

  /** Resolves when nothing is executed any more. */
  async detach(): Promise<void> {
    this.#isDetached = true;
    this.abort('stopping');
    await Promise.allSettled(this.#executing);
  }

  async #write(active: Active, end: UnitEnd): Promise<StepRecord> {
    const { reason: _, message: __, fix: ___, waitUntil: ____, ...before } = active.row;
    const row: StepRecord = { ...before, ...this.#redacted(end), endedAt: this.#host.deps.now() };
    active.row = row;
    return this.#put(row);
  }

  async #put(row: StepRecord): Promise<StepRecord> {
    if (this.#isDetached) throw new Detached();
    await this.#host.deps.ledger.runs.putStep(row);
    if (row.endedAt === undefined) return row;
    this.#host.events.emit({ type: 'step_ended', runId: row.runId, step: row });
    this.#ends.get(row.id)?.(row);
    this.#ends.delete(row.id);
    return row;
  }

  #setListing(active: Active | undefined, isListing: boolean): void {
    if (!active || active.isListing === isListing) return;
    active.isListing = isListing;
    this.#listing += isListing ? 1 : -1;
  }

  /** Jobs keep their own time; for what has none it is kept here. */
  #deadline({ unit, controller, row }: Active): () => void {
    const { type, timeoutMs } = unit.step;
    const isOurs = type === 'file_processing' || type === 'workflow' || type === 'report';
    if (!isOurs || timeoutMs === undefined) return () => {};
    const { now } = this.#host.deps;
    return wakeAt((row.startedAt ?? now()) + timeoutMs, now, () => controller.abort('step_timeout'));
  }

  #redacted<T extends Partial<Pick<StepRecord, 'message'>>>(change: T): T {
    const { message } = change;
    return message === undefined ? change : { ...change, message: this.#host.deps.redact(message) };
  }
}

function identity(runId: string, { id, step, index, item }: UnitSpec): StepRecord {
  return {
    ...{ runId, id, name: step.name, state: 'running' },
    ...(index !== undefined && { index }),
    ...(item !== undefined && { item }),
  };
}
