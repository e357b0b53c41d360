/**
 * Changes on their way out of the worker. At most `maxUnacked` batches are under way; the rest waits here, and when that
 * becomes much, those who fill it (settle stage, sweep) hold back. So a slow consumer costs a bounded amount of memory:
 * files that are not looked at yet are found again by the sweep.
 */
import type { Change } from '../types/change.ts';

const batchSize = 256;
const maxUnacked = 4;
const maxWaiting = 4096;

export class Outbox {
  readonly #post: (batch: readonly Change[]) => void;
  readonly #onRoom: () => void;
  #waiting: Change[] = [];
  #unacked = 0;
  #closed = false;
  #roomWaiters: (() => void)[] = [];
  #emptyWaiters: (() => void)[] = [];

  /** @param onRoom Called when there is room again after there was none. */
  constructor(o: { post: (batch: readonly Change[]) => void; onRoom: () => void }) {
    this.#post = o.post;
    this.#onRoom = o.onRoom;
  }

  push(change: Change): void {
    if (this.#closed) return;
    this.#waiting.push(change);
    if (this.#waiting.length >= batchSize) this.flush();
  }

  /** Sends what waits, as far as the other side takes it. */
  flush(): void {
    while (this.#waiting.length > 0 && this.#unacked < maxUnacked) {
      const batch = this.#waiting.length <= batchSize ? this.#waiting : this.#waiting.slice(0, batchSize);
      this.#waiting = this.#waiting.length <= batchSize ? [] : this.#waiting.slice(batchSize);
      this.#unacked++;
      this.#post(batch);
    }
    if (this.#waiting.length === 0) for (const resolve of this.#emptyWaiters.splice(0)) resolve();
  }

  /** The other side has consumed a batch. */
  acked(): void {
    const wasFull = !this.hasRoom;
    this.#unacked--;
    this.flush();
    if (!this.hasRoom) return;
    for (const resolve of this.#roomWaiters.splice(0)) resolve();
    if (wasFull) this.#onRoom();
  }

  get hasRoom(): boolean {
    return this.#waiting.length < maxWaiting;
  }

  async room(): Promise<void> {
    while (!this.hasRoom) await new Promise<void>((resolve) => this.#roomWaiters.push(resolve));
  }

  /** Resolves when everything pushed so far was posted. */
  async posted(): Promise<void> {
    this.flush();
    while (this.#waiting.length > 0) await new Promise<void>((resolve) => this.#emptyWaiters.push(resolve));
  }

  /** Lets everybody go who waits: the end. */
  close(): void {
    this.#closed = true;
    this.#waiting = [];
    for (const resolve of [...this.#roomWaiters.splice(0), ...this.#emptyWaiters.splice(0)]) resolve();
  }
}
