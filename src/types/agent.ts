/** What the coordinator hands to an agent and what it gets back: the same for every kind. */
import type { AgentConfig } from '../config/config.ts';
import type { Usage } from './job.ts';

/** One attempt to make. All paths are absolute; those that name the input go through `fsPath`. */
export interface AgentCall {
  readonly jobId: string;
  /** 1 for the first attempt. */
  readonly attempt: number;
  readonly sessionId: string;
  readonly agent: AgentConfig;
  readonly rule: string;
  readonly depth: number;
  readonly input: {
    readonly root: string;
    /** The root's folder. */
    readonly rootDir: string;
    /** Relative to the root, with `/`. */
    readonly path: string;
    readonly file: string;
    readonly sha256: string;
    readonly bytes: number;
  };
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

/** How one attempt ended. What agents do is an outcome, never an exception. */
export type AttemptOutcome =
  | { readonly kind: 'exited'; readonly exitCode: number }
  | { readonly kind: 'signalled'; readonly signal: string }
  | { readonly kind: 'timed_out'; readonly afterMs: number }
  | { readonly kind: 'stalled'; readonly idleMs: number }
  | { readonly kind: 'output_exceeded'; readonly maxBytes: number }
  | { readonly kind: 'cancelled'; readonly reason: string }
  | { readonly kind: 'spawn_failed'; readonly code: string; readonly message: string }
  | {
      readonly kind: 'responded';
      readonly status: number;
      readonly retryAfterMs?: number;
      readonly message?: string;
    }
  | { readonly kind: 'unreachable'; readonly code: string; readonly message: string }
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
