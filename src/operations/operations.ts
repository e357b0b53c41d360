/** What people and programs can ask of a project. The CLI and the server call these, and nothing below them. */
import { join } from 'node:path';
import type { LogLevel } from '../config/config.ts';
import type { JobLedger, JobQuery } from '../ledger/ledger.ts';
import { AppError } from '../types/errors.ts';
import type { JobRecord } from '../types/job.ts';
import type { Receipt } from '../types/receipt.ts';
import { type FileQuery, type FileView, viewFile } from './file-view.ts';
import type { DaemonState, Host, ResultsPort } from './host.ts';
import type { Take } from './retry.ts';
import { type RetryRequest, retry } from './retry.ts';
import { Run, type RunRequest } from './run.ts';
import { type StatusReport, viewCondition, viewRoot } from './status.ts';
import { type WhyReport, why, withoutOutputs } from './why.ts';

export type { StatusReport } from './status.ts';

export interface JobDetail extends Receipt {
  /** Where to look: the result; the work folder, of the job while it runs, of the last attempt after it failed. */
  readonly result_file?: string;
  readonly outputs_dir?: string;
  readonly work_dir?: string;
}

export class Operations {
  readonly #host: Host;
  readonly #runs = new Map<string, Run>();
  readonly #signal: AbortSignal;

  /** @param signal Aborted when the host stops: runs end with it. */
  constructor(host: Host, signal: AbortSignal) {
    this.#host = host;
    this.#signal = signal;
  }

  async status(): Promise<StatusReport> {
    const { coordinator, ledger, conditions } = this.#host;
    const { paused: _, ...rest } = await coordinator.status();
    return {
      state: this.#host.state(),
      pid: process.pid,
      config_file: this.#host.config().file,
      started_at: new Date(this.#host.startedAt).toISOString(),
      roots: this.#host.roots().map(viewRoot),
      ...rest,
      files: await ledger.files.counts(),
      conditions: conditions.list().map(viewCondition),
    };
  }

  why(file: string): Promise<WhyReport> {
    const { config, ledger, results, explainIgnored, coordinator } = this.#host;
    return why({ config, ledger, results, explainIgnored, recipes: () => coordinator.recipes }, file);
  }

  async files(query: FileQuery): Promise<readonly FileView[]> {
    return (await this.#host.ledger.files.list(query)).map(viewFile);
  }

  async jobs(query: JobQuery): Promise<readonly Omit<Receipt, 'outputs'>[]> {
    const jobs = await this.#host.ledger.jobs.list(query);
    return jobs.map((job) => withoutOutputs(this.#host.results.toReceipt(job)));
  }

  /** @param prefix Of a job's id, as short as it is unique. */
  async job(prefix: string): Promise<JobDetail> {
    const { stateDir } = this.#host.config();
    return describeJob({ stateDir, results: this.#host.results }, await this.#find(prefix));
  }

  async cancel(prefix: string, who: string): Promise<{ job_id: string }> {
    const { id } = await this.#find(prefix);
    await this.#host.coordinator.cancel(id, `cancelled by ${who}`);
    return { job_id: id };
  }

  async release(prefix: string): Promise<{ job_id: string }> {
    const { id } = await this.#find(prefix);
    await this.#host.coordinator.unhold(id);
    return { job_id: id };
  }

  retry(request: RetryRequest): Promise<Take> {
    return retry(this.#host, request);
  }

  startRun(request: RunRequest): Run {
    const run = new Run(this.#host, request, this.#signal);
    this.#runs.set(run.id, run);
    void run.done.then(() => setTimeout(() => this.#runs.delete(run.id), 3_600_000).unref());
    return run;
  }

  run(id: string): Run {
    const run = this.#runs.get(id);
    if (!run)
      throw new AppError('NOT_FOUND', `No run "${id}"`, { fix: 'A run is known for an hour after its end.' });
    return run;
  }

  /** Starts nothing more; what runs goes on, and what lands is queued. */
  pause(): { state: DaemonState } {
    this.#host.coordinator.block('pause');
    return { state: this.#host.state() };
  }

  resume(): { state: DaemonState } {
    this.#host.coordinator.unblock('pause');
    return { state: this.#host.state() };
  }

  stop(who: string): Promise<void> {
    return this.#host.control.stop(who);
  }

  reload(who: string): Promise<{ changed: number }> {
    return this.#host.control.reload(who);
  }

  setLogLevel(level: LogLevel, who: string): Promise<void> {
    return this.#host.control.setLogLevel(level, who);
  }

  rebuildReports(): Promise<{ receipts: number; results: number; missing: number }> {
    return this.#host.results.rebuild();
  }

  #find(prefix: string): Promise<JobRecord> {
    return findJob(this.#host.ledger, prefix);
  }
}

/** @throws AppError NOT_FOUND for no job, USAGE for a prefix of several. */
export async function findJob(ledger: { jobs: Pick<JobLedger, 'find'> }, prefix: string): Promise<JobRecord> {
  const found = /^[0-9a-f]{1,16}$/.test(prefix) ? await ledger.jobs.find(prefix) : [];
  if (found.length === 1) return found[0] as JobRecord;
  if (found.length === 0)
    throw new AppError('NOT_FOUND', `No job "${prefix}"`, {
      fix: '`sluice jobs list` shows them with their ids.',
    });
  throw new AppError('USAGE', `"${prefix}" fits ${found.length} jobs`, {
    fix: `Give more of the id: ${found.map(({ id }) => id).join(', ')}.`,
  });
}

/** @param o.stateDir Of the project. */
export async function describeJob(
  { stateDir, results }: { stateDir: string; results: Pick<ResultsPort, 'toReceipt' | 'locate'> },
  job: JobRecord,
): Promise<JobDetail> {
  const place = await results.locate(job);
  const work = join(stateDir, 'work', job.id);
  const last = job.attempts.at(-1)?.n;
  return {
    ...results.toReceipt(job),
    ...(place?.resultFile && { result_file: place.resultFile }),
    ...(place?.outputsDir && { outputs_dir: place.outputsDir }),
    ...(job.state === 'running' && { work_dir: work }),
    ...(job.state === 'failed' && last !== undefined && { work_dir: join(work, String(last)) }),
  };
}
