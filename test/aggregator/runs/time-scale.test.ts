import fc from 'fast-check';
import { expect, test } from 'vitest';
import { itemLoad } from '../../../src/aggregator/runs/load.ts';
import { timeScale } from '../../../src/aggregator/runs/time-scale.ts';

const spans = fc.array(
  fc.tuple(fc.nat(100_000), fc.nat(100_000)).map(([a, b]) => ({ from: Math.min(a, b), to: Math.max(a, b) })),
  { maxLength: 20 },
);

test('later is never further left, and everything is on the line', () => {
  fc.assert(
    fc.property(
      spans,
      fc.array(fc.integer({ min: -10, max: 110_000 }), { minLength: 2, maxLength: 20 }),
      (busy, times) => {
        const scale = timeScale(busy, 0, 100_000);
        const places = times.toSorted((a, b) => a - b).map(scale.at);
        for (const [i, place] of places.entries()) {
          expect(place).toBeGreaterThanOrEqual(0);
          expect(place).toBeLessThanOrEqual(100.0001);
          expect(place).toBeGreaterThanOrEqual((places[i - 1] ?? 0) - 1e-9);
        }
        const ticks = scale.ticks.map(({ at }) => at);
        for (const [i, at] of ticks.entries())
          if (i > 0) expect(at - (ticks[i - 1] ?? 0)).toBeGreaterThanOrEqual(10.9);
      },
    ),
  );
});

test('a night of waiting is drawn short', () => {
  const scale = timeScale(
    [
      { from: 0, to: 60_000 },
      { from: 30_000_000, to: 30_060_000 },
    ],
    0,
    30_060_000,
  );
  expect(scale.breaks).toMatchObject([{ ms: 29_940_000 }]);
  expect(scale.at(60_000)).toBeGreaterThan(40);
  expect(scale.at(30_000_000)).toBeLessThan(60);
  expect(scale.at(30_060_000)).toBe(100);
});

test('a run that is all work has no breaks, one without length does not divide by nothing', () => {
  expect(timeScale([{ from: 0, to: 10_000 }], 0, 10_000)).toMatchObject({ breaks: [] });
  expect(timeScale([{ from: 0, to: 10_000 }], 0, 10_000).ticks.map(({ elapsedMs }) => elapsedMs)).toEqual([
    0, 2000, 4000, 6000, 8000, 10_000,
  ]);
  const empty = timeScale([], 5, 5);
  expect(Number.isFinite(empty.at(5))).toBe(true);
});

test('how many items ran at once', () => {
  const load = itemLoad(
    [
      { from: 0, to: 500, failed: false },
      { from: 0, to: 1000, failed: true },
      { from: 900, failed: false },
    ],
    { from: 0, to: 1000, buckets: 2, scale: 10 },
  );
  expect(load[0]).toEqual({ running: 20, failed: 0 });
  expect(load[1]?.running).toBeCloseTo(12, 1);
  expect(load[1]?.failed).toBe(10);
  // All of the time of the spans is in it, however they lie.
  fc.assert(
    fc.property(spans, (some) => {
      const buckets = itemLoad(
        some.map((span) => ({ ...span, failed: false })),
        { from: 0, to: 100_000, buckets: 50 },
      );
      const sum = buckets.reduce((total, { running }) => total + running * 2000, 0);
      const real = some.reduce((total, { from, to }) => total + to - from, 0);
      expect(Math.abs(sum - real)).toBeLessThan(50 * 20 * 20);
    }),
  );
});
