/** Tokens of one run, from the file that Copilot leaves them in (`--usage-output-file`). */
import type { Usage } from '../../../types/job.ts';
import { amountOf, objectOf } from '../reading/values.ts';

export function usageIn(text: string | undefined): Usage | undefined {
  if (text === undefined) return undefined;
  const models = Object.values(objectOf(objectOf(parsed(text)).modelMetrics));
  const counted = models
    .map((one) => objectOf(objectOf(one).usage))
    .filter(({ inputTokens }) => amountOf(inputTokens) !== undefined);
  if (counted.length === 0) return undefined;
  const sum = (name: string): number => counted.reduce((all, one) => all + (amountOf(one[name]) ?? 0), 0);
  const [read, write] = [sum('cacheReadTokens'), sum('cacheWriteTokens')];
  return {
    // Its input holds what came from the cache, and what went there.
    input_tokens: Math.max(0, sum('inputTokens') - read - write),
    cache_read_tokens: read,
    cache_write_tokens: write,
    output_tokens: sum('outputTokens'),
  };
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
