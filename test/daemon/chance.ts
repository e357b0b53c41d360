/** Chance that can be repeated: everything random in a test comes from one number, which is printed when it fails. */

export interface Chance {
  readonly seed: number;
  /** 0 ≤ x < 1 */
  next(): number;
  /** A whole number, both ends included. */
  int(min: number, max: number): number;
  pick<T>(list: readonly T[]): T;
  shuffle<T>(list: readonly T[]): T[];
}

/** @param seed A whole number below 2^32. */
export function chanceOf(seed: number): Chance {
  let state = seed >>> 0;
  // mulberry32: good enough to choose from, and the same everywhere.
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
  const int = (min: number, max: number): number => min + Math.floor(next() * (max - min + 1));
  return {
    seed,
    next,
    int,
    pick: <T>(list: readonly T[]): T => list[int(0, list.length - 1)] as T,
    shuffle<T>(list: readonly T[]): T[] {
      const all = [...list];
      for (let n = all.length - 1; n > 0; n--) {
        const other = int(0, n);
        [all[n], all[other]] = [all[other] as T, all[n] as T];
      }
      return all;
    },
  };
}

/** `SEED` of the environment, so that a failure can be had again; else a new one. */
export function seedOf(env: NodeJS.ProcessEnv): number {
  return env.SEED === undefined ? Math.floor(Math.random() * 2 ** 31) : Number(env.SEED);
}
