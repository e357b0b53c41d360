/**
 * The port between the helper's bookkeeping and what holds a tree of processes within CPU and memory: control groups of
 * either version, a scope of systemd's, or our own watching. `setrlimit` is none of them: RLIMIT_AS kills every program
 * that reserves address space (Node reserves gigabytes), and counts each process for itself.
 */
import type { ExitStatus } from '../launcher.ts';

export const limitsBackends = ['cgroup2', 'cgroup1', 'systemd-run', 'watched'] as const;

/** What enforces limits here, best first. */
export type LimitsBackendName = (typeof limitsBackends)[number];

export interface Bounds {
  /** Of one core: 50 is half of one. */
  readonly cpuPercent?: number;
  readonly memoryBytes?: number;
}

export interface TreeUsage {
  /** CPU time, user and system together, whole milliseconds. */
  readonly cpuMs?: number;
  readonly peakMemoryBytes?: number;
}

/** Around one attempt. */
export interface Cage {
  /** What is in force, and how: `{ cpu: "50% (cgroup v2)" }`. */
  readonly inForce: Readonly<Record<string, string>>;
  /** Words in front of the command, the first an absolute path. */
  readonly prefix: readonly string[];
  /** Set where the kernel does not see to it: the tree must be watched, and ended beyond so many bytes. */
  readonly watchedBytes?: number;
  /** Calls `start` so that what it starts, synchronously, is inside from its first instruction. */
  enter<T>(start: () => T): T;
  /** The command runs; `leader` is its pid. */
  started(leader: number): void;
  /**
   * The kernel has killed a process of the tree since it went beyond the memory.
   * @param exit How the leader ended, when it has, and not by us.
   */
  hasRunOut(exit?: ExitStatus): boolean;
  usage(): TreeUsage;
  /** Ends all that is inside at once, where that can be done faster than one by one. */
  kill(): void;
  /** Nothing runs in it any more: leaves no trace. Never throws. */
  remove(): void;
}

export interface LimitsBackend {
  readonly name: LimitsBackendName;
  /** Folders that it makes with the first cage, and removes when it is closed. */
  readonly folders: readonly string[];
  /**
   * @param id Unique among the attempts of this helper; a file name.
   * @param env Of the command.
   * @throws when the system refuses.
   */
  open(id: string, bounds: Bounds, env: Readonly<Record<string, string>>): Cage;
  /** Leaves no trace of what is not in use. Never throws. */
  close(): void;
}
