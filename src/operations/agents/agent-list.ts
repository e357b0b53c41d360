/** `sluice agents list`: each agent with what it can do, what it does now, and what it did: the same with a daemon and without. */
import { type AgentConfig, type Config, isOwnAgent } from '../../config/config.ts';
import { parkedFix } from '../../coordinator/parking.ts';
import type { AgentStanding } from '../../engine/agent-standing.ts';
import { cliAgents, type TierInForce, tierInForce } from '../../engine/tiers.ts';
import type { AgentActivity } from '../../ledger/activity-ledger.ts';
import { latencyPercentile } from '../../ledger/latency.ts';
import type { Ledger } from '../../ledger/ledger.ts';
import { reachedAgents } from './reached.ts';

export interface AgentsReport {
  /** Null: no agent CLI is configured. */
  readonly tier: TierInForce | null;
  /** In the order of the configuration. */
  readonly agents: readonly AgentView[];
}

export interface AgentView {
  readonly name: string;
  readonly kind: string;
  readonly type?: string;
  readonly description?: string;
  readonly capabilities: readonly string[];
  readonly load?: 'heavy' | 'light';
  /** Attempts that run now; null: any number may. */
  readonly running: number;
  readonly max_load: number | null;
  /** `inactive`: nothing in the configuration brings work to it. */
  readonly state: AgentStanding['at'] | 'inactive';
  /** RFC 3339: when a parked agent goes on, one that is not let in is tried, or an open breaker lets a call through. */
  readonly state_until?: string;
  /** Why it is not simply active, and what to do about it. */
  readonly state_message?: string;
  readonly state_fix?: string;
  /** Its jobs that have not begun, or wait for something, or for a person. */
  readonly queued: number;
  readonly waiting: number;
  readonly held: number;
  /** UTC days. */
  readonly today: AgentNumbers;
  readonly last_30_days: AgentNumbers;
  readonly last_failure?: {
    readonly at: string;
    readonly job_id: string;
    /** Absent while the job is tried again. */
    readonly reason?: string;
    readonly message: string;
  };
}

export interface AgentNumbers {
  readonly attempts: number;
  /** Of the jobs that it brought to an end; null: none. */
  readonly success_rate: number | null;
  /** Of its attempts: half, and 95 of 100, took no longer; off by 4.5 % at most. Null: none has ended. */
  readonly median_ms: number | null;
  readonly p95_ms: number | null;
  /** Null: none of its attempts said what it cost. */
  readonly cost_usd: number | null;
  /** Attempts that did not say it. */
  readonly unknown_cost: number;
  readonly tokens: number;
}

export interface AgentFacts {
  readonly config: Config;
  /** Absent: the project has none yet. */
  readonly ledger?: Pick<Ledger, 'activity'> & { readonly jobs: Pick<Ledger['jobs'], 'load' | 'openStates'> };
  readonly standing: (agent: AgentConfig) => Promise<AgentStanding>;
  readonly now: number;
}

const DAY_MS = 86_400_000;
const DAYS = 30;

export async function listAgents({ config, ledger, standing, now }: AgentFacts): Promise<AgentsReport> {
  const dayOf = (at: number): string => new Date(at).toISOString().slice(0, 10);
  const [load, open, today, month, failures] = ledger
    ? await Promise.all([
        ledger.jobs.load(),
        ledger.jobs.openStates(),
        ledger.activity.since(dayOf(now)),
        ledger.activity.since(dayOf(now - (DAYS - 1) * DAY_MS)),
        ledger.activity.failures(),
      ])
    : [new Map(), new Map(), [], [], new Map()];
  const reached = reachedAgents(config);
  const standings = new Map<string, AgentStanding>();
  const agents: AgentView[] = [];
  for (const agent of config.agents.values()) {
    const { name, kind, type, description, capabilities, maxLoad, load: weight } = agent;
    if (isOwnAgent(name)) continue;
    const how = await standing(agent);
    standings.set(name, how);
    const { queued = 0, waiting = 0, held = 0 } = open.get(name) ?? {};
    const failure = failures.get(name);
    agents.push({
      name,
      kind: kindWords(agent, kind),
      ...(type !== undefined && { type }),
      ...(description !== undefined && { description }),
      capabilities,
      ...(weight !== undefined && { load: weight }),
      running: load.get(name) ?? 0,
      max_load: Number.isFinite(maxLoad) ? maxLoad : null,
      ...viewStanding(name, how, reached.has(name)),
      ...{ queued, waiting, held },
      today: numbersOf(today.find((row) => row.agent === name)),
      last_30_days: numbersOf(month.find((row) => row.agent === name)),
      ...(failure && {
        last_failure: {
          at: new Date(failure.at).toISOString(),
          job_id: failure.jobId,
          ...(failure.reason !== undefined && { reason: failure.reason }),
          message: failure.message,
        },
      }),
    });
  }
  return { tier: tierInForce(cliAgents(config), standings) ?? null, agents };
}

/** A plugin's agent is of the kind that its package gives. */
function kindWords(agent: AgentConfig, kind: string): string {
  return agent.kind === 'plugin' && agent.cli.plugin ? agent.cli.plugin.package : kind;
}

function viewStanding(
  name: string,
  how: AgentStanding,
  isReached: boolean,
): Pick<AgentView, 'state' | 'state_until' | 'state_message' | 'state_fix'> {
  switch (how.at) {
    case 'active':
      if (isReached) return { state: 'active' };
      return {
        state: 'inactive',
        state_message: 'no rule, step, review or fallback brings work to it',
        state_fix: `Name it in a rule, or take it away. \`sluice agents test ${name}\` runs it all the same.`,
      };
    case 'paused':
      return { state: how.at, state_message: how.message, state_fix: parkedFix(name, {}) };
    case 'unavailable':
      return { state: how.at, state_message: how.message, state_fix: how.fix };
    case 'not_logged_in':
      return {
        state: how.at,
        ...(how.until !== undefined && { state_until: new Date(how.until).toISOString() }),
        state_message: how.message,
        state_fix: parkedFix(name, how),
      };
    case 'parked':
      return {
        state: how.at,
        state_until: new Date(how.until).toISOString(),
        state_message: how.message,
        state_fix: parkedFix(name, how),
      };
    case 'breaker_open':
      return {
        state: how.at,
        state_until: new Date(how.until).toISOString(),
        state_message: how.message,
        state_fix: 'It is tried again by itself then.',
      };
    case 'breaker_half_open':
      return { state: how.at, state_message: how.message };
    default:
      return how satisfies never;
  }
}

function numbersOf(activity: AgentActivity | undefined): AgentNumbers {
  const { attempts = 0, unknown = 0, costUsd = 0, tokens = 0, succeeded = 0, failed = 0 } = activity ?? {};
  const at = (share: number): number | null => {
    const ms = activity && latencyPercentile(activity.latency, share);
    return ms === undefined ? null : Math.round(ms);
  };
  const ended = succeeded + failed;
  return {
    attempts,
    success_rate: ended === 0 ? null : succeeded / ended,
    median_ms: at(0.5),
    p95_ms: at(0.95),
    cost_usd: attempts > 0 && unknown === attempts && costUsd === 0 ? null : costUsd,
    unknown_cost: unknown,
    tokens,
  };
}
