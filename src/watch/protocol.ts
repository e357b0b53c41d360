/** What the main thread and the watch worker say to each other. Every message is plain data. */
import type { RootConfig } from '../config/config.ts';
import type { Change } from '../types/change.ts';
import type { Condition } from '../types/condition.ts';
import type { ErrorCode } from '../types/error-codes.ts';
import type { RootStatus } from './watcher.ts';

export interface WorkerSetup {
  readonly roots: readonly RootConfig[];
  readonly excluded: readonly string[];
  readonly stateDir: string;
  readonly ledgerId: string;
}

export type ToWorker =
  /** The consumer has taken one batch. */
  | { readonly kind: 'ack' }
  | { readonly kind: 'answer'; readonly id: number; readonly known?: readonly ReadonlyMap<string, string>[] }
  | { readonly kind: 'sweep'; readonly id: number; readonly root?: string }
  | { readonly kind: 'update'; readonly id: number; readonly roots: readonly RootConfig[] }
  | { readonly kind: 'close' };

export type FromWorker =
  | { readonly kind: 'batch'; readonly changes: readonly Change[] }
  | {
      readonly kind: 'question';
      readonly id: number;
      readonly root: string;
      readonly folders: readonly string[];
    }
  | { readonly kind: 'raise'; readonly condition: Omit<Condition, 'since'> }
  | { readonly kind: 'clear'; readonly code: ErrorCode; readonly subject: string }
  | { readonly kind: 'status'; readonly roots: readonly RootStatus[] }
  | { readonly kind: 'watching' }
  | { readonly kind: 'swept' }
  /** A sweep or update has ended; its batches were posted before. */
  | { readonly kind: 'done'; readonly id: number }
  | { readonly kind: 'closed' };
