/**
 * Tokens as Codex CLI counts them: cached ones are part of `input_tokens`, and the numbers are sums over the thread. Ours are
 * exclusive, and only what is new.
 */
import type { Usage } from '../../../types/job.ts';
import type { Item } from './items.ts';

const none: Usage = { input_tokens: 0, cache_read_tokens: 0, cache_write_tokens: 0, output_tokens: 0 };

export class ThreadUsage {
  #total: Usage | undefined;

  get total(): Usage | undefined {
    return this.#total;
  }

  /** @returns what has come on top of what was told before; undefined when nothing is told. */
  take(counts: Item): Usage | undefined {
    if (count(counts.input_tokens) === undefined && count(counts.output_tokens) === undefined)
      return undefined;
    const read = count(counts.cached_input_tokens) ?? 0;
    const write = count(counts.cache_write_input_tokens) ?? 0;
    const now: Usage = {
      input_tokens: Math.max(0, (count(counts.input_tokens) ?? 0) - read - write),
      cache_read_tokens: read,
      cache_write_tokens: write,
      output_tokens: count(counts.output_tokens) ?? 0,
    };
    const before = this.#total ?? none;
    const more = (key: keyof Usage): number => Math.max(0, now[key] - before[key]);
    const added: Usage = {
      input_tokens: more('input_tokens'),
      cache_read_tokens: more('cache_read_tokens'),
      cache_write_tokens: more('cache_write_tokens'),
      output_tokens: more('output_tokens'),
    };
    this.#total = {
      input_tokens: before.input_tokens + added.input_tokens,
      cache_read_tokens: before.cache_read_tokens + added.cache_read_tokens,
      cache_write_tokens: before.cache_write_tokens + added.cache_write_tokens,
      output_tokens: before.output_tokens + added.output_tokens,
    };
    return added;
  }
}

function count(value: unknown): number | undefined {
  return typeof value === 'number' && Number.isFinite(value) && value >= 0 ? value : undefined;
}
