/**
 * Times of a run → places on a line, in percent. Pure. A long pause in which nothing ran (an approval over night, a run
 * that was resumed the next day) is drawn short, with a break: otherwise everything else would be a hair at its side.
 */

export interface TimeSpan {
  /** Epoch milliseconds. */
  readonly from: number;
  readonly to: number;
}

export interface TimeScale {
  /** 0 to 100. */
  at(time: number): number;
  /** Elapsed time since the start, at places that people know. */
  readonly ticks: readonly { readonly at: number; readonly elapsedMs: number }[];
  /** Pauses that are drawn short. */
  readonly breaks: readonly { readonly from: number; readonly to: number; readonly ms: number }[];
}

const steps = [
  1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000, 15_000, 30_000, 60_000, 120_000, 300_000,
  600_000, 900_000, 1_800_000, 3_600_000, 7_200_000, 14_400_000, 28_800_000, 43_200_000, 86_400_000,
];
/** A pause is cut when it is longer than this share of all the work. */
const longPause = 0.6;
/** What is left of it. */
const shortPause = 0.08;
const leastTickGap = 11;
const wantedTicks = 5;

/** @param busy When something ran. */
export function timeScale(busy: readonly TimeSpan[], from: number, to: number): TimeScale {
  const end = Math.max(to, from + 1);
  const pauses = pausesOf(busy, from, end);
  const worked = end - from - pauses.reduce((sum, pause) => sum + (pause.to - pause.from), 0);
  const cut = pauses.filter((pause) => worked > 0 && pause.to - pause.from > longPause * worked);
  // Each piece of the line: real time, and the time it is drawn as.
  const pieces: { from: number; to: number; at: number; drawn: number; isCut: boolean }[] = [];
  let at = 0;
  const add = (a: number, b: number, isCut: boolean): void => {
    if (b <= a) return;
    const drawn = isCut ? shortPause * worked : b - a;
    pieces.push({ from: a, to: b, at, drawn, isCut });
    at += drawn;
  };
  let last = from;
  for (const pause of cut) {
    add(last, pause.from, false);
    add(pause.from, pause.to, true);
    last = pause.to;
  }
  add(last, end, false);
  const all = at || 1;
  const place = (time: number): number => {
    const piece = pieces.find((one) => time <= one.to) ?? pieces.at(-1);
    if (piece === undefined) return 0;
    const share = (Math.min(Math.max(time, piece.from), piece.to) - piece.from) / (piece.to - piece.from);
    return (100 * (piece.at + share * piece.drawn)) / all;
  };
  const step =
    steps.find((one) => all / one <= wantedTicks) ?? Math.ceil(all / wantedTicks / 86_400_000) * 86_400_000;
  const ticks: { at: number; elapsedMs: number }[] = [];
  for (const piece of pieces) {
    if (piece.isCut) continue;
    for (let n = Math.ceil((piece.from - from) / step); n * step <= piece.to - from; n++) {
      const tick = { at: place(from + n * step), elapsedMs: n * step };
      if (tick.at - (ticks.at(-1)?.at ?? -100) >= leastTickGap) ticks.push(tick);
    }
  }
  return {
    at: place,
    ticks,
    breaks: cut.map((pause) => ({ from: place(pause.from), to: place(pause.to), ms: pause.to - pause.from })),
  };
}

function pausesOf(busy: readonly TimeSpan[], from: number, to: number): TimeSpan[] {
  const pauses: TimeSpan[] = [];
  let at = from;
  for (const span of busy.toSorted((a, b) => a.from - b.from)) {
    if (span.from > at) pauses.push({ from: at, to: Math.min(span.from, to) });
    at = Math.max(at, span.to);
  }
  if (at < to) pauses.push({ from: at, to });
  return pauses.filter((pause) => pause.to > pause.from);
}
