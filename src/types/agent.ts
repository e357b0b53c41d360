/** What the coordinator hands to an agent and what it gets back: the same for every kind. */
import type { AgentConfig } from '../config/config.ts';
import type { Access, CliRecord, CliReport, Correction } from './agent-cli.ts';
import type { AttemptState } from './attempt-state.ts';
import type { SandboxReport, Usage } from './job.ts';
import type { StepTask } from './step-task.ts';

/** One attempt to make. All paths are absolute; those that name the input go through `fsPath`. */
export interface AgentCall {
  readonly jobId: string;
  /** 1 for the first attempt. */
  readonly attempt: number;
  readonly sessionId: string;
  readonly agent: AgentConfig;
  readonly rule: string;
  readonly depth: number;
  /** The first of `inputs`; of a step without a file its prompt, as a file in `workDir` that may not be there yet. */
  readonly input: CallInput;
  /** One file, or those of a batch: all of one root. None for a step without a file. */
  readonly inputs: readonly CallInput[];
  /** The step of a run that it is for: its prompt is complete. */
  readonly step?: Pick<StepTask, 'runId' | 'workflow' | 'step'>;
  /** How it reaches the state of its session. Absent: it has none. */
  readonly state?: AttemptState;
  /** Folders of all roots: what a confined agent may read besides the project. */
  readonly rootDirs: readonly string[];
  /** `workspace: copy`: the copy of the root's tree that it works on; `file` and `rootDir` of the inputs lie in it. */
  readonly workspaceDir?: string;
  /**
   * Told of what the attempt has used so far, at most twice a second, by agents that report it while they run. Only
   * then is its output looked at while it runs.
   */
  readonly onSpent?: (spent: Spent) => void;
  /** Told of each event within a second of its being written. Only then, or with `onSpent`, is the output looked at. */
  readonly onEvent?: (event: AgentEvent) => void;
  /** Others review its work: it may ask for that itself. */
  readonly isReviewed?: boolean;
  /** What an agent CLI is to be given beyond a plain launch. */
  readonly correction?: Correction;
  /** What its next answer must heed: findings of a review, a person's answer, what was wrong with the last one. */
  readonly guidance?: string;
  /** The answer is to be JSON of this shape. */
  readonly schema?: { readonly file: string; readonly schema: unknown };
  /** The rule's prompt, not yet interpolated. */
  readonly prompt?: string;
  /** Opaque text that the spawner writes beside the exit status in the attempts journal: what recovery needs. */
  readonly journal: string;
  /** Working directory of commands: the project folder. */
  readonly projectDir: string;
  /** Exists and is empty, but for `outputs/`: stdout, stderr, result.md and events.jsonl are written here. */
  readonly workDir: string;
  /** `<workDir>/outputs`: exists. */
  readonly outputDir: string;
}

export interface CallInput {
  readonly root: string;
  /** The root's folder. */
  readonly rootDir: string;
  /** Relative to the root, with `/`. */
  readonly path: string;
  readonly file: string;
  readonly sha256: string;
  readonly bytes: number;
}

/** Used so far. `costUsd` null: not told. */
export interface Spent {
  readonly usage?: Usage;
  readonly costUsd: number | null;
}

/**
 * Why a running attempt is ended from outside: the `reason` of its signal. A text is a plain cancellation; the other is
 * an outcome of its own and becomes the outcome of the attempt.
 */
export type EndReason =
  | string
  | Extract<
      AttemptOutcome,
      { kind: 'limit_exceeded' | 'stuck' | 'refused_command' | 'lingered' | 'reviewed' }
    >;

/** How one attempt ended. What agents do is an outcome, never an exception. */
export type AttemptOutcome =
  | { readonly kind: 'exited'; readonly exitCode: number }
  | { readonly kind: 'signalled'; readonly signal: string }
  | { readonly kind: 'timed_out'; readonly afterMs: number }
  | { readonly kind: 'stalled'; readonly idleMs: number }
  | { readonly kind: 'output_exceeded'; readonly maxBytes: number }
  /** A bound other than time-out and output: memory, runtime, money, tokens. */
  | {
      readonly kind: 'limit_exceeded';
      readonly limit: string;
      readonly message: string;
      readonly fix: string;
    }
  /** The same tool call again and again. */
  | { readonly kind: 'stuck'; readonly tool: string; readonly times: number }
  /** It ran (or said that it runs) a command that is blocked. */
  | { readonly kind: 'refused_command'; readonly command: string }
  /** It had given its result and did not end; its tree was ended after a grace. */
  | { readonly kind: 'lingered'; readonly graceMs: number }
  /** A review ended it while it ran: a person is asked, or it is over. */
  | { readonly kind: 'reviewed'; readonly decision: 'pause' | 'stop'; readonly message: string }
  /** Confinement or limits that are required cannot be had. */
  | { readonly kind: 'unconfinable'; readonly message: string; readonly fix: string }
  | { readonly kind: 'cancelled'; readonly reason: string }
  | { readonly kind: 'spawn_failed'; readonly code: string; readonly message: string }
  | {
      readonly kind: 'responded';
      readonly status: number;
      readonly retryAfterMs?: number;
      readonly message?: string;
    }
  | { readonly kind: 'unreachable'; readonly code: string; readonly message: string }
  /** It ran to its end, and what it left cannot be read: whatever it was, and cost, is not known. */
  | { readonly kind: 'uncollected'; readonly message: string; readonly fix: string }
  /** The helper process died, or the daemon before it: nobody knows how it would have ended. Uses up no retry. */
  | { readonly kind: 'interrupted' };

export interface AgentEvent {
  readonly type: 'status' | 'progress' | 'finding' | 'task' | 'blocker' | 'milestone' | 'review' | 'error';
  readonly agent?: string;
  readonly timestamp?: string;
  readonly payload: Readonly<Record<string, unknown>>;
}

export interface AgentResult {
  readonly outcome: AttemptOutcome;
  /** Epoch milliseconds. */
  readonly startedAt: number;
  readonly endedAt: number;
  /** The result text, without event lines: a file in `workDir`, redacted. Absent when there was no output. */
  readonly resultFile?: string;
  readonly resultBytes: number;
  /** Event lines found; they stand in `<workDir>/events.jsonl`, redacted. */
  readonly events: number;
  /** From the events' payloads, where they carry it. */
  readonly usage?: Usage;
  readonly costUsd: number | null;
  /** The last lines of stderr (at most 4 KiB), redacted: for messages. */
  readonly stderrTail: string;
  readonly sandbox: SandboxReport;
  /** CPU and memory limits that were in force and how: `{ cpu: "50% (cgroup v2)", memory: "2GiB (watched)" }`. */
  readonly limits: Readonly<Record<string, string>>;
  readonly cpuMs?: number;
  readonly peakMemoryBytes?: number;
  /** Of an agent CLI: what its stream said, and how it was started. */
  readonly cli?: {
    readonly report: CliReport;
    readonly record: CliRecord;
    /** What of its configuration stands between it and what it was denied. */
    readonly beyond?: { readonly ceiling?: Access; readonly directories: readonly string[] };
    /** What its log-in rested on when it began (`AgentPort.logInEvidence`). Absent: that is not known any more. */
    readonly logInEvidence?: string;
  };
  /** Processes of its tree that could not be ended. */
  readonly survivors?: number;
}

/** One kind of agent. Adding a kind is one file that gives this, and its line in the registry. */
export interface AgentRunner {
  /** Runs one attempt to its end. Never throws for what the agent does; aborting `signal` ends the whole tree. */
  run(call: AgentCall, signal: AbortSignal): Promise<AgentResult>;
  /**
   * What of the agent itself decides the result (its binary's or script's content …): part of the cache key.
   * @param path Of the input, relative to its root: some agents look at its name too.
   */
  version(agent: AgentConfig, path: string): Promise<string>;
}
