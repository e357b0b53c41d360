/**
 * Tokens as Codex CLI counts them: cached ones are part of `input_tokens`, and the numbers are sums over the thread. Ours are
 * exclusive, and only what is new.
 */
import type { Usage } from '../../../types/job.ts';
import { addUsage, noUsage, usageBeyond } from '../../../types/usage.ts';
import { amountOf, type Json } from '../reading/values.ts';

export class ThreadUsage {
  #total: Usage | undefined;

  get total(): Usage | undefined {
    return this.#total;
  }

  /** @returns what has come on top of what was told before; undefined when nothing is told. */
  take(counts: Json): Usage | undefined {
    const input = amountOf(counts.input_tokens);
    const output = amountOf(counts.output_tokens);
    if (input === undefined && output === undefined) return undefined;
    const read = amountOf(counts.cached_input_tokens) ?? 0;
    const write = amountOf(counts.cache_write_input_tokens) ?? 0;
    const now: Usage = {
      input_tokens: Math.max(0, (input ?? 0) - read - write),
      cache_read_tokens: read,
      cache_write_tokens: write,
      output_tokens: output ?? 0,
    };
    const before = this.#total ?? noUsage;
    const added = usageBeyond(now, before);
    this.#total = addUsage(before, added);
    return added;
  }
}
