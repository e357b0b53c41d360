/** `sluice status`: the state of a project in one object, the same whether its daemon runs or not. */
import type { Config } from '../config/config.ts';
import { parseBreaker } from '../coordinator/breaker.ts';
import { Peaks } from '../coordinator/limits-in-use.ts';
import { dayOf } from '../coordinator/spending-totals.ts';
import type { CoordinatorStatus } from '../coordinator/status.ts';
import { type StatusParts, statusOf } from '../coordinator/status.ts';
import type { AgentStanding } from '../engine/agent-standing.ts';
import { cliAgents, type TierInForce, tierInForce } from '../engine/tiers.ts';
import type { Ledger } from '../ledger/ledger.ts';
import type { Condition } from '../types/condition.ts';
import type { Disposition } from '../types/job.ts';
import type { RootStatus } from '../watch/watcher.ts';
import type { DaemonState } from './host.ts';

export interface StatusReport extends Omit<CoordinatorStatus, 'paused'> {
  readonly state: DaemonState;
  readonly pid: number | null;
  readonly config_file: string;
  /** RFC 3339; null when no daemon runs. */
  readonly started_at: string | null;
  readonly roots: readonly RootStatusView[];
  /** Which agent CLIs can work; absent: none is configured. */
  readonly tier?: TierView;
  /** Files by where they ended. */
  readonly files: Readonly<Partial<Record<Disposition, number>>>;
  readonly conditions: readonly ConditionView[];
}

export type TierView = Pick<TierInForce, 'number' | 'name' | 'agents'>;

export interface RootStatusView {
  readonly name: string;
  readonly path: string;
  readonly state: RootStatus['state'] | 'not_watched';
  /** The mode in force; without a daemon the one that the configuration asks for. */
  readonly mode: RootStatus['mode'] | 'auto';
  readonly reason?: string;
  readonly folders: number;
  readonly files: number;
  readonly settling: number;
  readonly last_sweep_at?: string;
}

export type ConditionView = Omit<Condition, 'since'> & { readonly since: string };

export interface StoppedProject {
  readonly configFile: string;
  /** Absent when it cannot be used: a condition says why. */
  readonly config?: Config;
  /** Absent when there is none yet. */
  readonly ledger?: Pick<Ledger, 'files' | 'jobs' | 'spending' | 'kept'>;
  readonly conditions: readonly Condition[];
  readonly env: NodeJS.ProcessEnv;
}

/** The state of a project whose daemon does not run: from its ledger and its configuration. */
export async function stoppedStatus(project: StoppedProject): Promise<StatusReport> {
  const { configFile, config, ledger, conditions, env } = project;
  const tier = config && (await restingTier(config, ledger?.kept, env));
  return {
    state: 'stopped',
    pid: null,
    config_file: configFile,
    started_at: null,
    roots: (config?.roots ?? []).map(({ name, dir, mode }) => ({
      name,
      path: dir,
      state: 'not_watched',
      mode,
      folders: 0,
      files: 0,
      settling: 0,
    })),
    queue: (await ledger?.jobs.counts()) ?? { queued: 0, running: 0, waiting: 0, held: 0 },
    limits: {},
    agents: [],
    waits: [],
    ...(tier && { tier: viewTier(tier) }),
    ...(config && (await statusOf(await restingParts(config, ledger ?? unused)))),
    files: (await ledger?.files.counts()) ?? {},
    conditions: conditions.map(viewCondition),
  };
}

async function restingTier(
  config: Config,
  kept: Ledger['kept'] | undefined,
  env: NodeJS.ProcessEnv,
): Promise<TierInForce | undefined> {
  const agents = cliAgents(config);
  if (agents.length === 0) return undefined;
  const { restingStandings } = await import('./agents/resting.ts');
  const standingOf = await restingStandings({ config, ...(kept && { kept }), env, now: Date.now() });
  const standings = new Map<string, AgentStanding>();
  for (const agent of agents) standings.set(agent.name, await standingOf(agent));
  return tierInForce(agents, standings);
}

/** Nothing has run yet. */
const unused = {
  jobs: {
    counts: async () => ({ queued: 0, running: 0, waiting: 0, held: 0 }),
    load: async () => new Map<string, number>(),
    loadByRule: async () => new Map<string, number>(),
    startedWithin: async () => 0,
    waits: async () => [],
  },
  spending: { of: async () => [] },
  kept: { list: async () => [] },
};

/** What the daemon would know of itself if it ran: what was spent today, and which breakers it left open. */
async function restingParts(
  config: Config,
  ledger: NonNullable<StoppedProject['ledger']> | typeof unused,
): Promise<StatusParts> {
  const rows = await ledger.spending.of(dayOf(Date.now()));
  const kept = new Map((await ledger.kept.list('breaker')).map(({ name, value }) => [name, value]));
  const { maxProcesses, maxConcurrentFiles } = config.concurrency;
  return {
    config,
    ledger,
    peaks: new Peaks(),
    slots: {
      use: () => ({
        max_processes: { limit: maxProcesses, used: 0, peak: 0 },
        max_concurrent_files: { limit: maxConcurrentFiles, used: 0, peak: 0 },
      }),
    },
    gates: {
      budgets: () => ({ rows, running: [] }),
      breaker: (agent) => parseBreaker(kept.get(agent)),
    },
  };
}

export function viewTier({ number, name, agents }: TierInForce): TierView {
  return { number, name, agents };
}

export function viewRoot({
  name,
  dir,
  state,
  mode,
  reason,
  folders,
  files,
  settling,
  lastSweepAt,
}: RootStatus): RootStatusView {
  return {
    name,
    path: dir,
    state,
    mode,
    ...(reason !== undefined && { reason }),
    folders,
    files,
    settling,
    ...(lastSweepAt !== undefined && { last_sweep_at: new Date(lastSweepAt).toISOString() }),
  };
}

export function viewCondition(condition: Condition): ConditionView {
  return { ...condition, since: new Date(condition.since).toISOString() };
}
