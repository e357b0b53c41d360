/** Starts what is due. */
import type { ScheduleConfig } from '../config/workflow.ts';
import type { KeptLedger } from '../ledger/ledger.ts';
import type { Conditions } from '../types/condition.ts';
import type { RunId } from '../types/run.ts';
import type { Clock } from './clock.ts';
import type { LastDue } from './memory.ts';

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

export type ScheduleEvent = {
  readonly schedule: ScheduleConfig;
  readonly due: LastDue;
  /** It is that late, and is started nevertheless. */
  readonly lateMs?: number;
};

export class Schedules implements AsyncDisposable {
  constructor(deps: SchedulesDeps) {
    void deps;
  }

  /** @param schedules Checked, names unique. Before the first call nothing is started. */
  async configure(schedules: readonly ScheduleConfig[]): Promise<void> {
    void schedules;
  }

  /** Something has changed that a schedule may wait for: a run has ended, the daemon goes on. */
  wake(): void {}

  async [Symbol.asyncDispose](): Promise<void> {}
}
