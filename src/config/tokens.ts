/** Amounts of tokens as the configuration writes them: `200k`, `5M`, or a bare number; nobody writes six zeros right. */
const unitTokens = { k: 1e3, M: 1e6 } as const;

/** The form of the text, as a regular expression in a JSON Schema; not zero. */
export const tokensPattern = '^(?=.*[1-9])\\d{1,9}(\\.\\d{1,3})?[kM]$';

/** @returns Tokens, whole; `undefined` when the value has no such form. */
export function parseTokens(value: number | string): number | undefined {
  if (typeof value === 'number') return value;
  if (!new RegExp(tokensPattern).test(value)) return undefined;
  const tokens = Number(value.slice(0, -1)) * unitTokens[value.slice(-1) as keyof typeof unitTokens];
  return Math.round(tokens);
}

/** The shortest exact form: `formatTokens(5_000_000)` is `5M`, `formatTokens(1234)` is `1234`. */
export function formatTokens(tokens: number): number | string {
  if (tokens > 0)
    for (const unit of ['M', 'k'] as const)
      if (tokens % unitTokens[unit] === 0 && tokens / unitTokens[unit] < 1e9)
        return `${tokens / unitTokens[unit]}${unit}`;
  return tokens;
}
