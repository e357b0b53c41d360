/** The kinds that packages bring, each loaded, or why it cannot be. */

import { AppError, messageOf } from '../../types/errors.ts';
import type { LoadedKind, Plugins } from '../plugins/plugins.ts';
import { plainAgent } from './plain-agent.ts';

export type Brought =
  | { readonly package: string; readonly kind: LoadedKind }
  | { readonly package: string; readonly problem: string; readonly fix: string };

export function loadPackages(
  packages: readonly string[],
  plugins: Pick<Plugins, 'kindOf'>,
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
  return Promise.all(packages.map(load));
}
