/** Keeps long synchronous work from blocking the worker: hints have to be read while a tree is scanned. */
import { setImmediate as nextTurn } from 'node:timers/promises';

const sliceMs = 8;

export class TimeSlice {
  #start = performance.now();

  get isOver(): boolean {
    return performance.now() - this.#start > sliceMs;
  }

  /** Lets others run when the slice is used up. */
  async pause(): Promise<void> {
    await nextTurn();
    this.#start = performance.now();
  }
}
