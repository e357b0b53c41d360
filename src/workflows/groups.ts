/**
 * Concurrency groups: runs with the same text go one after another, in the order in which they came. Pure. A run that was
 * called by one which holds its group goes with that: waiting would be for ever.
 */
import type { RunId } from '../types/run.ts';

export interface Joining {
  readonly id: RunId;
  readonly group: string;
  /** The run that called it, if one did. */
  readonly caller?: RunId | undefined;
}

export class Groups {
  /** The first of each line holds the group. */
  readonly #lines = new Map<string, RunId[]>();
  readonly #groupOf = new Map<RunId, string>();
  readonly #callerOf = new Map<RunId, RunId>();

  /** For every run that is under way, with a group or without: who called whom decides who waits for whom. */
  called(id: RunId, caller: RunId): void {
    this.#callerOf.set(id, caller);
  }

  /** Those that stand before a run that would join; empty: it may run at once. */
  ahead({ group, caller }: Omit<Joining, 'id'>): readonly RunId[] {
    const line = this.#lines.get(group) ?? [];
    const [holder] = line;
    return holder !== undefined && this.#callers(caller).includes(holder) ? [] : line;
  }

  /** @returns whether it may run now. */
  join({ id, group, caller }: Joining): boolean {
    if (this.#groupOf.has(id)) return this.holds(id);
    if (caller !== undefined) this.called(id, caller);
    const line = this.#lines.get(group) ?? [];
    const [holder] = line;
    if (holder !== undefined && this.#callers(caller).includes(holder)) return true;
    line.push(id);
    this.#lines.set(group, line);
    this.#groupOf.set(id, group);
    return line[0] === id;
  }

  /** In no group, or first in its line. */
  holds(id: RunId): boolean {
    const group = this.#groupOf.get(id);
    return group === undefined || this.#lines.get(group)?.[0] === id;
  }

  /** @returns the run that may go on because of it. */
  leave(id: RunId): RunId | undefined {
    this.#callerOf.delete(id);
    const group = this.#groupOf.get(id);
    if (group === undefined) return undefined;
    this.#groupOf.delete(id);
    const line = this.#lines.get(group) ?? [];
    const held = line[0] === id;
    line.splice(line.indexOf(id), 1);
    if (line.length === 0) this.#lines.delete(group);
    return held ? line[0] : undefined;
  }

  /** Who stands first in the line in which this run waits; undefined: it does not wait. */
  holderBefore(id: RunId): RunId | undefined {
    const group = this.#groupOf.get(id);
    const holder = group === undefined ? undefined : this.#lines.get(group)?.[0];
    return holder === id ? undefined : holder;
  }

  /** Two runs, each holding the group that a step of the other waits for, would wait for ever. */
  wouldDeadlock({ group, caller }: Omit<Joining, 'id'>): boolean {
    const mine = new Set(this.#callers(caller));
    const seen = new Set<RunId>();
    const left = [this.#lines.get(group)?.[0]];
    for (let holder = left.pop(); holder !== undefined; holder = left.pop()) {
      if (mine.has(holder)) return true;
      if (seen.has(holder)) continue;
      seen.add(holder);
      for (const id of this.#groupOf.keys())
        if (this.#callers(id).includes(holder)) left.push(this.holderBefore(id));
    }
    return false;
  }

  /** The run itself, who called it, and so on. */
  #callers(id: RunId | undefined): readonly RunId[] {
    const chain: RunId[] = [];
    for (let one = id; one !== undefined && !chain.includes(one); one = this.#callerOf.get(one))
      chain.push(one);
    return chain;
  }
}
