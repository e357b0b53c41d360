/**
 * What births beside attempts and in the pauses between them say. If nobody but others drop files, a birth falls into a
 * pause as often as the pause is long: share `q` of the time. If the rules make their files themselves, never (or, with
 * a person who drops some too, less often). Both ways a likelihood ratio, as a natural logarithm.
 *
 * Drops come in bursts, so for the verdict an attempt and its pause count once each, however many files appeared: a
 * hundred files that one `cp` wrote are one observation. A test of means was rejected: it has no answer for "never".
 */

/** One attempt and the pause after it. */
export interface CycleCount {
  readonly busyMs: number;
  readonly quietMs: number;
  readonly busyBirths: number;
  readonly quietBirths: number;
}

export interface Observed {
  readonly busyMs: number;
  readonly quietMs: number;
  /** Attempts and pauses with births. */
  readonly busy: number;
  readonly quiet: number;
  /** Births, in the longer of an attempt and its pause up to `mostCounted`, in the other in proportion. */
  readonly busyBirths: number;
  readonly quietBirths: number;
}

export const nothingObserved: Observed = {
  busyMs: 0,
  quietMs: 0,
  busy: 0,
  quiet: 0,
  busyBirths: 0,
  quietBirths: 0,
};

/** A pause says no more than this many times the attempt before it: streams have their pauses too. */
export const longestPause = 3;
const mostCounted = 4;
/** Somebody who drops files has at least this share of the births in a pause that his steadiness would give. */
const leastShare = 1 / 3;

export function observe(before: Observed, cycles: readonly CycleCount[]): Observed {
  let { busyMs, quietMs, busy, quiet, busyBirths, quietBirths } = before;
  for (const cycle of cycles) {
    busyMs += cycle.busyMs;
    quietMs += Math.min(cycle.quietMs, longestPause * cycle.busyMs);
    busy += Math.min(1, cycle.busyBirths);
    quiet += Math.min(1, cycle.quietBirths);
    const ratio = cycle.quietMs / Math.max(1, cycle.busyMs);
    busyBirths += Math.min(mostCounted * Math.min(1, 1 / ratio), cycle.busyBirths);
    quietBirths += Math.min(mostCounted * Math.min(1, ratio), cycle.quietBirths);
  }
  return { busyMs, quietMs, busy, quiet, busyBirths, quietBirths };
}

/** For "they make them themselves", against "others do". 0 when nothing speaks for it. */
export function evidence({ busyMs, quietMs, busy, quiet }: Observed): number {
  const births = busy + quiet;
  if (births === 0 || quietMs === 0) return 0;
  const share = quietMs / (busyMs + quietMs);
  // Where births are so many that every attempt and every pause has some, they are half and half.
  const expected = quiet === 0 ? share : Math.min(share, 0.5);
  const found = quiet / births;
  if (found >= expected) return 0;
  const ofQuiet = quiet === 0 ? 0 : quiet * Math.log(found / expected);
  return ofQuiet + busy * Math.log((1 - found) / (1 - expected));
}

/** For "others do", against "hardly any other does". */
export function innocence({ busyMs, quietMs, busyBirths, quietBirths }: Observed): number {
  const expected = quietMs / Math.max(1, busyMs + quietMs);
  if (expected === 0) return 0;
  return (
    quietBirths * Math.log(1 / leastShare) -
    busyBirths * Math.log((1 - leastShare * expected) / (1 - expected))
  );
}
