/** The kinds that packages bring: those of agents of the configuration, then others that the project depends on. */
import { AppError, messageOf } from '../../types/errors.ts';
import type { LoadedKind, Plugins } from '../plugins/plugins.ts';
import { plainAgent } from './plain-agent.ts';

export type Brought =
  | { readonly package: string; readonly kind: LoadedKind }
  /** It cannot be loaded. */
  | { readonly package?: string; readonly problem: string; readonly fix: string };

/** @param configured Packages as the configuration names them. */
export async function loadPackages(
  configured: readonly string[],
  plugins: Pick<Plugins, 'kindOf' | 'installed'>,
): Promise<readonly Brought[]> {
  const load = async (name: string): Promise<Brought> => {
    try {
      const { cli, ...agent } = plainAgent(name);
      const plugin = { package: name, options: {} };
      return {
        package: name,
        kind: await plugins.kindOf({ ...agent, kind: 'plugin', cli: { ...cli, plugin } }),
      };
    } catch (error) {
      const fix = error instanceof AppError ? error.fix : `Install it again: \`npm install ${name}\``;
      return { package: name, problem: messageOf(error), fix };
    }
  };
  const named = await Promise.all([...new Set(configured)].map(load));
  const { kinds, problems } = await plugins.installed();
  const known = new Set(named.map((one) => one.package));
  const isTold = (message: string) => named.some((one) => 'problem' in one && one.problem.endsWith(message));
  return [
    ...named,
    ...kinds.flatMap((kind) => {
      const name = kind.plugin?.package;
      return name === undefined || known.has(name) ? [] : [{ package: name, kind }];
    }),
    ...problems.flatMap(({ message, fix }) => (isTold(message) ? [] : [{ problem: message, fix }])),
  ];
}
