/**
 * The steps of a run, or of a workflow, as a Mermaid diagram: what Git hosts and editors draw from Markdown. Names are
 * data: whatever is not a letter, a digit or harmless is written as a character code, so that none is taken for syntax.
 */
import { shownName } from '../shown-name.ts';
import { bundled, type Graph, graphOf } from './graph.ts';
import type { ReportStep, RunReport } from './report.ts';
import { isOver, stateText, stepNote } from './words.ts';

/** Mermaid itself gives up somewhat above. */
const mostBoxes = 120;
const maxName = 80;

/** Readable in light and dark: each has its own ground and its own ink. */
const classes = [
  'classDef succeeded fill:#dbe8f6,stroke:#2b6cb0,color:#16324f',
  'classDef cached fill:#eef4fb,stroke:#2b6cb0,color:#16324f,stroke-dasharray:6 2',
  'classDef failed fill:#fbe3d8,stroke:#b93e0e,color:#5c1d04,stroke-width:2px',
  'classDef running fill:#d9efe9,stroke:#1f7a68,color:#0d3a31',
  'classDef waiting fill:#fbf0d6,stroke:#8a5a00,color:#4a3000,stroke-width:2px',
  'classDef off fill:#f1efe9,stroke:#857f72,color:#4a463d,stroke-dasharray:3 3',
];

const signs: Readonly<Record<string, string>> = {
  succeeded: '✓',
  cached: '↺',
  failed: '✕',
  running: '▸',
  waiting: '‖',
  skipped: '–',
  cancelled: '–',
  pending: '·',
};

export function mermaidOf(report: RunReport): string {
  const main = bundled(graphOf(report.steps));
  const last = bundled(graphOf(report.steps, 'on_failure'));
  // A workflow that is only shown has no states worth a line.
  const plain = report.steps.every(({ state }) => state === 'pending') && !isOver(report);
  const lines = ['flowchart LR', ...drawn(report, main, 'n', plain)];
  if (last.nodes.length > 0)
    lines.push(
      '  subgraph fail["when the run fails"]',
      ...drawn(report, last, 'f', plain).map((line) => `  ${line}`),
      '  end',
    );
  if (!plain) lines.push(...classes.map((line) => `  ${line}`));
  return lines.join('\n');
}

function drawn(report: RunReport, graph: Graph, prefix: string, plain: boolean): string[] {
  const { nodes, edges } = graph;
  const boxes = nodes.slice(0, mostBoxes).map(({ steps, state, bundle }, i) => {
    const [step] = steps.map((n) => report.steps[n]) as [ReportStep];
    const name =
      bundle === undefined
        ? shownName(step.name)
        : `${steps.length} steps ${bundle === 'chain' ? 'in a row' : 'alike'}`;
    const note = bundle === undefined ? stepNote(step, isOver(report)) : stateText(state, isOver(report));
    const label = `${plain ? '' : `${signs[state]} `}${escapeMermaid(name)}${plain ? '' : `<br>${escapeMermaid(note)}`}`;
    const kind = ['skipped', 'cancelled', 'pending'].includes(state) ? 'off' : state;
    return `  ${prefix}${i}["${label}"]${plain ? '' : `:::${kind}`}`;
  });
  if (nodes.length > mostBoxes) boxes.push(`  ${prefix}more["and ${nodes.length - mostBoxes} more"]`);
  const lines = edges
    .filter(({ from, to }) => from < mostBoxes && to < mostBoxes)
    .map(({ from, to, kind }) => `  ${prefix}${from} ${kind === 'need' ? '-->' : '-.->'} ${prefix}${to}`);
  return [...boxes, ...lines];
}

export function escapeMermaid(text: string): string {
  const cut = text.length > maxName ? `${text.slice(0, maxName).toWellFormed()}…` : text;
  return cut.replace(/[^\p{L}\p{M}\p{N} .,_…·–-]/gu, (char) => `#${char.codePointAt(0)};`);
}
