/** A job goes to the next agent of its chain, when there is one that can work; why is kept with the job. */

import type { AgentConfig } from '../config/config.ts';
import type { Lease } from '../ledger/ledger.ts';
import type { Fallback, JobRecord } from '../types/job.ts';
import { isOurs } from '../types/step-task.ts';
import type { AttemptDeps } from './attempt.ts';
import type { Recipes } from './recipes.ts';

/** @returns false, and nothing is changed, when nobody can take over. */
export async function fallBack(
  deps: Pick<AttemptDeps, 'ledger' | 'agents' | 'gates' | 'events' | 'lanes'>,
  recipes: Recipes,
  lease: Lease,
  because: Omit<Fallback, 'agent'>,
): Promise<boolean> {
  // Who tests an agent wants to know about that one; who takes over for a reviewer could be the author.
  if (isOurs(lease.job.step)) return false;
  const found = recipes.routeOf(lease.job);
  const route = found?.kind === 'agent' ? found : undefined;
  const rule = lease.job.step ? route?.rule : recipes.rule(lease.job.rule);
  if (!rule) return false;
  let { job } = lease;
  // Who is not let in is out for long: the others that its rule or step names can do it as well.
  const others = because.reason === 'auth' ? (route?.candidates ?? []) : [];
  for (;;) {
    const next = recipes.nextOf(job) ?? others.find(({ name }) => !hadIt(job, name));
    if (!next) return false;
    if (await canWork(deps, next, rule)) {
      const lane = deps.lanes().of(next.name, rule.name);
      const to = await recipes.destination(rule, route?.patch?.(next) ?? next, job.input, lane);
      const moved = await deps.ledger.jobs.fallBack(lease, to, { agent: lease.job.agent, ...because });
      const now = moved ? await deps.ledger.jobs.get(job.id) : undefined;
      if (now)
        deps.events.emit({ type: 'fell_back', job: now, from: lease.job.agent, reason: because.reason });
      return moved;
    }
    job = skip(job, next);
  }
}

async function canWork(
  { agents, gates }: Pick<AttemptDeps, 'agents' | 'gates'>,
  agent: AgentConfig,
  rule: Parameters<AttemptDeps['gates']['of']>[1],
): Promise<boolean> {
  return gates.of(agent, rule).kind !== 'closed' && !(await agents.available(agent));
}

function hadIt({ agent, fallbacks }: JobRecord, name: string): boolean {
  return agent === name || fallbacks.some((one) => one.agent === name);
}

function skip(job: JobRecord, agent: AgentConfig): JobRecord {
  return { ...job, fallbacks: [...job.fallbacks, { agent: agent.name, reason: 'agent_unavailable' }] };
}
