/** `sluice service status`: as the service manager sees it. Exit 1 when it does not run. */
import type { ServiceState } from '../../../service/status.ts';
import type { CommandContext } from '../../context.ts';
import { printLine, tell } from '../../print.ts';

export async function run(
  context: CommandContext,
  _args: readonly string[],
  { user = false }: { readonly user?: boolean },
): Promise<number> {
  const [{ serviceStatus }, { readServiceHost }, { projectDir }] = await Promise.all([
    import('../../../service/status.ts'),
    import('../../../service/host.ts'),
    context.project(),
  ]);
  const host = readServiceHost(context.env);
  const { address, state, enabled } = await serviceStatus({
    scope: user ? 'user' : 'system',
    projectDir,
    host,
  });
  printLine(`${address.name}: ${words(state)}${enabled ? ', starts by itself' : ''}`);
  if (state.at === 'not_installed') tell('`sluice service install` makes it');
  if (state.at === 'failed') tell('`sluice logs` and `sluice doctor --as-service` say more');
  return state.at === 'running' || state.at === 'starting' ? 0 : 1;
}

function words(state: ServiceState): string {
  switch (state.at) {
    case 'not_installed':
      return 'not installed';
    case 'stopped':
      return 'stopped';
    case 'failed':
      return `failed (${state.result})`;
    case 'running':
    case 'starting':
    case 'stopping':
      return `${state.at}${state.pid === undefined ? '' : `, pid ${state.pid}`}${state.text ? `: ${state.text}` : ''}`;
    default:
      return state satisfies never;
  }
}
