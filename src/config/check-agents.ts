/** How agents hang together: to whom they fall back, and whether anybody uses them. */
import type { AgentConfig, PriceConfig, ReviewsConfig, RuleConfig } from './config.ts';
import { candidatesOf, type KnownAgents, reportUnknownAgent } from './resolve-target.ts';
import type { Loose, Resolving } from './resolving.ts';
import type { ConfigFile } from './schema.ts';
import type { StepConfig, WorkflowConfig } from './workflow.ts';

/** Every name must be an agent, and no way along them may lead back. */
export function checkFallbacks({ findings }: Resolving, agents: KnownAgents): void {
  for (const agent of agents.values())
    for (const [index, name] of agent?.fallback.entries() ?? []) {
      const at = placeOf(agent as AgentConfig, index);
      if (!agents.has(name))
        reportUnknownAgent(
          findings,
          at,
          `unknown agent "${name}" in \`fallback\` of agent "${agent?.name}"`,
          name,
          agents,
        );
      else if (name === agent?.name)
        findings.error(
          'FALLBACK_CYCLE',
          at,
          `the agent "${name}" falls back to itself`,
          'Remove it; `retry` says how often an agent tries again.',
        );
      else if (agent && agent.fallback.indexOf(name) < index)
        findings.error('DUPLICATE_NAME', at, `the agent "${name}" is named twice`, 'Remove one of the two.');
    }
  const done = new Set<string>();
  for (const name of agents.keys()) walk(name, [], done, findings, agents);
}

/** Depth first; an agent whose ways are all known is not entered again, so that each circle is reported once. */
function walk(
  name: string,
  way: readonly string[],
  done: Set<string>,
  findings: Resolving['findings'],
  agents: KnownAgents,
): void {
  const begin = way.indexOf(name);
  if (begin >= 0) {
    const from = agents.get(way.at(-1) as string) as AgentConfig;
    if (from.name !== name)
      findings.error(
        'FALLBACK_CYCLE',
        placeOf(from, from.fallback.indexOf(name)),
        `agents fall back in a circle: ${[...way.slice(begin), name].join(' → ')}`,
        `Remove "${name}" here, or another one of them where it is named.`,
      );
    return;
  }
  if (done.has(name)) return;
  for (const next of agents.get(name)?.fallback ?? []) walk(next, [...way, name], done, findings, agents);
  done.add(name);
}

function placeOf(agent: AgentConfig, index: number): (string | number)[] {
  return ['agents', agent.name, 'fallback', index];
}

/** More are one warning: it is no list to go through. */
const maxToldApart = 3;

/** Warns of agents that neither a rule nor a step names nor, on the way from one that is named, a `fallback`. */
export function checkUse(
  { findings }: Resolving,
  agents: readonly AgentConfig[],
  rules: readonly RuleConfig[],
  workflows: readonly WorkflowConfig[],
  file: Loose<ConfigFile['routing_rules']>,
  reviews: ReviewsConfig | undefined,
): void {
  // A rule that could not be resolved has named it all the same.
  const named = file.flatMap((rule) => [rule?.agent ?? [], rule?.watcher ?? []].flat());
  const steps = workflows.flatMap((workflow) => [...workflow.steps, ...workflow.onFailure]);
  const open = [
    ...named,
    ...rules.flatMap((rule) => candidatesOf(rule.target)),
    ...steps.flatMap((step) => (step.type === 'agent' ? step.agents : [])),
    ...reviewersOf(agents, steps, reviews),
  ];
  const used = new Set<string>();
  while (open.length > 0) {
    const name = open.pop();
    if (name === undefined || used.has(name)) continue;
    used.add(name);
    open.push(...(agents.find((agent) => agent.name === name)?.fallback ?? []));
  }
  const placeIn = (name: string): 'agents' | 'watcher_endpoints' | undefined =>
    (['agents', 'watcher_endpoints'] as const).find((section) => findings.has([section, name]));
  // Those that were found on this machine need no use.
  const unused = agents.flatMap(({ name }) => {
    const section = used.has(name) ? undefined : placeIn(name);
    return section ? [[section, name] as const] : [];
  });
  const warn = (at: readonly string[], whom: string, fix: string): void =>
    findings.add(
      'warning',
      'AGENT_UNUSED',
      { path: at, key: true },
      `no rule and no workflow uses the ${whom}`,
      fix,
    );
  const [first] = unused;
  // As after `agents detect --write`, which adds all that there are.
  if (first && unused.length > maxToldApart)
    warn(
      first,
      `agents ${unused.map(([, name]) => `"${name}"`).join(', ')}`,
      `Add rules with \`agent: ${first[1]}\` and so on, or remove them.`,
    );
  else
    for (const [section, name] of unused)
      warn([section, name], `agent "${name}"`, `Add a rule with \`agent: ${name}\`, or remove it.`);
}

/** These do not say what they cost; the others do, or nobody knows (plugins). */
const silentKinds: readonly AgentConfig['kind'][] = ['codex', 'gemini', 'copilot'];

/** Warns of bounds in money that would let one job pass and then refuse all others. */
export function checkCosts(
  { findings }: Resolving,
  agents: readonly AgentConfig[],
  prices: readonly PriceConfig[],
): void {
  warnOfUnnamedModels(findings, agents, prices);
  for (const { name, kind, budget } of agents) {
    if (!budget || prices.length > 0 || budget.unknownCost === 'allow' || !silentKinds.includes(kind))
      continue;
    const key = budget.usdPerDay === undefined ? 'usd_per_run' : 'usd_per_day';
    const at = ['agents', name, 'budget', key];
    if (findings.has(at))
      findings.warning(
        'COST_UNKNOWN',
        at,
        `${kind} does not say what it costs: after one job its others would wait`,
        'Add `prices` for its model, bound `tokens_per_day` instead, or write `unknown_cost: allow`.',
      );
  }
}

/** Codex does not say which model it took: without one that is named no price can be found. */
function warnOfUnnamedModels(
  findings: Resolving['findings'],
  agents: readonly AgentConfig[],
  prices: readonly PriceConfig[],
): void {
  if (prices.length === 0 || prices.some(({ model }) => /^\*+$/.test(model))) return;
  for (const agent of agents) {
    const at = ['agents', agent.name, 'kind'];
    if (agent.kind !== 'codex' || agent.cli.model !== undefined || !findings.has(at)) continue;
    findings.warning(
      'COST_UNKNOWN',
      at,
      'codex does not say which model it took, so that none of the `prices` holds for it',
      'Name its `model`, or add a price for whatever model: `model: "*"`.',
    );
  }
}

/** Named ones; where none is named, all that can review. */
function reviewersOf(
  agents: readonly AgentConfig[],
  steps: readonly StepConfig[],
  reviews: ReviewsConfig | undefined,
): readonly string[] {
  const terms = [
    ...(reviews ? [reviews] : []),
    ...steps.flatMap((step) => (step.type === 'review' ? [step.reviews] : [])),
  ];
  const able = agents
    .filter(({ capabilities }) => capabilities.includes('code_review'))
    .map(({ name }) => name);
  return terms.flatMap((one) => (one.agents.length > 0 ? one.agents : able));
}
