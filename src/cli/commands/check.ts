/** `sluice check`: every finding about the configuration, with its place and what to do. */
import { type Config, isOwnAgent } from '../../config/config.ts';
import { formatDiagnostics } from '../../config/diagnostic.ts';
import type { Diagnostic } from '../../config/load.ts';
import { createRouter } from '../../router/router.ts';
import { AppError } from '../../types/errors.ts';
import { printableName } from '../../types/printable-name.ts';
import type { CommandContext } from '../context.ts';
import { printJson, printLine } from '../print.ts';
import { shortTime } from '../times.ts';

export async function run(
  context: CommandContext,
  _args: readonly string[],
  { json = false }: { readonly json?: boolean },
): Promise<number> {
  const { configFile } = await context.project();
  try {
    const { config, warnings } = await context.load();
    // Compiles every pattern: a rule that cannot be asked is found here, not by the first file.
    createRouter(config.rules).explain('a');
    const schedules = await nextOf(config);
    if (json) {
      printJson({ valid: true, file: configFile, findings: warnings, schedules });
      return 0;
    }
    printFindings(warnings);
    const { roots, rules, workflows } = config;
    const agents = [...config.agents.keys()].filter((name) => !isOwnAgent(name));
    const n = (count: number, word: string) => `${count} ${word}${count === 1 ? '' : 's'}`;
    const { relative } = await import('node:path');
    const counts = [
      n(roots.length, 'root'),
      n(rules.length, 'rule'),
      n(agents.length, 'agent'),
      ...(workflows.length > 0 ? [n(workflows.length, 'workflow')] : []),
      ...(schedules.length > 0 ? [n(schedules.length, 'schedule')] : []),
    ];
    printLine(`${relative(process.cwd(), configFile) || configFile} is valid: ${counts.join(', ')}`);
    for (const { name, next_at: at } of schedules)
      printLine(`next of schedule ${printableName(name)}: ${at === null ? 'never' : shortTime(at)}`);
    return 0;
  } catch (error) {
    if (!json || !hasDiagnostics(error)) throw error;
    printJson({ valid: false, file: configFile, findings: error.diagnostics });
    return 2;
  }
}

/** Shows that a cron text means what was meant. */
async function nextOf({
  schedules,
}: Pick<Config, 'schedules'>): Promise<
  readonly { name: string; workflow: string; next_at: string | null }[]
> {
  if (schedules.length === 0) return [];
  const { listSchedules } = await import('../../operations/schedules.ts');
  const views = await listSchedules(undefined, schedules, {}, Date.now());
  return views.map(({ name, workflow, next }) => ({ name, workflow, next_at: next[0] ?? null }));
}

/** Warnings do not make the configuration invalid: they go beside the result. */
function printFindings(warnings: readonly Diagnostic[]): void {
  if (warnings.length === 0) return;
  const color = process.stderr.isTTY === true && process.env.NO_COLOR === undefined;
  process.stderr.write(`${formatDiagnostics(warnings, { color })}\n\n`);
}

function hasDiagnostics(error: unknown): error is AppError & { diagnostics: readonly Diagnostic[] } {
  return error instanceof AppError && 'diagnostics' in error;
}
