/**
 * When is which path looked at next: a binary heap of due times, so that 20,000 settling paths cost one Node timer. An
 * entry may be moved later without touching the heap: it is put back when its old time comes up.
 */
export interface Due {
  /** Milliseconds on the caller's clock; `Infinity` takes it out. */
  dueAt: number;
}

export class DueQueue<T extends Due> {
  readonly #heap: { at: number; readonly entry: T }[] = [];

  /** Call after an entry was made or its `dueAt` became earlier. */
  add(entry: T): void {
    const heap = this.#heap;
    const item = { at: entry.dueAt, entry };
    let at = heap.push(item) - 1;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (heap[parent]!.at <= item.at) break;
      heap[at] = heap[parent]!;
      at = parent;
    }
    heap[at] = item;
  }

  /** Earliest time at which `take` may give something. */
  nextAt(): number | undefined {
    return this.#heap[0]?.at;
  }

  /** An entry that is due at `now`, if there is one; it is no longer in the queue. */
  take(now: number): T | undefined {
    for (;;) {
      const top = this.#heap[0];
      if (top === undefined || top.at > now) return undefined;
      this.#removeTop();
      const { entry } = top;
      if (entry.dueAt === Infinity) continue;
      if (entry.dueAt <= now) return entry;
      // Moved later since; a copy of it that stands for its new time is harmless.
      this.add(entry);
    }
  }

  get length(): number {
    return this.#heap.length;
  }

  #removeTop(): void {
    const heap = this.#heap;
    const last = heap.pop()!;
    if (heap.length === 0) return;
    let at = 0;
    for (;;) {
      let child = at * 2 + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && heap[child + 1]!.at < heap[child]!.at) child++;
      if (heap[child]!.at >= last.at) break;
      heap[at] = heap[child]!;
      at = child;
    }
    heap[at] = last;
  }
}
