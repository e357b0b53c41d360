/**
 * Results → receipts, reports, overview: the only folder that writes into the output folder. Everything here can be
 * repeated: what fails for want of space or permission is a condition, and the coordinator calls again later.
 */
import { join } from 'node:path';
import type { Config } from '../config/config.ts';
import type { Ledger } from '../ledger/ledger.ts';
import type { Conditions } from '../types/condition.ts';
import type { JobId, JobRecord } from '../types/job.ts';
import type { Receipt } from '../types/receipt.ts';
import type { RunId, RunRecord } from '../types/run.ts';
import { isOurs } from '../types/step-task.ts';
import { createFolders } from './folders.ts';
import { createHistory } from './history.ts';
import { findReceipt, type Located, locateResult } from './locate.ts';
import { createOriginals, type Originals } from './originals.ts';
import { createOutputGuard } from './output-guard.ts';
import { createOverview } from './overview/overview.ts';
import { createParcels } from './parcel.ts';
import { resultPlace } from './places.ts';
import { leavesFiles, type Publishing, type PublishStep, publishResult } from './publish.ts';
import { type Rebuilt, rebuildReports } from './rebuild.ts';
import { receiptReviews } from './receipt-reviews.ts';
import { linkToRun, type RunRef, runPlace } from './runs/places.ts';
import {
  isReported,
  publishRun,
  type RunPublishing,
  reportRun,
  type StepFile,
  writeStepFile,
} from './runs/publish-run.ts';
import type { RunReport } from './runs/report.ts';
import { createTurns } from './turns.ts';

export interface AggregatorOptions {
  readonly output: Config['output'];
  readonly projectDir: string;
  readonly stateDir: string;
  readonly ledger: Ledger;
  readonly redact: (text: string) => string;
  readonly conditions: Conditions;
  /** Epoch milliseconds. */
  readonly now: () => number;
  /** Whether others look at work at all; default: no. What agent CLIs did is asked about in any case. */
  readonly hasReviews?: () => boolean;
  /** Told of each step of a publication; a check of crashes throws here. */
  readonly afterStep?: (step: PublishStep) => void;
}

export interface Aggregator extends Originals, AsyncDisposable {
  /**
   * Puts the result of a finished job into the output folder and what stood there into the history. Repeating it is
   * harmless. Cancelled and superseded jobs leave no files.
   * @param workDir The folder of the job's last attempt; its `result.md` and `outputs/` are moved away. Absent: it is
   * looked for in the state folder. Keep it until this has succeeded.
   * @throws AppError `OUTPUT_UNWRITABLE` or `DISK_FULL` (also raised as conditions): call again later.
   */
  publish(job: JobRecord, workDir?: string): Promise<void>;
  /** Where the result of a finished job stands now; undefined when it is gone or not whole. */
  locate(job: JobRecord): Promise<Omit<Located, 'folder'> | undefined>;
  /** Whether the result of a job can be delivered again: what the cache asks before it answers. */
  hasResult(jobId: JobId): Promise<boolean>;
  /**
   * The receipt of a job whose publication has at least begun. After a crash it knows what a ledger that lost its last
   * commit does not: how the job ended, with which outputs, although its work folder may be empty by now.
   */
  receiptOf(jobId: JobId, input: { readonly root: string; readonly path: string }): Receipt | undefined;
  /**
   * Writes the reports of a run as it is now; any number of times. A run that the ledger does not know (any more) has none.
   * @throws AppError `OUTPUT_UNWRITABLE` or `DISK_FULL` (also raised as conditions): call again later.
   */
  publishRun(id: RunId): Promise<void>;
  /** Whether the reports of a run stand there and tell of the state that it has. */
  isRunPublished(run: RunRecord): boolean;
  /** What its report says now, without writing it; undefined when there is no such run. */
  reportOf(id: RunId): Promise<RunReport | undefined>;
  /**
   * Puts a file into the `outputs/` of a step, by rename; again: it is replaced.
   * @returns where it stands (absolute).
   * @throws AppError `NOT_POSSIBLE` for a path that leads out of that folder.
   */
  writeStepOutput(file: StepFile): Promise<{ readonly file: string; readonly bytes: number }>;
  /** Absolute folder of a run, which need not be there. */
  runFolder(run: RunRef): string;
  /** Link from the `result.md` of an input to the report of a run. */
  runReportLink(run: RunRef, input: { readonly root: string; readonly path: string }): string;
  /** Asks for a new overview; cheap, any number of times. */
  scheduleOverview(): void;
  /** Writes the overview now if anything has happened since the last one. */
  flush(): Promise<void>;
  /** Writes again what is missing or torn in the output folder: `sluice reports rebuild`. */
  rebuild(): Promise<Rebuilt>;
}

export function createAggregator(o: AggregatorOptions): Aggregator {
  const { dir, fileMode } = o.output;
  const folderMode = folderModeOf(fileMode);
  const history = createHistory({ stateDir: o.stateDir, now: o.now });
  const folders = createFolders({ dir, folderMode, history });
  const { base } = folders;
  const parcels = createParcels({ base, fileMode, folderMode });
  const guard = createOutputGuard({ dir, conditions: o.conditions });
  const overview = createOverview({
    dir,
    fileMode,
    folderMode,
    ledger: o.ledger,
    now: o.now,
    guard,
    conditions: o.conditions,
  });
  const inTurn = createTurns();
  const jobOf = (id: JobId): Promise<JobRecord | undefined> => o.ledger.jobs.get(id);
  const find = (job: JobRecord) => locateResult({ base, history, job: jobOf }, job);
  const locate = async (id: JobId) => {
    const job = await jobOf(id);
    return job === undefined ? undefined : find(job);
  };
  const publishing: Publishing = {
    folders,
    history,
    parcels,
    workRoot: join(o.stateDir, 'work'),
    fileMode,
    redact: o.redact,
    locate,
    reviewsOf: async (job) => (mayBeReviewed(o, job) ? receiptReviews(o.ledger.reviews, job) : []),
    newestJob: async (root, path) => (await o.ledger.files.get(root, path))?.jobId,
    afterStep: o.afterStep ?? (() => {}),
  };

  const publish = async (job: JobRecord, workDir?: string): Promise<void> => {
    if (leavesFiles(job))
      await guard.run(`deliver the result of "${job.input.path}"`, () =>
        inTurn(() => publishResult(publishing, job, workDir)),
      );
    overview.schedule();
  };

  const runPublishing: RunPublishing = {
    reader: { ledger: o.ledger, workRoot: publishing.workRoot, redact: o.redact, now: o.now },
    folders,
    fileMode,
  };
  // Of their own: a run with many items is read page by page, and results need not wait for that.
  const runInTurn = createTurns();
  const publishOneRun = async (id: RunId): Promise<void> => {
    await guard.run(`write the report of run ${id}`, () => runInTurn(() => publishRun(runPublishing, id)));
    overview.schedule();
  };

  return {
    publish,
    publishRun: publishOneRun,
    reportOf: (id) => reportRun(runPublishing, id),
    isRunPublished: (run) => isReported(base(), run),
    writeStepOutput: (file) =>
      guard.run(`write the output of step "${file.stepId}"`, () => writeStepFile(runPublishing, file)),
    runFolder: (run) => join(base(), ...runPlace(run)),
    runReportLink: (run, { root, path }) => linkToRun(resultPlace(base(), root, path), run),
    async locate(job) {
      const found = await find(job);
      if (found === undefined) return undefined;
      const { folder: _, ...files } = found;
      return files;
    },
    hasResult: async (id) => (await locate(id)) !== undefined,
    receiptOf: (id, input) => findReceipt({ base, history }, id, input),
    scheduleOverview: overview.schedule,
    flush: overview.flush,
    rebuild: async () => {
      const rebuilt = await rebuildReports({
        ledger: o.ledger,
        base,
        publish,
        publishRun: publishOneRun,
      });
      await overview.write();
      return rebuilt;
    },
    ...createOriginals({ output: o.output, folderMode, guard, inTurn }),
    [Symbol.asyncDispose]: () => overview[Symbol.asyncDispose](),
  };
}

/** The ledger is asked only where it can know something: most jobs are small, and nobody reviews them. */
function mayBeReviewed({ hasReviews }: AggregatorOptions, { step, attempts }: JobRecord): boolean {
  if (isOurs(step) || attempts.length === 0) return false;
  return hasReviews?.() === true || attempts.some(({ cli }) => cli !== undefined);
}

/** Whoever may read the files may enter the folders. */
function folderModeOf(fileMode: number): number {
  return fileMode | 0o300 | ((fileMode & 0o444) >> 2);
}
