/**
 * One run under way: starts the steps that may start, takes in how they end, and ends the run. The ledger is told before
 * anything is done, so that another driver on the same ledger goes on where this one was left. Per step it does a few
 * writes and looks at nobody but the steps that follow.
 */
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { StepConfig } from '../config/workflow.ts';
import { ExpressionError, parseExpression, renderValue } from '../expressions/expressions.ts';
import type { Expression } from '../expressions/syntax.ts';
import type { RunChange } from '../ledger/run-ledger.ts';
import { formatElapsed } from '../types/elapsed.ts';
import { AppError, messageOf } from '../types/errors.ts';
import { finalRunStates, type RunRecord, type RunState, type StepRecord } from '../types/run.ts';
import { type Before, buildDag, DagState, type StepEnding } from './dag.ts';
import type { KeptDefinition } from './definition.ts';
import type { DriverHost } from './driver-host.ts';
import { Failures } from './failures.ts';
import { runForEach } from './for-each.ts';
import { RunScope } from './scope.ts';
import { type Admission, admit, type RunEnding } from './status.ts';
import { runStep } from './steps/steps.ts';
import { type Answer, asEnd, Detached, type RunContext, type Unit, type UnitEnd } from './unit.ts';
import { UnitTable } from './unit-table.ts';
import { wakeAt } from './wake.ts';

const BEGUN_PER_TURN = 64;

/** The steps of a workflow, or its `on_failure` steps after them. */
interface Phase {
  readonly isFailure: boolean;
  readonly steps: readonly StepConfig[];
  readonly state: DagState;
}

export interface DriverOptions {
  readonly force: boolean;
  readonly priority: number;
}

export class RunDriver {
  readonly definition: KeptDefinition;
  /** How it ended; never, when the process ends before. */
  readonly ended: Promise<RunRecord>;
  readonly #host: DriverHost;
  readonly #options: DriverOptions;
  readonly #scope: RunScope;
  readonly #units: UnitTable;
  readonly #conditions = new Map<string, Expression>();
  readonly #failures = new Failures();
  readonly #rows = new Map<string, StepRecord>();
  readonly #resolveEnded: (run: RunRecord) => void;
  #run: RunRecord;
  #phase: Phase;
  #queue: { readonly index: number; readonly row?: StepRecord }[] = [];
  #isPumping = false;
  /** Steps between "may start" and "under way" or ended. */
  #deciding = 0;
  #hasBegun = false;
  #isEnding = false;
  #isDetached = false;
  #ending: RunEnding | undefined;
  /** Cancelled twice: nothing more begins, whatever its `if` says. */
  #isHard = false;
  #isLooking = false;
  #toldWaiting = false;
  #forgetDeadline = (): void => {};

  constructor(host: DriverHost, run: RunRecord, definition: KeptDefinition, options: DriverOptions) {
    this.#host = host;
    this.#run = run;
    this.#options = options;
    this.definition = definition;
    this.#scope = new RunScope(host.deps, definition, () => this.#run);
    this.#units = new UnitTable(
      host,
      () => this.#run,
      () => this.#lookSoon(),
    );
    this.#phase = phaseOf(definition.steps, false);
    const { promise, resolve } = Promise.withResolvers<RunRecord>();
    this.ended = promise;
    this.#resolveEnded = resolve;
  }

  get run(): RunRecord {
    return this.#run;
  }

  /** Its turn has come: it starts, or goes on where the ledger says that it is. Never rejects. */
  begin(): Promise<void> {
    if (this.#hasBegun) return Promise.resolve();
    this.#hasBegun = true;
    return this.#guard(() => this.#begin());
  }

  async #begin(): Promise<void> {
    const { deps, events, reports } = this.#host;
    const { id } = this.#run;
    const now = deps.now();
    if (this.#run.state === 'queued') await this.#update({ state: 'running', startedAt: now });
    await deps.ledger.sessions.open({ id, kind: 'run', title: this.#run.workflow });
    this.#ending = endingOf(this.#run);
    const rows = await deps.ledger.runs.steps(id);
    for (const row of rows) if (row.endedAt === undefined) this.#rows.set(row.name, row);
    this.#restore(rows);
    this.#armDeadline();
    events.emit({ type: 'run_started', run: this.#run });
    if (this.#run.trigger.kind !== 'workflow') reports.began(id);
    this.#enqueue(this.#phase.state.startable());
    this.#afterStep();
  }

  /** A person, a newer run of its group, or the run that called it ends it. Twice: at once. */
  async cancel(ending: Exclude<RunEnding, 'timeout'>, message: string): Promise<void> {
    if (this.#isEnding) return;
    if (this.#ending !== undefined) this.#isHard = true;
    await this.#end(ending, message);
  }

  /** @returns the row that it ends with. @throws AppError NOT_POSSIBLE when it does not wait. */
  answer(id: string, answer: Answer): Promise<StepRecord> {
    return this.#units.answered(id, answer);
  }

  /** Ids of approvals that wait for an answer. */
  get asking(): readonly string[] {
    return this.#units.asking;
  }

  /** The process ends: nothing more is begun or written; the run stays open. Resolves when nothing of it goes on. */
  async detach(): Promise<void> {
    this.#isDetached = true;
    this.#forgetDeadline();
    await this.#units.detach();
  }

  /** A run that a step of it called waits for a person, and why; or it goes on. */
  setBlocked(unit: Unit, isBlocked: boolean, why: Pick<StepRecord, 'reason' | 'message'> = {}): void {
    this.#units.setBlocked(unit, isBlocked);
    void this.#guard(() => this.#units.tellBlocked(unit, isBlocked, why));
  }

  /** The process ends, or the ledger refuses: it goes on at the next start. */
  get isDetached(): boolean {
    return this.#isDetached;
  }

  /** Nothing of it goes on before a person answers. */
  get isWaiting(): boolean {
    return this.#run.state === 'waiting' && this.#units.areAllBlocked;
  }

  /** Nothing of it goes on by itself soon; runs that it has called are asked themselves. */
  get isStill(): boolean {
    return this.#hasBegun && !this.#isEnding && this.#units.areAllStill && !this.#isDeciding;
  }

  get #isDeciding(): boolean {
    return this.#queue.length > 0 || this.#deciding > 0;
  }

  // -- steps -----------------------------------------------------------------------------------------------------------

  #restore(rows: readonly StepRecord[]): void {
    const known = new Map(rows.filter(({ endedAt }) => endedAt !== undefined).map((row) => [row.name, row]));
    for (const [index, { name, continueOnError }] of this.definition.steps.entries()) {
      const row = known.get(name);
      if (row) this.#failures.see(row, index, continueOnError);
    }
    const endings = (steps: readonly StepConfig[]) => {
      const forgiven = new Set(steps.filter((step) => step.continueOnError).map(({ name }) => name));
      return (name: string): StepEnding | undefined => {
        const row = known.get(name);
        return row && stepEnding(row, forgiven.has(name));
      };
    };
    this.#phase.state.restore(endings(this.definition.steps));
    const { onFailure } = this.definition;
    // Steps of the failure phase have rows only when that has begun.
    if (!onFailure.some(({ name }) => known.has(name) || this.#rows.has(name))) return;
    this.#phase = phaseOf(onFailure, true);
    this.#phase.state.restore(endings(onFailure));
    for (const { name } of onFailure) this.#warnOf(known.get(name));
  }

  /** Failed `on_failure` steps change nothing, and are told. */
  #warnOf(row: StepRecord | undefined): void {
    if (row?.state !== 'failed') return;
    this.#failures.warn(`on_failure step "${row.name}" failed: ${row.message ?? row.reason ?? ''}`);
  }

  #enqueue(indexes: readonly number[]): void {
    for (const index of indexes) {
      const row = this.#rows.get((this.#phase.steps[index] as StepConfig).name);
      this.#queue.push({ index, ...(row && { row }) });
    }
    this.#pump();
  }

  #pump(): void {
    if (this.#isPumping || this.#queue.length === 0) return;
    this.#isPumping = true;
    void this.#guard(async () => {
      for (let begun = 1; this.#queue.length > 0; ) {
        const queue = this.#queue;
        this.#queue = [];
        for (const { index, row } of queue) {
          if (this.#isDetached) return;
          void this.#guard(() => this.#step(this.#phase, index, row));
          if (begun++ % BEGUN_PER_TURN === 0) await nextTurn();
        }
      }
      this.#isPumping = false;
      this.#lookSoon();
    });
  }

  async #step(phase: Phase, index: number, row: StepRecord | undefined): Promise<void> {
    const step = phase.steps[index] as StepConfig;
    const before = phase.isFailure ? afterFailure : phase.state.before(index);
    let admission: Admission | { readonly kind: 'fail'; readonly end: UnitEnd } = { kind: 'run' };
    if (!row) {
      this.#deciding += 1;
      admission = await this.#admit(phase, step, before).finally(() => {
        this.#deciding -= 1;
      });
    }
    const ended =
      admission.kind === 'run'
        ? await this.#execute(step, row)
        : await this.#units.record({ step, id: step.name }, notRun(admission));
    this.#rows.delete(step.name);
    if (phase.isFailure) this.#warnOf(ended);
    else this.#failures.see(ended, index, step.continueOnError);
    const free = phase.state.settle(index, stepEnding(ended, step.continueOnError));
    this.#enqueue(free);
    this.#afterStep();
  }

  async #admit(
    phase: Phase,
    step: StepConfig,
    before: Before,
  ): Promise<Admission | { readonly kind: 'fail'; readonly end: UnitEnd }> {
    // The time-out is what brought us to the failure phase; there it is over.
    const ending = phase.isFailure && this.#ending === 'timeout' ? undefined : this.#ending;
    if (this.#isHard) return { kind: 'cancel' };
    try {
      const condition = this.#conditionOf(step);
      return await admit(condition, before, ending, () =>
        this.#scope.of(condition ? [condition] : [], 'env' in step ? { env: step.env } : {}),
      );
    } catch (error) {
      return { kind: 'fail', end: asEnd(error) };
    }
  }

  #conditionOf({ if: text }: StepConfig): Expression | undefined {
    if (text === undefined) return undefined;
    let condition = this.#conditions.get(text);
    if (!condition) {
      const parsed = parseExpression(text);
      if ('problem' in parsed) throw new ExpressionError(text, parsed.problem);
      condition = parsed.ast;
      this.#conditions.set(text, condition);
    }
    return condition;
  }

  async #execute(step: StepConfig, row: StepRecord | undefined): Promise<StepRecord> {
    const { forEach } = step;
    const context = this.#context();
    const abort = this.#abortAtOnce(step, row);
    if (!forEach)
      return this.#units.run(
        { step, id: step.name, ...(row && { row }) },
        (unit) => runStep(context, unit),
        abort,
      );
    const own = { step, id: step.name, isList: true, ...(row && { row }) };
    return this.#units.run(
      own,
      (unit) =>
        runForEach(context, unit as Unit & { step: { forEach: typeof forEach } }, (item) =>
          this.#units.run({ step, ...item }, (one) => runStep(context, one), abort),
        ),
      abort,
    );
  }

  /** Taken up again while the run is being ended; what was begun in order to clean up goes on. */
  #abortAtOnce(step: StepConfig, row: StepRecord | undefined): RunEnding | undefined {
    if (!row || this.#ending === undefined || this.#phase.isFailure) return undefined;
    return step.if === undefined ? this.#ending : undefined;
  }

  #context(): RunContext {
    const driver = this;
    const { deps, watch, stopping, prepare } = this.#host;
    return {
      get run() {
        return driver.#run;
      },
      definition: this.definition,
      ...{ deps, watch, stopping, prepare, scope: this.#scope },
      force: this.#run.force || this.#options.force,
      priority: this.#options.priority,
      put: (unit, change) => this.#units.put(unit, change),
      startedAt: (unit) => this.#units.startedAt(unit),
      setBlocked: (unit, isBlocked) => this.#units.setBlocked(unit, isBlocked),
      progress: (unit, counts) => this.#units.progress(unit, counts),
      answer: (unit) => this.#units.asked(unit),
      call: (o) => this.#host.call(this, o),
      newRunId: () => this.#host.newRunId(),
    };
  }

  // -- the run ---------------------------------------------------------------------------------------------------------

  #afterStep(): void {
    if (this.#phase.state.isDone) void this.#guard(() => this.#finish());
    else this.#lookSoon();
  }

  async #finish(): Promise<void> {
    if (this.#isEnding) return;
    this.#isEnding = true;
    this.#forgetDeadline();
    const outcome = await this.#outcome();
    const { onFailure } = this.definition;
    if (outcome.state === 'failed' && onFailure.length > 0 && !this.#phase.isFailure) {
      this.#phase = phaseOf(onFailure, true);
      this.#isEnding = false;
      this.#enqueue(this.#phase.state.startable());
      return;
    }
    const { deps } = this.#host;
    await deps.ledger.sessions.close(this.#run.id);
    await this.#update({
      ...{ reason: null, message: null, fix: null },
      ...outcome,
      warnings: this.#failures.warnings,
      endedAt: deps.now(),
    });
    await this.#host.ended(this);
    this.#resolveEnded(this.#run);
  }

  async #outcome(): Promise<RunChange & { readonly state: RunState }> {
    const { message = 'cancelled' } = this.#run;
    switch (this.#ending) {
      case 'cancelled':
      case 'replaced':
      case 'on_file_changed':
        return { state: 'cancelled', reason: this.#ending, message };
      case 'timeout':
        return { state: 'failed', reason: 'timeout', message, ...(await this.#outputs({ quietly: true })) };
      case undefined:
        break;
      default:
        return this.#ending satisfies never;
    }
    const failure = this.#failures.first;
    if (failure)
      return {
        state: 'failed',
        reason: 'step_failed',
        ...failure,
        ...(await this.#outputs({ quietly: true })),
      };
    try {
      return { state: 'succeeded', ...(await this.#outputs({ quietly: false })) };
    } catch (error) {
      const end = asEnd(error);
      const said = `its outputs cannot be made: ${end.message ?? ''}`;
      return {
        state: 'failed',
        reason: 'invalid',
        message: said,
        ...(end.fix !== undefined && { fix: end.fix }),
      };
    }
  }

  /** @param o.quietly Those that cannot be made of a run that failed are left out. */
  async #outputs({ quietly }: { readonly quietly: boolean }): Promise<Pick<RunChange, 'outputs'>> {
    const declared = Object.entries(this.definition.outputs);
    if (declared.length === 0) return {};
    const outputs: Record<string, unknown> = {};
    for (const [name, text] of declared)
      try {
        const template = this.#scope.template(text);
        outputs[name] = await renderValue(template, await this.#scope.of([template]));
      } catch (error) {
        if (!quietly) throw error;
      }
    return { outputs };
  }

  async #end(ending: RunEnding, message: string): Promise<void> {
    this.#ending ??= ending;
    if (!this.#hasBegun) {
      // It waited for its group: nothing of it has begun, and nothing does.
      this.#hasBegun = true;
      this.#isEnding = true;
      await this.#guard(async () => {
        await this.#update({ state: 'cancelled', reason: ending, message, endedAt: this.#host.deps.now() });
        await this.#host.ended(this);
        this.#resolveEnded(this.#run);
      });
      return;
    }
    await this.#guard(async () => {
      const first = this.#ending === ending ? { reason: ending, message } : {};
      await this.#update({ state: 'running', ...first });
      this.#units.abort(ending);
      this.#afterStep();
    });
  }

  #armDeadline(): void {
    const { timeoutMs } = this.definition;
    if (timeoutMs === undefined || this.#ending !== undefined || this.#phase.isFailure) return;
    const { now } = this.#host.deps;
    this.#forgetDeadline = wakeAt((this.#run.startedAt ?? now()) + timeoutMs, now, () => {
      if (this.#isEnding || this.#ending !== undefined) return;
      void this.#guard(() => this.#end('timeout', `the run took longer than ${formatElapsed(timeoutMs)}`));
    });
  }

  /** Whether only a person can get it on, when what is under way now has settled. */
  #lookSoon(): void {
    if (this.#isLooking || this.#isEnding || this.#isDetached) return;
    this.#isLooking = true;
    setImmediate(() => {
      this.#isLooking = false;
      void this.#guard(() => this.#look());
    });
  }

  async #look(): Promise<void> {
    if (this.#isEnding || !this.#hasBegun) return;
    const isWaiting = this.#units.areAllBlocked && !this.#isDeciding;
    if (isWaiting === (this.#run.state === 'waiting')) {
      if (isWaiting && !this.#toldWaiting) this.#tellWaiting();
      else if (isWaiting) this.#host.changed(this);
      return;
    }
    await this.#update({ state: isWaiting ? 'waiting' : 'running' });
    this.#toldWaiting = false;
    if (isWaiting) this.#tellWaiting();
    else this.#host.changed(this);
  }

  #tellWaiting(): void {
    this.#toldWaiting = true;
    const { events, reports } = this.#host;
    events.emit({ type: 'run_waiting', run: this.#run });
    this.#host.changed(this);
    void reports.write(this.#run.id);
  }

  async #update(change: RunChange): Promise<void> {
    if (this.#isDetached) throw new Detached();
    const { deps } = this.#host;
    const said = typeof change.message === 'string' ? { message: deps.redact(change.message) } : {};
    this.#run = (await deps.ledger.runs.update(this.#run.id, { ...change, ...said })) ?? this.#run;
  }

  /** What keeps the run itself from going on (the ledger answers with errors) is a condition; it stays open. */
  async #guard(task: () => Promise<void>): Promise<void> {
    if (this.#isDetached) return;
    try {
      await task();
    } catch (error) {
      if (error instanceof Detached || this.#isDetached) return;
      const { id, workflow } = this.#run;
      const { code, fix } =
        error instanceof AppError
          ? error
          : {
              code: 'INTERNAL' as const,
              fix: 'It goes on at the next start; please report it with the log.',
            };
      const message = `Run ${id} of "${workflow}" stands still: ${messageOf(error)}`;
      this.#host.deps.conditions.raise({ code, subject: `run ${id}`, message, fix });
      await this.detach();
      this.#host.changed(this);
    }
  }
}

function phaseOf(steps: readonly StepConfig[], isFailure: boolean): Phase {
  // One after another, whatever the one before came to.
  const order = isFailure ? steps.map(({ name }) => ({ name })) : steps;
  return { isFailure, steps, state: new DagState(buildDag(order)) };
}

const afterFailure: Before = { success: false, failure: true };

function notRun(
  admission: Exclude<Admission, { kind: 'run' }> | { readonly kind: 'fail'; readonly end: UnitEnd },
): Omit<UnitEnd, 'state'> & Pick<StepRecord, 'state'> {
  if (admission.kind === 'fail') return admission.end;
  if (admission.kind === 'cancel')
    return { state: 'cancelled', reason: 'cancelled', message: 'it had not begun' };
  const { reason, message } = admission;
  return { state: 'skipped', reason, message };
}

function stepEnding({ state }: StepRecord, isForgiven: boolean): StepEnding {
  switch (state) {
    case 'succeeded':
    case 'cached':
      return 'succeeded';
    case 'skipped':
      return 'skipped';
    case 'failed':
      return isForgiven ? 'forgiven' : 'failed';
    // A run that goes on without it did not get what it needs.
    case 'cancelled':
      return isForgiven ? 'forgiven' : 'failed';
    case 'running':
    case 'waiting':
      throw new TypeError(`a step that is ${state} has not ended`);
    default:
      return state satisfies never;
  }
}

/** The mark that the run is being ended stands in its row before anything is aborted. */
function endingOf({ state, reason }: RunRecord): RunEnding | undefined {
  if (finalRunStates.includes(state)) return undefined;
  switch (reason) {
    case 'cancelled':
    case 'replaced':
    case 'timeout':
    case 'on_file_changed':
      return reason;
    default:
      return undefined;
  }
}
