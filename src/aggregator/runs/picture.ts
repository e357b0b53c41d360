/**
 * The run as a picture: boxes with a sign, a name and a word each, and the lines between them. Drawn twice, from left to
 * right for wide screens and paper and from top to bottom for phones; the style sheet shows one. What still does not fit
 * scrolls in its own frame.
 */
import { type Html, html } from '../overview/html.ts';
import { countOf, countText } from '../overview/words.ts';
import { shownName } from '../shown-name.ts';
import { bundled, type Graph, type GraphNode, graphOf } from './graph.ts';
import { layersOf } from './layers.ts';
import { type LayoutOptions, layoutGraph } from './layout.ts';
import type { ReportStep, ReportStepState, RunReport } from './report.ts';
import { signAt, signOf } from './signs.ts';
import { fitText } from './text-width.ts';
import { countsText, isOver, stateText, stepNote, stepStates } from './words.ts';

/** With more boxes than this the layers are drawn as bars. */
const mostBoxes = 90;
const wide: LayoutOptions = {
  direction: 'right',
  nodeWidth: 164,
  nodeHeight: 56,
  layerGap: 40,
  nodeGap: 14,
  maxWidth: 1008,
};
const narrow: LayoutOptions = {
  direction: 'down',
  nodeWidth: 152,
  nodeHeight: 56,
  layerGap: 30,
  nodeGap: 14,
};
const nameSize = 13;
/** 11.5 in letters that are not bold. */
const noteSize = 10.6;
const textLeft = 32;
const textRight = 8;

export function runPicture(report: RunReport): Html | undefined {
  if (report.steps.length === 0) return undefined;
  const main = graphOf(report.steps);
  const last = graphOf(report.steps, 'on_failure');
  const drawn = bundled(main);
  return html`<section class="picture"><h2 id="picture">The steps</h2>
${drawn.nodes.length > mostBoxes ? layerBars(report, main) : boxes(report, drawn, 'the steps')}
${legend(report, main)}
${last.nodes.length > 0 && (report.state === 'failed' || last.nodes.some(({ state }) => state !== 'pending')) && html`<h3>When the run fails</h3>${boxes(report, bundled(last), 'the steps for a failed run')}`}</section>`;
}

function boxes(report: RunReport, graph: Graph, what: string): Html {
  const label = `${what[0]?.toUpperCase()}${what.slice(1)} of the run as boxes with lines between them: ${countsText(report.counts)}. The same is told in the list of steps.`;
  return html`<div class="frame wide" tabindex="0" role="group" aria-label="Picture of ${what}, wide">${drawing(report, graph, wide, label)}</div>
<div class="frame narrow" tabindex="0" role="group" aria-label="Picture of ${what}, narrow">${drawing(report, graph, narrow, label)}</div>`;
}

function drawing(report: RunReport, graph: Graph, o: LayoutOptions, label: string): Html {
  const { width, height, nodes, paths } = layoutGraph(graph.nodes.length, graph.edges, o);
  const pad = 6;
  const size = { width: Math.ceil(width + 2 * pad), height: Math.ceil(height + 2 * pad) };
  const down = o.direction === 'down';
  const over = isOver(report);
  const lines = graph.edges.map(({ to, kind }, e) => {
    const path = paths[e] ?? '';
    const end = /(-?[\d.]+) (-?[\d.]+)$/.exec(path);
    const off = ['skipped', 'pending', 'cancelled'].includes(graph.nodes[to]?.state ?? '');
    const head = down ? 'l-3.5 -6h7z' : 'l-6 -3.5v7z';
    return html`<g class="edge ${kind}${off ? ' off' : ''}"><path d="${path}"/><path class="head" d="M${end?.[1] ?? '0'} ${end?.[2] ?? '0'}${head}"/></g>`;
  });
  return html`<svg width="${size.width}" height="${size.height}" viewBox="${-pad} ${-pad} ${size.width} ${size.height}" role="img" aria-label="${label}">${lines}${graph.nodes.map((node, i) => box(report, node, nodes[i] ?? { x: 0, y: 0 }, o, over))}</svg>`;
}

function box(
  report: RunReport,
  node: GraphNode,
  { x, y }: { x: number; y: number },
  o: LayoutOptions,
  over: boolean,
): Html {
  const steps = node.steps.map((i) => report.steps[i] as ReportStep);
  const [name, note] = wordsOf(node, steps, over);
  const room = o.nodeWidth - textLeft - textRight;
  const names = fitText(name, room, nameSize, 2);
  const notes = fitText(note, room, noteSize, 1);
  const first = names.length === 1 ? 24 : 18;
  const rows = names.map(
    (line, i) => html`<text class="name" x="${textLeft}" y="${first + i * 15}">${line}</text>`,
  );
  const stack =
    node.bundle === 'parallel' &&
    html`<rect class="behind" x="4" y="4" width="${o.nodeWidth}" height="${o.nodeHeight}" rx="9"/>`;
  return html`<g class="box s-${node.state}" transform="translate(${Math.round(x * 10) / 10} ${Math.round(y * 10) / 10})"><title>${name}: ${note}</title>${stack}<rect class="card" width="${o.nodeWidth}" height="${o.nodeHeight}" rx="9"/>${signAt(node.state, 17, o.nodeHeight / 2)}<svg width="${o.nodeWidth - 3}" height="${o.nodeHeight}">${rows}<text class="note" x="${textLeft}" y="${first + (names.length - 1) * 15 + 17}">${notes[0] ?? ''}</text></svg></g>`;
}

function wordsOf(node: GraphNode, steps: readonly ReportStep[], over: boolean): readonly [string, string] {
  const [step] = steps as [ReportStep];
  if (node.bundle === undefined) return [shownName(step.name), stepNote(step, over)];
  const how = node.bundle === 'chain' ? 'in a row' : 'alike';
  return [`${countText(steps.length)} steps ${how}`, stateText(node.state, over)];
}

/** Each layer as a bar of its steps' states: for graphs with too many boxes to be read. */
function layerBars(report: RunReport, graph: Graph): Html {
  const layers = layersOf(graph.nodes.length, graph.edges);
  const depth = 1 + Math.max(0, ...layers);
  const columns = Math.min(depth, 120);
  const counts = Array.from({ length: columns }, () => new Map<ReportStepState, number>());
  for (const [node, { state }] of graph.nodes.entries()) {
    const column = counts[Math.floor(((layers[node] as number) * columns) / depth)];
    column?.set(state, (column.get(state) ?? 0) + 1);
  }
  const sizes = counts.map((column) => [...column.values()].reduce((sum, n) => sum + n, 0));
  const most = Math.max(1, ...sizes);
  const [height, top, ground] = [150, 22, 130];
  const bars = counts.map((column, i) => {
    let y = ground;
    return stepStates.toReversed().map((state) => {
      const n = column.get(state) ?? 0;
      if (n === 0) return undefined;
      // A few failed among thousands are still seen.
      const size = Math.max(state === 'failed' ? 3 : 0.5, ((ground - top) * n) / most);
      y -= size;
      return html`<rect class="bar s-${state}" x="${percent((100 * (i + 0.08)) / columns)}" y="${y.toFixed(2)}" width="${percent(84 / columns)}" height="${size.toFixed(2)}"><title>${countText(n)} ${stateText(state)}</title></rect>`;
    });
  });
  const label = `${countOf(graph.nodes.length, 'step')} in ${countOf(depth, 'layer')}: ${countsText(report.counts)}.`;
  return html`<svg class="layers" width="100%" height="${height}" role="img" aria-label="${label}"><line class="grid" x1="0" x2="100%" y1="${top}" y2="${top}"/><text x="0" y="${top - 7}">${countOf(most, 'step')} at once</text>${bars.flat()}<line class="ground" x1="0" x2="100%" y1="${ground}" y2="${ground}"/><text x="0" y="${height - 4}">first</text><text x="100%" y="${height - 4}" text-anchor="end">last of ${countOf(depth, 'layer')}</text></svg>
<p class="quiet small">${label} Too many for boxes: each bar is what could run at the same time.</p>`;
}

function legend(report: RunReport, graph: Graph): Html {
  const over = isOver(report);
  const states = stepStates.filter((state) => (report.counts[state] ?? 0) > 0);
  const kinds = new Set(graph.edges.map(({ kind }) => kind));
  return html`<ul class="legend small">${states.map((state) => html`<li>${signOf(state)}${countText(report.counts[state] ?? 0)} ${stateText(state, over)}</li>`)}${
    kinds.size > 1 &&
    html`<li><svg width="26" height="8" aria-hidden="true"><path class="edge need" d="M0 4H26"/></svg>needs it</li><li><svg width="26" height="8" aria-hidden="true"><path class="edge order" d="M0 4H26"/></svg>only comes after it</li>`
  }</ul>`;
}

function percent(n: number): string {
  return `${n.toFixed(3)}%`;
}
