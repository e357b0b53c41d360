/** Agents with only what reviews look at spelled out. */
import type { AgentConfig, ReviewsConfig } from '../../src/config/config.ts';

export function agent(name: string, facts: Readonly<Record<string, unknown>> = {}): AgentConfig {
  return {
    name,
    kind: 'claude',
    capabilities: ['code_review'],
    priority: 0,
    ...facts,
  } as unknown as AgentConfig;
}

export function reviewsConfig(facts: Partial<ReviewsConfig> = {}): ReviewsConfig {
  return {
    on: new Set(['result', 'milestone', 'blocker', 'request', 'quiet'] as const),
    reviewers: 2,
    agents: [],
    quietMs: 900_000,
    maxRounds: 2,
    quorum: 1,
    policy: 'four_rules',
    weights: {},
    ...facts,
  };
}
