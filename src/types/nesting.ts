/**
 * Work that is asked for from inside an attempt (an agent that calls `sluice` itself) knows it by its environment: it is
 * one step deeper than the job it came from.
 */
import type { JobId } from './job.ts';

export interface Nesting {
  /** Of the jobs that are asked for; 0 outside of any attempt. */
  readonly depth: number;
  /** The job whose attempt asks. */
  readonly parent?: JobId;
}

export function nestingOf(env: NodeJS.ProcessEnv): Nesting {
  const { SLUICE_DEPTH: depth, SLUICE_JOB_ID: parent } = env;
  if (depth === undefined || !/^\d{1,6}$/.test(depth)) return { depth: 0 };
  return {
    depth: Number(depth) + 1,
    ...(parent !== undefined && /^[0-9a-f]{16}$/.test(parent) && { parent }),
  };
}
