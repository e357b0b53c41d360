import type { AskedAgent } from '../cli/probe.ts';

/** An entry in which nothing but the kind is written. */
export function plainAgent(name: string): AskedAgent {
  const permissions = { mode: 'read', ceiling: 'read', directories: [] } as const;
  return { name, env: [], cli: { tools: [], permissions, onQuota: 'wait' } };
}
