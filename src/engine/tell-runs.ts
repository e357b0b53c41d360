/** Runs as log lines; that the last run of a workflow failed is a condition, over when one succeeds. */
import type { ConditionBoard } from '../conditions/board.ts';
import type { Log } from '../logging/log.ts';
import { formatElapsed } from '../types/elapsed.ts';
import { printableName } from '../types/printable-name.ts';
import type { RunRecord } from '../types/run.ts';
import type { RunEvents } from '../workflows/events.ts';

export function tellRuns(
  events: Pick<RunEvents, 'subscribe'>,
  conditions: Pick<ConditionBoard, 'raise' | 'clear'>,
  log: Log,
): void {
  events.subscribe((event) => {
    if (event.type === 'run_started') log.info(fieldsOf(event.run), `${nameOf(event.run)}: started`);
    else if (event.type === 'run_waiting')
      log.info(fieldsOf(event.run), `${nameOf(event.run)}: waits for a person`);
    else if (event.type === 'run_ended') ended(event.run);
  });

  function ended(run: RunRecord): void {
    const { id, workflow, state, reason, message = '', trigger } = run;
    // Whoever called it tells of it.
    const isCalled = trigger.kind === 'workflow';
    if (state === 'failed') {
      log.error({ ...fieldsOf(run), state, reason }, `${nameOf(run)}: failed${tookOf(run)}: ${message}`);
      if (!isCalled)
        conditions.raise({
          code: 'RUN_FAILED',
          subject: workflow,
          message: `the last run of "${workflow}" failed: ${message}`,
          fix: `See \`sluice workflow show ${id}\`; \`sluice workflow resume ${id}\` runs again what failed.`,
        });
      return;
    }
    log.info({ ...fieldsOf(run), state }, `${nameOf(run)}: ${state}${tookOf(run)}`);
    if (state === 'succeeded' && !isCalled) conditions.clear('RUN_FAILED', workflow);
  }
}

/** ` in 2.1 s`, of a run that has ended. */
export function tookOf({ startedAt, endedAt }: RunRecord): string {
  return startedAt === undefined || endedAt === undefined
    ? ''
    : ` in ${formatElapsed(Math.max(0, endedAt - startedAt))}`;
}

function fieldsOf({ id, workflow }: RunRecord): { readonly run: string; readonly workflow: string } {
  return { run: id, workflow };
}

function nameOf({ id, workflow }: RunRecord): string {
  return `${printableName(workflow)} (run ${id})`;
}
