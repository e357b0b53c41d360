/** After a change of configuration: jobs whose agent is gone would never be claimed, so they go where their path goes now. */
import type { JobRecord } from '../types/job.ts';
import { type FinishDeps, finish } from './finish.ts';
import type { Recipes } from './recipes.ts';

const idle = ['queued', 'waiting', 'held'] as const;

export async function rerouteVanished(deps: FinishDeps, recipes: Recipes): Promise<void> {
  const { jobs } = deps.ledger;
  for (const agent of await jobs.openAgents()) {
    if (recipes.config.agents.has(agent)) continue;
    for (const job of await jobs.list({ agent, states: idle, limit: 1_000_000 }))
      await moveOn(deps, recipes, job);
  }
}

async function moveOn(deps: FinishDeps, recipes: Recipes, job: JobRecord): Promise<void> {
  const { jobs } = deps.ledger;
  const { root, path, sha256 } = job.input;
  const route = recipes.route(path);
  if (route?.kind === 'agent') {
    const { rule, agent } = route;
    const key = await recipes.key(route, sha256, root, path);
    await jobs.reroute(job.id, { rule: rule.name, agent: agent.name, key, priority: rule.priority });
    return;
  }
  const message = 'No rule sends this file to an agent any more.';
  const ended = await jobs.endIdle(job.id, { state: 'cancelled', message });
  if (ended) await finish(deps, ended);
}
