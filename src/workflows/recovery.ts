/** What an earlier process left open goes on where the ledger says that it is; reports that it did not live to write are. */
import { messageOf } from '../types/errors.ts';
import { finalRunStates, type RunRecord } from '../types/run.ts';
import type { ActiveRuns } from './active-runs.ts';
import type { WorkflowsDeps } from './deps.ts';

/** A crash leaves at most those without a report that were ending just then. */
const LOOKED_AT = 20;

export async function recover(deps: WorkflowsDeps, runs: ActiveRuns): Promise<void> {
  const open = await deps.ledger.runs.open();
  // Those that had begun hold their groups, whatever came before them in the line.
  const isQueued = ({ state }: RunRecord): boolean => state === 'queued';
  for (const run of [...open.filter((one) => !isQueued(one)), ...open.filter(isQueued)])
    await takeUp(deps, runs, run);
  await writeReports(deps);
}

async function takeUp(deps: WorkflowsDeps, runs: ActiveRuns, run: RunRecord): Promise<void> {
  try {
    const driver = await runs.take(run);
    const { trigger } = run;
    const job = trigger.kind === 'file' ? await deps.ledger.jobs.get(trigger.jobId) : undefined;
    if (job?.state === 'superseded') await driver.cancel('on_file_changed', 'its file was changed');
    else if (job?.state === 'cancelled')
      await driver.cancel('cancelled', 'the job of its file was cancelled');
  } catch (error) {
    const message = `it cannot go on: ${messageOf(error)}`;
    deps.log.warn({ run: run.id }, `Run ${run.id} of "${run.workflow}" has ended: ${message}`);
    await deps.ledger.runs.update(run.id, {
      ...{
        state: 'failed',
        reason: 'invalid',
        message,
        fix: 'Start the workflow anew.',
        endedAt: deps.now(),
      },
    });
  }
}

async function writeReports({ ledger, publish, log }: WorkflowsDeps): Promise<void> {
  if (!publish.isPublished) return;
  for (const run of await ledger.runs.list({ states: finalRunStates, limit: LOOKED_AT }))
    try {
      if (!(await publish.isPublished(run))) await publish.run(run.id);
    } catch (error) {
      log.warn({ run: run.id }, `The reports of run ${run.id} could not be written: ${messageOf(error)}`);
    }
}
