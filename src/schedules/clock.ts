/** The clock that schedules live by. A second one stands in the tests: it is set, jumps and sleeps. */
export interface Clock {
  /** Epoch milliseconds of the wall clock. */
  now(): number;
  /** Calls once after so many milliseconds of being awake. @returns a function that takes it back. */
  after(delayMs: number, call: () => void): () => void;
}

/** Its timers do not keep the process alive. */
export const systemClock: Clock = {
  now: Date.now,
  after(delayMs, call) {
    const timer = setTimeout(call, delayMs).unref();
    return () => clearTimeout(timer);
  },
};
