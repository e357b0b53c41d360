/** Which agents anything in the configuration can bring work to: rules, steps, reviews, and the fallbacks of those. Pure. */
import type { Config } from '../../config/config.ts';
import { isReviewer } from '../../reviews/choose.ts';

export function reachedAgents({ agents, rules, workflows, reviews }: Config): ReadonlySet<string> {
  const reached = new Set<string>();
  const reach = (names: readonly string[]): void => {
    for (const name of names) {
      if (reached.has(name)) continue;
      reached.add(name);
      reach(agents.get(name)?.fallback ?? []);
    }
  };
  /** By themselves: nobody stands in for a reviewer. */
  const reviewers: string[] = [];
  const reachReviewers = (named: readonly string[]): void => {
    const able = [...agents.values()].filter(isReviewer);
    reviewers.push(...(named.length > 0 ? named : able.map(({ name }) => name)));
  };
  for (const { target } of rules) {
    if (target.kind === 'agent') reach([target.agent]);
    if (target.kind === 'select') reach(target.agents);
  }
  for (const { steps, onFailure } of workflows)
    for (const step of [...steps, ...onFailure]) {
      if (step.type === 'agent') reach(step.agents);
      if (step.type === 'review') reachReviewers(step.reviews.agents);
    }
  if (reviews) reachReviewers(reviews.agents);
  return new Set([...reached, ...reviewers]);
}
