/** `sluice workflow show`: a run, step by step; of a workflow its latest run. */
import { AppError } from '../../../types/errors.ts';
import type { CommandContext } from '../../context.ts';
import { printJson } from '../../print.ts';
import { printRunInFull } from '../../print-workflow.ts';
import type { Reader } from '../../reader.ts';
import { filesOf } from './follow.ts';

export async function run(
  context: CommandContext,
  [part = 'latest']: readonly string[],
  { json = false }: { readonly json?: boolean },
): Promise<number> {
  await using reader = await context.reader();
  const report = await reader.run(await idOf(reader, part));
  if (json) printJson(report);
  else printRunInFull(report, (await filesOf(context))(report));
  return 0;
}

/** People name a run by its id, or mean the latest of a workflow. */
async function idOf(reader: Reader, part: string): Promise<string> {
  if (part === 'latest' || /^[0-9a-f-]+$/.test(part)) return part;
  const [latest] = await reader.runs({ workflow: part, limit: 1 });
  if (latest) return latest.run_id;
  throw new AppError('NOT_FOUND', `Workflow "${part}" has not run yet`, {
    fix: 'See `sluice workflow list --runs`; `sluice workflow graph` shows its steps.',
  });
}
