/** What the service commands share. */
import type { ServiceOptions as Request, ServiceChange } from '../../../service/install.ts';
import type { CommandContext } from '../../context.ts';
import { printLine } from '../../print.ts';

export interface ServiceOptions {
  readonly user?: boolean;
  readonly print?: boolean;
}

/** @throws ConfigError: a service that could not start is not installed. */
export async function serviceOptions(
  context: CommandContext,
  { user = false, print = false }: ServiceOptions,
): Promise<Request> {
  const { readServiceHost } = await import('../../../service/host.ts');
  const { config } = await context.load();
  return { scope: user ? 'user' : 'system', config, host: readServiceHost(context.env), print };
}

/** The file and the commands, as a person would type them. */
export function printChange(
  { address, text, commands, changed }: ServiceChange,
  { print = false }: ServiceOptions,
): void {
  if (print) {
    if (text === undefined) printLine(`# remove ${address.file}`);
    else printLine(`# ${address.file}${changed ? '' : ' (as it is now)'}\n${text.trimEnd()}`);
    printLine();
  } else if (text !== undefined) printLine(`${changed ? 'wrote' : 'kept'} ${address.file}`);
  for (const command of commands) printLine(`${print ? '# then: ' : 'ran '}${command.join(' ')}`);
}
