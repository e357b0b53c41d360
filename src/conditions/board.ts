/** The lasting problems of this daemon: raised and cleared by whoever finds them, shown by `status`. */
import type { Condition, Conditions } from '../types/condition.ts';

/** Told once when a condition opens and once when it clears. */
export type ConditionListener = (condition: Condition, open: boolean) => void;

export interface ConditionBoard extends Conditions {
  /** Oldest first. */
  list(): readonly Condition[];
  /** @returns a function that ends the subscription. What is open already is not told: see `list`. */
  subscribe(listener: ConditionListener): () => void;
}

export interface BoardOptions {
  readonly now: () => number;
  readonly onChange?: ConditionListener;
}

export function createConditionBoard({ now, onChange }: BoardOptions): ConditionBoard {
  const open = new Map<string, Condition>();
  const listeners = new Set<ConditionListener>(onChange && [onChange]);
  const idOf = (code: string, subject: string): string => `${code} ${subject}`;
  const tell = (condition: Condition, isOpen: boolean): void => {
    for (const listener of listeners) listener(condition, isOpen);
  };
  return {
    raise(condition) {
      const id = idOf(condition.code, condition.subject);
      const known = open.get(id);
      const entry = { ...condition, since: known?.since ?? now() };
      open.set(id, entry);
      if (!known) tell(entry, true);
    },
    clear(code, subject = '') {
      const id = idOf(code, subject);
      const known = open.get(id);
      if (!known) return;
      open.delete(id);
      tell(known, false);
    },
    list() {
      return [...open.values()];
    },
    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}
