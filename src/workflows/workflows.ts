/**
 * The workflow engine's door: runs are started, cancelled, resumed and answered here. The ledger is their truth; what
 * goes on in memory is one driver for each run that is under way (`active-runs.ts`, `run-driver.ts`).
 */
import { nearest } from '../config/suggest.ts';
import { findWorkflow, type WorkflowConfig } from '../config/workflow.ts';
import type { AgentCall, AgentResult } from '../types/agent.ts';
import { AppError } from '../types/errors.ts';
import {
  finalRunStates,
  type RunId,
  type RunRecord,
  type RunState,
  type RunTrigger,
  type StepRecord,
} from '../types/run.ts';
import { ActiveRuns } from './active-runs.ts';
import { keep } from './definition.ts';
import type { WorkflowsConfig, WorkflowsDeps } from './deps.ts';
import type { RunEvents } from './events.ts';
import { runForFile } from './file-run.ts';
import { recover } from './recovery.ts';
import { reopen } from './resume.ts';
import type { RunDriver } from './run-driver.ts';
import { stoppable } from './unit.ts';

export interface RunRequest {
  /** Name or alias. */
  readonly workflow: string;
  /** Texts are converted to the type of the input. */
  readonly inputs: Readonly<Record<string, unknown>>;
  readonly trigger: RunTrigger;
  /** Nothing is taken from the cache. */
  readonly force?: boolean;
  readonly depth?: number;
  /** Instead of the configuration's workflow of that name. */
  readonly definition?: WorkflowConfig;
}

export class Workflows implements AsyncDisposable {
  readonly events: RunEvents;
  readonly #deps: WorkflowsDeps;
  readonly #runs: ActiveRuns;
  #config: WorkflowsConfig;

  constructor(deps: WorkflowsDeps) {
    this.#config = deps.config;
    const current = (): WorkflowsConfig => this.#config;
    this.#deps = Object.defineProperty({ ...deps }, 'config', { enumerable: true, get: current });
    this.#runs = new ActiveRuns(this.#deps);
    this.events = this.#runs.events;
  }

  /** Takes up the runs that an earlier process left open. Call once, after the coordinator has started. */
  async start(): Promise<void> {
    await recover(this.#deps, this.#runs);
  }

  /** A new configuration: runs under way keep the definition that they started with. */
  configure(config: WorkflowsConfig): void {
    this.#config = config;
  }

  /**
   * @returns the run as it began: `running`, or `queued` behind another of its concurrency group.
   * @throws AppError UNKNOWN_WORKFLOW, INPUT_INVALID, DEPTH_EXCEEDED, EXPRESSION (its group).
   */
  async run(request: RunRequest): Promise<RunRecord> {
    const { workflow, inputs, trigger, force = false, depth = 0, definition: own } = request;
    const { maxDepth } = this.#config.daemon;
    if (depth > maxDepth)
      throw new AppError(
        'DEPTH_EXCEEDED',
        `"${workflow}" was started at depth ${depth}; at most ${maxDepth} is allowed`,
        {
          fix: 'A step starts `sluice` from inside its own work: let it not, or raise `daemon.max_depth`.',
        },
      );
    const definition = keep(own ?? this.#find(workflow), this.#config.workflows);
    const driver = await this.#runs.create({ definition, inputs, trigger, force, depth });
    return driver.run;
  }

  /** The run of a file's job: its agent calls this. Aborted with `stopping` the run stays open, else it is cancelled. */
  async runForFile(call: AgentCall, signal: AbortSignal): Promise<AgentResult> {
    const find = (workflow: string) => keep(this.#find(workflow), this.#config.workflows);
    return runForFile({ deps: this.#deps, runs: this.#runs, find }, call, signal);
  }

  /**
   * Ends a run: what runs is cancelled, then steps run whose `if` asks for it (`always()`, `cancelled()`). Again: those
   * are cancelled, too. Does not wait for the end.
   * @throws AppError NOT_FOUND, NOT_POSSIBLE when it has ended.
   */
  async cancel(id: RunId, who: string): Promise<RunRecord> {
    const driver = await this.#underWay(id, 'cancelled');
    await driver.cancel('cancelled', `cancelled by ${who}`);
    const { run } = driver;
    await this.#deps.ledger.durable();
    return run;
  }

  /** Runs again what failed, was skipped or cancelled, and what depends on it. @throws AppError NOT_FOUND, NOT_POSSIBLE. */
  async resume(id: RunId, { force = false }: { readonly force?: boolean } = {}): Promise<RunRecord> {
    const run = await this.#known(id);
    const { trigger } = run;
    if (this.#runs.get(id) || !finalRunStates.includes(run.state))
      throw notPossible(id, 'resumed', 'it goes on', 'Wait for its end, or cancel it.');
    if (run.state === 'succeeded')
      throw notPossible(
        id,
        'resumed',
        'it succeeded',
        `Start it anew with \`sluice workflow run ${run.workflow}\`.`,
      );
    if (trigger.kind === 'workflow')
      throw notPossible(id, 'resumed', 'a step called it', `Resume the run of that step: ${trigger.runId}.`);
    await this.#runs.told(id);
    const again = await this.#inLine(await reopen(this.#deps, run));
    await this.#runs.take(again, { force });
    await this.#deps.ledger.durable();
    return again;
  }

  /**
   * @param step Undefined: the only one that waits, in this run or one that it called.
   * @throws AppError NOT_FOUND, NOT_POSSIBLE.
   */
  async answer(
    id: RunId,
    step: string | undefined,
    verdict: 'approved' | 'rejected',
    who: string,
    comment?: string,
  ): Promise<StepRecord> {
    const driver = await this.#underWay(id, 'answered');
    const asking = this.#asking(driver, step);
    const [only, ...others] = asking;
    if (!only) {
      const what = step === undefined ? 'no step of it waits' : `its step "${step}" does not wait`;
      throw notPossible(id, 'answered', `${what} for an answer`, `See \`sluice workflow show ${id}\`.`);
    }
    if (others.length > 0) {
      const names = asking.map(({ one, asked }) =>
        one === driver ? asked : `${asked} of run ${one.run.id}`,
      );
      throw notPossible(
        id,
        'answered',
        'several of its steps wait',
        `Name one of them: ${names.join(', ')}.`,
      );
    }
    const answer = { verdict, by: who, ...(comment !== undefined && { comment }) };
    const row = await stoppable(only.one.answer(only.asked, answer), this.#runs.stopping);
    await this.#deps.ledger.durable();
    return row;
  }

  /** @param step One that asks, or one that called a run in which something does. */
  #asking(driver: RunDriver, step: string | undefined): readonly { one: RunDriver; asked: string }[] {
    const all = [driver, ...this.#runs.calledBy(driver.run.id)].flatMap((one) =>
      one.asking.map((asked) => ({ one, asked })),
    );
    if (step === undefined) return all;
    const named = all.filter(({ asked }) => asked === step);
    return named.length > 0 ? named : all.filter(({ one }) => this.#callOf(driver.run.id, one) === step);
  }

  /** The step of the first run through which the other was called. */
  #callOf(id: RunId, called: RunDriver): string | undefined {
    let { trigger } = called.run;
    while (trigger.kind === 'workflow' && trigger.runId !== id) {
      const caller = this.#runs.get(trigger.runId);
      if (!caller) return undefined;
      ({ trigger } = caller.run);
    }
    return trigger.kind === 'workflow' ? trigger.step : undefined;
  }

  /** It has not ended, and this process works on it. */
  isActive(id: RunId): boolean {
    return this.#runs.get(id) !== undefined;
  }

  /** Runs with steps that wait for an answer. */
  get asking(): readonly RunId[] {
    return this.#runs.asking;
  }

  /** It has not ended, and nothing goes on before a person answers. */
  isIdle(id: RunId): boolean {
    return this.#runs.isIdle(id);
  }

  /** Also when it waits for something else that may not come soon: a program that is not there, tomorrow's budget. */
  isStill(id: RunId): boolean {
    return this.#runs.isStill(id);
  }

  /**
   * Resolves when it has ended and its report is written, or nothing goes on before a person answers, or the process ends.
   * @throws AppError NOT_FOUND.
   */
  async done(id: RunId): Promise<RunRecord> {
    for (;;) {
      const { promise: changed, resolve } = Promise.withResolvers<void>();
      const forget = this.#runs.onChange(resolve);
      try {
        const driver = this.#runs.get(id);
        if (!driver) {
          await this.#runs.told(id);
          return await this.#known(id);
        }
        if (this.#runs.isStopping || driver.isDetached || this.#runs.isIdle(id)) return driver.run;
        await changed;
      } finally {
        forget();
      }
    }
  }

  /** Starts nothing more; runs stay open and go on at the next start. */
  async drain(): Promise<void> {
    await this.#runs.stop();
    await this.#deps.ledger.durable();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#runs[Symbol.asyncDispose]();
  }

  /** One that was reopened waits for its group like a new one. */
  async #inLine(run: RunRecord): Promise<RunRecord> {
    if (this.#runs.mayBegin(run)) return run;
    return (await this.#deps.ledger.runs.update(run.id, { state: 'queued' })) ?? run;
  }

  async #underWay(id: RunId, verb: string): Promise<RunDriver> {
    const driver = this.#runs.get(id);
    if (driver) return driver;
    const { state } = await this.#known(id);
    throw notPossible(id, verb, stateWords(state), `See \`sluice workflow show ${id}\`.`);
  }

  async #known(id: RunId): Promise<RunRecord> {
    const run = await this.#deps.ledger.runs.get(id);
    if (run) return run;
    throw new AppError('NOT_FOUND', `There is no run ${id}`, { fix: 'See `sluice workflow list`.' });
  }

  #find(name: string): WorkflowConfig {
    const { workflows } = this.#config;
    const found = findWorkflow(workflows, name);
    if (found) return found;
    const names = workflows.map((one) => one.name);
    const near = nearest(name, [...names, ...workflows.flatMap(({ aliases }) => aliases)]);
    const list =
      names.length === 0
        ? 'There are none: write one into `workflows/`, or `sluice workflow new` one.'
        : `Workflows: ${names.join(', ')}.`;
    throw new AppError('UNKNOWN_WORKFLOW', `There is no workflow "${name}"`, {
      fix: near === undefined ? list : `Did you mean "${near}"? ${list}`,
    });
  }
}

function stateWords(state: RunState): string {
  if (state === 'succeeded' || state === 'failed') return `it has ${state}`;
  return state === 'cancelled' ? 'it was cancelled' : `it is ${state}`;
}

function notPossible(id: RunId, verb: string, why: string, fix: string): AppError {
  return new AppError('NOT_POSSIBLE', `Run ${id} cannot be ${verb}: ${why}`, { fix });
}
