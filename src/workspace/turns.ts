/** Keeps long synchronous work from stopping the daemon, and work on one tree from meeting other work on it. */
import { setImmediate as nextTurn } from 'node:timers/promises';

const sliceMs = 8;

/** Synchronous calls cost a third of asynchronous ones: many are made in a row, then others have their turn. */
export class Slice {
  readonly #signal: AbortSignal | undefined;
  #start = performance.now();

  constructor(signal?: AbortSignal) {
    this.#signal = signal;
  }

  get isOver(): boolean {
    return performance.now() - this.#start > sliceMs;
  }

  /** Lets others run. @throws what the signal was aborted with. */
  async pause(): Promise<void> {
    await nextTurn();
    this.#signal?.throwIfAborted();
    this.#start = performance.now();
  }
}

export type Turns = <T>(name: string, work: () => Promise<T>) => Promise<T>;

/** Work of one name is done one after the other, in the order in which it was asked for. */
export function createTurns(): Turns {
  const last = new Map<string, Promise<unknown>>();
  return async (name, work) => {
    const turn = (last.get(name) ?? Promise.resolve()).then(work, work);
    last.set(name, turn);
    try {
      return await turn;
    } finally {
      if (last.get(name) === turn) last.delete(name);
    }
  };
}

/** Runs `work` for each item, at most `width` at a time. The first error ends it, once those under way have ended. */
export async function eachOf<T>(
  items: readonly T[],
  width: number,
  work: (item: T, index: number) => Promise<void>,
): Promise<void> {
  let next = 0;
  const lane = async (): Promise<void> => {
    while (next < items.length) {
      const index = next++;
      try {
        await work(items[index] as T, index);
      } catch (error) {
        next = items.length;
        throw error;
      }
    }
  };
  const lanes = await Promise.allSettled(Array.from({ length: Math.min(width, items.length) }, lane));
  for (const ended of lanes) if (ended.status === 'rejected') throw ended.reason;
}
