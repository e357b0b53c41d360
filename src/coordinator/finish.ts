/**
 * What follows when a job has ended: its file's disposition, its result and receipt, and those that waited for it. The
 * ledger has been told already: after a crash in here, the same is done again at the next start.
 */
import type { Ledger } from '../ledger/ledger.ts';
import { AppError, messageOf } from '../types/errors.ts';
import type { Disposition, JobRecord } from '../types/job.ts';
import type { CoordinatorDeps, ResultStore } from './deps.ts';
import type { CoordinatorEvents } from './events.ts';

export interface FinishDeps {
  readonly ledger: Ledger;
  readonly results: Pick<ResultStore, 'publish'>;
  readonly conditions: CoordinatorDeps['conditions'];
  readonly events: CoordinatorEvents;
}

/** @returns whether its files are in place; if not, they are put there later, from its work folder. */
export async function finish(
  { ledger, results, conditions, events }: FinishDeps,
  job: JobRecord,
  workDir?: string,
): Promise<boolean> {
  const { root, path } = job.input;
  const disposition = dispositionOf(job);
  if (disposition !== undefined) await ledger.files.setDisposition(root, path, job.id, disposition);
  const isPublished = await publish();
  events.emit({ type: 'ended', job });
  return isPublished;

  async function publish(): Promise<boolean> {
    try {
      if (hasReceipt(job)) await results.publish(job, workDir);
      await ledger.jobs.published(job.id);
      conditions.clear('INTERNAL', RESULTS);
      return true;
    } catch (error) {
      raisePublishProblem(conditions, error);
      return false;
    }
  }
}

/** A superseded or cancelled job leaves what stands there: a newer version's result, or the earlier one. */
function hasReceipt({ state }: JobRecord): boolean {
  return state === 'succeeded' || state === 'cached' || state === 'failed';
}

export function dispositionOf({ state, reason }: JobRecord): Disposition | undefined {
  switch (state) {
    case 'succeeded':
      return 'processed';
    case 'cached':
    case 'failed':
      return state;
    case 'held':
      return 'held';
    case 'cancelled':
      return reason === 'input_gone' ? undefined : 'ignored';
    case 'superseded':
    case 'queued':
    case 'running':
    case 'waiting':
      return undefined;
    default:
      return state satisfies never;
  }
}

const RESULTS = 'results';

/** What the disk refuses is a condition already: the result store raises it, and knows when it is over. */
function raisePublishProblem(conditions: CoordinatorDeps['conditions'], error: unknown): void {
  if (error instanceof AppError) return;
  conditions.raise({
    code: 'INTERNAL',
    subject: RESULTS,
    message: `A result could not be put in place: ${messageOf(error)}`,
    fix: 'It is tried again by itself; if that does not help, please report it with the log.',
  });
}
