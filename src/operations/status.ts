/** `sluice status`: the state of a project in one object, the same whether its daemon runs or not. */
import type { Config } from '../config/config.ts';
import type { CoordinatorStatus } from '../coordinator/coordinator.ts';
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
  /** Files by where they ended. */
  readonly files: Readonly<Partial<Record<Disposition, number>>>;
  readonly conditions: readonly ConditionView[];
}

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
  readonly ledger?: Pick<Ledger, 'files' | 'jobs'>;
  readonly conditions: readonly Condition[];
}

/** The state of a project whose daemon does not run: from its ledger and its configuration. */
export async function stoppedStatus(project: StoppedProject): Promise<StatusReport> {
  const { configFile, config, ledger, conditions } = project;
  const unused = (limit: number) => ({ limit, used: 0, peak: 0 });
  const load = await ledger?.jobs.load();
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
    limits: config
      ? {
          max_processes: unused(config.concurrency.maxProcesses),
          max_concurrent_files: unused(config.concurrency.maxConcurrentFiles),
        }
      : {},
    agents: [...(config?.agents.values() ?? [])].map(({ name, kind, description, maxLoad }) => ({
      name,
      kind,
      ...(description !== undefined && { description }),
      running: load?.get(name) ?? 0,
      max_load: Number.isFinite(maxLoad) ? maxLoad : null,
    })),
    files: (await ledger?.files.counts()) ?? {},
    conditions: conditions.map(viewCondition),
  };
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
