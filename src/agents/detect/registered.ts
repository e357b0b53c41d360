/** `agents: auto`: what stands on PATH, without starting any of it. */
import type { Proposal } from './detect.ts';

export interface RegisteredOptions {
  /** PATH of the daemon. */
  readonly searchPath: string;
  readonly projectDir: string;
}

/** The entries of what is found, in a fixed order. Costs some stats. */
export function agentsOnPath(_options: RegisteredOptions): readonly Proposal[] {
  return [];
}
