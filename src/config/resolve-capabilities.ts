/** `capabilities` of an agent, names or mappings: each once, with what is said of it; slips in names that others look for. */
import { slipOf } from './capabilities.ts';
import type { CapabilityDetail } from './config.ts';
import type { Loose, Resolving } from './resolving.ts';
import type { CommandAgentFile } from './schema-agents.ts';
import type { Path } from './source.ts';

/** @param at Of the list. */
export function resolveCapabilities(
  { findings }: Resolving,
  at: Path,
  written: Loose<CommandAgentFile['capabilities']> = [],
): { readonly capabilities: readonly string[]; readonly capabilityDetails?: readonly CapabilityDetail[] } {
  const details = new Map<string, CapabilityDetail | undefined>();
  for (const [index, entry] of written.entries()) {
    const name = typeof entry === 'string' ? entry : entry?.name;
    if (entry === undefined || name === undefined) continue;
    const place = typeof entry === 'string' ? [...at, index] : [...at, index, 'name'];
    if (details.has(name) && (typeof entry === 'object' || details.get(name) !== undefined))
      findings.error(
        'DUPLICATE_NAME',
        place,
        `the capability "${name}" is given twice`,
        'Keep one of the two.',
      );
    const near = slipOf(name);
    if (near !== undefined)
      findings.warning(
        'CAPABILITY_UNKNOWN',
        place,
        `"${name}" is none of the capabilities that have a meaning everywhere`,
        `did you mean "${near}"? A name of your own can be anything that is not so near to one of these.`,
      );
    if (!details.has(name) || typeof entry === 'object')
      details.set(name, typeof entry === 'string' ? undefined : detailOf(name, entry));
  }
  const capabilityDetails = [...details.values()].filter((detail) => detail !== undefined);
  return {
    capabilities: [...details.keys()],
    ...(capabilityDetails.length > 0 && { capabilityDetails }),
  };
}

type Written = Loose<Extract<CommandAgentFile['capabilities'][number], object>>;

function detailOf(name: string, { description, domains = [], tools = [] }: Written): CapabilityDetail {
  const texts = (list: readonly (string | undefined)[]) => list.filter((item) => item !== undefined);
  return {
    name,
    ...(description !== undefined && { description }),
    domains: texts(domains),
    tools: texts(tools),
  };
}
