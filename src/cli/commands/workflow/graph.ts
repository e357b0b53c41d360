/** `sluice workflow graph`: the steps of a workflow and what each waits for; of a run with their states. */
import { mermaidOf } from '../../../aggregator/runs/mermaid.ts';
import type { ReportStep, RunReport } from '../../../aggregator/runs/report.ts';
import type { WorkflowInput } from '../../../config/workflow.ts';
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
  const { report, inputs } = await find(context, name);
  if (format === 'mermaid') printLine(mermaidOf(report));
  else printText(report, inputs);
  return 0;
}

/** A run by its id, else a workflow. */
async function find(
  context: CommandContext,
  name: string,
): Promise<{ readonly report: RunReport; readonly inputs: readonly WorkflowInput[] }> {
  if (name === 'latest' || /^\d{8}-\d{6}-[0-9a-f]+$/.test(name)) {
    await using reader = await context.reader();
    return { report: await reader.run(name), inputs: [] };
  }
  const { workflows } = await context.config();
  const workflow = requireWorkflow(workflows, name);
  return { report: definitionReport(workflow), inputs: workflow.inputs };
}

function printText({ workflow, steps }: RunReport, inputs: readonly WorkflowInput[]): void {
  printLine(paint('bold', printableName(workflow)));
  for (const input of inputs)
    printLine(`  input ${printableName(input.name)}  ${paint('dim', inputWords(input))}`);
  for (const [at, step] of steps.entries()) printLine(lineOf(step, steps[at - 1]));
}

function inputWords({ type, required, options, default: value, description }: WorkflowInput): string {
  const choice = options ? `${type} of ${options.join(', ')}` : type;
  return [
    choice,
    ...(required ? ['required'] : []),
    ...(value === undefined ? [] : [`default ${JSON.stringify(value)}`]),
    ...(description === undefined ? [] : [printableName(description)]),
  ].join(' · ');
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
