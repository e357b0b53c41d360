/**
 * How long a command that nobody attends waits in all: a service that asks for half a minute of patience may ask for it
 * again and again. Only waiting counts, and only since something was brought to an end.
 */
const longestMs = 10 * 60_000;

export class Patience {
  #waitedMs = 0;
  #since: number | undefined;

  /** @param now Of a clock that is never set back, in milliseconds. */
  waits(now: number): void {
    this.#since ??= now;
  }

  goesOn(now: number): void {
    if (this.#since !== undefined) this.#waitedMs += now - this.#since;
    this.#since = undefined;
  }

  /** Something has come of it. */
  renew(): void {
    this.#waitedMs = 0;
    this.#since = undefined;
  }

  isOver(now: number): boolean {
    const waitingMs = this.#since === undefined ? 0 : now - this.#since;
    return this.#waitedMs + waitingMs > longestMs;
  }
}
