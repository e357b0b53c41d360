/**
 * When is which path looked at next: a binary heap of due times, so that 20,000 settling paths cost one Node timer. An
 * entry may be moved later without touching the heap: it is put back when its old time comes up.
 */
export interface Due {
  /** Milliseconds on the caller's clock; `Infinity` takes it out. */
  dueAt: number;
}

interface Item<T> {
  at: number;
  readonly entry: T;
}

export class DueQueue<T extends Due> {
  readonly #heap: Item<T>[] = [];

  /** Call after an entry was made or its `dueAt` became earlier. */
  add(entry: T): void {
    const heap = this.#heap;
    const item = { at: entry.dueAt, entry };
    let at = heap.push(item) - 1;
    while (at > 0) {
      const parentAt = (at - 1) >> 1;
      const parent = heap[parentAt] as Item<T>;
      if (parent.at <= item.at) break;
      heap[at] = parent;
      at = parentAt;
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

  #removeTop(): void {
    const heap = this.#heap;
    const last = heap.pop();
    if (last === undefined || heap.length === 0) return;
    let at = 0;
    for (;;) {
      const leftAt = at * 2 + 1;
      const left = heap[leftAt];
      if (left === undefined) break;
      const right = heap[leftAt + 1];
      const childAt = right !== undefined && right.at < left.at ? leftAt + 1 : leftAt;
      const child = heap[childAt] as Item<T>;
      if (child.at >= last.at) break;
      heap[at] = child;
      at = childAt;
    }
    heap[at] = last;
  }
}
