/**
 * What is remembered of each schedule, in the ledger's small values: up to when its due times are dealt with. A schedule
 * that is not the same any more (another time, another workflow) begins anew; other settings change without that.
 */
import { machineTimezone } from '../config/cron.ts';
import type { ScheduleConfig } from '../config/workflow.ts';
import type { KeptLedger } from '../ledger/ledger.ts';
import type { RunId } from '../types/run.ts';

/** What became of a due time. `skipped`: its `overlap`; `missed`: nothing ran then, and it is not caught up. */
export type LastDue = { readonly dueAt: number; readonly at: number } & (
  | { readonly outcome: 'started'; readonly runId: RunId }
  | { readonly outcome: 'skipped' | 'queued' | 'missed' }
);

export interface ScheduleMemory {
  readonly cron: string;
  readonly timezone: string;
  readonly workflow: string;
  /** Due times up to this one are dealt with. */
  readonly doneUntil: number;
  /** `overlap: queue`: the due time that waits for the run before it. */
  readonly waiting?: number;
  readonly last?: LastDue;
}

const KIND = 'schedule';

/** Nothing before `now` is due. */
export function beginMemory({ cron, timezone, workflow }: ScheduleConfig, now: number): ScheduleMemory {
  return { cron, timezone: timezone ?? machineTimezone(), workflow, doneUntil: now };
}

/** @returns undefined when nothing is remembered of this very schedule. */
export async function recall(
  kept: Pick<KeptLedger, 'get'>,
  schedule: ScheduleConfig,
): Promise<ScheduleMemory | undefined> {
  const memory = (await kept.get(KIND, schedule.name)) as ScheduleMemory | undefined;
  return memory !== undefined && isOf(memory, schedule) ? memory : undefined;
}

export function isOf(memory: ScheduleMemory, { cron, timezone, workflow }: ScheduleConfig): boolean {
  return (
    memory.cron === cron &&
    memory.timezone === (timezone ?? machineTimezone()) &&
    memory.workflow === workflow
  );
}

export function remember(kept: Pick<KeptLedger, 'put'>, name: string, memory: ScheduleMemory): Promise<void> {
  return kept.put(KIND, name, memory);
}

/** Forgets every schedule but these. */
export async function forgetOthers(
  kept: Pick<KeptLedger, 'list' | 'forget'>,
  names: ReadonlySet<string>,
): Promise<void> {
  for (const { name } of await kept.list(KIND)) if (!names.has(name)) await kept.forget(KIND, name);
}
