/** After a change of configuration: jobs whose agent is gone would never be claimed, so they go where their path goes now. */
import type { JobEnd } from '../ledger/ledger.ts';
import type { JobRecord } from '../types/job.ts';
import { type FinishDeps, finish } from './finish.ts';
import type { Lanes } from './lanes.ts';
import type { Recipes } from './recipes.ts';

const idle = ['queued', 'waiting', 'held'] as const;

export async function rerouteVanished(deps: FinishDeps, recipes: Recipes, lanes: Lanes): Promise<void> {
  const { jobs } = deps.ledger;
  for (const agent of await jobs.openAgents()) {
    if (recipes.config.agents.has(agent)) continue;
    for (const job of await jobs.list({ agent, states: idle, limit: 1_000_000 }))
      await moveOn(deps, recipes, lanes, job);
  }
}

async function moveOn(deps: FinishDeps, recipes: Recipes, lanes: Lanes, job: JobRecord): Promise<void> {
  const { jobs } = deps.ledger;
  const route = recipes.routeOf(job);
  const agent = route?.kind === 'agent' ? route.candidates[0] : undefined;
  if (route && agent) {
    const lane = lanes.of(agent.name, route.rule.name);
    await jobs.reroute(job.id, await recipes.destination(route.rule, agent, job.input, lane));
    return;
  }
  const ended = await jobs.endIdle(job.id, noRoute(job));
  if (ended) await finish(deps, ended);
}

/** How a job ends that has nowhere to go under the configuration in force. */
export function noRoute({ step }: Pick<JobRecord, 'step'>): JobEnd {
  if (!step) return { state: 'cancelled', message: 'No rule sends this file to an agent any more.' };
  const names = step.work.kind === 'agent' ? step.work.agents : [];
  const message = `The configuration has no agent "${names.join('" or "')}" any more.`;
  const fix = 'Define it again, then run `sluice workflow resume`.';
  return { state: 'failed', reason: 'spawn_failed', message, fix };
}
