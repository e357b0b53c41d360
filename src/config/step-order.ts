/**
 * Which steps of a workflow wait for which: by `needs`, and without it for the one above. Pure; what is wrong (unknown
 * names, circles) is told by the caller's words.
 */

export interface OrderedStep {
  readonly name: string;
  /** Absent: it follows the one above. */
  readonly needs?: readonly string[];
}

/** The steps that a step waits for directly. */
export function waitsFor(steps: readonly OrderedStep[], index: number): readonly string[] {
  const needs = steps[index]?.needs;
  if (needs) return needs;
  const above = steps[index - 1];
  return above ? [above.name] : [];
}

/** Every step that has ended when the step of this place begins. Circles are no problem here. */
export function stepsBefore(steps: readonly OrderedStep[], index: number): ReadonlySet<string> {
  const places = new Map(steps.map(({ name }, at) => [name, at]));
  const before = new Set<string>();
  const open = [...waitsFor(steps, index)];
  for (let name = open.pop(); name !== undefined; name = open.pop()) {
    const at = places.get(name);
    if (before.has(name) || at === undefined) continue;
    before.add(name);
    open.push(...waitsFor(steps, at));
  }
  before.delete(steps[index]?.name ?? '');
  return before;
}

/**
 * Circles of steps that wait for each other, each once.
 * @returns names along the circle; the last waits for the first.
 */
export function circles(steps: readonly OrderedStep[]): readonly (readonly string[])[] {
  const places = new Map(steps.map(({ name }, at) => [name, at]));
  const found: string[][] = [];
  const done = new Set<string>();
  // By hand, not by calls: a chain of 10,000 steps is no reason to run out of stack.
  for (const { name: start } of steps) {
    const way: { readonly name: string; readonly open: string[] }[] = [];
    const onWay = new Map<string, number>();
    const enter = (name: string) => {
      const at = places.get(name);
      if (done.has(name) || at === undefined) return;
      const begin = onWay.get(name);
      if (begin !== undefined) {
        found.push(way.slice(begin).map((one) => one.name));
        return;
      }
      onWay.set(name, way.length);
      way.push({ name, open: [...waitsFor(steps, at)].toReversed() });
    };
    enter(start);
    for (let top = way.at(-1); top; top = way.at(-1)) {
      const next = top.open.pop();
      if (next !== undefined) enter(next);
      else {
        done.add(top.name);
        onWay.delete(top.name);
        way.pop();
      }
    }
  }
  return found;
}
