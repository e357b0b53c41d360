/** A run of a workflow in words: how it went, what failed and what to do, where the report is. */
import type { ReportStep, RunReport } from '../aggregator/runs/report.ts';
import { formatDollars } from '../types/dollars.ts';
import { formatElapsed } from '../types/elapsed.ts';
import { printableName } from '../types/printable-name.ts';
import { paint } from './paint.ts';
import { printLine, stateColor } from './print.ts';
import { printTable } from './table.ts';

/** Where the files of a run stand; absolute. */
export interface RunFiles {
  readonly report: string;
}

const RESULT_CHARS = 2_000;

export function printRunReport(report: RunReport, files?: RunFiles): void {
  const { run_id: id, workflow, state, duration_ms: durationMs, counts, cost_usd: cost } = report;
  const took = durationMs === undefined ? '' : ` in ${formatElapsed(durationMs)}`;
  const steps = Object.entries(counts)
    .filter(([, n]) => n > 0)
    .map(([name, n]) => tint(name, `${n} ${name}`));
  const spent = cost === null || cost === 0 ? '' : ` · ${formatDollars(cost)}`;
  printLine(
    `${printableName(workflow)} ${tint(state, state)}${took}: ${steps.join(', ') || 'no steps'}${spent}`,
  );
  const own = report.reason === 'step_failed' ? undefined : report.message;
  if (own !== undefined) printLine(`  ${printableName(own)}`);
  if (own !== undefined && report.fix) printLine(`  fix: ${report.fix}`);
  for (const warning of report.warnings)
    printLine(`  ${paint('yellow', 'warning')}  ${printableName(warning)}`);
  for (const step of report.steps)
    if (step.state === 'failed' || step.state === 'waiting') printProblem(step);
  if (report.steps_total > report.steps.length)
    printLine(`… of ${report.steps_total} steps, ${report.steps.length} are shown`);
  printLine(paint('dim', files ? `run ${id} · ${files.report}` : `run ${id}`));
}

/** The same with every step, for `workflow show`. */
export function printRunInFull(report: RunReport, files?: RunFiles): void {
  printRunReport(report, files);
  printLine();
  // Of a run that has not failed they are of no interest.
  const steps = report.steps.filter(
    (step) => step.state !== 'pending' || !step.on_failure || report.ended_at === undefined,
  );
  printTable(steps, [
    { title: 'step', cell: ({ name }) => printableName(name), cut: 'end' },
    { title: 'type', cell: ({ type }) => type },
    { title: 'state', cell: stateOf, color: ({ state }) => stateColor(state) },
    {
      title: 'took',
      cell: ({ duration_ms: ms }) => (ms === undefined ? '' : formatElapsed(ms)),
      align: 'right',
    },
    { title: 'what', cell: whatOf, cut: 'end' },
  ]);
}

function printProblem(step: ReportStep): void {
  const { name, state, reason, message, fix, items, job_id: job, tails = [] } = step;
  printLine(`\n${tint(state, state)}  ${printableName(name)}  ${reason ?? ''}`);
  for (const line of message?.split('\n') ?? []) printLine(`  ${printableName(line)}`);
  if (fix) printLine(`  fix: ${fix}`);
  for (const item of items?.shown.slice(0, 5) ?? [])
    if (item.state === 'failed')
      printLine(`  ${printableName(item.label)}: ${printableName(item.message ?? item.reason ?? '')}`);
  for (const { text } of tails.slice(0, 1))
    for (const line of text.slice(-RESULT_CHARS).trimEnd().split('\n').slice(-8))
      printLine(`  ${paint('dim', `│ ${printableName(line)}`)}`);
  const ask = step.approval?.ask;
  if (ask !== undefined) printLine(`  ${paint('dim', `${ask} · ${ask.replace(' approve ', ' reject ')}`)}`);
  else if (job !== undefined) printLine(`  ${paint('dim', `sluice jobs show ${job.slice(0, 8)}`)}`);
}

function stateOf({ state, reason }: ReportStep): string {
  return reason === undefined ? state : `${state} (${reason})`;
}

function whatOf({ message, items, files, cached_from: source, sub_run: sub }: ReportStep): string {
  if (message !== undefined) return printableName(message);
  if (items) return `${items.total} ${items.total === 1 ? 'item' : 'items'}`;
  if (files) return `${files.total} ${files.total === 1 ? 'file' : 'files'}`;
  if (sub) return `run ${sub.run_id}`;
  return source === undefined ? '' : `from job ${source.slice(0, 8)}`;
}

function tint(state: string, text: string): string {
  const color = stateColor(state);
  return color ? paint(color, text) : text;
}

export function shellWord(text: string): string {
  return /^[\w.-]+$/.test(text) ? text : `'${text.replaceAll("'", `'"'"'`)}'`;
}
