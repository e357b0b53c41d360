/** One piece of work for one agent, from the queue to its receipt. The words are those of ARCHITECTURE.md. */
import type { CliRecord } from './agent-cli.ts';
import type { StepTask } from './step-task.ts';

export type JobId = string;

/** States in which a job still has something before it. */
export type OpenState = 'queued' | 'running' | 'waiting' | 'held';
export type FinalState = 'succeeded' | 'cached' | 'failed' | 'cancelled' | 'superseded';
export type JobStateName = OpenState | FinalState;

export const finalStates: readonly FinalState[] = [
  'succeeded',
  'cached',
  'failed',
  'cancelled',
  'superseded',
];

/** Why a job is `failed` (or, with `input_gone`, `cancelled`). One reason each; the message says the rest. */
export type FailureReason =
  | 'exit_code'
  | 'spawn_failed'
  | 'http_error'
  | 'timeout'
  | 'stalled'
  | 'stuck'
  | 'empty_result'
  | 'permission_denied'
  | 'auth'
  | 'api_error'
  | 'quota'
  | 'missing_output'
  | 'schema_invalid'
  | 'limit_exceeded'
  | 'sandbox_unavailable'
  | 'input_gone'
  | 'input_unreadable'
  | 'input_too_large'
  | 'interrupted';

/** What a waiting job waits for: it goes on by itself when that comes. */
export type WaitReason =
  | 'backoff'
  | 'single_flight'
  | 'agent_unavailable'
  | 'secret_unresolved'
  | 'batch'
  | 'breaker'
  | 'budget'
  | 'sandbox'
  | 'limits'
  | 'approval'
  | 'quota'
  | 'rate_limit'
  /** Its agent is not let in by its service: until somebody has logged in. */
  | 'auth'
  /** Its agent is paused: until a person lets it go on. */
  | 'paused'
  | 'review';

/** What passes by itself within the time of a command. */
export const passingWaits: ReadonlySet<string | undefined> = new Set<WaitReason>([
  'backoff',
  'single_flight',
  'batch',
  'review',
]);

/** What is over at a time that is known. The others may come at any time, or never. */
const timedWaits: ReadonlySet<string | undefined> = new Set<WaitReason>([
  'quota',
  'rate_limit',
  'breaker',
  'budget',
]);

const soonMs = 120_000;

/** What it waits for is over within two minutes: a command that nobody attends waits with it. */
export function endsSoon(
  { reason, notBefore }: { readonly reason?: string | undefined; readonly notBefore?: number | undefined },
  now: number,
): boolean {
  return timedWaits.has(reason) && notBefore !== undefined && notBefore - now <= soonMs;
}

/** When that is over which a job waits for, epoch milliseconds; undefined: nobody knows. */
export function waitsUntil({
  state,
  reason,
  notBefore,
}: Pick<JobRecord, 'state' | 'reason' | 'notBefore'>): number | undefined {
  const isTimed = state === 'waiting' && (reason === 'backoff' || timedWaits.has(reason));
  // Of one that was put back its time is long over, and says nothing.
  return isTimed && notBefore !== undefined && notBefore > 0 && notBefore <= maxDate ? notBefore : undefined;
}

/** Later is no date. */
const maxDate = 8.64e15;

/**
 * Why a job is `held`: a person decides. `interrupted`: the daemon or its helper died each time it ran.
 * `permission_denied`: it needs more than its agent may have. `clarify`, `escalated`: what its review decided.
 */
export type HoldReason =
  | 'loop'
  | 'depth'
  | 'too_expensive'
  | 'interrupted'
  | 'permission_denied'
  | 'clarify'
  | 'escalated';

/** What a success rests on, in the order it was checked. */
export type Proof = 'exit_code' | 'http_status' | 'event' | 'outputs' | 'schema';

/** Where an input ended. `held` is the only resting place that is not final. */
export type Disposition = 'processed' | 'cached' | 'failed' | 'quarantined' | 'ignored' | 'unrouted' | 'held';

/** The input of a job: one version of one file. */
export interface JobInput {
  readonly root: string;
  /** Relative to the root, with `/`. */
  readonly path: string;
  /** Hex SHA-256 of the content; empty when the content could not be read. */
  readonly sha256: string;
  readonly bytes: number;
  /** `formatStamp` of the version that was fingerprinted. */
  readonly stamp: string;
}

export interface Output {
  /** Relative to the job's `outputs/` folder, with `/`. */
  readonly path: string;
  readonly sha256: string;
  readonly bytes: number;
}

/** Four exclusive buckets: a token is counted in one of them. */
export interface Usage {
  readonly input_tokens: number;
  readonly cache_read_tokens: number;
  readonly cache_write_tokens: number;
  readonly output_tokens: number;
}

/** One execution of a job, as the ledger keeps it and the receipt shows it. Times: epoch milliseconds. */
export interface AttemptRecord {
  readonly n: number;
  readonly agent: string;
  readonly startedAt: number;
  readonly endedAt: number;
  /** The `kind` of its `AttemptOutcome`. */
  readonly outcome: string;
  readonly exitCode?: number;
  readonly signal?: string;
  readonly message?: string;
  readonly sandbox: SandboxReport;
  /** The limits that were in force, as the configuration writes them: `{ timeout: "10m", output: "64MiB" }`. */
  readonly limits: Readonly<Record<string, string>>;
  /** Number of event lines the agent wrote. */
  readonly events: number;
  /** What this attempt used. Absent cost: unknown. In a batch: the share of this file. */
  readonly usage?: Usage;
  readonly costUsd?: number;
  /** Of the whole process tree, where it was measured. */
  readonly cpuMs?: number;
  readonly peakMemoryBytes?: number;
  /** Of an agent CLI. */
  readonly cli?: CliRecord;
  /** It worked on so many files at once; `id` is the same on all of them. */
  readonly batch?: { readonly id: string; readonly files: number };
}

/** What confined an attempt. */
export interface SandboxReport {
  readonly mode: 'auto' | 'off' | 'required';
  /** `bwrap`, `sandbox-runtime`, `none`; absent where nothing is started (`http`, `builtin`) or mode is `off`. */
  readonly backend?: string;
  /** Why it was off, or why nothing could be had. */
  readonly reason?: string;
  /** `none`, `allow`, or the allowed hosts. */
  readonly network?: string | readonly string[];
}

/** An agent that had the job before: why it has another one now. */
export interface Fallback {
  readonly agent: string;
  /** `exit_code`, `breaker`, `agent_unavailable` … */
  readonly reason: FailureReason | WaitReason;
  readonly message?: string;
}

/** A file that an attempt changed in the tree and that was put in place after its proof. */
export interface PromotedFile {
  /** Relative to the root, with `/`. */
  readonly path: string;
  readonly change: 'added' | 'changed' | 'removed';
  /** Of what stands there now; absent when it was removed. */
  readonly sha256?: string;
  readonly bytes?: number;
}

/** A job as the ledger keeps it. */
export interface JobRecord {
  readonly id: JobId;
  readonly input: JobInput;
  readonly rule: string;
  readonly agent: string;
  /** Cache key: content × recipe. Empty when the job's result is not shared. */
  readonly key: string;
  readonly state: JobStateName;
  readonly reason?: FailureReason | WaitReason | HoldReason;
  readonly message?: string;
  readonly fix?: string;
  readonly proof: readonly Proof[];
  readonly priority: number;
  /** Its queue: the agent's name, or with the rule's when the rule has a limit of its own. */
  readonly lane: string;
  /** Jobs of one group are worked on by one attempt. */
  readonly batch?: string;
  readonly fallbacks: readonly Fallback[];
  readonly promoted: readonly PromotedFile[];
  readonly depth: number;
  readonly parent?: JobId;
  /** Epoch milliseconds: put in the queue, first attempt started, final state reached. */
  readonly queuedAt: number;
  readonly startedAt?: number;
  readonly endedAt?: number;
  /** For `waiting` and retried jobs: not before this time. Epoch milliseconds. */
  readonly notBefore?: number;
  readonly attempts: readonly AttemptRecord[];
  readonly usage?: Usage;
  readonly costUsd: number | null;
  readonly outputs: readonly Output[];
  readonly cachedFrom?: JobId;
  /** It is a step of a run, not a file. */
  readonly step?: StepTask;
}

/** What a job is about, for people: its file, or the step of a run. */
export function workWords({ input, step }: Pick<JobRecord, 'input' | 'step'>): string {
  return step ? `${step.workflow}: ${step.step} (${step.runId})` : `${input.root}/${input.path}`;
}
