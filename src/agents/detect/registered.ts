/**
 * `agents: auto`: entries for what stands on PATH, without starting any of it. What is broken, too old or not logged in is
 * among them, and says so when it is used.
 */
import type { CliKind } from '../cli/kind.ts';
import { builtinCliKinds } from '../cli/kinds.ts';
import { baseEnvironment, searchPath } from '../environment.ts';
import { findCommand } from '../find-command.ts';
import { createPlugins } from '../plugins/plugins.ts';
import { loadPackages } from './brought.ts';
import { cliProposal, type Proposal } from './proposal.ts';
import { tools } from './tools.ts';

export interface RegisteredOptions {
  /** Of the daemon: on its PATH programs are looked for. */
  readonly env: NodeJS.ProcessEnv;
  readonly projectDir: string;
}

/** In a fixed order, each name once. Costs some stats, and the loading of packages that bring kinds. */
export async function agentsOnPath({ env, projectDir }: RegisteredOptions): Promise<readonly Proposal[]> {
  const path = searchPath(baseEnvironment(env), { env: [] });
  const isThere = ({ programs }: Pick<CliKind, 'programs'>): boolean =>
    programs.some((program) => 'file' in findCommand(program, path, projectDir));
  const brought = await loadPackages([], createPlugins({ projectDir }));
  const found = [
    ...[...builtinCliKinds.values()].filter(isThere).map((kind) => cliProposal(kind)),
    // One that cannot be loaded is told by `agents detect`.
    ...brought.flatMap((one) =>
      'kind' in one && isThere(one.kind) ? [cliProposal(one.kind, one.package)] : [],
    ),
    ...tools
      .filter((tool) => isThere(tool) && tool.hasService?.(env) !== false)
      .map((tool) => tool.proposal(env)),
  ];
  return found.filter(({ name }, at) => found.findIndex((other) => other.name === name) === at);
}
