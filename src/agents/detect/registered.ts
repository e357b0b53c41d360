/**
 * `agents: auto`: entries for what stands on PATH, without starting any of it. What is broken, too old or not logged in is
 * among them, and says so when it is used.
 */
import { builtinCliKinds } from '../cli/kinds.ts';
import { baseEnvironment, searchPath } from '../environment.ts';
import { findCommand } from '../find-command.ts';
import type { LoadedKind } from '../plugins/plugins.ts';
import type { Proposal } from './detect.ts';
import { cliProposal } from './proposal.ts';
import { tools } from './tools.ts';

export interface RegisteredOptions {
  /** Of the daemon: on its PATH programs are looked for. */
  readonly env: NodeJS.ProcessEnv;
  readonly projectDir: string;
  readonly plugins?: readonly LoadedKind[];
}

/** In a fixed order. Costs some stats. */
export function agentsOnPath({ env, projectDir, plugins = [] }: RegisteredOptions): readonly Proposal[] {
  const path = searchPath(baseEnvironment(env), { env: [] });
  const isThere = (programs: readonly string[]): boolean =>
    programs.some((program) => 'file' in findCommand(program, path, projectDir));
  const kinds: readonly LoadedKind[] = [...builtinCliKinds.values(), ...plugins];
  return [
    ...kinds.filter(({ programs }) => isThere(programs)).map(cliProposal),
    ...tools
      .filter(({ programs, hasService }) => isThere(programs) && hasService?.(env) !== false)
      .map((tool) => tool.proposal(env)),
  ];
}
