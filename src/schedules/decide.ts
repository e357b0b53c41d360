/** What becomes of the latest due time of a schedule. Pure: everything it depends on is handed in. */
import type { ScheduleConfig } from '../config/workflow.ts';

/** A timer that comes so late was late, nothing more; later than this the machine slept or its clock was put forward. */
export const ON_TIME_MS = 60_000;

export type Decision =
  | { readonly act: 'start'; readonly dueAt: number; readonly cancelFirst: boolean }
  | { readonly act: 'note'; readonly dueAt: number; readonly outcome: 'skipped' | 'queued' | 'missed' };

export interface Situation {
  readonly schedule: Pick<ScheduleConfig, 'overlap' | 'catchUp'>;
  /** The latest due time that is not dealt with: of several that passed only this one counts. */
  readonly dueAt: number;
  readonly now: number;
  /** Since when this process looks after the schedule: what was due before was missed. */
  readonly since: number;
  readonly isRunning: boolean;
  /** `overlap: queue`: one waits already. */
  readonly isWaiting: boolean;
}

export function decide({ schedule, dueAt, now, since, isRunning, isWaiting }: Situation): Decision {
  const isMissed = dueAt <= since || now - dueAt > ON_TIME_MS;
  if (isMissed && !schedule.catchUp) return { act: 'note', dueAt, outcome: 'missed' };
  if (!isRunning) return { act: 'start', dueAt, cancelFirst: false };
  switch (schedule.overlap) {
    case 'skip':
      return { act: 'note', dueAt, outcome: 'skipped' };
    case 'queue':
      return { act: 'note', dueAt, outcome: isWaiting ? 'skipped' : 'queued' };
    case 'cancel':
      return { act: 'start', dueAt, cancelFirst: true };
    default:
      return schedule.overlap satisfies never;
  }
}
