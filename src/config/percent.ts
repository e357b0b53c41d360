/** Shares of a whole as the configuration writes them: `50%`, `2.5%`. A bare number is refused: `0.5` could be half or half a percent. */
const written = /^(\d{1,6}(?:\.\d{1,3})?)%$/;

/** The same as a regular expression in a JSON Schema, for editors. */
export const percentPattern = '^\\d{1,6}(\\.\\d{1,3})?%$';

/** @returns 50 for `50%`; `undefined` when the text is no percentage. */
export function parsePercent(text: string): number | undefined {
  const match = written.exec(text);
  return match ? Number(match[1]) : undefined;
}

/** `formatPercent(50)` is `50%`; at most three decimals. */
export function formatPercent(percent: number): string {
  return `${Math.round(percent * 1000) / 1000}%`;
}

/** For the generated validator. */
export function isPercent(text: string, minimum: number, maximum: number): boolean {
  const percent = parsePercent(text);
  return percent !== undefined && percent >= minimum && percent <= maximum;
}
