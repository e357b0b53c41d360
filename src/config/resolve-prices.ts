/** `prices`: what models cost, for agents that do not say it themselves. */
import type { PriceConfig } from './config.ts';
import { parseDate } from './dates.ts';
import type { Loose, Resolving } from './resolving.ts';
import type { ConfigFile } from './schema.ts';

export function resolvePrices(
  { findings }: Resolving,
  prices: Loose<ConfigFile['prices']>,
): readonly PriceConfig[] {
  const taken = new Map<string, number>();
  return [...prices.entries()].flatMap(([index, price]) => {
    if (price?.model === undefined) return [];
    const at = ['prices', index];
    const model = price.model.trim();
    // Names of models hold brackets (`sonnet[1m]`), so only the star means more than itself.
    if (/[?{}|]|\*\*/.test(model))
      findings.error(
        'BAD_PATTERN',
        [...at, 'model'],
        `"${model}" is more than the name of a model`,
        'Only `*` has a meaning here, and stands for any characters: `gpt-5*`. Write several entries for several models.',
      );
    const from = price.from === undefined ? 0 : parseDate(price.from);
    if (from === undefined)
      findings.error(
        'BAD_VALUE',
        [...at, 'from'],
        `there is no day "${price.from}"`,
        'Write year, month and day: `2026-07-01`.',
      );
    const key = `${model.toLowerCase()} ${from}`;
    const first = taken.get(key);
    if (first !== undefined)
      findings.error(
        'DUPLICATE_NAME',
        [...at, 'model'],
        `the price of "${model}" from that day on is given twice (also in line ${findings.lineOf(['prices', first])})`,
        'Remove one of the two, or give it another `from`.',
      );
    else taken.set(key, index);
    const input = price.input ?? 0;
    return [
      {
        model,
        from: from ?? 0,
        input,
        cacheRead: price.cache_read ?? input,
        cacheWrite: price.cache_write ?? input,
        output: price.output ?? 0,
      },
    ];
  });
}
