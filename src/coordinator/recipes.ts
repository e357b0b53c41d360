/** Which rule and agent a path has under the configuration in force, and the cache key of its content. */
import { keyOf, recipeOf } from '../cache/recipe.ts';
import type { AgentConfig, Config, RootConfig, RuleConfig } from '../config/config.ts';
import { createRouter, type Router } from '../router/router.ts';
import type { AgentPort } from './deps.ts';

export type Route =
  | { readonly kind: 'agent'; readonly rule: RuleConfig; readonly agent: AgentConfig }
  | { readonly kind: 'action'; readonly rule: RuleConfig; readonly action: 'quarantine' | 'ignore' };

/** One configuration, prepared for routing. Replaced whole on a reload. */
export class Recipes {
  readonly config: Config;
  readonly router: Router;
  readonly #agents: Pick<AgentPort, 'version'>;
  readonly #roots: ReadonlyMap<string, RootConfig>;

  constructor(config: Config, agents: Pick<AgentPort, 'version'>) {
    this.config = config;
    this.router = createRouter(config.rules);
    this.#agents = agents;
    this.#roots = new Map(config.roots.map((root) => [root.name, root]));
  }

  root(name: string): RootConfig | undefined {
    return this.#roots.get(name);
  }

  route(path: string): Route | undefined {
    const rule = this.router.route(path);
    if (!rule) return undefined;
    const { target } = rule;
    if (target.kind === 'action') return { kind: 'action', rule, action: target.action };
    const agent = this.config.agents.get(target.agent);
    return agent && { kind: 'agent', rule, agent };
  }

  async key(
    route: Extract<Route, { kind: 'agent' }>,
    sha256: string,
    root: string,
    path: string,
  ): Promise<string> {
    if (route.rule.cache === 'off') return '';
    const version = await this.#agents.version(route.agent, path);
    return keyOf(sha256, recipeOf(route.agent, version, route.rule), route.rule, root, path);
  }
}
