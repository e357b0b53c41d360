/** The entry that registers an agent CLI. What it leaves out has a default that is safe: it may look, and costs are bounded. */
import type { LoadedKind } from '../plugins/plugins.ts';
import type { Proposal } from './detect.ts';

export function cliProposal(kind: LoadedKind): Proposal {
  const { name, title, plugin, capabilities } = kind;
  return {
    name,
    entry: {
      ...(plugin === undefined ? { kind: name } : { kind: 'plugin', plugin: plugin.package }),
      description: title,
      capabilities: [...capabilities],
    },
  };
}
