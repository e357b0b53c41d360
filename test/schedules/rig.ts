/** Schedules with a clock that the test turns, and runs that last until the test ends them. */
import { onTestFinished } from 'vitest';
import { createConditionBoard } from '../../src/conditions/board.ts';
import type { ScheduleConfig } from '../../src/config/workflow.ts';
import type { KeptLedger } from '../../src/ledger/ledger.ts';
import type { Clock } from '../../src/schedules/clock.ts';
import { type ScheduleEvent, Schedules } from '../../src/schedules/schedules.ts';
import { AppError } from '../../src/types/errors.ts';
import { createKept } from '../conditions/kept.ts';

export function schedule(more: Partial<ScheduleConfig> = {}): ScheduleConfig {
  return {
    name: 'digest',
    workflow: 'daily-digest',
    cron: '0 7 * * *',
    timezone: 'UTC',
    inputs: {},
    overlap: 'skip',
    catchUp: true,
    ...more,
  };
}

/** Wall time and time awake are two things, as on a machine. */
export class TestClock implements Clock {
  wall: number;
  #awake = 0;
  #timers: { readonly at: number; readonly call: () => void }[] = [];

  constructor(start: string) {
    this.wall = Date.parse(start);
  }

  now(): number {
    return this.wall;
  }

  after(delayMs: number, call: () => void): () => void {
    // As Node does with a delay that is too long: at once, again and again.
    const timer = { at: this.#awake + (delayMs > 2 ** 31 - 1 ? 1 : Math.max(1, delayMs)), call };
    this.#timers.push(timer);
    return () => {
      this.#timers = this.#timers.filter((other) => other !== timer);
    };
  }

  get timers(): number {
    return this.#timers.length;
  }

  /** Time passes; whatever a timer sets off comes to its end before the next one. */
  async pass(ms: number): Promise<void> {
    const until = this.#awake + ms;
    for (;;) {
      const next = this.#timers.toSorted((a, b) => a.at - b.at)[0];
      if (!next || next.at > until) break;
      this.#move(next.at - this.#awake);
      this.#timers = this.#timers.filter((timer) => timer !== next);
      next.call();
      await settled();
    }
    this.#move(until - this.#awake);
    await settled();
  }

  /** @param to An instant, as people write it. */
  async passTo(to: string): Promise<void> {
    await this.pass(Date.parse(to) - this.wall);
  }

  /** The machine sleeps, or somebody sets the clock: no timer knows of it. */
  jump(ms: number): void {
    this.wall += ms;
  }

  set(to: string): void {
    this.wall = Date.parse(to);
  }

  #move(ms: number): void {
    this.#awake += ms;
    this.wall += ms;
  }
}

/** Nothing in these tests waits for anything but promises. */
export function settled(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}

interface TestRun {
  readonly id: string;
  readonly schedule: string;
  readonly dueAt: number;
  readonly at: number;
  readonly inputs: unknown;
  isOver: boolean;
  isCancelled: boolean;
}

export interface Rig {
  readonly clock: TestClock;
  readonly kept: KeptLedger;
  /** All runs ever, of all "processes". */
  readonly runs: TestRun[];
  readonly events: ScheduleEvent[];
  /** What `start` throws, by schedule. */
  readonly failing: Map<string, AppError>;
  /** Runs last until they are ended. */
  areLong: boolean;
  blocked: { message: string; fix: string } | undefined;
  /** Until it is over no start comes to its end. */
  gate: Promise<void> | undefined;
  /** The next process dies after the run was started and before that was noted. */
  dieAfterStart: boolean;
  /** A new "process". */
  boot(...schedules: ScheduleConfig[]): Promise<Schedules>;
  shutDown(): Promise<void>;
  /** Dies without a word: what it had not written is lost. */
  kill(): void;
  reload(...schedules: ScheduleConfig[]): Promise<void>;
  end(run: TestRun | undefined): Promise<void>;
  unblock(): Promise<void>;
  /** Due times of the runs that were started, as text. */
  started(name?: string): string[];
  outcomes(): string[];
  conditions(): { code: string; subject: string; message: string; fix: string }[];
}

const FULL = new AppError('DISK_FULL', 'the disk is full', { fix: 'Make space.' });

export function createRig(start = '2026-11-20T06:00:00Z'): Rig {
  const clock = new TestClock(start);
  const kept = createKept();
  const runs: TestRun[] = [];
  const events: ScheduleEvent[] = [];
  const failing = new Map<string, AppError>();
  const board = createConditionBoard({ now: () => clock.wall });
  let schedules: Schedules | undefined;
  let isDead = false;

  const open = (name: string): TestRun[] => runs.filter((run) => run.schedule === name && !run.isOver);
  const boot = async (...list: ScheduleConfig[]): Promise<Schedules> => {
    // Conditions live as long as a process.
    for (const { code, subject } of board.list()) board.clear(code, subject);
    const life = { isOver: false };
    const guarded = <T>(call: () => Promise<T>): Promise<T> => (life.isOver ? new Promise(() => {}) : call());
    const own = new Schedules({
      clock: {
        now: () => clock.now(),
        after: (delayMs, call) => clock.after(delayMs, () => !life.isOver && call()),
      },
      kept: {
        get: (kind, name) => kept.get(kind, name),
        list: (kind) => kept.list(kind),
        put: (kind, name, value) => guarded(() => kept.put(kind, name, value)),
        forget: (kind, name) => guarded(() => kept.forget(kind, name)),
      },
      conditions: board,
      runs: {
        async start({ name, inputs }, dueAt) {
          const error = failing.get(name);
          if (error) throw error;
          const id = `run-${runs.length + 1}`;
          const isOver = !rig.areLong;
          runs.push({ id, schedule: name, dueAt, at: clock.wall, inputs, isOver, isCancelled: false });
          if (rig.dieAfterStart) {
            rig.dieAfterStart = false;
            life.isOver = true;
            isDead = true;
          }
          await rig.gate;
          return guarded(async () => id);
        },
        find: async ({ name }, dueAt) => runs.find((run) => run.schedule === name && run.dueAt === dueAt)?.id,
        isRunning: ({ name }) => open(name).length > 0,
        async cancel({ name }) {
          for (const run of open(name)) Object.assign(run, { isOver: true, isCancelled: true });
        },
      },
      blocked: () => rig.blocked,
      tell: (event) => events.push(event),
    });
    schedules = own;
    kill = () => {
      life.isOver = true;
      isDead = true;
    };
    isDead = false;
    await own.configure(list);
    await settled();
    return own;
  };
  let kill = (): void => {};
  const rig: Rig = {
    clock,
    kept,
    runs,
    events,
    failing,
    areLong: false,
    blocked: undefined,
    gate: undefined,
    dieAfterStart: false,
    boot,
    async shutDown() {
      await schedules?.[Symbol.asyncDispose]();
    },
    kill: () => kill(),
    async reload(...list) {
      await schedules?.configure(list);
      await settled();
    },
    async end(run) {
      if (!run) throw new Error('no such run');
      run.isOver = true;
      schedules?.wake();
      await settled();
    },
    async unblock() {
      rig.blocked = undefined;
      schedules?.wake();
      await settled();
    },
    started: (name = 'digest') =>
      runs
        .filter((run) => run.schedule === name)
        .map(({ dueAt }) => new Date(dueAt).toISOString().replace(':00.000Z', 'Z')),
    outcomes: () => events.map(({ due }) => due.outcome),
    conditions: () => board.list().map(({ since: _, ...rest }) => rest),
  };
  onTestFinished(async () => {
    if (!isDead) await schedules?.[Symbol.asyncDispose]();
  });
  return rig;
}

export { FULL };
