/** The port of this folder: file system → settled changes. */
import type { RootConfig, WatchMode } from '../config/config.ts';
import type { Change } from '../types/change.ts';
import type { Conditions } from '../types/condition.ts';

export interface WatchOptions {
  readonly roots: readonly RootConfig[];
  /** Absolute folders that are never inputs: our state, the output folder. */
  readonly excluded: readonly string[];
  /** The worker keeps its own accelerator (`folders.db`) here; it can be deleted at any time. */
  readonly stateDir: string;
  /** Identity of the ledger the accelerator speaks about: with another one it is started anew. */
  readonly ledgerId: string;
  /**
   * What the ledger durably knows of the files directly in each of `folders` (relative to the root, `''` the root
   * itself): name → `formatStamp` of the version that was taken in. One map per folder, in their order.
   */
  readonly known: (
    root: string,
    folders: readonly string[],
  ) => Promise<readonly ReadonlyMap<string, string>[]>;
  readonly conditions: Conditions;
}

export interface RootStatus {
  readonly name: string;
  readonly dir: string;
  readonly state: 'starting' | 'watching' | 'missing' | 'unreadable';
  /** The mode in force; `reason` says why it is not the best one. */
  readonly mode: Exclude<WatchMode, 'auto'>;
  readonly reason?: string;
  readonly folders: number;
  readonly files: number;
  /** Files that somebody is still writing. */
  readonly settling: number;
  /** Epoch milliseconds; absent before the first sweep has ended. */
  readonly lastSweepAt?: number;
}

export interface Watcher extends AsyncDisposable {
  /** Every readable root is watched from now on (what is there already is found by the first sweep). */
  readonly watching: Promise<void>;
  /** The first sweep of every root has ended and its changes were handed over. */
  readonly swept: Promise<void>;
  /** Batches of settled changes, until the signal aborts. One consumer. */
  changes(signal: AbortSignal): AsyncIterable<readonly Change[]>;
  status(): readonly RootStatus[];
  /** Re-scans now; resolves when what it found was handed over. */
  sweep(root?: string): Promise<void>;
  /** A reload: roots that stay as they are go on without a gap. */
  update(roots: readonly RootConfig[]): Promise<void>;
}
