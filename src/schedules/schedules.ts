/**
 * Starts what is due. A due time is dealt with once: by a run, or by a note of why there is none. The note follows the
 * run, and both are in one ledger, so that a process that dies in between has started the run or has not; its successor
 * asks for the run before it starts it.
 *
 * Nothing here trusts a timer or the clock: timers last at most a minute, and whatever wakes them, what is due is worked
 * out from the time that it is now and from what was dealt with. A machine that slept, a clock that was put forward and
 * a daemon that was down are one case: of all that was missed at most the latest is started. A clock that was set back
 * comes by times that are dealt with, and nothing happens. Each schedule takes its turns by itself: one whose runs cannot
 * be started does not hold up others.
 */
import type { ScheduleConfig } from '../config/workflow.ts';
import type { KeptLedger } from '../ledger/ledger.ts';
import type { Conditions } from '../types/condition.ts';
import { AppError, messageOf } from '../types/errors.ts';
import type { RunId } from '../types/run.ts';
import type { Clock } from './clock.ts';
import { decide } from './decide.ts';
import { createDueTimes, type DueTimes } from './due-times.ts';
import {
  beginMemory,
  forgetOthers,
  isOf,
  type LastDue,
  recall,
  remember,
  type ScheduleMemory,
} from './memory.ts';
import { SetBack } from './set-back.ts';

export interface SchedulesDeps {
  readonly clock: Clock;
  readonly kept: KeptLedger;
  readonly conditions: Conditions;
  readonly runs: ScheduledRuns;
  /** Why nothing may start now (the daemon is paused). */
  readonly blocked: () => { readonly message: string; readonly fix: string } | undefined;
  readonly tell: (event: ScheduleEvent) => void;
}

/** What schedules ask of the workflow engine. */
export interface ScheduledRuns {
  /** @returns when the run stands in the ledger. @throws AppError when it cannot be started. */
  start(schedule: ScheduleConfig, dueAt: number): Promise<RunId>;
  /** The run for this due time, if there is one: an earlier process may have died before it could note it. */
  find(schedule: ScheduleConfig, dueAt: number): Promise<RunId | undefined>;
  /** A run that this schedule started has not ended. */
  isRunning(schedule: ScheduleConfig): boolean;
  /** Cancels the runs of this schedule that have not ended. @returns when they have. */
  cancel(schedule: ScheduleConfig): Promise<void>;
}

export interface ScheduleEvent {
  readonly schedule: ScheduleConfig;
  readonly due: LastDue;
}

interface Entry {
  schedule: ScheduleConfig;
  readonly times: DueTimes;
  memory: ScheduleMemory;
  /** What was due before was missed. */
  readonly since: number;
  /** An earlier process may have started what looks due. */
  isUnsure: boolean;
  /** The ledger holds `memory`. */
  isKept: boolean;
  /** Its condition is open: it was due and blocked, its start failed, or what became of it cannot be written. */
  problem?: 'blocked' | 'failed' | 'unkept';
  isBusy: boolean;
  /** Somebody woke it: it takes a turn, or another one. */
  again: boolean;
}

const MAX_SLEEP_MS = 60_000;
const RETRY_MS = 10_000;

export class Schedules implements AsyncDisposable {
  readonly #deps: SchedulesDeps;
  readonly #setBack: SetBack;
  #entries = new Map<string, Entry>();
  /** Also of schedules that a reload has taken out meanwhile. */
  readonly #turns = new Set<Promise<void>>();
  #stopTimer: () => void = () => {};
  #isOver = false;

  constructor(deps: SchedulesDeps) {
    this.#deps = deps;
    this.#setBack = new SetBack(deps.conditions);
  }

  /**
   * Before the first call nothing is started. An unchanged schedule keeps its memory, a changed one (its time, its
   * workflow) begins anew from now, one that is gone is forgotten.
   * @param schedules Checked, names unique.
   */
  async configure(schedules: readonly ScheduleConfig[]): Promise<void> {
    const before = this.#entries;
    const next = new Map<string, Entry>();
    for (const schedule of schedules) {
      const known = before.get(schedule.name);
      const isSame = known !== undefined && isOf(known.memory, schedule);
      if (isSame) known.schedule = schedule;
      next.set(schedule.name, isSame ? known : await this.#enter(schedule));
    }
    this.#entries = next;
    for (const [name, entry] of before)
      if (next.get(name) !== entry) {
        this.#deps.conditions.clear('SCHEDULE_FAILED', name);
        this.#setBack.forget(name);
      }
    this.wake();
    await forgetOthers(this.#deps.kept, new Set(next.keys()));
  }

  /** Something has changed that a schedule may wait for: a run has ended, the daemon goes on. */
  wake(): void {
    if (this.#isOver) return;
    for (const entry of this.#entries.values()) this.#look(entry);
    this.#setTimer();
  }

  /** Starts nothing more. @returns when the start that was under way is noted. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#isOver = true;
    this.#stopTimer();
    await Promise.all(this.#turns);
  }

  async #enter(schedule: ScheduleConfig): Promise<Entry> {
    const { clock, kept } = this.#deps;
    const since = clock.now();
    const known = await recall(kept, schedule);
    return {
      schedule,
      times: createDueTimes(schedule),
      memory: known ?? beginMemory(schedule, since),
      since,
      isUnsure: known !== undefined,
      isKept: known !== undefined,
      isBusy: false,
      again: false,
    };
  }

  #setTimer(): void {
    this.#stopTimer();
    if (this.#isOver) return;
    const now = this.#deps.clock.now();
    let delayMs = MAX_SLEEP_MS;
    for (const { times, memory, problem, isKept } of this.#entries.values()) {
      if (problem || !isKept) delayMs = Math.min(delayMs, RETRY_MS);
      const next = times.after(Math.max(now, memory.doneUntil));
      if (next !== undefined) delayMs = Math.min(delayMs, next - now);
    }
    this.#stopTimer = this.#deps.clock.after(delayMs, () => this.wake());
  }

  #look(entry: Entry): void {
    entry.again = true;
    if (entry.isBusy) return;
    const turns = this.#takeTurns(entry).finally(() => this.#turns.delete(turns));
    this.#turns.add(turns);
  }

  async #takeTurns(entry: Entry): Promise<void> {
    entry.isBusy = true;
    while (entry.again && this.#isCurrent(entry)) {
      entry.again = false;
      try {
        await this.#takeTurn(entry);
      } catch (error) {
        this.#fail(entry, error);
      }
    }
    entry.isBusy = false;
    this.#setTimer();
  }

  async #takeTurn(entry: Entry): Promise<void> {
    const { clock, runs, blocked } = this.#deps;
    const now = clock.now();
    if (!entry.isKept) await this.#note(entry, {});
    if (entry.problem === 'unkept') this.#mend(entry);
    if (this.#setBack.isWrong(entry.schedule.name, entry.memory.doneUntil, now))
      await this.#note(entry, { doneUntil: now });

    if (entry.isUnsure) await this.#findStarted(entry);
    const { waiting, doneUntil } = entry.memory;
    const dueAt = entry.times.latest(doneUntil, now);
    const isWaitOver = waiting !== undefined && !runs.isRunning(entry.schedule);
    const block = blocked();
    if (entry.problem === 'blocked' && !block) this.#mend(entry);
    if (isWaitOver) {
      if (block) return this.#tellBlocked(entry, block);
      await this.#start(entry, waiting);
    }
    if (dueAt !== undefined) {
      const decision = decide({
        schedule: entry.schedule,
        dueAt,
        now,
        since: entry.since,
        isRunning: runs.isRunning(entry.schedule),
        isWaiting: entry.memory.waiting !== undefined,
      });
      if (decision.act === 'note') {
        await this.#deal(entry, { dueAt, at: now, outcome: decision.outcome });
      } else {
        if (block) return this.#tellBlocked(entry, block);
        if (decision.cancelFirst) await runs.cancel(entry.schedule);
        await this.#start(entry, dueAt);
      }
    }
  }

  /** What an earlier process started and could not note. */
  async #findStarted(entry: Entry): Promise<void> {
    const { clock, runs } = this.#deps;
    const { waiting, doneUntil } = entry.memory;
    for (const dueAt of [waiting, entry.times.latest(doneUntil, clock.now())]) {
      const runId = dueAt === undefined ? undefined : await runs.find(entry.schedule, dueAt);
      if (dueAt !== undefined && runId !== undefined)
        await this.#deal(entry, { dueAt, at: clock.now(), outcome: 'started', runId });
    }
    entry.isUnsure = false;
  }

  async #start(entry: Entry, dueAt: number): Promise<void> {
    const { clock, runs } = this.#deps;
    const runId = await runs.start(entry.schedule, dueAt);
    this.#mend(entry);
    await this.#deal(entry, { dueAt, at: clock.now(), outcome: 'started', runId });
  }

  /** A due time is dealt with. */
  async #deal(entry: Entry, due: LastDue): Promise<void> {
    const { waiting, doneUntil } = entry.memory;
    const isOver = due.outcome === 'started' && due.dueAt === waiting;
    await this.#note(entry, {
      doneUntil: Math.max(doneUntil, due.dueAt),
      waiting: isOver ? undefined : due.outcome === 'queued' ? due.dueAt : waiting,
      last: due,
    });
    this.#deps.tell({ schedule: entry.schedule, due });
  }

  async #note(
    entry: Entry,
    change: Partial<Omit<ScheduleMemory, 'waiting'>> & { readonly waiting?: number | undefined },
  ): Promise<void> {
    const { waiting, ...rest } = { ...entry.memory, ...change };
    // It counts from now on, whether or not it can be written.
    entry.memory = { ...rest, ...(waiting !== undefined && { waiting }) };
    entry.isKept = false;
    // A reload may have put another in its place.
    if (this.#entries.get(entry.schedule.name) !== entry) return;
    await remember(this.#deps.kept, entry.schedule.name, entry.memory);
    entry.isKept = true;
  }

  #isCurrent(entry: Entry): boolean {
    return !this.#isOver && this.#entries.get(entry.schedule.name) === entry;
  }

  #mend(entry: Entry): void {
    if (!entry.problem) return;
    delete entry.problem;
    this.#deps.conditions.clear('SCHEDULE_FAILED', entry.schedule.name);
  }

  #tellBlocked(entry: Entry, { message, fix }: { message: string; fix: string }): void {
    entry.problem = 'blocked';
    this.#raise(entry, message, fix);
  }

  #fail(entry: Entry, error: unknown): void {
    if (!this.#isCurrent(entry)) return;
    entry.problem = entry.isKept ? 'failed' : 'unkept';
    const fix = error instanceof AppError ? error.fix : 'See `sluice logs`.';
    this.#raise(entry, messageOf(error), fix);
  }

  #raise({ schedule: { name, workflow }, problem }: Entry, message: string, fix: string): void {
    const cannot = problem === 'unkept' ? 'be written to the ledger' : `start "${workflow}"`;
    this.#deps.conditions.raise({
      code: 'SCHEDULE_FAILED',
      subject: name,
      message: `The schedule "${name}" cannot ${cannot}: ${message}`,
      fix,
    });
  }
}
