/** The entry that registers an agent CLI. What it leaves out has a default that is safe: it may look, and costs are bounded. */
import type { CliKind } from '../cli/kind.ts';

/** An entry under `agents`, as a configuration file has it. */
export interface Proposal {
  readonly name: string;
  readonly entry: Readonly<Record<string, unknown>>;
}

/** @param brought The package that the kind comes from, as it is named in the configuration. */
export function cliProposal(
  { name, capabilities }: Pick<CliKind, 'name' | 'capabilities'>,
  brought?: string,
): Proposal {
  const kind = brought === undefined ? { kind: name } : { kind: 'plugin', plugin: brought };
  // Without a description: where a rule has no prompt, that is what the agent is told of its task.
  return { name: nameFrom(name), entry: { ...kind, capabilities: [...capabilities] } };
}

/** Of something whose kind is not known: it could not be loaded. */
export function packageProposal(name: string): Proposal {
  return { name: nameFrom(name), entry: { kind: 'plugin', plugin: name } };
}

/** As the configuration allows it: `@scope/kind` is `kind`. */
function nameFrom(text: string): string {
  const name = text.slice(text.lastIndexOf('/') + 1).replaceAll(/[^A-Za-z0-9_.-]/g, '-');
  return /^[A-Za-z0-9_]/.test(name) ? name.slice(0, 60) : `agent${name}`.slice(0, 60);
}
