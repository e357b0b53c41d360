/** Opens the cage of each attempt that has CPU or memory limits; the others never come here, and cost nothing. */
import { messageOf } from '../../../types/errors.ts';
import type { StartRequest } from '../protocol.ts';
import type { Bounds, Cage, LimitsBackend } from './cage.ts';
import { forgetGroups, recordGroups } from './group-record.ts';
import { enforcesCpu, unavailableFix } from './problem.ts';
import { openWatched } from './watched.ts';

/** Limits that are required cannot be had for this attempt. */
export class UnconfinableError extends Error {
  readonly fix: string;

  constructor(message: string, fix: string) {
    super(message);
    this.fix = fix;
  }
}

export interface Keeper {
  /**
   * Undefined when there is nothing to hold. Where the system refuses now what it did at the start, watching takes over.
   * @throws {UnconfinableError} when the request insists.
   */
  open(seq: number, request: StartRequest): Cage | undefined;
  /** Leaves no group behind. */
  close(): void;
}

export interface KeeperOptions {
  readonly backend: LimitsBackend;
  readonly stateDir: string;
  readonly log: (text: string) => void;
}

export function createKeeper({ backend, stateDir, log }: KeeperOptions): Keeper {
  let isRecorded = false;
  const fallback = openWatched();
  const open = (seq: number, bounds: Bounds & { required: boolean }, env: StartRequest['env']): Cage => {
    const { required } = bounds;
    if (required && bounds.cpuPercent !== undefined && !enforcesCpu(backend.name))
      throw new UnconfinableError('CPU limits cannot be enforced on this machine', unavailableFix());
    try {
      if (!isRecorded) recordGroups(stateDir, backend.folders);
      isRecorded = true;
      return backend.open(String(seq), bounds, env);
    } catch (error) {
      const why = `Limits cannot be set by ${backend.name}: ${messageOf(error)}`;
      if (required) throw new UnconfinableError(why, unavailableFix());
      log(`${why}; the attempt is watched instead`);
      return fallback.open(String(seq), bounds, env);
    }
  };
  return {
    open(seq, { limits, env }) {
      if (limits?.cpuPercent === undefined && limits?.memoryBytes === undefined) return undefined;
      return open(seq, limits, env);
    },
    close() {
      backend.close();
      if (isRecorded) forgetGroups(stateDir);
    },
  };
}
