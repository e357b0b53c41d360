/**
 * Schedules and the workflow engine, joined: only a daemon has them, since only a daemon is there when something is due.
 * What does the work is loaded with the first schedule: most projects have none.
 */
import type { Config } from '../config/config.ts';
import type { ScheduleConfig } from '../config/workflow.ts';
import type { Log } from '../logging/log.ts';
import type { ScheduledRuns, ScheduleEvent, Schedules } from '../schedules/schedules.ts';
import { formatElapsed } from '../types/elapsed.ts';
import { AppError } from '../types/errors.ts';
import { printableName } from '../types/printable-name.ts';
import { finalRunStates, type RunId, type RunRecord } from '../types/run.ts';
import type { Engine } from './engine.ts';

export interface EngineSchedules extends AsyncDisposable {
  configure(config: Config): Promise<void>;
  /** After a pause: what was due is started now, not within ten seconds. */
  wake(): void;
}

export interface EngineSchedulesOptions {
  readonly engine: Pick<Engine, 'config' | 'ledger' | 'conditions' | 'coordinator' | 'workflows'>;
  readonly log: Pick<Log, 'info' | 'warn'>;
  /** When it aborts nothing more is started. */
  readonly stop: AbortSignal;
}

/** A run and its note are two writes, one right after the other: it is among the newest. */
const LOOKED_AT = 200;
/** Later than this is told. */
const LATE_MS = 60_000;

export async function openSchedules({ engine, log, stop }: EngineSchedulesOptions): Promise<EngineSchedules> {
  const { ledger, conditions, coordinator } = engine;
  let schedules: Schedules | undefined;
  const runs = await followRuns(engine, () => schedules?.wake());
  const open = async (): Promise<Schedules> => {
    const [module, { systemClock }] = await Promise.all([
      import('../schedules/schedules.ts'),
      import('../schedules/clock.ts'),
    ]);
    return new module.Schedules({
      clock: systemClock,
      kept: ledger.kept,
      conditions,
      runs,
      blocked: () =>
        coordinator.isPaused ? { message: 'the daemon is paused', fix: 'Run `sluice resume`.' } : undefined,
      tell: (event) => tell(event, log),
    });
  };
  const configure = async (config: Config): Promise<void> => {
    if (stop.aborted) return;
    if (config.schedules.length === 0 && !schedules) {
      for (const { name } of await ledger.kept.list('schedule')) await ledger.kept.forget('schedule', name);
      return;
    }
    schedules ??= await open();
    await schedules.configure(config.schedules);
  };
  const end = async (): Promise<void> => await schedules?.[Symbol.asyncDispose]();
  const onStop = (): void => void end();
  stop.addEventListener('abort', onStop, { once: true });
  await configure(engine.config());
  return {
    configure,
    wake: () => schedules?.wake(),
    async [Symbol.asyncDispose]() {
      stop.removeEventListener('abort', onStop);
      runs[Symbol.dispose]();
      await end();
    },
  };
}

/** Which runs a schedule has started that have not ended: from the ledger at the start, then by the engine's events. */
async function followRuns(
  { ledger, workflows }: Pick<Engine, 'ledger' | 'workflows'>,
  onEnd: () => void,
): Promise<ScheduledRuns & Disposable> {
  const open = new Map<RunId, string>();
  const follow = ({ id, trigger, state }: RunRecord): void => {
    if (trigger.kind === 'schedule' && !finalRunStates.includes(state)) open.set(id, trigger.schedule);
  };
  const unsubscribe = workflows.events.subscribe((event) => {
    // One that was resumed goes on: it counts again.
    if (event.type === 'run_started') follow(event.run);
    if (event.type === 'run_ended' && open.delete(event.run.id)) onEnd();
  });
  for (const run of await ledger.runs.open()) follow(run);
  const openOf = ({ name }: ScheduleConfig): RunId[] =>
    [...open].flatMap(([id, schedule]) => (schedule === name ? [id] : []));
  return {
    async start({ name, workflow, inputs }, dueAt) {
      const run = await workflows.run({
        workflow,
        inputs,
        trigger: { kind: 'schedule', schedule: name, dueAt },
      });
      // It may have ended by now.
      if (workflows.isActive(run.id)) follow(run);
      return run.id;
    },
    async find({ name, workflow }, dueAt) {
      const found = await ledger.runs.list({ workflow, limit: LOOKED_AT });
      return found.find(
        ({ trigger }) => trigger.kind === 'schedule' && trigger.schedule === name && trigger.dueAt === dueAt,
      )?.id;
    },
    isRunning: (schedule) => openOf(schedule).length > 0,
    async cancel(schedule) {
      for (const id of openOf(schedule)) {
        try {
          await workflows.cancel(id, `the schedule ${schedule.name}: its next run is due`);
        } catch (error) {
          if (!(error instanceof AppError) || error.code !== 'NOT_POSSIBLE') throw error;
        }
        await workflows.done(id);
      }
    },
    [Symbol.dispose]: unsubscribe,
  };
}

function tell(
  { schedule: { name, workflow, catchUp }, due }: ScheduleEvent,
  log: Pick<Log, 'info' | 'warn'>,
): void {
  const { dueAt, at, outcome } = due;
  const fields = { schedule: name, workflow, due_at: new Date(dueAt).toISOString() };
  const who = `schedule ${printableName(name)}`;
  const late = at - dueAt > LATE_MS ? `, ${formatElapsed(at - dueAt)} late` : '';
  switch (outcome) {
    case 'started':
      return log.info(
        { ...fields, run: due.runId },
        `${who}: started run ${due.runId} of ${workflow}${late}`,
      );
    case 'queued':
      return log.info(fields, `${who}: waits for its run that still goes on`);
    case 'skipped':
      return log.warn(fields, `${who}: left out, its run before still goes on`);
    case 'missed':
      return log.warn(
        fields,
        `${who}: missed at ${fields.due_at}${catchUp ? '' : ', and not made up for (catch_up: false)'}`,
      );
    default:
      due satisfies never;
  }
}
