/** Every limit there is, its use now and its peak: for `status`. */
import type { Config } from '../config/config.ts';
import type { JobLedger } from '../ledger/ledger.ts';
import type { RunningCounts } from './claim-gate.ts';
import type { Gates } from './gates.ts';
import type { Slots } from './slots.ts';

export interface LimitUse {
  readonly limit: number;
  /** Null: nothing is known of it (attempts that did not say what they cost). */
  readonly used: number | null;
  /** The most since the start of the daemon; for sums of the day the same as `used`. */
  readonly peak: number | null;
  /** What is counted; absent: attempts or files at once. */
  readonly unit?: 'usd' | 'tokens' | 'attempts';
  /** For rates: within so many milliseconds. */
  readonly per_ms?: number;
}

/** The most attempts at once, by agent and by rule, and within the span of an agent's rate. */
export class Peaks {
  readonly agents = new Map<string, number>();
  readonly rules = new Map<string, number>();
  readonly rates = new Map<string, number>();

  /** @returns the peak. */
  seeRate(agent: string, started: number): number {
    const peak = Math.max(started, this.rates.get(agent) ?? 0);
    this.rates.set(agent, peak);
    return peak;
  }

  see(running: RunningCounts): void {
    for (const kind of ['agents', 'rules'] as const)
      for (const [name, n] of running[kind]) if (n > (this[kind].get(name) ?? 0)) this[kind].set(name, n);
  }
}

export interface LimitsOptions {
  readonly config: Config;
  readonly ledger: { readonly jobs: Pick<JobLedger, 'load' | 'loadByRule' | 'startedWithin'> };
  readonly slots: Pick<Slots, 'use'>;
  readonly peaks: Peaks;
  readonly gates: Pick<Gates, 'budgets'>;
}

/** Keys: `max_processes`, `agents.NAME.max_load`, `agents.NAME.rate`, `rules.NAME.usd_per_day`, `daemon.tokens_per_day` … */
export async function limitsInUse({
  config,
  ledger,
  slots,
  peaks,
  gates,
}: LimitsOptions): Promise<Record<string, LimitUse>> {
  const limits: Record<string, LimitUse> = { ...slots.use() };
  const byAgent = await ledger.jobs.load();
  for (const { name, maxLoad, rate } of config.agents.values()) {
    if (Number.isFinite(maxLoad))
      limits[`agents.${name}.max_load`] = {
        limit: maxLoad,
        used: byAgent.get(name) ?? 0,
        peak: peaks.agents.get(name) ?? 0,
      };
    if (rate) {
      const used = await ledger.jobs.startedWithin(name, rate.perMs);
      limits[`agents.${name}.rate`] = {
        limit: rate.count,
        used,
        peak: peaks.seeRate(name, used),
        unit: 'attempts',
        per_ms: rate.perMs,
      };
    }
  }
  const limited = config.rules.filter(({ maxLoad }) => Number.isFinite(maxLoad));
  const byRule = limited.length > 0 ? await ledger.jobs.loadByRule() : new Map<string, number>();
  for (const { name, maxLoad } of limited)
    limits[`rules.${name}.max_load`] = {
      limit: maxLoad,
      used: byRule.get(name) ?? 0,
      peak: peaks.rules.get(name) ?? 0,
    };
  return { ...limits, ...budgetsInUse(config, gates) };
}

function budgetsInUse(config: Config, gates: Pick<Gates, 'budgets'>): Record<string, LimitUse> {
  const limits: Record<string, LimitUse> = {};
  const { rows, running } = gates.budgets();
  const scopes = [
    { label: 'daemon', budget: config.budget, covers: () => true },
    ...[...config.agents.values()].map(({ name, budget }) => ({
      label: `agents.${name}`,
      budget,
      covers: (of: { agent: string; rule: string }) => of.agent === name,
    })),
    ...config.rules.map(({ name, budget }) => ({
      label: `rules.${name}`,
      budget,
      covers: (of: { agent: string; rule: string }) => of.rule === name,
    })),
  ];
  for (const { label, budget, covers } of scopes) {
    if (!budget) continue;
    const ended = rows.filter(covers);
    const live = running.filter(covers);
    if (budget.usdPerDay !== undefined) {
      const used =
        ended.reduce((sum, { costUsd }) => sum + costUsd, 0) +
        live.reduce((sum, { spent }) => sum + (spent.costUsd ?? 0), 0);
      const isUnknown = used === 0 && ended.some(({ unknown }) => unknown > 0);
      limits[`${label}.usd_per_day`] = {
        limit: budget.usdPerDay,
        used: isUnknown ? null : used,
        peak: isUnknown ? null : used,
        unit: 'usd',
      };
    }
    if (budget.tokensPerDay !== undefined) {
      const used =
        ended.reduce((sum, { tokens }) => sum + tokens, 0) +
        live.reduce(
          (sum, { spent: { usage } }) => sum + (usage ? Object.values(usage).reduce((a, b) => a + b, 0) : 0),
          0,
        );
      limits[`${label}.tokens_per_day`] = { limit: budget.tokensPerDay, used, peak: used, unit: 'tokens' };
    }
  }
  return limits;
}
