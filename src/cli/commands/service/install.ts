/** `sluice service install`: what is done, or with `--print` would be. */
import type { CommandContext } from '../../context.ts';
import { printLine, tell } from '../../print.ts';
import { printChange, type ServiceOptions, serviceOptions } from './options.ts';

interface InstallOptions extends ServiceOptions {
  readonly runAs?: string;
}

export async function run(
  context: CommandContext,
  _args: readonly string[],
  options: InstallOptions,
): Promise<number> {
  const { installService } = await import('../../../service/install.ts');
  const change = await installService({
    ...(await serviceOptions(context, options)),
    ...(options.runAs !== undefined && { runAs: options.runAs }),
  });
  printChange(change, options);
  for (const note of change.notes) tell(`note: ${note}`);
  if (!options.print)
    printLine(`${change.address.name} runs; \`sluice service status\` and \`sluice status\` look at it`);
  return 0;
}
