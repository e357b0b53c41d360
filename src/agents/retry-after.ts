/** The `Retry-After` header: seconds or an HTTP date. @returns milliseconds from `now`, or undefined when it says neither. */
export function retryAfterMs(header: string | undefined, now: number): number | undefined {
  const text = header?.trim() ?? '';
  if (/^\d{1,10}$/.test(text)) return Number(text) * 1000;
  // Date.parse alone would take "2" or "tomorrow 3" for dates.
  const at = /^[A-Za-z]{3,9}, ?\d{1,2}[ -]/.test(text) ? Date.parse(text) : Number.NaN;
  return Number.isNaN(at) ? undefined : Math.max(0, at - now);
}
