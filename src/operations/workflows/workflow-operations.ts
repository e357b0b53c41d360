/** What can be asked of workflows and their runs: start, follow, list, show, answer, cancel, resume. */
import type { RunReport } from '../../aggregator/runs/report.ts';
import { workflowView } from '../../config/view.ts';
import type { WorkflowConfig } from '../../config/workflow.ts';
import { AppError } from '../../types/errors.ts';
import { finalRunStates, type RunRecord, type StepRecord } from '../../types/run.ts';
import type { Host } from '../host.ts';
import { findRun } from './find-run.ts';
import { listRuns, listWorkflows, type RunsQuery, requireWorkflow } from './listings.ts';
import { type Progress, RunProgress } from './progress.ts';
import { type RunView, viewRun, type WorkflowView } from './views.ts';
import { waitingStep } from './waiting-step.ts';

export interface StartRequest {
  /** Name, or the stem of its file; absent with `file`. */
  readonly workflow?: string;
  /** Absolute: a definition that the configuration does not name. */
  readonly file?: string;
  readonly inputs?: Readonly<Record<string, unknown>>;
  readonly force?: boolean;
  /** Of the attempt that asks for it. */
  readonly depth?: number;
  /** Who asks: `the owner`. */
  readonly who?: string;
}

export interface FollowedRun extends Progress {
  readonly run: RunView;
  /** Nothing goes on with it before a person answers: it, or the run of its group that goes before it. */
  readonly is_idle: boolean;
  /** The same, or what it waits for may not come soon: a program that is not there, tomorrow's budget. */
  readonly is_still: boolean;
  /** Then: which step it is, perhaps of a run that it has called. Not of one that waits for a person. */
  readonly waits?: {
    readonly run_id: string;
    readonly step: string;
    readonly reason?: string;
    readonly message?: string;
    readonly fix?: string;
  };
}

export interface AnswerRequest {
  /** Absent: the only step that waits. */
  readonly step?: string;
  readonly verdict: 'approved' | 'rejected';
  readonly comment?: string;
  readonly who: string;
}

export class WorkflowOperations implements Disposable {
  readonly #host: Host;
  readonly #progress = new RunProgress();
  readonly #unsubscribe: () => void;

  constructor(host: Host) {
    this.#host = host;
    this.#unsubscribe = host.workflows.events.subscribe((event) => this.#progress.see(event));
  }

  list(): Promise<readonly WorkflowView[]> {
    return listWorkflows(this.#host.ledger, this.#host.config().workflows);
  }

  /** As a file would write it, with every default filled in. @throws AppError UNKNOWN_WORKFLOW. */
  definition(name: string): ReturnType<typeof workflowView> {
    const config = this.#host.config();
    return workflowView(config, requireWorkflow(config.workflows, name));
  }

  /** @throws AppError UNKNOWN_WORKFLOW, INPUT_INVALID, DEPTH_EXCEEDED; ConfigError for a `file` with errors. */
  async start({
    workflow,
    file,
    inputs = {},
    force,
    depth,
    who = 'the owner',
  }: StartRequest): Promise<RunView> {
    const definition = file === undefined ? undefined : await this.#host.loadWorkflow(file);
    const name = definition?.name ?? workflow;
    if (name === undefined)
      throw new AppError('USAGE', 'No workflow was named', { fix: 'See `sluice workflow list`.' });
    if (!definition) refuseUnlessManual(requireWorkflow(this.#host.config().workflows, name));
    const run = await this.#host.workflows.run({
      workflow: name,
      inputs,
      trigger: { kind: 'manual', who },
      ...(force && { force }),
      ...(depth !== undefined && { depth }),
      ...(definition && { definition }),
    });
    return viewRun(run);
  }

  runs(query: RunsQuery): Promise<readonly RunView[]> {
    return listRuns(this.#host.ledger, this.#host.config().workflows, query);
  }

  /** The report of a run as it is now. @param part Beginning or end of its id. */
  async show(part: string): Promise<RunReport> {
    return this.#host.results.runReport((await this.#find(part)).id);
  }

  /** What happened after the line with this number. Whoever is told of the end finds the reports. */
  async follow(part: string, after: number): Promise<FollowedRun> {
    const run = await this.#find(part);
    if (finalRunStates.includes(run.state)) await this.#host.workflows.done(run.id);
    const { workflows } = this.#host;
    const isIdle = workflows.isIdle(run.id);
    const isStill = isIdle || workflows.isStill(run.id);
    const step = isStill && !isIdle ? await waitingStep(this.#host.ledger, run.id) : undefined;
    return {
      ...{ run: viewRun(run), is_idle: isIdle, is_still: isStill },
      ...(step && { waits: waitsOf(step) }),
      ...this.#progress.after(run.id, after),
    };
  }

  /** Resolves when the run has ended, or nothing goes on before a person answers. */
  async done(id: string): Promise<RunView> {
    return viewRun(await this.#host.workflows.done(id));
  }

  async cancel(part: string, who: string): Promise<RunView> {
    return viewRun(await this.#host.workflows.cancel((await this.#find(part)).id, who));
  }

  async resume(part: string, force = false): Promise<RunView> {
    return viewRun(await this.#host.workflows.resume((await this.#find(part)).id, { force }));
  }

  /** @param part Beginning or end of its id; `waiting`: the only one that asks. */
  async answer(
    part: string,
    { step, verdict, comment, who }: AnswerRequest,
  ): Promise<{ run_id: string; step: string }> {
    const id = part === 'waiting' ? await this.#asking() : (await this.#find(part)).id;
    const { name } = await this.#host.workflows.answer(id, step, verdict, who, comment);
    return { run_id: id, step: name };
  }

  [Symbol.dispose](): void {
    this.#unsubscribe();
  }

  async #asking(): Promise<string> {
    const { workflows, ledger } = this.#host;
    const waiting = await ledger.runs.list({ states: ['waiting'], parent: null, limit: 10 });
    const [id, ...others] = workflows.asking.length > 0 ? workflows.asking : waiting.map((run) => run.id);
    if (id === undefined)
      throw new AppError('NOT_POSSIBLE', 'No run waits for an answer', {
        fix: 'See `sluice workflow list --runs`.',
      });
    if (others.length > 0)
      throw new AppError('NOT_POSSIBLE', `${others.length + 1} runs wait for an answer`, {
        fix: `Name one of them: ${[id, ...others].slice(0, 10).join(', ')}.`,
      });
    return id;
  }

  #find(part: string): Promise<RunRecord> {
    return findRun(this.#host.ledger, part);
  }
}

function refuseUnlessManual({ name, on }: WorkflowConfig): void {
  if (on.manual) return;
  throw new AppError('NOT_POSSIBLE', `Workflow "${name}" is not started by hand`, {
    fix: 'Its definition says `on: { manual: false }`: leave that away, or wait for what starts it.',
  });
}

function waitsOf({ runId, id, reason, message, fix }: StepRecord): NonNullable<FollowedRun['waits']> {
  return {
    ...{ run_id: runId, step: id },
    ...(reason !== undefined && { reason }),
    ...(message !== undefined && { message }),
    ...(fix !== undefined && { fix }),
  };
}
