/** How many items of a step ran at a time, as a row of equal spans: what the timeline draws instead of a hundred thousand bars. Pure. */

export interface Span {
  /** Epoch milliseconds. */
  readonly from: number;
  /** Absent: it still goes on. */
  readonly to?: number;
  readonly failed: boolean;
}

export interface LoadBucket {
  /** How many ran, on average. */
  readonly running: number;
  /** How many ended as failed. */
  readonly failed: number;
}

export function itemLoad(
  spans: readonly Span[],
  o: {
    readonly from: number;
    readonly to: number;
    readonly buckets?: number;
    /** Each span stands for so many. */
    readonly scale?: number;
  },
): readonly LoadBucket[] {
  const { from, to, buckets: count = 80, scale = 1 } = o;
  const width = Math.max(1, to - from) / count;
  const at = (time: number): number => Math.min(count - 1, Math.max(0, Math.floor((time - from) / width)));
  const buckets = Array.from({ length: count }, () => ({ running: 0, failed: 0 }));
  for (const span of spans) {
    const end = Math.min(to, Math.max(span.from, span.to ?? to));
    for (let n = at(span.from); n <= at(end); n++) {
      const start = from + n * width;
      const overlap = Math.min(end, start + width) - Math.max(span.from, start);
      const bucket = buckets[n];
      // What took no time at all is still seen.
      if (bucket) bucket.running += Math.max(overlap / width, 1 / 1000);
    }
    const last = buckets[at(end)];
    if (span.failed && last) last.failed += 1;
  }
  return buckets.map(({ running, failed }) => ({
    running: Math.round(running * scale * 100) / 100,
    failed: Math.round(failed * scale),
  }));
}
