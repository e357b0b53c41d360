/**
 * The tier in force: which configured agent CLIs can work now, looked at when a condition opens or clears and at each
 * patrol. Where fewer can than are configured, the condition TIER_LOWERED says who is missing. It is compared with the
 * configuration and not with the best that was seen: a restart must not forget that somebody is missing.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { type Tier, tierOf } from '../agents/tiers.ts';
import type { ConditionBoard } from '../conditions/board.ts';
import { type CliAgent, type Config, isCliAgent } from '../config/config.ts';
import type { Coordinator } from '../coordinator/coordinator.ts';
import type { AppError } from '../types/errors.ts';
import { messageOf } from '../types/errors.ts';
import { type AgentStanding, canWork, standingOf } from './agent-standing.ts';

const PATROL_MS = 15_000;
const FIRST_MS = 500;

export interface TierInForce extends Tier {
  /** The configured agent CLIs that can work now, by name. */
  readonly agents: readonly string[];
}

export interface Tiers extends AsyncDisposable {
  /** Of the last look; undefined: no agent CLI is configured, or nobody has looked yet. Reviews ask here who there is. */
  current(): TierInForce | undefined;
  /** The same, but waits half a second for the first look, which goes on when the daemon has just started: programs are asked. */
  known(): Promise<TierInForce | undefined>;
  /** Looks now. Call after a new configuration. */
  look(): Promise<TierInForce | undefined>;
}

export interface TiersOptions {
  readonly config: () => Config;
  readonly available: (agent: CliAgent) => Promise<AppError | undefined>;
  readonly coordinator: Pick<Coordinator, 'parked' | 'breaker'>;
  readonly conditions: Pick<ConditionBoard, 'raise' | 'clear' | 'subscribe'>;
  readonly log: { error(message: string): void };
  readonly now: () => number;
  /** Default 15 s. */
  readonly patrolMs?: number;
}

export function watchTiers(o: TiersOptions): Tiers {
  const { conditions, log, patrolMs = PATROL_MS } = o;
  let current: TierInForce | undefined;
  let looking: Promise<unknown> = Promise.resolve();
  let isAsked = false;
  let isOver = false;
  const lookNow = async (): Promise<TierInForce | undefined> => {
    isAsked = false;
    const agents = cliAgents(o.config());
    const standings = new Map<string, AgentStanding>();
    for (const agent of agents) standings.set(agent.name, await standing(o, agent));
    if (isOver) return current;
    current = tierInForce(agents, standings);
    tell(conditions, agents, standings, current);
    return current;
  };
  const look = (): Promise<TierInForce | undefined> => {
    const looked = looking.then(lookNow);
    looking = looked.catch((error: unknown) => log.error(`the tier cannot be told: ${messageOf(error)}`));
    return looked;
  };
  /** Conditions come in crowds: one look is enough for those that came before it began. */
  const lookSoon = (): void => {
    if (isAsked || isOver) return;
    isAsked = true;
    look().catch(() => {});
  };
  const unsubscribe = conditions.subscribe(({ code }) => {
    if (code !== 'TIER_LOWERED') lookSoon();
  });
  const patrol = setInterval(lookSoon, patrolMs);
  patrol.unref();
  let hasLooked = false;
  const first = look()
    .catch(() => undefined)
    .then(() => {
      hasLooked = true;
    });
  return {
    current: () => current,
    async known() {
      if (!hasLooked) await Promise.race([first, sleep(FIRST_MS, undefined, { ref: false })]);
      return current;
    },
    look,
    async [Symbol.asyncDispose]() {
      isOver = true;
      unsubscribe();
      clearInterval(patrol);
      await looking;
    },
  };
}

export function cliAgents({ agents }: Config): readonly CliAgent[] {
  return [...agents.values()].filter(isCliAgent);
}

/** @param standings By name. @returns undefined when there is no agent CLI. */
export function tierInForce(
  agents: readonly CliAgent[],
  standings: ReadonlyMap<string, AgentStanding>,
): TierInForce | undefined {
  if (agents.length === 0) return undefined;
  const able = agents.filter(({ name }) => {
    const standing = standings.get(name);
    return standing !== undefined && canWork(standing);
  });
  return { ...tierOf(able.map(({ kind }) => kind)), agents: able.map(({ name }) => name) };
}

async function standing(
  { available, coordinator, now }: TiersOptions,
  agent: CliAgent,
): Promise<AgentStanding> {
  return standingOf({
    problem: await available(agent),
    parked: coordinator.parked().get(agent.name),
    breaker: agent.breaker && coordinator.breaker(agent.name),
    now: now(),
  });
}

function tell(
  conditions: TiersOptions['conditions'],
  agents: readonly CliAgent[],
  standings: ReadonlyMap<string, AgentStanding>,
  current: TierInForce | undefined,
): void {
  const best = tierOf(agents.map(({ kind }) => kind));
  if (!current || current.number <= best.number) return conditions.clear('TIER_LOWERED');
  const missing = agents.flatMap(({ name }) => {
    const standing = standings.get(name);
    return !standing || canWork(standing) ? [] : [`${name} (${standing.at.replaceAll('_', ' ')})`];
  });
  conditions.raise({
    code: 'TIER_LOWERED',
    subject: '',
    message: `tier ${current.number} instead of ${best.number}, because of ${missing.join(', ')}. ${current.means}`,
    fix: 'See `sluice agents list` for why and until when; it goes back by itself.',
  });
}
