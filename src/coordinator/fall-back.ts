/** A job goes to the next agent of its chain, when there is one that can work; why is kept with the job. */

import type { AgentConfig, RuleConfig } from '../config/config.ts';
import type { Lease } from '../ledger/ledger.ts';
import type { Fallback, JobRecord } from '../types/job.ts';
import { isOurs } from '../types/step-task.ts';
import type { AttemptDeps } from './attempt.ts';
import type { AgentRoute, Recipes } from './recipes.ts';

/** A time that is past already is looked at again, not at once. */
const SOONEST_MS = 1_000;

type Because = Pick<Fallback, 'reason'>;

/** @returns false, and nothing is changed, when nobody can take over. */
export async function fallBack(
  deps: Pick<AttemptDeps, 'ledger' | 'agents' | 'gates' | 'events' | 'lanes'>,
  recipes: Recipes,
  lease: Lease,
  because: Omit<Fallback, 'agent'>,
): Promise<boolean> {
  const { job } = lease;
  const line = lineOf(recipes, job, because);
  if (!line) return false;
  const { route, rule } = line;
  for (const next of line.agents) {
    if (!(await canWork(deps, next, rule))) continue;
    const lane = deps.lanes().of(next.name, rule.name);
    const to = await recipes.destination(rule, route?.patch?.(next) ?? next, job.input, lane);
    const moved = await deps.ledger.jobs.fallBack(lease, to, { agent: job.agent, ...because });
    const now = moved ? await deps.ledger.jobs.get(job.id) : undefined;
    if (now) deps.events.emit({ type: 'fell_back', job: now, from: job.agent, reason: because.reason });
    return moved;
  }
  return false;
}

/** When the first of those may work again who could take over but cannot now; undefined: nobody knows. Epoch milliseconds. */
export function takeOverAt(
  { gates, now }: Pick<AttemptDeps, 'gates' | 'now'>,
  recipes: Recipes,
  { job }: Lease,
  because: Because,
): number | undefined {
  const line = lineOf(recipes, job, because);
  const times = [...(line?.agents ?? [])].flatMap((agent) => {
    const gate = line && gates.of(agent, line.rule);
    return gate?.kind === 'closed' ? (gate.park.notBefore ?? []) : [];
  });
  return times.length === 0 ? undefined : Math.max(Math.min(...times), now() + SOONEST_MS);
}

export function earlier(one: number | undefined, other: number | undefined): number | undefined {
  return one === undefined || other === undefined ? (one ?? other) : Math.min(one, other);
}

/** Who could have the job next, in order. */
function lineOf(
  recipes: Recipes,
  job: JobRecord,
  { reason }: Because,
):
  | { readonly route?: AgentRoute; readonly rule: RuleConfig; readonly agents: Iterable<AgentConfig> }
  | undefined {
  // Who tests an agent wants to know about that one; who takes over for a reviewer could be the author.
  if (isOurs(job.step)) return undefined;
  const found = recipes.routeOf(job);
  const route = found?.kind === 'agent' ? found : undefined;
  const rule = job.step ? route?.rule : recipes.rule(job.rule);
  if (!rule) return undefined;
  // Who is not let in is out for long: the others that its rule or step names can do it as well.
  const others = reason === 'auth' ? (route?.candidates ?? []) : [];
  return { ...(route && { route }), rule, agents: inLine(recipes, job, others) };
}

function* inLine(
  recipes: Recipes,
  job: JobRecord,
  others: readonly AgentConfig[],
): Generator<AgentConfig, void> {
  for (let at = job; ; ) {
    const next = recipes.nextOf(at) ?? others.find(({ name }) => !hadIt(at, name));
    if (!next) return;
    yield next;
    at = skip(at, next);
  }
}

async function canWork(
  { agents, gates }: Pick<AttemptDeps, 'agents' | 'gates'>,
  agent: AgentConfig,
  rule: RuleConfig,
): Promise<boolean> {
  return gates.of(agent, rule).kind !== 'closed' && !(await agents.available(agent));
}

function hadIt({ agent, fallbacks }: JobRecord, name: string): boolean {
  return agent === name || fallbacks.some((one) => one.agent === name);
}

function skip(job: JobRecord, agent: AgentConfig): JobRecord {
  return { ...job, fallbacks: [...job.fallbacks, { agent: agent.name, reason: 'agent_unavailable' }] };
}
