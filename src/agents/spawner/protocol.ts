/**
 * What the daemon and its helper process say to each other: one JSON object a line, over the helper's stdin and stdout.
 * A binary framing was not worth it: stringify and parse of a start message take 15 µs, a process start 500 µs.
 */
import type { AttemptOutcome, EndReason } from '../../types/agent.ts';
import type { Settled } from './journal.ts';
import type { Bounds, LimitsBackendName, TreeUsage } from './limits/cage.ts';

/** One command to run. Paths, arguments and environment are strings as `types/path-bytes.ts` writes bytes. */
export interface StartRequest {
  readonly job: string;
  readonly n: number;
  /** Goes into the journal as it is. */
  readonly journal: string;
  readonly argv: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  /** Absolute. */
  readonly cwd: string;
  /** A file whose content is its stdin; absolute. Absent: there is nothing to read. */
  readonly stdin?: string;
  /** Files that are created (0600) for the output; absolute. */
  readonly stdout: string;
  readonly stderr: string;
  /** Small files to write before the start: absolute path, content. */
  readonly files: readonly (readonly [path: string, content: string])[];
  readonly timeoutMs: number;
  /** Ends the attempt when neither stdout nor stderr has grown for so long. */
  readonly idleTimeoutMs?: number;
  /** Bound of stdout and stderr together. */
  readonly maxOutputBytes: number;
  /** Of the whole tree. `required`: not run where CPU or memory cannot be enforced. */
  readonly limits?: Bounds & { readonly runtimeMs?: number; readonly required: boolean };
  /** The command is bubblewrap, with what is really meant inside: it is ended from the inside. */
  readonly sandboxed?: boolean;
}

/**
 * How it ended, and what it left in its output files. Times: epoch milliseconds. CPU time and memory are left out where
 * they cannot be known; without a control group the memory is that of the largest single process, and left out when that
 * is smaller than the helper itself, from which it cannot be told apart.
 */
export interface SpawnExit extends TreeUsage {
  readonly outcome: AttemptOutcome;
  readonly startedAt: number;
  readonly endedAt: number;
  readonly stdoutBytes: number;
  readonly stderrBytes: number;
  /** The limits that were in force, and how: `{ cpu: "50% (cgroup v2)", memory: "2GiB (watched)" }`. */
  readonly limits?: Readonly<Record<string, string>>;
  /** Processes that could not be ended within 30 s of SIGKILL. */
  readonly survivors?: number;
}

export type ToHelper =
  | { readonly op: 'start'; readonly id: number; readonly request: StartRequest }
  | { readonly op: 'cancel'; readonly id: number; readonly reason: EndReason }
  /** Empties the journal, but for lines of these jobs. */
  | { readonly op: 'checkpoint'; readonly id: number; readonly settled: Settled };

export type FromHelper =
  /** `portable` says why the native way is not used. */
  | { readonly op: 'ready'; readonly portable?: string; readonly limits: LimitsBackendName }
  | { readonly op: 'exit'; readonly id: number; readonly exit: SpawnExit }
  | { readonly op: 'checkpointed'; readonly id: number; readonly error?: string };

/** What the helper is told on its command line. */
export interface HelperOptions {
  readonly stateDir: string;
  readonly tag: string;
  readonly graceMs: number;
  /** `portable` leaves out the native way even where it works: for tests and for finding faults. */
  readonly way: 'auto' | 'portable';
  /** What holds trees within their limits; `auto`: the best that works here. One that does not work is not used. */
  readonly limits: LimitsBackendName | 'auto';
  /** How the user's service manager is found. */
  readonly managerEnv: Readonly<Record<string, string>>;
}

/** Splits a stream of text into lines; hand it each chunk. */
export function lineSplitter(onLine: (line: string) => void): (chunk: string) => void {
  const pending: string[] = [];
  return (chunk) => {
    let from = 0;
    for (let end = chunk.indexOf('\n'); end >= 0; end = chunk.indexOf('\n', from)) {
      pending.push(chunk.slice(from, end));
      onLine(pending.length === 1 ? (pending[0] as string) : pending.join(''));
      pending.length = 0;
      from = end + 1;
    }
    if (from < chunk.length) pending.push(chunk.slice(from));
  };
}
