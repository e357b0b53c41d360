/** `sluice config show`: what is in force, with every default filled in. Secrets stay references. */
import { configView } from '../../../config/view.ts';
import type { CommandContext } from '../../context.ts';
import { printJson } from '../../print.ts';

export async function run(
  context: CommandContext,
  _args: readonly string[],
  { json }: { readonly json?: boolean },
): Promise<number> {
  const view = configView((await context.load()).config);
  if (json) printJson(view);
  else {
    const { stringify } = await import('yaml');
    process.stdout.write(stringify(view));
  }
  return 0;
}
