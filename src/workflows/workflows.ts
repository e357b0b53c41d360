/** The workflow engine's door: runs are started, cancelled, resumed and answered here; the ledger is their truth. */
import type { WorkflowConfig } from '../config/workflow.ts';
import type { AgentCall, AgentResult } from '../types/agent.ts';
import { AppError } from '../types/errors.ts';
import type { RunId, RunRecord, RunTrigger, StepRecord } from '../types/run.ts';
import type { WorkflowsConfig, WorkflowsDeps } from './deps.ts';
import { RunEvents } from './events.ts';

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
  readonly events = new RunEvents();

  constructor(deps: WorkflowsDeps) {
    void deps;
  }

  /** Takes up the runs that an earlier process left open. Call once, after the coordinator has started. */
  async start(): Promise<void> {}

  /** A new configuration: runs under way keep the definition that they started with. */
  configure(config: WorkflowsConfig): void {
    void config;
  }

  /** @throws AppError UNKNOWN_WORKFLOW, INPUT_INVALID, DEPTH_EXCEEDED. */
  async run(request: RunRequest): Promise<RunRecord> {
    throw notYet(request);
  }

  /** The run of a file's job: its agent calls this. Aborted with `stopping` the run stays open. */
  async runForFile(call: AgentCall, signal: AbortSignal): Promise<AgentResult> {
    throw notYet(call, signal);
  }

  /** @throws AppError NOT_FOUND, NOT_POSSIBLE when it has ended. */
  async cancel(id: RunId, who: string): Promise<RunRecord> {
    throw notYet(id, who);
  }

  /** Runs again what failed, was skipped or cancelled. @throws AppError NOT_FOUND, NOT_POSSIBLE. */
  async resume(id: RunId, o: { readonly force?: boolean } = {}): Promise<RunRecord> {
    throw notYet(id, o);
  }

  /** @param step Undefined: the only one that waits. @throws AppError NOT_FOUND, NOT_POSSIBLE. */
  async answer(
    id: RunId,
    step: string | undefined,
    verdict: 'approved' | 'rejected',
    who: string,
    comment?: string,
  ): Promise<StepRecord> {
    throw notYet(id, step, verdict, who, comment);
  }

  isActive(id: RunId): boolean {
    throw notYet(id);
  }

  /** When it has ended, or nothing goes on before a person answers. */
  async done(id: RunId): Promise<RunRecord> {
    throw notYet(id);
  }

  /** Starts nothing more; runs stay open and go on at the next start. */
  async drain(): Promise<void> {}

  async [Symbol.asyncDispose](): Promise<void> {
    await this.drain();
  }
}

function notYet(..._: readonly unknown[]): AppError {
  return new AppError('INTERNAL', 'not there yet', { fix: 'Wait for the next version.' });
}
