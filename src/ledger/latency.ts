/**
 * How long things took, as numbers in buckets whose bounds grow by 2^(1/8): at most 257 of them from 1 ms to 49 days,
 * however many lengths are counted, and the sum of two histograms is the histogram of both. Keeping a sample was rejected:
 * samples of days cannot be added up without an error that nobody can name.
 */

/** Bucket → how many. */
export type LatencyHistogram = ReadonlyMap<number, number>;

const PER_OCTAVE = 8;
const LAST = 32 * PER_OCTAVE;

/** The bucket of a length in milliseconds: 0 holds everything up to 1 ms, the last everything from 49 days on. */
export function latencyBucket(ms: number): number {
  if (!(ms > 1)) return 0;
  return Math.min(LAST, Math.ceil(Math.log2(ms) * PER_OCTAVE - 1e-9));
}

/**
 * The length that a share of all do not exceed (nearest rank), in milliseconds.
 * @returns the geometric middle of its bucket: off by 4.5 % at most (from 1 ms to 49 days). Undefined: nothing is counted.
 */
export function latencyPercentile(histogram: LatencyHistogram, share: number): number | undefined {
  const total = histogram.values().reduce((sum, n) => sum + n, 0);
  if (total === 0) return undefined;
  const rank = Math.max(1, Math.ceil(total * share));
  let seen = 0;
  for (const [bucket, n] of [...histogram].toSorted(([a], [b]) => a - b)) {
    seen += n;
    if (seen >= rank) return bucket === 0 ? 1 : 2 ** ((bucket - 0.5) / PER_OCTAVE);
  }
  return undefined;
}
