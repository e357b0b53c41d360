/** The lasting problems of this daemon: raised and cleared by whoever finds them, shown by `status`. */
import type { Condition, Conditions } from '../types/condition.ts';

export interface ConditionBoard extends Conditions {
  /** Oldest first. */
  list(): readonly Condition[];
}

export interface BoardOptions {
  readonly now: () => number;
  /** Told once when a condition opens and once when it clears. */
  readonly onChange?: (condition: Condition, open: boolean) => void;
}

export function createConditionBoard({ now, onChange = () => {} }: BoardOptions): ConditionBoard {
  const open = new Map<string, Condition>();
  const idOf = (code: string, subject: string): string => `${code} ${subject}`;
  return {
    raise(condition) {
      const id = idOf(condition.code, condition.subject);
      const known = open.get(id);
      const entry = { ...condition, since: known?.since ?? now() };
      open.set(id, entry);
      if (!known) onChange(entry, true);
    },
    clear(code, subject = '') {
      const id = idOf(code, subject);
      const known = open.get(id);
      if (!known) return;
      open.delete(id);
      onChange(known, false);
    },
    list() {
      return [...open.values()];
    },
  };
}
