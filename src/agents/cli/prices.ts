/** Tokens × the dated price table of the configuration → money, for agents that do not say what they cost. */
import type { PriceConfig } from '../../config/config.ts';
import type { Usage } from '../../types/job.ts';

/**
 * The first entry whose model fits holds; of those for the same model the latest that had begun.
 * @param model As the CLI names it; undefined: it does not, and only a price for whatever model (`*`) fits.
 * @param at Epoch milliseconds: when the tokens were used.
 * @returns US dollars; `null`: nobody knows.
 */
export function priceOf(
  prices: readonly PriceConfig[],
  model: string | undefined,
  usage: Usage | undefined,
  at: number,
): number | null {
  if (usage === undefined) return null;
  const fitting = prices.filter((price) => price.from <= at && fits(price.model, model ?? ''));
  const price = fitting
    .filter((one) => one.model === fitting[0]?.model)
    .reduce<PriceConfig | undefined>((best, one) => (best && best.from >= one.from ? best : one), undefined);
  if (!price) return null;
  const micros =
    usage.input_tokens * price.input +
    usage.cache_read_tokens * price.cacheRead +
    usage.cache_write_tokens * price.cacheWrite +
    usage.output_tokens * price.output;
  return micros / 1e6;
}

/** `*` stands for any characters, also for "/": `openrouter/anthropic/claude` is one name. */
function fits(pattern: string, model: string): boolean {
  const [first = '', ...rest] = pattern.toLowerCase().split('*');
  const name = model.toLowerCase();
  const last = rest.pop();
  if (last === undefined) return name === first;
  if (!name.startsWith(first)) return false;
  let from = first.length;
  for (const part of rest) {
    const found = name.indexOf(part, from);
    if (found < 0) return false;
    from = found + part.length;
  }
  return name.length - from >= last.length && name.endsWith(last);
}
