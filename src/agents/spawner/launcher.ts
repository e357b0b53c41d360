/**
 * The port between the helper's bookkeeping and the two ways of starting a process: `native` (Linux: `posix_spawn` through
 * FFI) and `portable` (`child_process`, everywhere). Both start each command as the leader of its own session, so that its
 * pid names its process group and session too.
 */
import type { TreeUsage } from './limits/cage.ts';

export interface Launch {
  /** Absolute path of the executable. */
  readonly file: string;
  readonly argv: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly cwd: string;
  /** Absent: /dev/null. */
  readonly stdinFd?: number;
  readonly stdoutFd: number;
  readonly stderrFd: number;
  /** A number that identifies the attempt; the native way marks the process and all it starts with it. */
  readonly seq: number;
}

export type ExitStatus = { readonly exitCode: number } | { readonly signal: string };

/** Told of each process that ended: its own use and that of the children it waited for. */
export type OnExit = (pid: number, status: ExitStatus, usage?: TreeUsage) => void;

export interface Launcher {
  /**
   * Gives the pid. The end is told to `onExit`, never before the pid was given.
   * @throws {LaunchError} (or rejects with it) when the system refuses.
   */
  start(launch: Launch): number | Promise<number>;
  /** False: no such process (or group, for a negative `pid`), or it is not ours to signal. */
  kill(pid: number, signal: NodeJS.Signals | 0): boolean;
  /**
   * Direct children of the helper that are alive or not yet reaped. Undefined where it cannot be known cheaply.
   * With it goes the promise that a process whose parent dies becomes a direct child.
   */
  children(): readonly number[] | undefined;
  /** The attempt whose mark the process carries: 0 none, -1 it belongs to another program. */
  markOf(pid: number): number;
}

export class LaunchError extends Error {
  readonly code: string;

  constructor(code: string, message: string) {
    super(message);
    this.code = code;
  }
}
