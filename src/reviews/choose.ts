/**
 * Who reviews: never the author, and as different from it and from each other as those who are there allow. Two models of
 * one kind tend to overlook the same.
 */
import { type AgentConfig, isOwnAgent, type ReviewsConfig } from '../config/config.ts';

/** What an agent must be able to do to review. */
const REVIEW_CAPABILITY = 'code_review';

export interface Choice {
  /** Of the configuration, in its order. */
  readonly agents: readonly AgentConfig[];
  /** Names of those who have worked on it; perhaps of agents that are not configured any more. */
  readonly authors: ReadonlySet<string>;
  /** Can work now: installed, logged in, not parked, breaker closed. */
  readonly isAvailable: (agent: string) => boolean;
  readonly config: Pick<ReviewsConfig, 'reviewers' | 'agents'>;
}

/** @returns at most `reviewers` of them, best first; none: nobody can. */
export function chooseReviewers({ agents, authors, isAvailable, config }: Choice): readonly AgentConfig[] {
  const able = agents.filter(
    (agent) => !authors.has(agent.name) && canAnswer(agent) && isAvailable(agent.name),
  );
  if (config.agents.length > 0) {
    const named = [...new Set(config.agents)];
    return named
      .flatMap((name) => able.find((agent) => agent.name === name) ?? [])
      .slice(0, config.reviewers);
  }
  const authorKinds = new Set(agents.filter(({ name }) => authors.has(name)).map(kindOf));
  const left = able.filter(isReviewer);
  const chosen: AgentConfig[] = [];
  while (chosen.length < config.reviewers && left.length > 0) {
    const kinds = new Set(chosen.map(kindOf));
    const rank = (agent: AgentConfig): readonly number[] => [
      kinds.has(kindOf(agent)) ? 1 : 0,
      authorKinds.has(kindOf(agent)) ? 1 : 0,
      loadRank(agent),
      -agent.priority,
    ];
    const best = left.reduce((a, b) => (isBefore(rank(b), rank(a)) ? b : a));
    chosen.push(best);
    left.splice(left.indexOf(best), 1);
  }
  return chosen;
}

/** May review where the configuration names no reviewers. */
export function isReviewer(agent: AgentConfig): boolean {
  return canAnswer(agent) && agent.capabilities.includes(REVIEW_CAPABILITY);
}

/** Workflows and the built-in agent give no verdicts; agents of our own stand for commands and requests of steps. */
function canAnswer({ name, kind }: AgentConfig): boolean {
  return !isOwnAgent(name) && kind !== 'builtin' && kind !== 'workflow';
}

/** Plugins of different packages are different kinds. */
function kindOf(agent: AgentConfig): string {
  return agent.kind === 'plugin' ? `plugin:${agent.cli.plugin?.package}` : agent.kind;
}

function loadRank({ load }: AgentConfig): number {
  return load === 'light' ? 0 : load === undefined ? 1 : 2;
}

function isBefore(a: readonly number[], b: readonly number[]): boolean {
  const at = a.findIndex((value, index) => value !== b[index]);
  return at >= 0 && (a[at] as number) < (b[at] as number);
}
