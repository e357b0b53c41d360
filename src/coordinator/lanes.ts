/**
 * The queues of an agent: one for all its jobs, and one for each rule that is limited by itself (its `max_load`, or because
 * it may be looping). So jobs that must wait never stand before jobs that need not.
 */
import type { RuleConfig } from '../config/config.ts';
import type { Lane } from '../ledger/ledger.ts';
import type { LoopGuard } from './loop-guard.ts';
import type { Recipes } from './recipes.ts';
import { isStepRule, stepLane } from './step-work.ts';

export class Lanes {
  readonly #recipes: Recipes;
  readonly #loops: Pick<LoopGuard, 'watched' | 'mayStart'>;

  constructor(recipes: Recipes, loops: Pick<LoopGuard, 'watched' | 'mayStart'>) {
    this.#recipes = recipes;
    this.#loops = loops;
  }

  of(agent: string, rule: string): string {
    if (isStepRule(rule)) return stepLane(agent);
    const known = this.#recipes.rule(rule);
    return known && this.#isLimited(known) ? laneName(agent, rule) : agent;
  }

  /** Rules that have lanes of their own now, as one text: when it changes, what is queued moves. */
  signature(): string {
    return this.#limited()
      .map(({ name }) => name)
      .join('\0');
  }

  /**
   * What may be claimed from now.
   * @param running Attempts by rule and by lane: a rule's limit holds over the lanes of all its agents.
   */
  open(running: {
    readonly rules: ReadonlyMap<string, number>;
    readonly lanes: ReadonlyMap<string, number>;
  }): ReadonlyMap<string, Lane> {
    const open = new Map<string, Lane>();
    for (const rule of this.#limited()) {
      const isWatched = this.#loops.watched.has(rule.name);
      if (isWatched && this.#loops.mayStart(rule.name) !== true) continue;
      const ofRule = running.rules.get(rule.name) ?? 0;
      for (const { name: agent } of this.#recipes.reach(rule)) {
        const name = laneName(agent, rule.name);
        const elsewhere = ofRule - (running.lanes.get(name) ?? 0);
        open.set(name, { agent, limit: (isWatched ? 1 : rule.maxLoad) - elsewhere });
      }
    }
    return open;
  }

  /** When a rule that is held back may go on by itself. */
  nextDueAt(): number | undefined {
    const dues = [...this.#loops.watched].flatMap((rule) => {
      const answer = this.#loops.mayStart(rule);
      return answer === true || !Number.isFinite(answer.notBefore) ? [] : [answer.notBefore];
    });
    return dues.length > 0 ? Math.min(...dues) : undefined;
  }

  #limited(): readonly RuleConfig[] {
    return this.#recipes.config.rules.filter((rule) => this.#isLimited(rule));
  }

  #isLimited({ name, maxLoad }: RuleConfig): boolean {
    return Number.isFinite(maxLoad) || this.#loops.watched.has(name);
  }
}

function laneName(agent: string, rule: string): string {
  return `${agent}\0${rule}`;
}
