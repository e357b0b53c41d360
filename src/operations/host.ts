/** What operations work on: handed in by the composition root, the same for a daemon and for a command that works alone. */

import type { CliLook } from '../agents/cli/look.ts';
import type { RunReport } from '../aggregator/runs/report.ts';
import type { ConditionBoard } from '../conditions/board.ts';
import type { AgentConfig, Config, LogLevel, RootConfig } from '../config/config.ts';
import type { WorkflowConfig } from '../config/workflow.ts';
import type { Coordinator } from '../coordinator/coordinator.ts';
import type { Tiers } from '../engine/tiers.ts';
import type { Ledger } from '../ledger/ledger.ts';
import type { JobReviews } from '../reviews/job-reviews.ts';
import type { Approvals } from '../sandbox/approvals.ts';
import type { Sessions } from '../sessions/sessions.ts';
import type { Change } from '../types/change.ts';
import type { AppError } from '../types/errors.ts';
import type { JobRecord } from '../types/job.ts';
import type { Receipt } from '../types/receipt.ts';
import type { RunId } from '../types/run.ts';
import type { RootStatus } from '../watch/watcher.ts';
import type { Workflows } from '../workflows/workflows.ts';
import type { Workspaces } from '../workspace/workspaces.ts';

export type DaemonState = 'starting' | 'running' | 'paused' | 'draining' | 'stopped';

export interface Host {
  /** The configuration in force now. */
  config(): Config;
  state(): DaemonState;
  readonly ledger: Ledger;
  readonly coordinator: Coordinator;
  readonly conditions: ConditionBoard;
  readonly tiers: Pick<Tiers, 'known'>;
  /** Why an agent cannot be started now, if so. */
  available(agent: AgentConfig): Promise<AppError | undefined>;
  /** Of an agent CLI: its program, version and log-in. Nothing is sent to a model. @throws AppError. */
  lookAt(agent: AgentConfig): Promise<CliLook | undefined>;
  readonly results: ResultsPort;
  readonly workspaces: Pick<Workspaces, 'undo'>;
  readonly workflows: Pick<
    Workflows,
    'run' | 'cancel' | 'resume' | 'answer' | 'done' | 'isActive' | 'isIdle' | 'isStill' | 'asking' | 'events'
  >;
  /** A definition from a file that the configuration does not name. @throws ConfigError. */
  loadWorkflow(file: string): Promise<WorkflowConfig>;
  readonly reviews: Pick<JobReviews, 'request'>;
  readonly approvals: Pick<Approvals, 'list' | 'answer'>;
  readonly sessions: Sessions;
  /** Texts as they may be shown. */
  redaction(): Promise<(text: string) => string>;
  /** Only a daemon has them. */
  readonly schedules?: { wake(): void };
  roots(): readonly RootStatus[];
  scan(request: ScanRequest): AsyncIterable<readonly Change[]>;
  explainIgnored(root: RootConfig, path: string): Promise<{ pattern: string; source: string } | undefined>;
  readonly control: Control;
  readonly startedAt: number;
}

export interface ScanRequest {
  /** Absolute files or folders; all roots when absent. */
  readonly paths?: readonly string[];
  readonly signal: AbortSignal;
}

export interface ResultsPort {
  toReceipt(job: JobRecord): Receipt;
  locate(
    job: JobRecord,
  ): Promise<{ resultFile?: string; outputsDir?: string; reviewsDir?: string } | undefined>;
  rebuild(): Promise<{ receipts: number; results: number; missing: number }>;
  /** The report of a run as it is now. @throws AppError NOT_FOUND. */
  runReport(id: RunId): Promise<RunReport>;
  /** Writes the overview now. */
  flush(): Promise<void>;
}

/** What only a daemon can do; a command that works alone refuses with NOT_RUNNING. */
export interface Control {
  stop(who: string): Promise<void>;
  reload(who: string): Promise<{ changed: number }>;
  setLogLevel(level: LogLevel, who: string): Promise<void>;
}
