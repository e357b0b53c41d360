/** What people and programs can ask of a project. The CLI and the server call these, and nothing below them. */
import type { LogLevel } from '../config/config.ts';
import type { CoordinatorStatus } from '../coordinator/coordinator.ts';
import type { FileRecord, JobQuery } from '../ledger/ledger.ts';
import type { Condition } from '../types/condition.ts';
import { AppError } from '../types/errors.ts';
import type { Disposition, JobRecord } from '../types/job.ts';
import type { Receipt } from '../types/receipt.ts';
import type { RootStatus } from '../watch/watcher.ts';
import type { DaemonState, Host } from './host.ts';
import type { Take } from './retry.ts';
import { type RetryRequest, retry } from './retry.ts';
import { Run, type RunRequest } from './run.ts';
import { type WhyReport, why, withoutOutputs } from './why.ts';

export interface StatusReport extends Omit<CoordinatorStatus, 'paused'> {
  readonly state: DaemonState;
  readonly pid: number | null;
  readonly config_file: string;
  /** RFC 3339; null when no daemon runs. */
  readonly started_at: string | null;
  readonly roots: readonly RootStatusView[];
  readonly files: Readonly<Partial<Record<Disposition, number>>>;
  readonly conditions: readonly ConditionView[];
}

export interface RootStatusView {
  readonly name: string;
  readonly path: string;
  readonly state: RootStatus['state'];
  readonly mode: RootStatus['mode'];
  readonly reason?: string;
  readonly folders: number;
  readonly files: number;
  readonly settling: number;
  readonly last_sweep_at?: string;
}

export type ConditionView = Omit<Condition, 'since'> & { readonly since: string };

export interface JobDetail extends Receipt {
  /** Where to look: the result, and while it runs or after it failed its work folder. */
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
    return why(this.#host, file);
  }

  files(query: Parameters<Host['ledger']['files']['list']>[0]): Promise<readonly FileRecord[]> {
    return this.#host.ledger.files.list(query);
  }

  async jobs(query: JobQuery): Promise<readonly Omit<Receipt, 'outputs'>[]> {
    const jobs = await this.#host.ledger.jobs.list(query);
    return jobs.map((job) => withoutOutputs(this.#host.results.toReceipt(job)));
  }

  /** @param prefix Of a job's id, as short as it is unique. */
  async job(prefix: string): Promise<JobDetail> {
    return describeJob(this.#host, await this.#find(prefix));
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

  pause(): void {
    this.#host.coordinator.block('pause');
  }

  resume(): void {
    this.#host.coordinator.unblock('pause');
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
export async function findJob(ledger: Host['ledger'], prefix: string): Promise<JobRecord> {
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

export async function describeJob(
  { config, results }: Pick<Host, 'config' | 'results'>,
  job: JobRecord,
): Promise<JobDetail> {
  const place = await results.locate(job);
  const last = job.attempts.at(-1)?.n ?? 1;
  const inWork = job.state === 'running' || job.state === 'failed';
  const attempt = job.state === 'running' ? 'latest' : String(last);
  return {
    ...results.toReceipt(job),
    ...(place?.resultFile && { result_file: place.resultFile }),
    ...(place?.outputsDir && { outputs_dir: place.outputsDir }),
    ...(inWork && {
      work_dir: `${config().stateDir}/work/${job.id}${attempt === 'latest' ? '' : `/${attempt}`}`,
    }),
  };
}

export function viewRoot({
  name,
  dir,
  state,
  mode,
  reason,
  folders,
  files,
  settling,
  lastSweepAt,
}: RootStatus): RootStatusView {
  return {
    name,
    path: dir,
    state,
    mode,
    ...(reason !== undefined && { reason }),
    folders,
    files,
    settling,
    ...(lastSweepAt !== undefined && { last_sweep_at: new Date(lastSweepAt).toISOString() }),
  };
}

export function viewCondition(condition: Condition): ConditionView {
  return { ...condition, since: new Date(condition.since).toISOString() };
}
