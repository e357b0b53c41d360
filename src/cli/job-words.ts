/** Receipts in words: for `jobs`, `why` and `jobs show`. */

import { formatElapsed } from '../types/elapsed.ts';
import type { Usage } from '../types/job.ts';
import { printableName } from '../types/printable-name.ts';
import type { Receipt } from '../types/receipt.ts';
import { agentWords } from '../types/step-task.ts';
import { shortTime } from './times.ts';

type Brief = Omit<Receipt, 'outputs' | 'reviews'>;

/** As much of an id as is unique in any ledger that fits on a disk. */
export function shortId(id: string): string {
  return id.slice(0, 8);
}

export function nameOf({ root, path }: { readonly root: string; readonly path: string }): string {
  return printableName(`${root}/${path}`);
}

/** What a job is about: its file, or the step of a run that it is. */
export function workOf({ input, run }: Pick<Brief, 'input' | 'run'>): string {
  return run ? printableName(`${run.workflow}: ${run.step} (${run.run_id})`) : nameOf(input);
}

/** A step's own command or request, and the run of a file, are no agents that somebody named. */
export function agentOf({ agent }: Pick<Brief, 'agent'>): string {
  return printableName(agentWords(agent));
}

/** When the job last got on: its end, else its start, else when it was put in the queue. */
export function timeOf({ ended_at: ended, started_at: started, queued_at: queued }: Brief): string {
  return ended ?? started ?? queued;
}

/** `failed (exit_code)`, `succeeded, proved by exit_code and outputs`. */
export function stateWords({ state, reason, proof, cached_from: source, waits_until: until }: Brief): string {
  if (state === 'cached' && source !== undefined) return `cached from job ${shortId(source)}`;
  if (state === 'succeeded' && proof.length > 0) return `succeeded, proved by ${proof.join(', ')}`;
  return reason === undefined ? state : `${state} (${reason})${untilWords(until)}`;
}

/** In the four groups that exclude each other. */
export function tokenWords(usage: Usage): string {
  const { input_tokens: input, cache_read_tokens: read, cache_write_tokens: written } = usage;
  return `${input} in, ${read} read from the cache, ${written} written to it, ${usage.output_tokens} out`;
}

/** Behind what it waits for. */
export function untilWords(until: string | undefined): string {
  return until === undefined ? '' : ` until ${shortTime(until)}`;
}

export function tookWords({ duration_ms: durationMs }: Pick<Brief, 'duration_ms'>): string {
  return durationMs === undefined ? '' : formatElapsed(durationMs);
}
