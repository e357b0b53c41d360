/** `sluice service uninstall`: the service goes, files and results stay. */
import type { CommandContext } from '../../context.ts';
import { printLine } from '../../print.ts';
import { printChange, type ServiceOptions, serviceOptions } from './options.ts';

export async function run(
  context: CommandContext,
  _args: readonly string[],
  options: ServiceOptions,
): Promise<number> {
  const { uninstallService } = await import('../../../service/install.ts');
  const change = await uninstallService(await serviceOptions(context, options));
  if (!change.changed) {
    printLine(`there is no service for this project (${change.address.file})`);
    return 0;
  }
  printChange(change, options);
  if (!options.print) printLine(`removed ${change.address.file}`);
  return 0;
}
