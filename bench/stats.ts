/** Figures that can be trusted on a noisy machine: medians, and ratios of what was measured in turn. */

export function median(values: readonly number[]): number {
  return quantile(values, 0.5);
}

/** @param q 0 … 1 */
export function quantile(values: readonly number[], q: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * q))] ?? Number.NaN;
}

/** Median of the ratios, pair by pair: what drifts in the machine drifts in both. */
export function ratio(ours: readonly number[], theirs: readonly number[]): number {
  return median(ours.map((value, i) => value / (theirs[i] ?? Number.NaN)));
}

export function line(what: string, ratioValue: number, goal: string, detail: string): void {
  process.stdout.write(
    `${what.padEnd(52)} ${ratioValue.toFixed(2).padStart(8)}×  goal ${goal.padEnd(8)} ${detail}\n`,
  );
}
