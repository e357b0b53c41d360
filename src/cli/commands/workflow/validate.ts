/** `sluice workflow validate`: every finding about workflow files, with its place and what to do. */
import { resolve } from 'node:path';
import { ConfigError, type Diagnostic, formatDiagnostics } from '../../../config/diagnostic.ts';
import type { WorkflowConfig } from '../../../config/workflow.ts';
import { printableName } from '../../../types/printable-name.ts';
import type { CommandContext } from '../../context.ts';
import { printJson, printLine, tell } from '../../print.ts';

interface Checked {
  readonly workflows: readonly WorkflowConfig[];
  readonly findings: readonly Diagnostic[];
  readonly isValid: boolean;
}

export async function run(
  context: CommandContext,
  files: readonly string[],
  { json = false }: { readonly json?: boolean },
): Promise<number> {
  const checked = files.length === 0 ? [await configured(context)] : await named(context, files);
  const isValid = checked.every((one) => one.isValid);
  const findings = checked.flatMap((one) => one.findings);
  const workflows = checked.flatMap((one) => one.workflows);
  if (json)
    printJson({
      valid: isValid,
      workflows: workflows.map(({ name, file, steps }) => ({ name, file, steps: steps.length })),
      findings,
    });
  else {
    const color = process.stderr.isTTY === true && process.env.NO_COLOR === undefined;
    if (findings.length > 0) process.stderr.write(`${formatDiagnostics(findings, { color })}\n\n`);
    for (const { name, steps } of workflows)
      printLine(`${printableName(name)} is valid: ${steps.length} ${steps.length === 1 ? 'step' : 'steps'}`);
    if (isValid && workflows.length === 0) tell('no workflows: write one into `workflows/`');
  }
  return isValid ? 0 : 2;
}

/** All that the configuration names: an error in it is one of theirs, too. */
function configured(context: CommandContext): Promise<Checked> {
  return checked(async () => {
    const { config, warnings } = await context.load();
    const own = new Set(config.workflows.map(({ file }) => file));
    return { workflows: config.workflows, warnings: warnings.filter(({ file }) => own.has(file)) };
  });
}

async function named(context: CommandContext, files: readonly string[]): Promise<readonly Checked[]> {
  const { loadWorkflows } = await import('../../../engine/load-project.ts');
  const { config, secrets } = await context.load();
  const found: Checked[] = [];
  for (const file of files) found.push(await checked(() => loadWorkflows(resolve(file), config, secrets)));
  return found;
}

async function checked(
  load: () => Promise<{
    readonly workflows: readonly WorkflowConfig[];
    readonly warnings: readonly Diagnostic[];
  }>,
): Promise<Checked> {
  try {
    const { workflows, warnings } = await load();
    return { workflows, findings: warnings, isValid: true };
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return { workflows: [], findings: error.diagnostics, isValid: false };
  }
}
