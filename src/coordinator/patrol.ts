/** What waits for something outside is looked at again: an agent's command, a secret, room in the output folder. */
import type { JobId } from '../types/job.ts';
import { secretTexts } from './attempt.ts';
import { finish } from './finish.ts';
import type { IntakeDeps } from './intake.ts';
import type { Recipes } from './recipes.ts';

const lacks = [
  ['AGENT_UNAVAILABLE', 'agent_unavailable'],
  ['SANDBOX_UNAVAILABLE', 'sandbox'],
  ['LIMITS_UNAVAILABLE', 'limits'],
] as const;

export async function lookAgain(deps: IntakeDeps, recipes: Recipes): Promise<void> {
  const { ledger, agents, checkSecrets, conditions } = deps;
  for (const agent of recipes.config.agents.values()) {
    if (!(await agents.available(agent))) {
      for (const [code, reason] of lacks) {
        conditions.clear(code, agent.name);
        await ledger.jobs.wake({ reason, agent: agent.name });
      }
    }
    if (!(await checkSecrets(secretTexts(agent)))) {
      for (const code of ['SECRET_UNRESOLVED', 'SECRET_EXPOSED'] as const) conditions.clear(code, agent.name);
      await ledger.jobs.wake({ reason: 'secret_unresolved', agent: agent.name });
    }
  }
}

/** What the log-ins of agents that are not let in rest on: where that has changed one job tries. */
export async function lookAtLogIns({ gates, agents }: IntakeDeps, { config }: Recipes): Promise<void> {
  const { parking } = gates;
  for (const name of parking.refusedAgents()) {
    const agent = config.agents.get(name);
    if (agent) await parking.seeEvidence(name, await agents.logInEvidence(agent));
  }
}

/** Results that could not be put in place: again, until one still can not. */
export async function publishLeft(deps: IntakeDeps, isRunning: (id: JobId) => boolean): Promise<void> {
  for (let goesOn = true; goesOn; ) {
    const left = await deps.ledger.jobs.unpublished(100);
    const jobs = left.filter(({ id }) => !isRunning(id));
    goesOn = jobs.length > 0;
    for (const job of jobs) goesOn = (await finish(deps, job)) && goesOn;
  }
}
