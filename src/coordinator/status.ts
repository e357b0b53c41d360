/** What the coordinator does now, for `status`: the queue, every limit with its use, the agents, and what waits for what. */
import { type AgentConfig, type Config, isOwnAgent } from '../config/config.ts';
import type { JobLedger, WaitRow } from '../ledger/ledger.ts';
import type { BreakerState } from './breaker.ts';
import type { Gates } from './gates.ts';
import { type LimitUse, limitsInUse, type Peaks } from './limits-in-use.ts';
import type { Slots } from './slots.ts';

export interface CoordinatorStatus {
  readonly paused: boolean;
  readonly queue: Readonly<Record<'queued' | 'running' | 'waiting' | 'held', number>>;
  readonly limits: Readonly<Record<string, LimitUse>>;
  readonly agents: readonly AgentStatus[];
  /** Waiting jobs by what they wait for. */
  readonly waits: readonly {
    readonly agent: string;
    readonly rule: string;
    readonly reason: string;
    readonly jobs: number;
    readonly message?: string;
    readonly fix?: string;
    /** RFC 3339; absent: until what it waits for comes. */
    readonly until?: string;
  }[];
}

export interface AgentStatus {
  readonly name: string;
  readonly kind: string;
  readonly description?: string;
  readonly running: number;
  readonly max_load: number | null;
  /** `closed` when it works, `open` while it is left alone, `half_open` while one call tries it; null: switched off. */
  readonly breaker: 'closed' | 'open' | 'half_open' | null;
  /** RFC 3339: when an open breaker lets a call through. */
  readonly breaker_until?: string;
}

export interface StatusParts {
  readonly config: Config;
  readonly ledger: {
    readonly jobs: Pick<JobLedger, 'counts' | 'load' | 'loadByRule' | 'startedWithin' | 'waits'>;
  };
  readonly slots: Pick<Slots, 'use'>;
  readonly peaks: Peaks;
  readonly gates: Pick<Gates, 'budgets' | 'breaker'>;
}

export async function statusOf(parts: StatusParts): Promise<Omit<CoordinatorStatus, 'paused'>> {
  const { config, ledger, gates } = parts;
  const load = await ledger.jobs.load();
  return {
    queue: await ledger.jobs.counts(),
    limits: await limitsInUse(parts),
    agents: [...config.agents.values()]
      .filter(({ name }) => !isOwnAgent(name))
      .map((agent) => viewAgent(agent, load.get(agent.name) ?? 0, gates.breaker(agent.name))),
    waits: (await ledger.jobs.waits()).map(viewWait),
  };
}

function viewAgent(agent: AgentConfig, running: number, state: BreakerState): AgentStatus {
  return {
    name: agent.name,
    kind: agent.kind,
    ...(agent.description !== undefined && { description: agent.description }),
    running,
    max_load: Number.isFinite(agent.maxLoad) ? agent.maxLoad : null,
    breaker: agent.breaker ? state.at : null,
    ...(agent.breaker && state.at === 'open' && { breaker_until: new Date(state.until).toISOString() }),
  };
}

function viewWait({ notBefore, ...row }: WaitRow): CoordinatorStatus['waits'][number] {
  // Who is not let in is only tried then.
  const isKnown = notBefore !== undefined && row.reason !== 'auth';
  return { ...row, ...(isKnown && { until: new Date(notBefore).toISOString() }) };
}
