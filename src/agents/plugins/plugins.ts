/**
 * Which kind an agent of the configuration is: one that comes with Sluice, or one that an npm package brings. A package is
 * loaded once, when an agent of it is first looked at; what it exports is checked then, and guarded from then on.
 */
import type { CliAgent } from '../../config/config.ts';
import { AppError } from '../../types/errors.ts';
import type { CliKind } from '../cli/kind.ts';
import { builtinCliKinds } from '../cli/kinds.ts';

export interface PluginsOptions {
  /** Packages are looked for in `node_modules` from here upwards, then from where Sluice is installed. */
  readonly projectDir: string;
}

/** Where a kind comes from that a package brings. */
export interface PluginOrigin {
  readonly package: string;
  readonly version: string;
  /** The package's folder. Absolute. */
  readonly dir: string;
  /** Version and checksum of its entry: part of what decides a result. */
  readonly fingerprint: string;
}

export interface LoadedKind extends CliKind {
  /** Absent: it comes with Sluice. */
  readonly plugin?: PluginOrigin;
}

export interface Plugins {
  /**
   * The kind's `launch` throws an `AppError` (`PLUGIN_INVALID`) where a plugin's own threw or gave something else than a
   * launch: the attempt is then not started. Nothing else of it throws, whatever the plugin does.
   * @throws {AppError} `AGENT_UNAVAILABLE`: the package is not installed. `PLUGIN_INVALID`: it cannot be loaded, or is no
   * agent kind. Asked again, it is looked for again.
   */
  kindOf(agent: Pick<CliAgent, 'name' | 'kind' | 'cli'>): Promise<LoadedKind>;
}

export function createPlugins({ projectDir }: PluginsOptions): Plugins {
  return {
    async kindOf({ name, kind }) {
      const found = kind === 'plugin' ? undefined : builtinCliKinds.get(kind);
      if (found !== undefined) return found;
      throw new AppError('AGENT_UNAVAILABLE', `${name}: there is no agent kind "${kind}" in ${projectDir}`, {
        fix: 'Install its package.',
      });
    },
  };
}
