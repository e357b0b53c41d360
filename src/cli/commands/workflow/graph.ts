/** `sluice workflow graph`: the steps of a workflow and what each waits for; of a run with their states. */
import { mermaidOf } from '../../../aggregator/runs/mermaid.ts';
import type { ReportStep, RunReport } from '../../../aggregator/runs/report.ts';
import { definitionReport } from '../../../operations/workflows/definition-report.ts';
import { requireWorkflow } from '../../../operations/workflows/listings.ts';
import { printableName } from '../../../types/printable-name.ts';
import type { CommandContext } from '../../context.ts';
import { paint } from '../../paint.ts';
import { printLine, stateColor } from '../../print.ts';

export async function run(
  context: CommandContext,
  [name = '']: readonly string[],
  { format }: { readonly format: 'text' | 'mermaid' },
): Promise<number> {
  const report = await reportOf(context, name);
  if (format === 'mermaid') printLine(mermaidOf(report));
  else printText(report);
  return 0;
}

/** A run by its id, else a workflow. */
async function reportOf(context: CommandContext, name: string): Promise<RunReport> {
  if (name === 'latest' || /^\d{8}-\d{6}-[0-9a-f]+$/.test(name)) {
    await using reader = await context.reader();
    return await reader.run(name);
  }
  const { workflows } = await context.config();
  return definitionReport(requireWorkflow(workflows, name));
}

function printText({ workflow, steps }: RunReport): void {
  printLine(paint('bold', printableName(workflow)));
  for (const [at, step] of steps.entries()) printLine(lineOf(step, steps[at - 1]));
}

function lineOf(step: ReportStep, above: ReportStep | undefined): string {
  const { name, type, needs, condition, state } = step;
  const color = stateColor(state);
  const shown = printableName(name);
  const after =
    needs === undefined
      ? above && !step.on_failure === !above.on_failure
        ? 'after the one above'
        : 'first'
      : needs.length === 0
        ? 'at once'
        : `needs ${needs.map(printableName).join(', ')}`;
  const said = [
    type,
    step.on_failure ? 'when the run fails' : after,
    ...(condition ? [`if ${condition}`] : []),
  ];
  const label = state === 'pending' ? shown : `${color ? paint(color, state) : state} ${shown}`;
  return `  ${label}  ${paint('dim', said.join(' · '))}`;
}
