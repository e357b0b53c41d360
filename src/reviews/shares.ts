/** Divides a bound: what is small is whole, what is large gets an equal share of the rest. */

/** @returns for each size how much of it fits, in all at most `total`. */
export function shares(sizes: readonly number[], total: number): readonly number[] {
  const given = sizes.map(() => 0);
  let left = Math.max(0, Math.floor(total));
  const bySize = sizes.map((size, index) => ({ size, index })).toSorted((a, b) => a.size - b.size);
  for (const [at, { size, index }] of bySize.entries()) {
    const share = Math.min(size, Math.floor(left / (bySize.length - at)));
    given[index] = share;
    left -= share;
  }
  return given;
}
