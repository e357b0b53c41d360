/** What the coordinator is handed: everything that it does not do itself. */
import type { ConditionBoard } from '../conditions/board.ts';
import type { AgentConfig, Config } from '../config/config.ts';
import type { Ledger } from '../ledger/ledger.ts';
import type { AgentCall, AgentResult } from '../types/agent.ts';
import type { AppError } from '../types/errors.ts';
import type { JobRecord, Output } from '../types/job.ts';
import type { Receipt } from '../types/receipt.ts';

export interface CoordinatorDeps {
  readonly config: Config;
  readonly ledger: Ledger;
  readonly agents: AgentPort;
  readonly results: ResultStore;
  readonly conditions: Pick<ConditionBoard, 'raise' | 'clear'>;
  /** Finds the secrets an agent needs; an error when one cannot be had. Never gives a value. */
  readonly checkSecrets: (texts: readonly string[]) => Promise<AppError | undefined>;
  readonly now: () => number;
  readonly random: () => number;
  /** The state folder was removed: what attempts leave there cannot be found, and says nothing about them. */
  readonly isStateLost?: () => boolean;
  /** Identity of this process among those that ever worked on the ledger. */
  readonly worker: string;
}

/** Runs attempts: `src/agents`. */
export interface AgentPort {
  run(call: AgentCall, signal: AbortSignal): Promise<AgentResult>;
  version(agent: AgentConfig, path: string): Promise<string>;
  available(agent: AgentConfig): Promise<AppError | undefined>;
}

/** Puts results where people find them: `src/aggregator`. */
export interface ResultStore {
  collectOutputs(outputDir: string): Promise<Output[]>;
  /** Idempotent; may be called again after a crash. @throws AppError when the output folder cannot be written. */
  publish(job: JobRecord, workDir?: string): Promise<void>;
  hasResult(jobId: string): Promise<boolean>;
  /** The receipt of this job, when it is the one that stands for its input (or was about to). */
  receiptOf(jobId: string, input: { readonly root: string; readonly path: string }): Receipt | undefined;
  /** @returns where it stands now; undefined when it was gone. */
  archiveOriginal(job: JobRecord, file: string): Promise<string | undefined>;
  quarantine(root: string, path: string, file: string): Promise<string | undefined>;
}
