/**
 * Tokens and money of an attempt. While it runs each message says what it took in; what it gave out is known at its end.
 * The result has the sums, over all models and sub-agents; they are of this attempt, since a resumed session tells beside
 * its own totals what is new.
 */
import type { Usage } from '../../../types/job.ts';
import { amountOf, type Json, objectOf, textOf } from '../reading/values.ts';

const none: Usage = { input_tokens: 0, cache_read_tokens: 0, cache_write_tokens: 0, output_tokens: 0 };
const buckets = Object.keys(none) as (keyof Usage)[];

export class ClaudeUsage {
  /** Told of, or about to be. */
  #counted: Usage = none;
  #isKnown = false;
  #untold: Usage = none;
  #message = '';
  #messageUsage: Usage = none;
  #total: Usage | undefined;
  #costUsd: number | null = null;
  #untoldUsd: number | undefined;
  #lastTotalUsd = 0;

  /** A message, told once for each of its blocks. */
  message(id: string | undefined, usage: unknown): void {
    if (id === undefined || id !== this.#message) {
      this.#message = id ?? '';
      this.#messageUsage = none;
    }
    const { input_tokens, cache_read_input_tokens, cache_creation_input_tokens, output_tokens } =
      objectOf(usage);
    this.#raise({
      input_tokens: amountOf(input_tokens) ?? 0,
      cache_read_tokens: amountOf(cache_read_input_tokens) ?? 0,
      cache_write_tokens: amountOf(cache_creation_input_tokens) ?? 0,
      output_tokens: amountOf(output_tokens) ?? 0,
    });
  }

  /** The end of a message: what it gave out in all. */
  messageEnd(id: string | undefined, usage: unknown): void {
    if (id !== undefined && id !== this.#message) return;
    this.#raise({ ...none, output_tokens: amountOf(objectOf(usage).output_tokens) ?? 0 });
  }

  result(result: Json): void {
    const models = Object.values(objectOf(result.model_usage_since_last_result)).map(objectOf);
    const total = models.length > 0 ? sumOf(models) : plainSum(result.usage);
    if (total) {
      this.#total = this.#total ? plus(this.#total, total) : total;
      this.#isKnown = true;
      this.#count(less(this.#total, this.#counted));
    }
    const cost = this.#cost(result, models);
    if (cost === undefined) return;
    this.#costUsd = (this.#costUsd ?? 0) + cost;
    this.#untoldUsd = (this.#untoldUsd ?? 0) + cost;
  }

  /** What was counted since it was last taken; undefined: nothing. */
  take(): Usage | undefined {
    const usage = this.#untold;
    if (buckets.every((key) => usage[key] === 0)) return undefined;
    this.#untold = none;
    return usage;
  }

  takeCost(): number | undefined {
    const usd = this.#untoldUsd;
    this.#untoldUsd = undefined;
    return usd;
  }

  get usage(): Usage | undefined {
    return this.#total ?? (this.#isKnown ? this.#counted : undefined);
  }

  get costUsd(): number | null {
    return this.#costUsd;
  }

  #raise(to: Usage): void {
    const more = less(to, this.#messageUsage);
    this.#messageUsage = plus(this.#messageUsage, more);
    this.#count(more);
    this.#isKnown = true;
  }

  #count(more: Usage): void {
    this.#counted = plus(this.#counted, more);
    this.#untold = plus(this.#untold, more);
  }

  #cost(result: Json, models: readonly Json[]): number | undefined {
    const total = amountOf(result.total_cost_usd);
    // It took another model's price.
    const all = [...models, ...Object.values(objectOf(result.modelUsage)).map(objectOf)];
    if (total === undefined || all.some(({ costBasis }) => textOf(costBasis) === 'unknown')) return undefined;
    const since = total - this.#lastTotalUsd;
    this.#lastTotalUsd = total;
    if (models.length === 0) return Math.max(0, since);
    return models.reduce((sum, { costUSD }) => sum + (amountOf(costUSD) ?? 0), 0);
  }
}

function sumOf(models: readonly Json[]): Usage {
  const sum = (name: string): number => models.reduce((all, one) => all + (amountOf(one[name]) ?? 0), 0);
  return {
    input_tokens: sum('inputTokens'),
    cache_read_tokens: sum('cacheReadInputTokens'),
    cache_write_tokens: sum('cacheCreationInputTokens'),
    output_tokens: sum('outputTokens'),
  };
}

function plainSum(value: unknown): Usage | undefined {
  const { input_tokens, cache_read_input_tokens, cache_creation_input_tokens, output_tokens } =
    objectOf(value);
  if (amountOf(input_tokens) === undefined) return undefined;
  return {
    input_tokens: amountOf(input_tokens) ?? 0,
    cache_read_tokens: amountOf(cache_read_input_tokens) ?? 0,
    cache_write_tokens: amountOf(cache_creation_input_tokens) ?? 0,
    output_tokens: amountOf(output_tokens) ?? 0,
  };
}

function plus(a: Usage, b: Usage): Usage {
  return each((key) => a[key] + b[key]);
}

function less(a: Usage, b: Usage): Usage {
  return each((key) => Math.max(0, a[key] - b[key]));
}

function each(of: (key: keyof Usage) => number): Usage {
  return {
    input_tokens: of('input_tokens'),
    cache_read_tokens: of('cache_read_tokens'),
    cache_write_tokens: of('cache_write_tokens'),
    output_tokens: of('output_tokens'),
  };
}
