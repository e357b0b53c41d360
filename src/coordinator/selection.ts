/**
 * Which of several agents gets a job: a named policy is a plain function that puts them in order, best first. The first
 * that can work gets it. A new policy is one function and its line in `policies`; its name goes to the configuration.
 */
import type { SelectionPolicy } from '../config/config.ts';

export interface Candidate {
  readonly name: string;
  readonly capabilities: readonly string[];
  /** Higher first. */
  readonly priority: number;
  /** `Infinity` when unlimited. */
  readonly maxLoad: number;
  /** Its jobs that have not ended. */
  readonly open: number;
}

/** Less than 0: `a` comes first; 0: this policy sees no difference, the order of the file holds. */
type Compare = (a: Candidate, b: Candidate) => number;

const byLoad: Compare = (a, b) => a.open / a.maxLoad - b.open / b.maxLoad || a.open - b.open;
const byPriority: Compare = (a, b) => b.priority - a.priority;
/** Whoever can do fewer things is the specialist. */
const bySpecialisation: Compare = (a, b) => a.capabilities.length - b.capabilities.length;

export const policies: Readonly<Record<SelectionPolicy, Compare>> = {
  least_loaded: (a, b) => byLoad(a, b) || byPriority(a, b) || bySpecialisation(a, b),
  specialized: (a, b) => bySpecialisation(a, b) || byLoad(a, b) || byPriority(a, b),
  in_order: () => 0,
};

/**
 * @param candidates In the order of the file, which decides where the policy sees no difference.
 * @returns their names, best first.
 */
export function choose(policy: SelectionPolicy, candidates: readonly Candidate[]): readonly string[] {
  return candidates.toSorted(policies[policy]).map(({ name }) => name);
}
