/** Schedules from the configuration and the ledger: with a daemon and without. */
import type { ScheduleConfig } from '../config/workflow.ts';
import type { Ledger } from '../ledger/ledger.ts';
import { createDueTimes } from '../schedules/due-times.ts';
import { type LastDue, recall } from '../schedules/memory.ts';

export interface SchedulesQuery {
  /** How many of the next times; default 1. */
  readonly next?: number;
}

export interface ScheduleView {
  readonly name: string;
  readonly workflow: string;
  readonly cron: string;
  readonly timezone: string;
  readonly overlap: ScheduleConfig['overlap'];
  readonly catch_up: boolean;
  /** The next times; empty: never again. */
  readonly next: readonly string[];
  /** What became of the latest due time. */
  readonly last?: {
    readonly due_at: string;
    readonly at: string;
    readonly outcome: LastDue['outcome'];
    readonly run_id?: string;
    /** Of that run, as it is now. */
    readonly state?: string;
  };
  /** `overlap: queue`: the due time that waits for the run before it. */
  readonly waiting_due_at?: string;
}

/** @param ledger Absent: the project has none yet. */
export function listSchedules(
  ledger: Pick<Ledger, 'kept' | 'runs'> | undefined,
  schedules: readonly ScheduleConfig[],
  { next = 1 }: SchedulesQuery,
  now: number,
): Promise<readonly ScheduleView[]> {
  return Promise.all(
    schedules.map(async (schedule) => {
      const memory = ledger && (await recall(ledger.kept, schedule));
      const last = memory?.last;
      const run = last?.outcome === 'started' ? await ledger?.runs.get(last.runId) : undefined;
      const { name, workflow, cron, overlap, catchUp } = schedule;
      const times = createDueTimes(schedule);
      return {
        name,
        workflow,
        cron,
        timezone: times.timezone,
        overlap,
        catch_up: catchUp,
        // Where the clock was set back, nothing is due before it is where it has been.
        next: times.next(next, Math.max(now, memory?.doneUntil ?? now)).map(iso),
        ...(last && {
          last: {
            due_at: iso(last.dueAt),
            at: iso(last.at),
            outcome: last.outcome,
            ...(last.outcome === 'started' && { run_id: last.runId }),
            ...(run && { state: run.state }),
          },
        }),
        ...(memory?.waiting !== undefined && { waiting_due_at: iso(memory.waiting) }),
      };
    }),
  );
}

function iso(at: number): string {
  return new Date(at).toISOString();
}
