/** What happened since a suspicion began: attempts one after another, the pauses between them, and the births in both. */
import { nothingObserved, type Observed, observe } from './evidence.ts';

/** How the clocks of file times lag behind ours: the kernel counts in ticks. */
export const tickMs = 10;
/**
 * After its end an attempt may still be the cause of a file for so long. Its processes are gone by then, so this is for the
 * clocks alone: whoever waits for a receipt and then drops the next file comes a little later.
 */
export const graceMs = tickMs;
const cyclesKept = 64;
/** Births in one pause that lie so far apart, as a share of the pause, are no single drop of many files. */
const steadyShare = 1 / 4;

/** One attempt (at the beginning: all that run) and the pause after it. */
interface Cycle {
  readonly startedAt: number;
  endedAt: number | undefined;
  nextAt: number | undefined;
  busyBirths: number;
  quietBirths: number;
  firstQuietAt: number;
}

export class Cycles {
  /** From before a restart. */
  readonly #carried: Observed;
  readonly #cycles: Cycle[] = [];

  constructor(carried = nothingObserved) {
    this.#carried = carried;
  }

  began(at: number): void {
    const last = this.#cycles.at(-1);
    if (last) last.nextAt ??= at;
    this.#cycles.push({
      startedAt: at,
      endedAt: undefined,
      nextAt: undefined,
      busyBirths: 0,
      quietBirths: 0,
      firstQuietAt: 0,
    });
    if (this.#cycles.length > cyclesKept) this.#cycles.shift();
  }

  /** Nothing runs any more. */
  ended(at: number): void {
    const last = this.#cycles.at(-1);
    if (last) last.endedAt ??= at;
  }

  bornBusy(bornAt: number): void {
    const cycle = this.#at(bornAt);
    if (cycle) cycle.busyBirths++;
  }

  /** @returns whether pauses with births are more than one chance: then they are worth a verdict. */
  bornQuiet(bornAt: number, now: number): boolean {
    const cycle = this.#at(bornAt);
    if (!cycle) return false;
    if (cycle.quietBirths === 0) cycle.firstQuietAt = bornAt;
    cycle.quietBirths++;
    if (this.#cycles.filter(({ quietBirths }) => quietBirths > 0).length >= 2) return true;
    const { quietMs } = lengths(cycle, now);
    return cycle.quietBirths >= 3 && bornAt - cycle.firstQuietAt >= steadyShare * quietMs;
  }

  /** Nothing was born beside the latest so many attempts. */
  isFruitless(latest: number): boolean {
    if (this.#cycles.length < latest) return false;
    return this.#cycles.slice(-latest).every(({ busyBirths }) => busyBirths === 0);
  }

  /** Share of the attempts beside which something was born. */
  fruitfulShare(): number {
    const fruitful = this.#cycles.filter(({ busyBirths }) => busyBirths > 0).length;
    return fruitful / Math.max(1, this.#cycles.length);
  }

  /** @param now Where the latest pause ends for now. */
  observed(now: number): Observed {
    const ended = this.#cycles.filter(({ endedAt }) => endedAt !== undefined);
    return observe(
      this.#carried,
      ended.map((cycle) => ({ ...cycle, ...lengths(cycle, now) })),
    );
  }

  #at(time: number): Cycle | undefined {
    return this.#cycles.findLast(({ startedAt }) => startedAt - tickMs <= time);
  }
}

function lengths(
  { startedAt, endedAt, nextAt }: Cycle,
  now: number,
): { readonly busyMs: number; readonly quietMs: number } {
  const quietFrom = endedAt === undefined ? Infinity : endedAt + graceMs;
  const busyMs = Math.max(1, Math.min(quietFrom, nextAt ?? Math.max(now, startedAt)) - startedAt);
  return { busyMs, quietMs: Math.max(0, (nextAt ?? now) - quietFrom) };
}
