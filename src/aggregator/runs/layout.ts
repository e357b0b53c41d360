/**
 * Where the boxes of a graph stand and how the edges run between them. Pure. Layers go from left to right and, where they
 * do not fit side by side, on in the next line, as text does; or from top to bottom, for narrow screens. An edge into
 * another line goes through the space between the lines.
 */
import { type Edge, layersOf, type Ordered, orderLayers, type Slot } from './layers.ts';

export interface LayoutOptions {
  readonly direction: 'right' | 'down';
  readonly nodeWidth: number;
  readonly nodeHeight: number;
  /** Between layers, and between boxes of a layer. */
  readonly layerGap: number;
  readonly nodeGap: number;
  /** Width at which lines are broken (`right` only); default: never. */
  readonly maxWidth?: number;
}

export interface Layout {
  readonly width: number;
  readonly height: number;
  /** Upper left corners, by node. */
  readonly nodes: readonly { readonly x: number; readonly y: number }[];
  /** Path data, by edge. */
  readonly paths: readonly string[];
}

interface Point {
  readonly x: number;
  readonly y: number;
}

/** Room beside the boxes of a line for edges that change lines. */
const margin = 18;
const passGap = 14;
const corner = 7;
const laneGap = 5;
const maxLanes = 8;
/** Edges from one line to later ones. */
const maxOver = 4;

export function layoutGraph(count: number, edges: readonly Edge[], o: LayoutOptions): Layout {
  const layer = layersOf(count, edges);
  const depth = 1 + Math.max(-1, ...layer);
  const perLine = layersPerLine(layer, edges, o);
  const lineOf = (node: number): number => Math.floor((layer[node] as number) / perLine);
  const lines = Math.ceil(depth / perLine);
  const side = lines > 1 ? margin : 0;
  const nodes: Point[] = new Array(count);
  const paths: string[] = new Array(edges.length).fill('');
  let width = 0;
  let y = 0;
  const channels: Channel[] = [];

  for (let line = 0; line < lines; line++) {
    const inLine = [...layer.keys()].filter((node) => lineOf(node) === line);
    const own = [...edges.keys()].filter((e) => {
      const edge = edges[e] as Edge;
      return lineOf(edge.from) === line && lineOf(edge.to) === line;
    });
    const ordered = orderLayers(
      inLine.map((node) => ({ node, layer: (layer[node] as number) - line * perLine })),
      own.map((e) => edges[e] as Edge),
    );
    const placed = placeLine(ordered, o);
    const at = (point: Point): Point => ({ x: point.x + side, y: point.y + y });
    for (const [slot, { node }] of ordered.slots.entries())
      if (node !== undefined) nodes[node] = at(placed.corners[slot] as Point);
    for (const [i, e] of own.entries())
      paths[e] = curve(
        (ordered.ways[i] ?? []).map((slot) => placed.corners[slot] as Point).map(at),
        ordered.ways[i] ?? [],
        ordered.slots,
        o,
      );
    width = Math.max(width, placed.width + 2 * side);
    y += placed.height;
    if (line === lines - 1) continue;
    const crossing = [...edges.keys()].filter((e) => {
      const edge = edges[e] as Edge;
      return lineOf(edge.from) <= line && lineOf(edge.to) > line;
    });
    const channel = new Channel(
      y,
      crossing.map((e) => (edges[e] as Edge).from),
    );
    channels.push(channel);
    y += channel.height;
  }

  for (const [e, edge] of edges.entries()) {
    const [from, to] = [lineOf(edge.from), lineOf(edge.to)];
    if (from === to) continue;
    paths[e] = changeLines(
      nodes[edge.from] as Point,
      nodes[edge.to] as Point,
      edge,
      channels.slice(from, to),
      o,
    );
  }
  return { width, height: y, nodes, paths };
}

/** As many as fit, unless so much would go from line to line that one long line is easier to follow. */
function layersPerLine(
  layer: readonly number[],
  edges: readonly Edge[],
  { direction, maxWidth, nodeWidth, layerGap }: LayoutOptions,
): number {
  const depth = Math.max(1, 1 + Math.max(-1, ...layer));
  if (direction === 'down' || maxWidth === undefined) return depth;
  const fits = (room: number): number => Math.max(1, Math.floor((room + layerGap) / (nodeWidth + layerGap)));
  if (depth <= fits(maxWidth)) return depth;
  // Lines of nearly the same length look better than a full one and a rest.
  const lines = Math.ceil(depth / fits(maxWidth - 2 * margin));
  const perLine = Math.ceil(depth / lines);
  for (let next = perLine; next < depth; next += perLine) {
    const over = edges.filter(({ from, to }) => (layer[from] ?? 0) < next && (layer[to] ?? 0) >= next);
    if (over.length > maxOver) return depth;
  }
  return perLine;
}

/** The space between two lines: each source has a lane of its own in it, as long as there are few. */
class Channel {
  readonly height: number;
  readonly #top: number;
  readonly #lanes: readonly number[];

  constructor(top: number, sources: readonly number[]) {
    this.#top = top;
    this.#lanes = [...new Set(sources)];
    this.height = 30 + laneGap * Math.min(maxLanes, this.#lanes.length);
  }

  laneOf(source: number): { readonly y: number; readonly n: number } {
    const n = Math.max(0, this.#lanes.indexOf(source)) % maxLanes;
    return { y: this.#top + 15 + n * laneGap, n };
  }
}

/** Boxes of one line, from its own corner on. */
function placeLine(
  ordered: Ordered,
  o: LayoutOptions,
): { readonly corners: readonly Point[]; readonly width: number; readonly height: number } {
  const right = o.direction === 'right';
  const size = right ? o.nodeHeight : o.nodeWidth;
  const step = (right ? o.nodeWidth : o.nodeHeight) + o.layerGap;
  const across = spread(ordered, size, o.nodeGap);
  const least = Math.min(...across.map((at, slot) => at - sizeOf(ordered.slots[slot], size) / 2));
  const most = Math.max(...across.map((at, slot) => at + sizeOf(ordered.slots[slot], size) / 2));
  const corners = ordered.slots.map(({ layer }, slot): Point => {
    const main = layer * step;
    const cross = (across[slot] as number) - size / 2 - least;
    return right ? { x: main, y: cross } : { x: cross, y: main };
  });
  const [main, cross] = [ordered.layers.length * step - o.layerGap, most - least];
  return { corners, width: right ? main : cross, height: right ? cross : main };
}

function sizeOf(slot: Slot | undefined, size: number): number {
  return slot?.node === undefined ? 0 : size;
}

/** Middles of the slots across their layers: near their neighbours, never over one another. */
function spread({ slots, layers }: Ordered, size: number, gap: number): number[] {
  const middles = new Array<number>(slots.length).fill(0);
  const distance = (a: number, b: number): number => {
    const [one, other] = [sizeOf(slots[a], size), sizeOf(slots[b], size)];
    return one / 2 + other / 2 + (one > 0 && other > 0 ? gap : passGap);
  };
  for (const layer of layers) {
    let at = 0;
    for (const [i, slot] of layer.entries()) {
      if (i > 0) at += distance(layer[i - 1] as number, slot);
      middles[slot] = at;
    }
    for (const slot of layer) middles[slot] = (middles[slot] as number) - at / 2;
  }
  const toward = (layer: readonly number[], near: (slot: Slot) => readonly number[]): void => {
    const wanted = layer.map((slot) => {
      const others = near(slots[slot] as Slot);
      if (others.length === 0) return middles[slot] as number;
      return others.reduce((sum, other) => sum + (middles[other] as number), 0) / others.length;
    });
    for (const [i, at] of separate(layer, wanted, distance).entries()) middles[layer[i] as number] = at;
  };
  for (let round = 0; round < 6; round++) {
    for (const layer of layers.slice(1)) toward(layer, ({ before }) => before);
    for (const layer of layers.slice(0, -1).reverse()) toward(layer, ({ after }) => after);
  }
  for (const layer of layers.slice(1)) toward(layer, ({ before }) => before);
  return middles;
}

/** The places nearest to those wanted (least squares) that keep order and distance: neighbours that collide become one block. */
function separate(
  layer: readonly number[],
  wanted: readonly number[],
  distance: (a: number, b: number) => number,
): number[] {
  const offsets = [0];
  for (let i = 1; i < layer.length; i++)
    offsets.push((offsets[i - 1] as number) + distance(layer[i - 1] as number, layer[i] as number));
  const blocks: { sum: number; n: number }[] = [];
  for (const [i, want] of wanted.entries()) {
    let block = { sum: want - (offsets[i] as number), n: 1 };
    for (
      let last = blocks.at(-1);
      last !== undefined && last.sum / last.n > block.sum / block.n;
      last = blocks.at(-1)
    ) {
      blocks.pop();
      block = { sum: block.sum + last.sum, n: block.n + last.n };
    }
    blocks.push(block);
  }
  return blocks
    .flatMap(({ sum, n }) => new Array<number>(n).fill(sum / n))
    .map((at, i) => at + (offsets[i] as number));
}

/** From box to box, through the places where the edge passes layers. */
function curve(
  corners: readonly Point[],
  way: readonly number[],
  slots: readonly Slot[],
  o: LayoutOptions,
): string {
  const right = o.direction === 'right';
  const half = { x: o.nodeWidth / 2, y: o.nodeHeight / 2 };
  const points: Point[] = [];
  for (const [i, { x, y }] of corners.entries()) {
    const middle = { x: x + half.x, y: y + half.y };
    const [start, end] = right
      ? [
          { x, y: middle.y },
          { x: x + o.nodeWidth, y: middle.y },
        ]
      : [
          { x: middle.x, y },
          { x: middle.x, y: y + o.nodeHeight },
        ];
    if (slots[way[i] as number]?.node === undefined) points.push(start, end);
    else points.push(i === 0 ? end : start);
  }
  const [first] = points as [Point];
  let path = `M${round(first)}`;
  for (let i = 1; i < points.length; i++) {
    const [a, b] = [points[i - 1] as Point, points[i] as Point];
    if (right ? Math.abs(a.y - b.y) < 0.5 : Math.abs(a.x - b.x) < 0.5) path += `L${round(b)}`;
    else if (right) {
      const bend = (a.x + b.x) / 2;
      path += `C${round({ x: bend, y: a.y })} ${round({ x: bend, y: b.y })} ${round(b)}`;
    } else {
      const bend = (a.y + b.y) / 2;
      path += `C${round({ x: a.x, y: bend })} ${round({ x: b.x, y: bend })} ${round(b)}`;
    }
  }
  return path;
}

/** Out of the box, down the gap beside its layer, along the space between the lines, and into the other box. */
function changeLines(
  from: Point,
  to: Point,
  edge: Edge,
  channels: readonly Channel[],
  o: LayoutOptions,
): string {
  const lanes = channels.map((channel) => channel.laneOf(edge.from));
  const [first, last] = [lanes[0], lanes.at(-1)];
  if (first === undefined || last === undefined) return '';
  const shift = first.n * 2;
  const start = { x: from.x + o.nodeWidth, y: from.y + o.nodeHeight / 2 };
  const end = { x: to.x, y: to.y + o.nodeHeight / 2 };
  const out = start.x + 7 + shift / 2;
  const into = end.x - 11 - shift / 2;
  const points: Point[] = [start, { x: out, y: start.y }, { x: out, y: first.y }];
  if (lanes.length > 1) points.push({ x: 3 + shift / 2, y: first.y }, { x: 3 + shift / 2, y: last.y });
  points.push({ x: into, y: last.y }, { x: into, y: end.y }, end);
  return rounded(points);
}

/** Straight pieces with round corners. */
function rounded(points: readonly Point[]): string {
  const [first] = points as [Point];
  let path = `M${round(first)}`;
  for (let i = 1; i < points.length - 1; i++) {
    const [a, b, c] = [points[i - 1] as Point, points[i] as Point, points[i + 1] as Point];
    const r = Math.min(corner, length(a, b) / 2, length(b, c) / 2);
    path += `L${round(toward(b, a, r))}Q${round(b)} ${round(toward(b, c, r))}`;
  }
  return `${path}L${round(points.at(-1) as Point)}`;
}

function length(a: Point, b: Point): number {
  return Math.hypot(a.x - b.x, a.y - b.y);
}

function toward(from: Point, to: Point, by: number): Point {
  const all = length(from, to) || 1;
  return { x: from.x + ((to.x - from.x) * by) / all, y: from.y + ((to.y - from.y) * by) / all };
}

function round({ x, y }: Point): string {
  return `${Math.round(x * 10) / 10} ${Math.round(y * 10) / 10}`;
}
