/** Tokens of a session as Gemini CLI sums them up at its end, in our four exclusive buckets. */
import type { Usage } from '../../../types/job.ts';
import { amountOf, type Json, objectOf } from '../reading/values.ts';

interface Counted {
  readonly usage: Usage;
  /** The model that most of it went to. */
  readonly model?: string;
}

/** @param stats `result.stats`. Undefined when it counts nothing. */
export function usageOf(stats: unknown): Counted | undefined {
  const all = objectOf(stats);
  const total = amount(all.total_tokens);
  const prompt = amount(all.input_tokens);
  const told = amount(all.output_tokens);
  const cached = Math.min(prompt, amount(all.cached));
  // Tokens that it thought with are in the total alone; they are paid for as output.
  const output = Math.max(told, total - prompt);
  if (prompt + output === 0) return undefined;
  const model = mostUsed(objectOf(all.models));
  return {
    usage: {
      input_tokens: prompt - cached,
      cache_read_tokens: cached,
      cache_write_tokens: 0,
      output_tokens: output,
    },
    ...(model !== undefined && { model }),
  };
}

function mostUsed(models: Json): string | undefined {
  let best: { readonly name: string; readonly tokens: number } | undefined;
  for (const [name, stats] of Object.entries(models)) {
    const tokens = amount(objectOf(stats).total_tokens);
    // Of equals the last: the one that chose the model comes first.
    if (best === undefined || tokens >= best.tokens) best = { name, tokens };
  }
  return best?.name;
}

function amount(value: unknown): number {
  return amountOf(value) ?? 0;
}
