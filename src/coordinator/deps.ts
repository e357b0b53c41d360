/** What the coordinator is handed: everything that it does not do itself. */
import type { ConditionBoard } from '../conditions/board.ts';
import type { AgentConfig, Config } from '../config/config.ts';
import type { Ledger } from '../ledger/ledger.ts';
import type { AgentCall, AgentResult } from '../types/agent.ts';
import type { AttemptState } from '../types/attempt-state.ts';
import type { AppError } from '../types/errors.ts';
import type { JobId, JobRecord, Output, PromotedFile } from '../types/job.ts';
import type { Nesting } from '../types/nesting.ts';
import type { Receipt } from '../types/receipt.ts';

export interface CoordinatorDeps {
  readonly config: Config;
  readonly ledger: Ledger;
  readonly agents: AgentPort;
  readonly results: ResultStore;
  readonly conditions: Pick<ConditionBoard, 'raise' | 'clear'>;
  /** Finds the secrets an agent needs; an error when one cannot be had. Never gives a value. */
  readonly checkSecrets: (texts: readonly string[]) => Promise<AppError | undefined>;
  readonly redact: (text: string) => string;
  /** What a failure of a confined attempt may owe to its confinement, as the fix to try; undefined: nothing does. */
  readonly explainFailure: (result: AgentResult) => string | undefined;
  /** Others have begun to look at the work of this job while it ran, and have not decided: it does not count before. */
  readonly isUnderReview: (job: JobId) => boolean;
  /** An attempt of this agent cannot write into any root. */
  readonly isConfined: (agent: AgentConfig) => boolean;
  readonly workspaces: WorkspacePort;
  readonly states: StatePort;
  /** Where this process itself was started from: inside an attempt, or (depth 0) by somebody. */
  readonly nesting: Nesting;
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
  /** What the log-in of an agent rests on, keyed and hashed; undefined: it has none, or that cannot be told now. */
  logInEvidence(agent: AgentConfig): Promise<string | undefined>;
}

/** What an attempt of a session needs to reach its state: `src/sessions`. */
export interface StatePort {
  /** @returns undefined when it cannot be had: a condition says why, and the attempt goes on without. */
  grant(o: {
    readonly session: string;
    /** Whose private state it sees. */
    readonly agent: string;
    /** Names the attempt. */
    readonly holder: string;
    readonly by?: string;
  }): Promise<AttemptState | undefined>;
  /** The attempt has ended, however it did. */
  revoke(holder: string): Promise<void>;
}

/** Copies of a root's tree and what becomes of them: `src/workspace`. */
export interface WorkspacePort {
  /** @throws AppError WORKSPACE_TOO_LARGE or DISK_FULL; nothing is left behind. */
  prepare(o: {
    readonly jobId: string;
    readonly attempt: number;
    readonly root: { readonly name: string; readonly dir: string };
    /** Relative to the root. */
    readonly inputs: readonly string[];
    /** Must not exist. */
    readonly into: string;
  }): Promise<unknown>;
  /**
   * Puts the changes of a prepared copy in place; done before for this job: only says what was.
   * @throws AppError PROMOTION_CONFLICT; nothing is changed.
   */
  promote(o: {
    readonly jobId: string;
    readonly root: { readonly name: string; readonly dir: string };
    readonly from: string;
    /** Called before a file can be seen in its place. */
    readonly onPlaced: (file: {
      readonly path: string;
      readonly stamp: string;
      readonly sha256: string;
    }) => Promise<void>;
  }): Promise<readonly PromotedFile[]>;
  /** Removes a copy and what is known of it. */
  discard(from: string): Promise<void>;
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
