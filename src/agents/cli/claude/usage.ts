/**
 * Tokens and money of an attempt. While it runs each message says what it took in; what it gave out is known at its end.
 * The result has the sums, over all models and sub-agents; they are of this attempt, since a resumed session tells beside
 * its own totals what is new.
 */
import type { Usage } from '../../../types/job.ts';
import { addUsage, noUsage, usageBeyond, usageBuckets, usageOf } from '../../../types/usage.ts';
import { amountOf, type Json, objectOf, textOf } from '../reading/values.ts';

/** Its own names of our buckets, in messages and in sums by model. */
const inMessages: Readonly<Record<keyof Usage, string>> = {
  input_tokens: 'input_tokens',
  cache_read_tokens: 'cache_read_input_tokens',
  cache_write_tokens: 'cache_creation_input_tokens',
  output_tokens: 'output_tokens',
};
const inModels: Readonly<Record<keyof Usage, string>> = {
  input_tokens: 'inputTokens',
  cache_read_tokens: 'cacheReadInputTokens',
  cache_write_tokens: 'cacheCreationInputTokens',
  output_tokens: 'outputTokens',
};

export class ClaudeUsage {
  /** Told of, or about to be. */
  #counted: Usage = noUsage;
  #isKnown = false;
  #untold: Usage = noUsage;
  #message = '';
  #messageUsage: Usage = noUsage;
  #total: Usage | undefined;
  #costUsd: number | null = null;
  #untoldUsd: number | undefined;
  #lastTotalUsd = 0;

  /** A message, told once for each of its blocks. */
  message(id: string | undefined, usage: unknown): void {
    if (id === undefined || id !== this.#message) {
      this.#message = id ?? '';
      this.#messageUsage = noUsage;
    }
    this.#raise(plainSum(objectOf(usage)));
  }

  /** The end of a message: what it gave out in all. */
  messageEnd(id: string | undefined, usage: unknown): void {
    if (id !== undefined && id !== this.#message) return;
    const output = amountOf(objectOf(usage).output_tokens);
    if (output !== undefined) this.#raise({ ...noUsage, output_tokens: output });
  }

  result(result: Json): void {
    const models = Object.values(objectOf(result.model_usage_since_last_result)).map(objectOf);
    const total = models.length > 0 ? sumOf(models) : plainSum(objectOf(result.usage));
    if (total) {
      this.#total = this.#total ? addUsage(this.#total, total) : total;
      this.#isKnown = true;
      this.#count(usageBeyond(this.#total, this.#counted));
    }
    const cost = this.#cost(result, models);
    if (cost === undefined) return;
    this.#costUsd = (this.#costUsd ?? 0) + cost;
    this.#untoldUsd = (this.#untoldUsd ?? 0) + cost;
  }

  /** What was counted since it was last taken; undefined: nothing. */
  take(): Usage | undefined {
    const usage = this.#untold;
    if (usageBuckets.every((bucket) => usage[bucket] === 0)) return undefined;
    this.#untold = noUsage;
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

  /** @param to Undefined: it does not say. That is not known, not nothing. */
  #raise(to: Usage | undefined): void {
    if (to === undefined) return;
    const more = usageBeyond(to, this.#messageUsage);
    this.#messageUsage = addUsage(this.#messageUsage, more);
    this.#count(more);
    this.#isKnown = true;
  }

  #count(more: Usage): void {
    this.#counted = addUsage(this.#counted, more);
    this.#untold = addUsage(this.#untold, more);
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
  return models.map((model) => counted(model, inModels)).reduce(addUsage, noUsage);
}

function plainSum(usage: Json): Usage | undefined {
  return amountOf(usage.input_tokens) === undefined ? undefined : counted(usage, inMessages);
}

function counted(from: Json, names: Readonly<Record<keyof Usage, string>>): Usage {
  return usageOf((bucket) => amountOf(from[names[bucket]]) ?? 0);
}
