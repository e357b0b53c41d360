/**
 * The steps of a run as a graph to be drawn. Pure. Steps that look the same from outside (equal needs, equal dependents,
 * equal state) are drawn as one, and so are chains, once there are too many: a fan-out of a thousand says less as a
 * thousand boxes than as one. Failed steps stay apart as long as they are few.
 */
import type { ReportStep, ReportStepState, RunReport } from './report.ts';

export interface GraphNode {
  /** Positions in the report's `steps`. */
  readonly steps: readonly number[];
  readonly state: ReportStepState;
  /** How several steps came to be one node. */
  readonly bundle?: 'parallel' | 'chain';
}

export interface GraphEdge {
  readonly from: number;
  readonly to: number;
  /** `order`: it only comes after it. */
  readonly kind: 'need' | 'order';
}

export interface Graph {
  readonly nodes: readonly GraphNode[];
  readonly edges: readonly GraphEdge[];
}

/** Below this nothing is bundled. */
const plainUpTo = 24;
/** Fewer look better apart. */
const leastBundle = 4;
/** So many failed steps of a group stay apart. */
const failedApart = 3;

export function graphOf(steps: RunReport['steps'], which: 'steps' | 'on_failure' = 'steps'): Graph {
  const chosen = steps.flatMap((step, i) =>
    (step.on_failure === true) === (which === 'on_failure') ? [i] : [],
  );
  const at = new Map(chosen.map((i, node) => [steps[i]?.name, node]));
  const edges: GraphEdge[] = [];
  for (const [to, i] of chosen.entries()) {
    const needs = steps[i]?.needs;
    if (needs === undefined && to > 0) edges.push({ from: to - 1, to, kind: 'order' });
    for (const need of new Set(needs)) {
      const from = at.get(need);
      // What comes later in the file may be needed, too; a circle cannot have been loaded.
      if (from !== undefined && from !== to) edges.push({ from, to, kind: 'need' });
    }
  }
  return { nodes: chosen.map((i) => ({ steps: [i], state: (steps[i] as ReportStep).state })), edges };
}

/** @returns the same graph with fewer nodes where it has many; perhaps still more than can be drawn. */
export function bundled(graph: Graph, most = plainUpTo): Graph {
  let now = graph;
  while (now.nodes.length > most) {
    const fewer = bundleTwins(now);
    const next = fewer.nodes.length > most ? bundleChains(fewer) : fewer;
    if (next.nodes.length === now.nodes.length) break;
    now = next;
  }
  return now;
}

function bundleTwins(graph: Graph): Graph {
  const { ins, outs } = neighbours(graph);
  const groups = Map.groupBy(
    graph.nodes.keys(),
    (n) => `${keyOf(ins[n], 'from')}|${keyOf(outs[n], 'to')}|${(graph.nodes[n] as GraphNode).state}`,
  );
  return merge(graph, [...groups.values()], 'parallel', (group, state) =>
    state === 'failed' ? group.length > failedApart : group.length >= leastBundle,
  );
}

function bundleChains(graph: Graph): Graph {
  const { ins, outs } = neighbours(graph);
  const only = (edges: readonly GraphEdge[] | undefined): GraphEdge | undefined =>
    edges?.length === 1 ? edges[0] : undefined;
  const next = (n: number): number | undefined => {
    const edge = only(outs[n]);
    if (edge === undefined || only(ins[edge.to]) === undefined) return undefined;
    return graph.nodes[edge.to]?.state === graph.nodes[n]?.state ? edge.to : undefined;
  };
  const follows = new Set([...graph.nodes.keys()].map(next));
  const groups: number[][] = [];
  for (const n of graph.nodes.keys()) {
    if (follows.has(n)) continue;
    const chain = [n];
    for (let to = next(n); to !== undefined; to = next(to)) chain.push(to);
    groups.push(chain);
  }
  return merge(graph, groups, 'chain', (group, state) => group.length >= leastBundle && state !== 'failed');
}

function merge(
  graph: Graph,
  groups: readonly (readonly number[])[],
  bundle: 'parallel' | 'chain',
  isOne: (group: readonly number[], state: ReportStepState) => boolean,
): Graph {
  const becomes = new Map<number, number>();
  const nodes: GraphNode[] = [];
  const parts = groups
    .flatMap((group) =>
      group.length > 1 && isOne(group, (graph.nodes[group[0] as number] as GraphNode).state)
        ? [group]
        : group.map((n) => [n]),
    )
    .toSorted((a, b) => (a[0] as number) - (b[0] as number));
  for (const part of parts) {
    const olds = part.map((n) => graph.nodes[n] as GraphNode);
    for (const n of part) becomes.set(n, nodes.length);
    const [first] = olds as [GraphNode];
    nodes.push(
      part.length === 1 ? first : { steps: olds.flatMap(({ steps }) => steps), state: first.state, bundle },
    );
  }
  const edges = new Map<string, GraphEdge>();
  for (const { from, to, kind } of graph.edges) {
    const edge = { from: becomes.get(from) as number, to: becomes.get(to) as number, kind };
    const key = `${edge.from} ${edge.to}`;
    if (edge.from !== edge.to && edges.get(key)?.kind !== 'need') edges.set(key, edge);
  }
  return { nodes, edges: [...edges.values()] };
}

function neighbours({ nodes, edges }: Graph): { ins: GraphEdge[][]; outs: GraphEdge[][] } {
  const ins: GraphEdge[][] = nodes.map(() => []);
  const outs: GraphEdge[][] = nodes.map(() => []);
  for (const edge of edges) {
    ins[edge.to]?.push(edge);
    outs[edge.from]?.push(edge);
  }
  return { ins, outs };
}

/** The other ends of a node's edges, in order. */
function keyOf(edges: readonly GraphEdge[] | undefined, end: 'from' | 'to'): string {
  return (edges ?? [])
    .map((edge) => `${edge[end]}${edge.kind}`)
    .sort()
    .join();
}
