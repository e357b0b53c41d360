/**
 * What may be claimed at this moment: agents with a free slot and an open gate, the lanes of rules with a limit of their
 * own, rates, sizes of batches. What stands before a closed gate is parked, so that a claim never looks at it again.
 */
import type { JobLedger, Lane, Lease, Ledger } from '../ledger/ledger.ts';
import type { BatchSizes } from './batch-sizes.ts';
import type { Gates } from './gates.ts';
import type { Lanes } from './lanes.ts';
import type { Recipes } from './recipes.ts';
import type { Slots } from './slots.ts';
import { stepLane } from './step-work.ts';

export interface ClaimGateOptions {
  readonly recipes: Recipes;
  readonly gates: Gates;
  readonly lanes: Lanes;
  readonly slots: Slots;
  readonly sizes: BatchSizes;
  readonly ledger: Pick<Ledger, 'jobs'>;
  /** Only steps of this agent may be claimed. Default: whatever may. */
  readonly only?: () => string | undefined;
}

type Open = Omit<Parameters<JobLedger['claim']>[0], 'max' | 'worker' | 'leaseMs'>;

/** Running attempts by agent, by rule, and by both. */
export interface RunningCounts {
  readonly agents: ReadonlyMap<string, number>;
  readonly rules: ReadonlyMap<string, number>;
}

export class ClaimGate {
  readonly #o: ClaimGateOptions;
  readonly #counts: {
    readonly agents: Map<string, number>;
    readonly rules: Map<string, number>;
    readonly lanes: Map<string, number>;
  };

  #heldUntil: number | undefined;

  /** @param counts Of what runs since before this configuration. */
  constructor(options: ClaimGateOptions, counts?: ClaimGate) {
    this.#o = options;
    this.#counts = counts ? counts.#counts : { agents: new Map(), rules: new Map(), lanes: new Map() };
  }

  get running(): RunningCounts {
    return this.#counts;
  }

  /** Call for every claim, with all leases of the attempt. */
  began(leases: readonly Lease[]): void {
    this.#count(leases, 1);
  }

  ended(leases: readonly Lease[]): void {
    this.#count(leases, -1);
  }

  /** @returns undefined when nothing may be claimed. */
  async query(): Promise<Open | undefined> {
    const { recipes, gates, slots, ledger } = this.#o;
    this.#heldUntil = await this.#heldBackUntil();
    const limits = new Map<string, number>();
    const rates = new Map<string, { readonly count: number; readonly perMs: number }>();
    const fullForFiles = new Set<string>();
    const only = this.#o.only?.();
    for (const agent of recipes.config.agents.values()) {
      if (only !== undefined && agent.name !== only) continue;
      const room = slots.roomFor(agent.kind);
      if (!room.steps) continue;
      if (!room.files || only !== undefined) fullForFiles.add(agent.name);
      const gate = gates.of(agent);
      if (gate.kind === 'closed') {
        const isDiverted = gate.mayDivert && recipes.nextOf({ agent: agent.name, fallbacks: [] });
        if (isDiverted) limits.set(agent.name, agent.maxLoad);
        else await ledger.jobs.park({ agent: agent.name }, gate.park);
        continue;
      }
      limits.set(agent.name, gate.kind === 'probe' ? 1 : agent.maxLoad);
      if (agent.rate) rates.set(agent.name, agent.rate);
    }
    if (limits.size === 0) return undefined;
    if (only === undefined)
      for (const { rule, gate } of gates.stopped()) await this.#parkPaid(rule, gate.park);
    return {
      limits,
      ...(rates.size > 0 && { rates }),
      lanes: this.#lanesFor(limits.keys(), fullForFiles),
      ...(recipes.batchRules.size > 0 && { batchSizes: this.#batchSizes() }),
      // Where no file may begin their queues are closed, and steps are not counted.
      maxFiles: slots.freeFiles > 0 ? slots.freeFiles : Number.POSITIVE_INFINITY,
    };
  }

  #lanesFor(agents: Iterable<string>, fullForFiles: ReadonlySet<string>): ReadonlyMap<string, Lane> {
    const open = new Map(this.#o.lanes.open(this.#counts));
    if (fullForFiles.size > 0)
      for (const [name, { agent }] of open) if (fullForFiles.has(agent)) open.delete(name);
    for (const agent of agents) {
      open.set(stepLane(agent), { agent, limit: Number.POSITIVE_INFINITY });
      if (fullForFiles.has(agent)) open.set(agent, { agent, limit: 0 });
    }
    return open;
  }

  /** What costs nothing goes on: a fallback of the inspector's, for one. */
  async #parkPaid(name: string, park: Parameters<JobLedger['park']>[1]): Promise<void> {
    const { recipes, ledger } = this.#o;
    const rule = recipes.rule(name);
    for (const { name: agent, kind } of rule ? recipes.reach(rule) : [])
      if (kind !== 'builtin') await ledger.jobs.park({ agent, rule: name }, park);
  }

  /** When something that waits for a time, or was held back at the last `query`, may go on; it may be past. */
  async nextDueAt(): Promise<number | undefined> {
    return earliest([await this.#o.ledger.jobs.nextDueAt(), this.#heldUntil]);
  }

  /**
   * By rates, and by rules that may be looping. Asked before the claim, not after it: what comes free in between was not
   * claimed, and asked then it would not be waiting for anything, so that nobody would come for it.
   */
  async #heldBackUntil(): Promise<number | undefined> {
    const { recipes, ledger, lanes } = this.#o;
    const dues = [lanes.nextDueAt()];
    for (const { name, rate } of recipes.config.agents.values())
      if (rate) dues.push(await ledger.jobs.rateFreeAt(name, rate));
    return earliest(dues);
  }

  #batchSizes(): ReadonlyMap<string, number> {
    const { recipes, sizes } = this.#o;
    return new Map([...recipes.batchRules.values()].map((rule) => [rule.name, sizes.of(rule)]));
  }

  #count([first]: readonly Lease[], by: 1 | -1): void {
    if (!first) return;
    const { agent, rule, lane } = first.job;
    const { agents, rules, lanes } = this.#counts;
    for (const [counts, key] of [
      [agents, agent],
      [rules, rule],
      [lanes, lane],
    ] as const)
      counts.set(key, (counts.get(key) ?? 0) + by);
  }
}

function earliest(dues: readonly (number | undefined)[]): number | undefined {
  const known = dues.filter((due) => due !== undefined);
  return known.length > 0 ? Math.min(...known) : undefined;
}
