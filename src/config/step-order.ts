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

/** Names of the steps that have ended when another begins. */
export interface Before {
  has(name: string): boolean;
}

/**
 * For each step those before it, by its place. One bit per pair: with 10,000 steps in a chain sets of names would take
 * seconds. Of steps that wait for each other nothing is known.
 */
export function stepsBefore(steps: readonly OrderedStep[]): readonly Before[] {
  const places = placesOf(steps);
  const words = Math.ceil(steps.length / 32);
  const before: (Uint32Array | undefined)[] = new Array(steps.length);
  for (const index of inOrder(steps, places)) {
    const bits = new Uint32Array(words);
    for (const name of waitsFor(steps, index)) {
      const place = places.get(name);
      const above = place === undefined ? undefined : before[place];
      if (place === undefined || !above) continue;
      for (let word = 0; word < words; word += 1)
        bits[word] = (bits[word] as number) | (above[word] as number);
      bits[place >> 5] = (bits[place >> 5] as number) | (1 << (place & 31));
    }
    before[index] = bits;
  }
  return before.map((bits) => ({
    has: (name) => {
      const place = places.get(name);
      return (
        place !== undefined &&
        bits !== undefined &&
        ((bits[place >> 5] as number) & (1 << (place & 31))) !== 0
      );
    },
  }));
}

/** Places of the steps, those that others wait for first; steps in a circle, and behind one, are left out. */
function inOrder(steps: readonly OrderedStep[], places: ReadonlyMap<string, number>): readonly number[] {
  const followers: number[][] = steps.map(() => []);
  const open = steps.map((_, index) => {
    const known = new Set(waitsFor(steps, index).flatMap((name) => places.get(name) ?? []));
    for (const place of known) followers[place]?.push(index);
    return known.size;
  });
  const order = open.flatMap((count, index) => (count === 0 ? [index] : []));
  for (const index of order)
    for (const follower of followers[index] ?? []) {
      open[follower] = (open[follower] as number) - 1;
      if (open[follower] === 0) order.push(follower);
    }
  return order;
}

/** The first of several with one name: that there are several is an error of its own. */
function placesOf(steps: readonly OrderedStep[]): ReadonlyMap<string, number> {
  const places = new Map<string, number>();
  for (const [index, { name }] of steps.entries()) if (!places.has(name)) places.set(name, index);
  return places;
}

/**
 * Circles of steps that wait for each other, each once.
 * @returns names along the circle; the last waits for the first.
 */
export function circles(steps: readonly OrderedStep[]): readonly (readonly string[])[] {
  const places = placesOf(steps);
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
