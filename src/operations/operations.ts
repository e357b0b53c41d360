/** What people and programs can ask of a project. The CLI and the server call these, and nothing below them. */
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { LogLevel } from '../config/config.ts';
import type { JobQuery } from '../ledger/ledger.ts';
import type { Approval } from '../sandbox/approvals.ts';
import type { StateAnswer } from '../sessions/requests.ts';
import type { SessionDetail, SessionView } from '../sessions/view.ts';
import { AppError } from '../types/errors.ts';
import type { JobId, JobRecord } from '../types/job.ts';
import type { Receipt } from '../types/receipt.ts';
import { AgentOperations } from './agents/agent-operations.ts';
import { type Answered, answerJob } from './answer.ts';
import { type FileQuery, type FileView, viewFile } from './file-view.ts';
import { findJob } from './find-job.ts';
import { type GcReport, gc } from './gc.ts';
import type { DaemonState, Host, ResultsPort } from './host.ts';
import { type ReleaseRequest, release } from './release.ts';
import type { Take } from './retry.ts';
import { type RetryRequest, retry } from './retry.ts';
import { type ReviewView, reviewsOfJob } from './review-view.ts';
import { Run, type RunRequest } from './run.ts';
import { listSchedules, type SchedulesQuery, type ScheduleView } from './schedules.ts';
import { askSession, listSessions, showSession } from './sessions.ts';
import { type StatsQuery, type StatsReport, stats } from './stats.ts';
import { type StatusReport, viewCondition, viewRoot, viewTier } from './status.ts';
import { type UndoReport, undo } from './undo.ts';
import { type WhyReport, why, withoutOutputs } from './why.ts';
import { WorkflowOperations } from './workflows/workflow-operations.ts';

export type { StatusReport } from './status.ts';

export interface JobDetail extends Omit<Receipt, 'reviews'> {
  /** Where to look: the result; the work folder, of the job while it runs, of the last attempt after it failed. */
  readonly result_file?: string;
  readonly outputs_dir?: string;
  readonly work_dir?: string;
  /** Of a file that a rule sent to a workflow: its latest run. */
  readonly started_run?: string;
  /** Rounds of review of its work, oldest first. */
  readonly reviews?: readonly ReviewView[];
  /** Where they are told of at length. */
  readonly reviews_dir?: string;
  /** Commands that its running attempt waits to be allowed. */
  readonly asks?: readonly { readonly id: string; readonly command: string }[];
}

export class Operations implements Disposable {
  readonly workflows: WorkflowOperations;
  readonly agents: AgentOperations;
  readonly #host: Host;
  readonly #runs = new Map<string, Run>();
  readonly #signal: AbortSignal;

  /** @param signal Aborted when the host stops: runs end with it. */
  constructor(host: Host, signal: AbortSignal) {
    this.#host = host;
    this.#signal = signal;
    this.workflows = new WorkflowOperations(host);
    this.agents = new AgentOperations({ host, signal, describe: (job) => this.#describe(job) });
  }

  [Symbol.dispose](): void {
    this.workflows[Symbol.dispose]();
  }

  async status(): Promise<StatusReport> {
    const { coordinator, ledger, conditions, tiers } = this.#host;
    const { paused: _, ...rest } = await coordinator.status();
    const tier = await tiers.known();
    return {
      state: this.#host.state(),
      pid: process.pid,
      config_file: this.#host.config().file,
      started_at: new Date(this.#host.startedAt).toISOString(),
      roots: this.#host.roots().map(viewRoot),
      ...rest,
      ...(tier && { tier: viewTier(tier) }),
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
    const job = await this.#find(prefix);
    const asks = this.#host.approvals.list().filter(({ jobId }) => jobId === job.id);
    return {
      ...(await this.#describe(job)),
      ...(asks.length > 0 && { asks: asks.map(({ id, command }) => ({ id, command })) }),
    };
  }

  async cancel(prefix: string, who: string): Promise<{ job_id: string }> {
    const { id } = await this.#find(prefix);
    await this.#host.coordinator.cancel(id, `cancelled by ${who}`);
    return { job_id: id };
  }

  async release(request: ReleaseRequest): Promise<{ job_ids: readonly string[] }> {
    const { ledger, coordinator } = this.#host;
    return { job_ids: await release({ ledger, unhold: (id) => coordinator.unhold(id) }, request) };
  }

  /** A person says how a held job is to go on. */
  async answerJob(prefix: string, said: string): Promise<Answered> {
    const { ledger, coordinator } = this.#host;
    return answerJob({ ledger, answer: (id, text) => coordinator.answer(id, text) }, prefix, said);
  }

  /** Has work that runs reviewed now. @throws AppError NOT_POSSIBLE where it does not run, or nobody reviews it. */
  async review(prefix: string, who: string): Promise<{ job_id: string; under_way?: true }> {
    const { id, state } = await this.#find(prefix);
    const answer = this.#host.reviews.request(id, who);
    if (answer !== 'none') return { job_id: id, ...(answer === 'under_way' && { under_way: true }) };
    throw new AppError('NOT_POSSIBLE', `Job ${id} cannot be reviewed now: it is ${state}`, {
      fix: 'Work is reviewed by hand while it runs, where `reviews` are configured for its rule.',
    });
  }

  /** @param id Of an approval, or (a prefix of) a job's that asks for exactly one. */
  answer(id: string, verdict: 'approve' | 'refuse'): Approval {
    const { approvals } = this.#host;
    const jobs = new Set(approvals.list().map(({ jobId }) => jobId));
    const fitting = [...jobs].filter((job) => job.startsWith(id));
    return approvals.answer(fitting.length === 1 ? (fitting[0] as string) : id, verdict);
  }

  /** Puts back what a job changed in its root's tree. */
  async undo(prefix: string, force: boolean): Promise<UndoReport> {
    return undo(this.#host, await this.#find(prefix), force);
  }

  /** @throws AppError DEPTH_EXCEEDED like `startRun`. */
  async retry(request: RetryRequest): Promise<Take> {
    this.#refuseTooDeep(request);
    return retry(this.#host, request);
  }

  /** @throws AppError DEPTH_EXCEEDED when it is asked for from inside too many attempts. */
  startRun(request: RunRequest): Run {
    this.#refuseTooDeep(request);
    const { parent } = request;
    const run = new Run(this.#host, request, this.#signal, {
      waitsForUs: (id) => parent !== undefined && this.#waitsFor(id, parent),
      isAsking: (id) => [...this.#runs.values()].some((other) => other.parent === id && !other.isOver),
    });
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

  schedules(query: SchedulesQuery): Promise<readonly ScheduleView[]> {
    const { ledger, config } = this.#host;
    return listSchedules(ledger, config().schedules, query, Date.now());
  }

  /** Starts nothing more; what runs goes on, and what lands is queued. */
  pause(): { state: DaemonState } {
    this.#host.coordinator.block('pause');
    return { state: this.#host.state() };
  }

  resume(): { state: DaemonState } {
    this.#host.coordinator.unblock('pause');
    this.#host.schedules?.wake();
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

  stats(query: StatsQuery): Promise<StatsReport> {
    return stats(this.#host.ledger, query, Date.now());
  }

  /** Shows what is kept where, and removes what retention allows now. */
  gc(dryRun: boolean): Promise<GcReport> {
    const { config, ledger } = this.#host;
    return gc({ config: config(), ledger, dryRun, now: Date.now() });
  }

  sessions(limit: number): Promise<readonly SessionView[]> {
    return listSessions(this.#host, limit);
  }

  /** @param prefix Of a session's id. */
  session(prefix: string): Promise<SessionDetail> {
    return showSession(this.#host, prefix);
  }

  /** Reads or writes the state of a session. */
  askSession(request: Parameters<typeof askSession>[1]): Promise<StateAnswer> {
    return askSession(this.#host, request);
  }

  rebuildReports(): Promise<{ receipts: number; results: number; missing: number }> {
    return this.#host.results.rebuild();
  }

  #refuseTooDeep({ depth = 0 }: Pick<RunRequest, 'depth'>): void {
    const { maxDepth } = this.#host.config().daemon;
    if (depth > maxDepth)
      throw new AppError(
        'DEPTH_EXCEEDED',
        `A run at depth ${depth} was asked for; at most ${maxDepth} is allowed`,
        {
          fix: 'An agent calls `sluice` on what its own work led to: let it not, or raise `daemon.max_depth`.',
        },
      );
  }

  /** Whether this job cannot end before that other one: it is that one, or the runs that its attempt asked for wait for it. */
  #waitsFor(id: JobId, other: JobId, seen: ReadonlySet<JobId> = new Set()): boolean {
    if (id === other) return true;
    if (seen.has(id)) return false;
    const further = new Set([...seen, id]);
    return [...this.#runs.values()].some(
      (run) =>
        run.parent === id &&
        !run.isOver &&
        [...run.open].some((next) => this.#waitsFor(next, other, further)),
    );
  }

  #describe(job: JobRecord): Promise<JobDetail> {
    const { ledger, results, config } = this.#host;
    return describeJob({ stateDir: config().stateDir, ledger, results }, job);
  }

  #find(prefix: string): Promise<JobRecord> {
    return findJob(this.#host.ledger, prefix);
  }
}

/** @param o.stateDir Of the project. */
export async function describeJob(
  {
    stateDir,
    ledger,
    results,
  }: {
    readonly stateDir: string;
    readonly ledger: Pick<Host['ledger'], 'runs' | 'reviews' | 'jobs'>;
    readonly results: Pick<ResultsPort, 'toReceipt' | 'locate'>;
  },
  job: JobRecord,
): Promise<JobDetail> {
  const place = await results.locate(job);
  const [run] = job.step ? [] : await ledger.runs.ofJob(job.id);
  // What was said of a result that is used again was said of the work of the job that made it.
  const source = job.cachedFrom === undefined ? undefined : await ledger.jobs.get(job.cachedFrom);
  const reviews = await reviewsOfJob(ledger.reviews, source ?? job);
  const work = join(stateDir, 'work', job.id);
  const { reviews: _, ...receipt } = results.toReceipt(job);
  const last = job.attempts.at(-1)?.n;
  return {
    ...receipt,
    ...(run && { started_run: run.id }),
    ...(reviews.length > 0 && { reviews, ...reviewsPlace(job, work, place?.reviewsDir) }),
    ...(place?.resultFile && { result_file: place.resultFile }),
    ...(place?.outputsDir && { outputs_dir: place.outputsDir }),
    ...(job.state === 'running' && { work_dir: work }),
    ...(job.state === 'failed' && last !== undefined && { work_dir: join(work, String(last)) }),
    ...(isUndecided(job) && last !== undefined && standingWork(join(work, String(last)))),
  };
}

/** Somebody is to decide what becomes of its work, and wants to see it. */
function isUndecided({ state, reason }: JobRecord): boolean {
  return state === 'held' || (state === 'waiting' && reason === 'review');
}

/** What the last attempt left, which counts for nothing yet. */
function standingWork(dir: string): Pick<JobDetail, 'work_dir' | 'result_file' | 'outputs_dir'> {
  if (!existsSync(dir)) return {};
  const [result, outputs] = [join(dir, 'result.md'), join(dir, 'outputs')];
  return {
    work_dir: dir,
    ...(existsSync(result) && { result_file: result }),
    ...(existsSync(outputs) && readdirSync(outputs).length > 0 && { outputs_dir: outputs }),
  };
}

/** Beside the result; before there is one, beside the attempts. Of a step that a `review` step judges: in its run's folder. */
function reviewsPlace(
  { endedAt }: JobRecord,
  work: string,
  published: string | undefined,
): Pick<JobDetail, 'reviews_dir'> {
  if (published !== undefined) return { reviews_dir: published };
  return endedAt === undefined ? { reviews_dir: join(work, 'reviews') } : {};
}
