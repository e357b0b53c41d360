import fc from 'fast-check';
import { expect, test } from 'vitest';
import { bundled, type Graph, graphOf } from '../../../src/aggregator/runs/graph.ts';
import { crossingsOf, layersOf, orderLayers } from '../../../src/aggregator/runs/layers.ts';
import { type Layout, type LayoutOptions, layoutGraph } from '../../../src/aggregator/runs/layout.ts';
import { runReport } from '../../../src/aggregator/runs/model.ts';
import { fitText, textWidth } from '../../../src/aggregator/runs/text-width.ts';
import { chain, fanOut, fullRun, grid } from './samples.ts';

const right: LayoutOptions = {
  direction: 'right',
  nodeWidth: 160,
  nodeHeight: 56,
  layerGap: 40,
  nodeGap: 14,
  maxWidth: 1008,
};
const down: LayoutOptions = { direction: 'down', nodeWidth: 150, nodeHeight: 56, layerGap: 30, nodeGap: 14 };

/** Any graph without circles: edges lead from lower to higher numbers. */
const graphs = fc.integer({ min: 1, max: 24 }).chain((count) =>
  fc
    .uniqueArray(fc.tuple(fc.nat(count - 1), fc.nat(count - 1)), {
      maxLength: 40,
      selector: ([a, b]) => `${Math.min(a, b)} ${Math.max(a, b)}`,
    })
    .map((pairs) => ({
      count,
      edges: pairs
        .filter(([a, b]) => a !== b)
        .map(([a, b]) => ({ from: Math.min(a, b), to: Math.max(a, b) })),
    })),
);

test('every edge leads to a later layer', () => {
  fc.assert(
    fc.property(graphs, ({ count, edges }) => {
      const layers = layersOf(count, edges);
      for (const { from, to } of edges) expect(layers[to]).toBeGreaterThan(layers[from] ?? 0);
    }),
  );
});

test.each([
  ['right', right],
  ['down', down],
] as const)('boxes never overlap, and edges run from box to box beside all others (%s)', (_, o) => {
  fc.assert(
    fc.property(graphs, ({ count, edges }) => {
      const layout = layoutGraph(count, edges, o);
      const boxes = layout.nodes.map(({ x, y }) => ({
        x,
        y,
        right: x + o.nodeWidth,
        bottom: y + o.nodeHeight,
      }));
      for (const [i, a] of boxes.entries()) {
        expect(a.x).toBeGreaterThanOrEqual(-0.01);
        expect(a.y).toBeGreaterThanOrEqual(-0.01);
        expect(a.right).toBeLessThanOrEqual(layout.width + 0.01);
        expect(a.bottom).toBeLessThanOrEqual(layout.height + 0.01);
        for (const b of boxes.slice(i + 1))
          expect(a.right <= b.x || b.right <= a.x || a.bottom <= b.y || b.bottom <= a.y).toBe(true);
      }
      for (const [e, { from, to }] of edges.entries()) {
        const points = pointsOf(layout.paths[e] ?? '');
        expect(touches(points.at(0), boxes[from]), 'begins at its box').toBe(true);
        expect(touches(points.at(-1), boxes[to]), 'ends at its box').toBe(true);
        for (const point of points)
          for (const [n, box] of boxes.entries())
            if (n !== from && n !== to)
              expect(inside(point, box), `edge ${from}-${to} under box ${n}`).toBe(false);
      }
    }),
    { numRuns: 150 },
  );
});

interface Box {
  readonly x: number;
  readonly y: number;
  readonly right: number;
  readonly bottom: number;
}
type Point = readonly [number, number];

function inside([x, y]: Point, box: Box): boolean {
  return x > box.x + 0.5 && x < box.right - 0.5 && y > box.y + 0.5 && y < box.bottom - 0.5;
}

function touches(point: Point | undefined, box: Box | undefined): boolean {
  if (point === undefined || box === undefined) return false;
  const [x, y] = point;
  return x >= box.x - 0.2 && x <= box.right + 0.2 && y >= box.y - 0.2 && y <= box.bottom + 0.2;
}

/** Places along a path of M, L, Q and C. */
function pointsOf(path: string): Point[] {
  const points: Point[] = [];
  let at: Point = [0, 0];
  for (const [, kind, numbers = ''] of path.matchAll(/([MLQC])([^MLQC]*)/g)) {
    const values = numbers
      .trim()
      .split(/[\s,]+/)
      .map(Number);
    const ends: Point[] = [];
    for (let i = 0; i < values.length; i += 2) ends.push([values[i] as number, values[i + 1] as number]);
    if (kind === 'M') points.push(ends[0] as Point);
    else {
      const curve = [at, ...ends];
      for (let step = 1; step <= 16; step++) points.push(bezier(curve, step / 16));
    }
    at = ends.at(-1) as Point;
  }
  return points;
}

function bezier(points: readonly Point[], t: number): Point {
  if (points.length === 1) return points[0] as Point;
  const next = points.slice(1).map((b, i): Point => {
    const a = points[i] as Point;
    return [a[0] + (b[0] - a[0]) * t, a[1] + (b[1] - a[1]) * t];
  });
  return bezier(next, t);
}

test('edges that need not cross do not', () => {
  // Two by two, written in the wrong order.
  const edges = [
    { from: 0, to: 3 },
    { from: 1, to: 2 },
  ];
  const nodes = [0, 1, 2, 3].map((node) => ({ node, layer: node < 2 ? 0 : 1 }));
  const { slots, layers } = orderLayers(nodes, edges);
  expect(crossingsOf(slots, layers)).toBe(0);
});

test('a chain is broken into lines like text; where much would cross the break it is not', () => {
  const steps = (count: number) => Array.from({ length: count - 1 }, (_, i) => ({ from: i, to: i + 1 }));
  const long = layoutGraph(12, steps(12), right);
  expect(long.width).toBeLessThanOrEqual(1008);
  expect(new Set(long.nodes.map(({ y }) => y)).size).toBe(3);
  const wide = layout(grid(6, 6));
  expect(wide.width).toBeGreaterThan(1008);
});

function layout(facts: ReturnType<typeof grid>): Layout {
  const { nodes, edges } = graphOf(runReport(facts, '/out').steps);
  return layoutGraph(nodes.length, edges, right);
}

const graph = (facts: ReturnType<typeof grid>): Graph => graphOf(runReport(facts, '/out').steps);

test('steps that look the same are drawn as one, failed ones apart while they are few', () => {
  const plain = bundled(graph(fanOut(1000)));
  expect(plain.nodes.map(({ steps, bundle }) => [steps.length, bundle])).toEqual([
    [1, undefined],
    [1000, 'parallel'],
    [1, undefined],
  ]);
  const failed = bundled(graph(fanOut(1000, (n) => (n < 2 ? 'failed' : 'succeeded'))));
  expect(failed.nodes.map(({ steps, state }) => [steps.length, state])).toEqual([
    [1, 'succeeded'],
    [1, 'failed'],
    [1, 'failed'],
    [998, 'succeeded'],
    [1, 'succeeded'],
  ]);
  expect(bundled(graph(chain(1000))).nodes).toMatchObject([{ bundle: 'chain' }]);
  expect(bundled(graph(chain(20))).nodes).toHaveLength(20);
});

test('bundling loses no step and makes no circle', () => {
  fc.assert(
    fc.property(graphs, fc.array(fc.boolean(), { minLength: 24, maxLength: 24 }), ({ count, edges }, bad) => {
      const before: Graph = {
        nodes: Array.from({ length: count }, (_, i) => ({
          steps: [i],
          state: bad[i] ? 'failed' : 'succeeded',
        })),
        edges: edges.map((edge) => ({ ...edge, kind: 'need' })),
      };
      const after = bundled(before, 3);
      expect(after.nodes.flatMap(({ steps }) => steps).toSorted((a, b) => a - b)).toEqual([
        ...Array(count).keys(),
      ]);
      const layers = layersOf(after.nodes.length, after.edges);
      for (const { from, to } of after.edges) expect(layers[to]).toBeGreaterThan(layers[from] ?? 0);
    }),
  );
});

test('order and needs are told apart, and steps for a failed run stand by themselves', () => {
  const { steps } = runReport(fullRun(), '/out');
  const { nodes, edges } = graphOf(steps);
  const name = (n: number): string => steps[nodes[n]?.steps[0] ?? 0]?.name ?? '';
  expect(edges.filter(({ kind }) => kind === 'order').map(({ from, to }) => [name(from), name(to)])).toEqual([
    ['deploy docs', 'report'],
  ]);
  expect(graphOf(steps, 'on_failure').nodes).toHaveLength(1);
});

test('texts fit, whatever they are', () => {
  fc.assert(
    fc.property(
      fc.string({ unit: 'grapheme', maxLength: 80 }),
      fc.integer({ min: 40, max: 200 }),
      (text, width) => {
        const lines = fitText(text, width, 13, 2);
        expect(lines.length).toBeLessThanOrEqual(2);
        for (const line of lines)
          if ([...line].length > 2) expect(textWidth(line, 13)).toBeLessThanOrEqual(width + 0.01);
      },
    ),
  );
  expect(fitText('review changed modules', 126, 13, 2)).toEqual(['review changed', 'modules']);
  expect(fitText('x'.repeat(100), 100, 13, 1)[0]).toMatch(/^x+…$/);
  expect(fitText('', 100, 13, 2)).toEqual([]);
});
