/**
 * Lengths of time as the configuration writes them: one number, one unit (`200ms`, `30s`, `5m`, `2h`, `30d`). Compound
 * forms (`1h30m`) and bare numbers were left out: the first have a second spelling (`90m`), the second hide their unit.
 */
const unitMs = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;
const written = /^(\d{1,15}(?:\.\d{1,6})?)(ms|s|m|h|d)$/;

/** The same as a regular expression in a JSON Schema, for editors. */
export const durationPattern = '^\\d{1,15}(\\.\\d{1,6})?(ms|s|m|h|d)$';

/** @returns Milliseconds, whole; `undefined` when the text is no duration or not a whole number of milliseconds. */
export function parseDuration(text: string): number | undefined {
  const match = written.exec(text);
  if (!match) return undefined;
  const ms = Number(match[1]) * unitMs[match[2] as keyof typeof unitMs];
  // 0.1 has no exact binary form: 1.1s must still be 1100 ms.
  const whole = Math.round(ms);
  return Math.abs(ms - whole) < 1e-6 * Math.max(1, whole) && Number.isSafeInteger(whole) ? whole : undefined;
}

/** The shortest exact text, in the largest unit that divides it: `formatDuration(90_000)` is `90s`. */
export function formatDuration(ms: number): string {
  if (ms === 0) return '0s';
  for (const unit of ['d', 'h', 'm', 's'] as const)
    if (ms % unitMs[unit] === 0) return `${ms / unitMs[unit]}${unit}`;
  return `${ms}ms`;
}

/** For the generated validator. `or`: words that are allowed instead of a duration. */
export function isDuration(
  text: string,
  minimumMs: number,
  maximumMs: number,
  or: readonly string[],
): boolean {
  if (or.includes(text)) return true;
  const ms = parseDuration(text);
  return ms !== undefined && ms >= minimumMs && ms <= maximumMs;
}
