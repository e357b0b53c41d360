/** Jobs that are held because their agent needs more than it may have: told as long as there is one. */
import { type AgentConfig, type Config, isCliAgent } from '../config/config.ts';
import type { IntakeDeps } from './intake.ts';

/** More of them are not counted; one is enough. */
const COUNTED = 200;

export async function tellPermissions(
  { ledger, conditions }: Pick<IntakeDeps, 'ledger' | 'conditions'>,
  agents: Iterable<AgentConfig>,
): Promise<void> {
  for (const agent of agents) {
    if (!isCliAgent(agent)) continue;
    const which = { states: ['held'], reason: 'permission_denied', agent: agent.name } as const;
    const wanting = await ledger.jobs.list({ ...which, limit: COUNTED });
    const [first] = wanting;
    if (!first) {
      conditions.clear('PERMISSION_WANTED', agent.name);
      continue;
    }
    const { message = '', fix = '' } = first;
    const others = wanting.length > 1 ? ` (${wanting.length} jobs wait for that)` : '';
    conditions.raise({ code: 'PERMISSION_WANTED', subject: agent.name, message: `${message}${others}`, fix });
  }
}

/** What was said of agents that are gone, or are no CLIs any more, is not so any more. */
export function forgetPermissions(
  conditions: Pick<IntakeDeps['conditions'], 'clear'>,
  before: Config['agents'],
  now: Config['agents'],
): void {
  for (const name of before.keys()) {
    const next = now.get(name);
    if (!next || !isCliAgent(next)) conditions.clear('PERMISSION_WANTED', name);
  }
}
