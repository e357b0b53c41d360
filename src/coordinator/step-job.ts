/** A step of a run becomes a job in the queue, or one that is over already because equal work has a result. */
import type { Destination, JobEnd, JobSpec } from '../ledger/ledger.ts';
import type { JobId, JobInput, JobRecord } from '../types/job.ts';
import { type StepTask, stepAgents } from '../types/step-task.ts';
import { cachedEnd } from './cached-end.ts';
import { finish } from './finish.ts';
import type { IntakeDeps } from './intake.ts';
import type { AgentRoute, Recipes } from './recipes.ts';
import { noRoute } from './reroute.ts';
import { inputOfStep, stepLane, stepRule } from './step-work.ts';

export interface StepOptions {
  /** Made by the caller, who knows it before the job exists: again with the same id adds nothing. */
  readonly id: JobId;
  readonly priority: number;
  readonly force: boolean;
  readonly depth: number;
  readonly parent?: JobId;
}

/** @returns the job as it is then: queued, cached, or failed because nobody can do it. */
export async function submitStep(
  deps: IntakeDeps,
  recipes: Recipes,
  task: StepTask,
  { id, priority, force, depth, parent }: StepOptions,
): Promise<JobRecord> {
  const { ledger, events } = deps;
  const known = await ledger.jobs.get(id);
  if (known) return known;
  const input = inputOfStep(task);
  const common = { id, input, step: task, depth, force, ...(parent !== undefined && { parent }) };
  const route = recipes.routeOf({ input, step: task, priority });
  const place = route?.kind === 'agent' ? await placeOf(deps, recipes, route, input, force) : undefined;
  const { cachedFrom, ...to } = place ?? nowhere(task, priority);
  const spec: JobSpec = { ...common, ...to };
  const recordEnd = async (end: JobEnd): Promise<JobRecord> => {
    const job = await ledger.jobs.record(spec, end);
    await finish(deps, job);
    return job;
  };
  if (!place) return recordEnd(noRoute({ step: task }));
  if (cachedFrom !== undefined) {
    const source = await ledger.jobs.get(cachedFrom);
    return recordEnd(cachedEnd(cachedFrom, source));
  }
  await ledger.jobs.enqueue(spec);
  const job = (await ledger.jobs.get(id)) as JobRecord;
  events.emit({ type: 'queued', job });
  return job;
}

interface Place extends Destination {
  readonly cachedFrom?: JobId;
}

/** The first of its agents, or the first that has found the answer already. */
async function placeOf(
  deps: IntakeDeps,
  recipes: Recipes,
  { rule, candidates }: AgentRoute,
  input: JobInput,
  force: boolean,
): Promise<Place> {
  let first: Place | undefined;
  for (const agent of candidates) {
    const place = await recipes.destination(rule, agent, input, stepLane(agent.name));
    const cachedFrom = force ? undefined : await deps.cache.get(place.key);
    if (cachedFrom !== undefined) return { ...place, cachedFrom };
    first ??= place;
    if (force) break;
  }
  return first as Place;
}

/** None of its agents is configured: the record of the job names the one that was wanted. */
function nowhere(task: StepTask, priority: number): Place {
  const { work } = task;
  const agent = work.kind === 'agent' ? (work.agents[0] ?? '') : stepAgents[work.kind];
  return { rule: stepRule(task), agent, key: '', priority, lane: stepLane(agent) };
}
