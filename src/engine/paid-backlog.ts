/**
 * A root that was never watched before may hold years of files. Where they would go to an agent that costs money, more
 * than a few are held with an estimate, until somebody has seen it (`initial: process` says it beforehand). What lands
 * later is told by events and is not meant.
 */

import { join } from 'node:path';
import { stampOf } from '../cache/fingerprint.ts';
import type { AgentConfig, Config } from '../config/config.ts';
import { formatUsd } from '../coordinator/budget.ts';
import type { Coordinator } from '../coordinator/coordinator.ts';
import type { Hold, Ledger } from '../ledger/ledger.ts';
import type { Change } from '../types/change.ts';

/** So many files of a root may go to a paid agent without a question. */
const FREE_FILES = 50;

export interface PaidBacklogOptions {
  readonly config: () => Config;
  readonly ledger: Pick<Ledger, 'jobs'>;
  readonly coordinator: Pick<Coordinator, 'recipes' | 'submit'>;
}

export class PaidBacklog {
  readonly #o: PaidBacklogOptions;
  /** By root and agent: what waits for the end of the root's first sweep. */
  readonly #waiting = new Map<string, { root: string; agent: AgentConfig; paths: string[] }>();

  constructor(options: PaidBacklogOptions) {
    this.#o = options;
  }

  /** True: it is kept back until `settle`. @param isNew The root was never watched before. */
  keeps(change: Change, isNew: boolean): boolean {
    if (!isNew || change.type === 'removed' || change.found !== 'first_sweep') return false;
    const { config, coordinator } = this.#o;
    if (config().roots.find(({ name }) => name === change.root)?.initial !== 'ask') return false;
    const route = coordinator.recipes.route(change.path);
    const agent = route?.kind === 'agent' ? route.candidates.find(isPaid) : undefined;
    if (!agent) return false;
    const key = `${change.root}\n${agent.name}`;
    const known = this.#waiting.get(key) ?? { root: change.root, agent, paths: [] };
    known.paths.push(change.path);
    this.#waiting.set(key, known);
    return true;
  }

  /** The first sweep has ended: few files are processed, many are held. */
  async settle(): Promise<void> {
    const all = [...this.#waiting.values()];
    this.#waiting.clear();
    for (const { root, agent, paths } of all) {
      const hold = paths.length > FREE_FILES ? await this.#holdFor(root, agent, paths.length) : undefined;
      for (const path of paths) {
        const dir = this.#o.config().roots.find(({ name }) => name === root)?.dir;
        const stamp = dir === undefined ? undefined : stampOf(join(dir, path));
        if (!stamp) continue;
        const change = { type: 'added', root, path, stamp, found: 'first_sweep' } as const;
        await this.#o.coordinator.submit(change, hold ? { hold } : {});
      }
    }
  }

  async #holdFor(root: string, agent: AgentConfig, files: number): Promise<Hold> {
    const mean = await this.#meanCost(agent.name);
    const estimate =
      mean === undefined
        ? 'what they cost is not known yet'
        : `about ${formatUsd(mean * files)} by what it cost so far`;
    return {
      reason: 'too_expensive',
      message: `${files} files were in root "${root}" when it was first watched, all for agent "${agent.name}", which costs money: ${estimate}`,
      fix: '`sluice jobs release --held` lets them go on; `initial: process` of the root says so beforehand.',
    };
  }

  async #meanCost(agent: string): Promise<number | undefined> {
    const jobs = await this.#o.ledger.jobs.list({ agent, states: ['succeeded'], limit: 100 });
    const costs = jobs.flatMap(({ costUsd }) => costUsd ?? []);
    return costs.length === 0 ? undefined : costs.reduce((sum, cost) => sum + cost, 0) / costs.length;
  }
}

/** Whoever has a budget in money costs money. */
function isPaid({ budget }: AgentConfig): boolean {
  return budget?.usdPerDay !== undefined || budget?.usdPerRun !== undefined;
}
