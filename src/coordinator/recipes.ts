/**
 * Which rule and which agents a path has under the configuration in force, and the cache key of its content with each of
 * them. Replaced whole on a reload.
 */
import { keyOf, recipeOf } from '../cache/recipe.ts';
import type { AgentConfig, Config, RootConfig, RuleConfig } from '../config/config.ts';
import type { Destination } from '../ledger/ledger.ts';
import { createRouter, type Router } from '../router/router.ts';
import type { JobRecord } from '../types/job.ts';
import type { AgentPort } from './deps.ts';
import { projectRoot, routeOfStep } from './step-work.ts';

export type Route = AgentRoute | ActionRoute;

export interface AgentRoute {
  readonly kind: 'agent';
  readonly rule: RuleConfig;
  /** At least one; which of several gets a job is chosen when it is taken in. */
  readonly candidates: readonly AgentConfig[];
  /** Of a step: what it changes of every agent that it comes to. */
  readonly patch?: (agent: AgentConfig) => AgentConfig;
}

interface ActionRoute {
  readonly kind: 'action';
  readonly rule: RuleConfig;
  readonly action: 'quarantine' | 'ignore';
}

export class Recipes {
  readonly config: Config;
  readonly router: Router;
  /** Rules that take several files at once, by name. */
  readonly batchRules: ReadonlyMap<string, RuleConfig>;
  readonly #agents: Pick<AgentPort, 'version'>;
  readonly #roots: ReadonlyMap<string, RootConfig>;
  readonly #rules: ReadonlyMap<string, RuleConfig>;

  constructor(config: Config, agents: Pick<AgentPort, 'version'>) {
    this.config = config;
    this.router = createRouter(config.rules);
    this.#agents = agents;
    this.#roots = new Map([...config.roots, projectRoot(config)].map((root) => [root.name, root]));
    this.#rules = new Map(config.rules.map((rule) => [rule.name, rule]));
    this.batchRules = new Map(config.rules.filter(({ batch }) => batch).map((rule) => [rule.name, rule]));
  }

  root(name: string): RootConfig | undefined {
    return this.#roots.get(name);
  }

  /** Where a job goes under this configuration: a file by its path, a step by its task. */
  routeOf({ input, step, priority }: Pick<JobRecord, 'input' | 'step' | 'priority'>): Route | undefined {
    return step ? routeOfStep(this.config, step, priority) : this.route(input.path);
  }

  rule(name: string): RuleConfig | undefined {
    return this.#rules.get(name);
  }

  route(path: string): Route | undefined {
    const rule = this.router.route(path);
    if (!rule) return undefined;
    if (rule.target.kind === 'action') return { kind: 'action', rule, action: rule.target.action };
    const candidates = this.#candidates(rule);
    return candidates.length > 0 ? { kind: 'agent', rule, candidates } : undefined;
  }

  /** Every agent that a job of this rule can come to: its candidates, then their fallbacks, the nearest first. */
  reach(rule: RuleConfig): readonly AgentConfig[] {
    const found = new Map<string, AgentConfig>();
    const queue = [...this.#candidates(rule)];
    for (const agent of queue) {
      if (found.has(agent.name)) continue;
      found.set(agent.name, agent);
      for (const name of agent.fallback) {
        const next = this.config.agents.get(name);
        if (next) queue.push(next);
      }
    }
    return [...found.values()];
  }

  /** The agent that has the job, if its rule may send it there; undefined: the job must move. */
  agentOf({ rule, patch }: AgentRoute, name: string): AgentConfig | undefined {
    const agent = this.reach(rule).find((one) => one.name === name);
    return agent && patch ? patch(agent) : agent;
  }

  /** The agent that takes over: the next of the chain of the agent that had the job first, without those that had it. */
  nextOf(job: Pick<JobRecord, 'agent' | 'fallbacks'>): AgentConfig | undefined {
    const tried = new Set([...job.fallbacks.map(({ agent }) => agent), job.agent]);
    const queue = [...tried];
    const seen = new Set<string>();
    for (const name of queue) {
      if (seen.has(name)) continue;
      seen.add(name);
      const agent = this.config.agents.get(name);
      if (agent && !tried.has(name)) return agent;
      queue.push(...(agent?.fallback ?? []));
    }
    return undefined;
  }

  async key(
    rule: RuleConfig,
    agent: AgentConfig,
    input: { readonly root: string; readonly path: string; readonly sha256: string },
  ): Promise<string> {
    // What is done to a copy of the tree is put in place there: another file with the same content wants its own.
    if (rule.cache === 'off' || agent.workspace === 'copy') return '';
    const version = await this.#agents.version(agent, input.path);
    return keyOf(input.sha256, recipeOf(agent, version, rule), rule, input.root, input.path);
  }

  async destination(
    rule: RuleConfig,
    agent: AgentConfig,
    input: { readonly root: string; readonly path: string; readonly sha256: string },
    lane: string,
  ): Promise<Destination> {
    return {
      rule: rule.name,
      agent: agent.name,
      key: await this.key(rule, agent, input),
      priority: rule.priority,
      lane,
    };
  }

  #candidates({ target }: RuleConfig): AgentConfig[] {
    const names = target.kind === 'agent' ? [target.agent] : target.kind === 'select' ? target.agents : [];
    return names.flatMap((name) => this.config.agents.get(name) ?? []);
  }
}
