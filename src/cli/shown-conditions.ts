/** Which conditions a page shows: of one kind, such as reviews that ask, a thousand would be no page that anybody reads. */
import type { ConditionView } from '../operations/status.ts';

export interface ShownConditions {
  /** In their order. */
  readonly shown: readonly ConditionView[];
  /** Code → how many more there are. */
  readonly more: ReadonlyMap<string, number>;
}

const ALIKE = 5;

export function shownConditions(conditions: readonly ConditionView[]): ShownConditions {
  const shown: ConditionView[] = [];
  const more = new Map<string, number>();
  const counts = new Map<string, number>();
  for (const condition of conditions) {
    const count = (counts.get(condition.code) ?? 0) + 1;
    counts.set(condition.code, count);
    if (count <= ALIKE) shown.push(condition);
    else more.set(condition.code, count - ALIKE);
  }
  return { shown, more };
}
