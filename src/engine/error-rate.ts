/**
 * The share of failures among the jobs that ended lately. Counted in sixty slices of the window, so that a million jobs
 * cost what ten do; the oldest slice falls out as a whole.
 */
export interface Ended {
  readonly ended: number;
  readonly failed: number;
}

const SLICES = 60;

export class ErrorRate {
  #slices = new Map<number, { ended: number; failed: number }>();
  #windowMs: number;

  constructor(windowMs: number) {
    this.#windowMs = windowMs;
  }

  add(at: number, isFailed: boolean): void {
    const slice = Math.floor(at / this.#sliceMs);
    const counts = this.#slices.get(slice) ?? { ended: 0, failed: 0 };
    counts.ended += 1;
    if (isFailed) counts.failed += 1;
    this.#slices.set(slice, counts);
  }

  within(now: number): Ended {
    const newest = Math.floor(now / this.#sliceMs);
    const sum = { ended: 0, failed: 0 };
    for (const [slice, { ended, failed }] of this.#slices) {
      // Also what a clock that was set back says is yet to come.
      if (slice <= newest - SLICES || slice > newest + 1) {
        this.#slices.delete(slice);
        continue;
      }
      sum.ended += ended;
      sum.failed += failed;
    }
    return sum;
  }

  /** What was counted in slices of another width is forgotten. */
  setWindow(windowMs: number): void {
    if (windowMs === this.#windowMs) return;
    this.#windowMs = windowMs;
    this.#slices = new Map();
  }

  get #sliceMs(): number {
    return Math.max(1, this.#windowMs / SLICES);
  }
}
