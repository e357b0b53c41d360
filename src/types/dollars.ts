/** US dollars for people: `$12.30`; below a dollar by what counts, since a file of half a cent is not free: `$0.0047`. */
export function formatDollars(usd: number): string {
  return `$${usd > 0 && usd < 0.995 ? usd.toPrecision(2) : usd.toFixed(2)}`;
}
