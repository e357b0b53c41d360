/** Arithmetic of tokens: bucket by bucket. */
import type { Usage } from './job.ts';

export const usageBuckets = [
  'input_tokens',
  'cache_read_tokens',
  'cache_write_tokens',
  'output_tokens',
] as const satisfies readonly (keyof Usage)[];

export const noUsage: Usage = usageOf(() => 0);

export function usageOf(tokens: (bucket: keyof Usage) => number): Usage {
  return {
    input_tokens: tokens('input_tokens'),
    cache_read_tokens: tokens('cache_read_tokens'),
    cache_write_tokens: tokens('cache_write_tokens'),
    output_tokens: tokens('output_tokens'),
  };
}

/** Undefined: none of them said anything. */
export function sumUsage(all: readonly (Usage | undefined)[]): Usage | undefined {
  const known = all.filter((one) => one !== undefined);
  return known.length > 0 ? known.reduce(addUsage) : undefined;
}

export function addUsage(a: Usage, b: Usage): Usage {
  return usageOf((bucket) => a[bucket] + b[bucket]);
}

/**
 * What attempts cost together, as far as it is known; null: nobody knows. One that cost nothing says nothing of those that
 * did not say what they cost.
 */
export function sumCosts(all: readonly (number | null | undefined)[]): number | null {
  const known = all.filter((one) => typeof one === 'number');
  const sum = known.reduce((total, cost) => total + cost, 0);
  return known.length === 0 || (sum === 0 && known.length < all.length) ? null : sum;
}

/** More than one attempt can use or cost: a number beyond means something else. Sums of what is left are numbers that a ledger takes. */
const maxTokens = 1e12;
const maxUsd = 1e6;

/**
 * What an attempt says that it used, as far as that can be; what cannot be is not known. One wild number would spoil every
 * sum that it goes into.
 */
export function credible<T extends { readonly usage?: Usage; readonly costUsd: number | null }>(told: T): T {
  const { usage, costUsd, ...rest } = told;
  const isUsage = usage !== undefined && usageBuckets.every((bucket) => isUpTo(usage[bucket], maxTokens));
  return {
    ...rest,
    ...(isUsage && { usage: usageOf((bucket) => Math.round(usage[bucket])) }),
    costUsd: costUsd !== null && isUpTo(costUsd, maxUsd) ? costUsd : null,
  } as T;
}

/** Also false for what is no number. */
function isUpTo(value: number, most: number): boolean {
  return value >= 0 && value <= most;
}

/** What `a` has more than `b`. */
export function usageBeyond(a: Usage, b: Usage): Usage {
  return usageOf((bucket) => Math.max(0, a[bucket] - b[bucket]));
}
