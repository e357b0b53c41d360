/**
 * `index.html` and `index.json` in the output folder: written at most once a second while work goes on, and once at the
 * end. They are always made anew from the ledger's totals and its latest rows; adding to the files that are there was
 * rejected: it grows without bound, and what somebody edited or tore would stay wrong.
 */
import { chmodSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import type { Ledger } from '../../ledger/ledger.ts';
import type { Conditions } from '../../types/condition.ts';
import { AppError, messageOf } from '../../types/errors.ts';
import { finalStates, type JobRecord } from '../../types/job.ts';
import type { RunId, RunRecord } from '../../types/run.ts';
import type { OutputGuard } from '../output-guard.ts';
import { runSpent } from '../runs/spent.ts';
import { overviewModel, shownRuns } from './model.ts';
import { overviewPage } from './page.ts';

export interface Overview extends AsyncDisposable {
  schedule(): void;
  /** Writes it now when it was scheduled since the last time. */
  flush(): Promise<void>;
  /** Writes it now. */
  write(): Promise<void>;
}

export interface OverviewOptions {
  readonly dir: string;
  readonly fileMode: number;
  readonly folderMode: number;
  readonly ledger: Ledger;
  readonly now: () => number;
  readonly guard: OutputGuard;
  readonly conditions: Conditions;
}

const minIntervalMs = 1000;
/** Never more than this share of the time, however slow the disk or the ledger. */
const maxShare = 0.02;
const shown = { latest: 100, failures: 50, held: 50 };
/** Of these the ones are shown that still stand. */
const failuresRead = 100;
/** Jobs among which files are looked for when there are steps of runs between them. */
const latestRead = 400;
const runsRead = 500;

export function createOverview(o: OverviewOptions): Overview {
  const state = {
    due: false,
    nextAt: 0,
    timer: undefined as NodeJS.Timeout | undefined,
    writing: Promise.resolve(),
    /** What ended runs cost: it is added up from their jobs, once. */
    costs: new Map<RunId, { readonly endedAt: number; readonly costUsd: number | null }>(),
  };

  const read = async () => {
    const { jobs } = o.ledger;
    const [tally, open, latest, failures, held, runs] = await Promise.all([
      jobs.tally(),
      jobs.counts(),
      latestFiles(),
      jobs.list({ states: ['failed'], limit: failuresRead }).then(standing),
      jobs.list({ states: ['held'], limit: shown.held }),
      o.ledger.runs.list({ parent: null, limit: runsRead }),
    ]);
    const runCosts = await costsOf(runs.slice(0, shownRuns));
    const moreRuns = runs.length === runsRead;
    const read = { tally, open, latest, failures, held, runs, moreRuns, runCosts };
    return overviewModel({ ...read, dir: o.dir, now: o.now() });
  };

  /** Steps of runs are jobs as well; only where there are some more has to be read. */
  const latestFiles = async (): Promise<readonly JobRecord[]> => {
    const isFile = ({ input }: JobRecord): boolean => input.root !== '';
    const latest = await o.ledger.jobs.list({ states: finalStates, limit: shown.latest });
    if (latest.every(isFile)) return latest;
    const more = await o.ledger.jobs.list({ states: finalStates, limit: latestRead });
    return more.filter(isFile).slice(0, shown.latest);
  };

  const costsOf = async (runs: readonly RunRecord[]): Promise<ReadonlyMap<RunId, number | null>> => {
    const costs = new Map<RunId, { readonly endedAt: number; readonly costUsd: number | null }>();
    for (const { id, endedAt } of runs) {
      if (endedAt === undefined) continue;
      const known = state.costs.get(id);
      const { costUsd } = known?.endedAt === endedAt ? known : (await runSpent(o.ledger.runs, id)).spent;
      costs.set(id, { endedAt, costUsd });
    }
    state.costs = costs;
    return new Map([...costs].map(([id, { costUsd }]) => [id, costUsd]));
  };

  /** Without those whose file went away or was processed again since: nothing is left to do about them. */
  const standing = async (failures: readonly JobRecord[]): Promise<JobRecord[]> => {
    const files = await Promise.all(failures.map(({ input }) => o.ledger.files.get(input.root, input.path)));
    return failures
      .filter(({ id }, i) => files[i]?.jobId === id && files[i]?.gone !== true)
      .slice(0, shown.failures);
  };

  const put = (name: string, text: string): void => {
    const file = join(o.dir, name);
    const part = join(o.dir, `.${name}.tmp`);
    rmSync(part, { force: true });
    writeFileSync(part, text, { flag: 'wx', mode: o.fileMode });
    chmodSync(part, o.fileMode);
    renameSync(part, file);
  };

  const writeOnce = async (): Promise<void> => {
    state.due = false;
    clearTimeout(state.timer);
    state.timer = undefined;
    const startedAt = performance.now();
    state.nextAt = startedAt + minIntervalMs;
    try {
      const model = await read();
      await o.guard.run('write the overview', async () => {
        if (mkdirSync(o.dir, { recursive: true }) !== undefined) chmodSync(o.dir, o.folderMode);
        put('index.json', `${JSON.stringify(model, undefined, 2)}\n`);
        put('index.html', overviewPage(model));
      });
      o.conditions.clear('INTERNAL', 'overview');
    } finally {
      const endedAt = performance.now();
      state.nextAt = endedAt + Math.max(minIntervalMs, (endedAt - startedAt) / maxShare);
    }
  };

  const write = (): Promise<void> => {
    const turn = state.writing.then(writeOnce);
    state.writing = turn.catch(() => {});
    return turn;
  };

  /** By the timer nobody waits for it: a fault becomes a condition, and the next change tries again. */
  const writeUnattended = (): void => {
    write().catch((error: unknown) => {
      if (error instanceof AppError) return;
      const message = `Could not write the overview: ${messageOf(error)}`;
      o.conditions.raise({
        code: 'INTERNAL',
        subject: 'overview',
        message,
        fix: 'Results are not affected. See `sluice logs`.',
      });
    });
  };

  const flush = async (): Promise<void> => {
    clearTimeout(state.timer);
    state.timer = undefined;
    await (state.due ? write() : state.writing);
  };

  return {
    schedule() {
      state.due = true;
      if (state.timer !== undefined) return;
      state.timer = setTimeout(writeUnattended, Math.max(0, state.nextAt - performance.now()));
      state.timer.unref();
    },
    flush,
    write,
    async [Symbol.asyncDispose]() {
      // A full disk is a condition by now and must not keep the daemon from stopping.
      await flush().catch((error: unknown) => {
        if (!(error instanceof AppError)) throw error;
      });
    },
  };
}
