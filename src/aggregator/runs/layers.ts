/**
 * Which node stands in which layer, and in which order within it. Pure. Longest paths give the layers, barycentres the
 * order; an edge that passes layers has a place of its own in each, so that it runs beside the boxes and not under them.
 * A graph library was rejected: the good ones need a browser or are larger than the rest of the aggregator.
 */

export interface Edge {
  readonly from: number;
  readonly to: number;
}

/** Longest path from a source. Edges that would close a circle are left out of account. */
export function layersOf(count: number, edges: readonly Edge[]): readonly number[] {
  const outs: number[][] = Array.from({ length: count }, () => []);
  const waiting = new Array<number>(count).fill(0);
  for (const { from, to } of edges) {
    outs[from]?.push(to);
    waiting[to] = (waiting[to] ?? 0) + 1;
  }
  const layers = new Array<number>(count).fill(0);
  const ready = [...waiting.keys()].filter((n) => waiting[n] === 0);
  for (let n = ready.shift(); n !== undefined; n = ready.shift()) {
    for (const to of outs[n] ?? []) {
      layers[to] = Math.max(layers[to] ?? 0, (layers[n] ?? 0) + 1);
      waiting[to] = (waiting[to] ?? 0) - 1;
      if (waiting[to] === 0) ready.push(to);
    }
  }
  return layers;
}

/** A box, or the place where an edge passes a layer. */
export interface Slot {
  /** Absent: an edge passes here. */
  readonly node?: number;
  readonly layer: number;
  readonly before: number[];
  readonly after: number[];
}

export interface Ordered {
  readonly slots: readonly Slot[];
  /** Slots of each layer, in their order. */
  readonly layers: readonly (readonly number[])[];
  /** For each edge the slots on its way, both ends included. */
  readonly ways: readonly (readonly number[])[];
}

const sweeps = 12;

/** @param nodes Nodes to place, with their layers (from 0 on). */
export function orderLayers(
  nodes: readonly { readonly node: number; readonly layer: number }[],
  edges: readonly Edge[],
): Ordered {
  const slots: Slot[] = nodes.map(({ node, layer }) => ({ node, layer, before: [], after: [] }));
  const slotOf = new Map(nodes.map(({ node }, slot) => [node, slot]));
  const ways = edges.map(({ from, to }) => {
    const [first, last] = [slotOf.get(from) as number, slotOf.get(to) as number];
    const way = [first];
    for (let layer = (slots[first] as Slot).layer + 1; layer < (slots[last] as Slot).layer; layer++)
      way.push(slots.push({ layer, before: [], after: [] }) - 1);
    way.push(last);
    for (let i = 1; i < way.length; i++) {
      const [a, b] = [way[i - 1] as number, way[i] as number];
      slots[a]?.after.push(b);
      slots[b]?.before.push(a);
    }
    return way;
  });
  const depth = 1 + Math.max(-1, ...slots.map(({ layer }) => layer));
  let layers: number[][] = Array.from({ length: depth }, () => []);
  for (const [slot, { layer }] of slots.entries()) layers[layer]?.push(slot);

  let best = { layers: layers.map((layer) => [...layer]), crossings: crossingsOf(slots, layers) };
  for (let sweep = 0; sweep < sweeps && best.crossings > 0; sweep++) {
    const down = sweep % 2 === 0;
    layers = sweepOnce(slots, layers, down);
    const crossings = crossingsOf(slots, layers);
    if (crossings < best.crossings) best = { layers: layers.map((layer) => [...layer]), crossings };
  }
  return { slots, layers: best.layers, ways };
}

function sweepOnce(slots: readonly Slot[], layers: number[][], down: boolean): number[][] {
  const place = placesIn(layers);
  const next = layers.map((layer) => [...layer]);
  const turns = down ? next.keys().toArray() : next.keys().toArray().reverse();
  for (const n of turns) {
    const layer = next[n] as number[];
    const weight = new Map(
      layer.map((slot, i) => {
        const near = down ? slots[slot]?.before : slots[slot]?.after;
        const sum = (near ?? []).reduce((total, other) => total + (place.get(other) ?? 0), 0);
        // Who has nobody on that side keeps its place.
        return [slot, near?.length ? sum / near.length : i] as const;
      }),
    );
    layer.sort((a, b) => (weight.get(a) ?? 0) - (weight.get(b) ?? 0));
    for (const [i, slot] of layer.entries()) place.set(slot, i);
  }
  return next;
}

/** Pairs of edges between neighbouring layers that cross. */
export function crossingsOf(slots: readonly Slot[], layers: readonly (readonly number[])[]): number {
  const place = placesIn(layers);
  let crossings = 0;
  for (const layer of layers) {
    const ends = layer.flatMap((slot) =>
      (slots[slot]?.after ?? []).map((to) => place.get(to) ?? 0).sort((a, b) => a - b),
    );
    // Inversions, by merging: a wide layer has many pairs.
    crossings += inversions(ends);
  }
  return crossings;
}

function inversions(values: number[]): number {
  if (values.length < 2) return 0;
  const half = values.length >> 1;
  const [left, right] = [values.slice(0, half), values.slice(half)];
  let count = inversions(left) + inversions(right);
  let [i, j] = [0, 0];
  for (let at = 0; at < values.length; at++) {
    const takeLeft = j >= right.length || (i < left.length && (left[i] as number) <= (right[j] as number));
    if (!takeLeft) count += left.length - i;
    values[at] = (takeLeft ? left[i++] : right[j++]) as number;
  }
  return count;
}

function placesIn(layers: readonly (readonly number[])[]): Map<number, number> {
  return new Map(layers.flatMap((layer) => layer.map((slot, i) => [slot, i] as const)));
}
